//! `docs/learning.md`: what the experiments of `experiments/` learn, over several seeds, beside what is expected.

use std::{fmt, fs, path::Path};

use palaestra::rollout::Moments;
use serde_json::Value;

use crate::{
    Result, cargo,
    page::{number, processor, put},
    program::Program,
};

/// An experiment file, and what should come of it.
struct Experiment {
    /// The file's name below `experiments/`, without its ending.
    name: &'static str,
    /// What is measured, in words.
    measure: &'static str,
    /// Where it is in the evaluation of a run, as a JSON pointer.
    pointer: &'static str,
    /// Its mean over the seeds.
    expected: Expected,
}

/// What a mean should be.
#[derive(Clone, Copy, Debug)]
enum Expected {
    AtLeast(f64),
    Near { value: f64, within: f64 },
}

/// The return of all agents together.
const RETURN: &str = "/mean_return";

/// The experiments. Levels are those that other implementations reach with as many steps.
const EXPERIMENTS: [Experiment; 5] = [
    Experiment {
        name: "cartpole-ppo",
        measure: "return",
        pointer: RETURN,
        // The most there is.
        expected: Expected::AtLeast(500.0),
    },
    Experiment {
        name: "pendulum-ppo",
        measure: "return",
        pointer: RETURN,
        // Two seeds of Stable-Baselines3 with the settings of its zoo: -216 and -224.
        expected: Expected::AtLeast(-220.0),
    },
    Experiment {
        name: "spread-mappo",
        measure: "return, summed over the agents",
        pointer: RETURN,
        // Three seeds in PyTorch with the same settings: -57.8 ± 1.5.
        expected: Expected::AtLeast(-60.0),
    },
    Experiment {
        name: "spread-ippo",
        measure: "return, summed over the agents",
        pointer: RETURN,
        // Two seeds in PyTorch with the same settings: -58.9 ± 1.
        expected: Expected::AtLeast(-60.0),
    },
    Experiment {
        name: "kuhn-self-play",
        measure: "return of the player who acts first",
        pointer: "/groups/players/agents/0/mean",
        // The value of the game.
        expected: Expected::Near {
            value: -1.0 / 18.0,
            within: 0.03,
        },
    },
];

impl Expected {
    fn met(self, mean: f64) -> bool {
        match self {
            Self::AtLeast(level) => mean >= level,
            Self::Near { value, within } => (mean - value).abs() <= within,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AtLeast(level) => write!(f, "at least {}", number(level)),
            Self::Near { value, within } => {
                write!(
                    f,
                    "{} to {}",
                    number(value - within),
                    number(value + within)
                )
            }
        }
    }
}

/// Trains, writes the page, and compares.
///
/// # Errors
/// An unknown name, a build or a training run that fails, a file that cannot be written, less than expected.
pub(crate) fn run(only: &[String], seeds: u32) -> Result<()> {
    let chosen = chosen(only)?;
    let program = Program::release()?;
    let runs = cargo::artifacts()?.target.join("learning");
    let page = cargo::workspace().join("docs/learning.md");
    let mut missed = Vec::new();
    for experiment in chosen {
        eprintln!("training {}", experiment.name);
        let outcome = train(&program, experiment, seeds, &runs)?;
        // After each experiment: they take long, and what is done is done.
        let lines = fs::read_to_string(&page).unwrap_or_default();
        put(Some(&page), &text(&lines, &outcome.line(), experiment.name))?;
        if !experiment.expected.met(outcome.value.mean) {
            let found = number(outcome.value.mean);
            let expected = experiment.expected;
            missed.push(format!(
                "{}: expected {expected}, found {found}",
                experiment.name
            ));
        }
    }
    match missed.is_empty() {
        true => Ok(()),
        false => Err(missed.join("; ")),
    }
}

/// The experiments of these names, or all.
fn chosen(only: &[String]) -> Result<Vec<&'static Experiment>> {
    let known = |name: &String| EXPERIMENTS.iter().any(|e| e.name == name);
    if let Some(unknown) = only.iter().find(|name| !known(name)) {
        let names = EXPERIMENTS.map(|e| e.name).join(", ");
        return Err(format!("--only: expected one of {names}, found {unknown}"));
    }
    let all = EXPERIMENTS.iter();
    let named = all.filter(|e| only.is_empty() || only.iter().any(|name| name == e.name));
    Ok(named.collect())
}

fn train(
    program: &Program,
    experiment: &'static Experiment,
    seeds: u32,
    runs: &Path,
) -> Result<Outcome> {
    let file = format!("experiments/{}.toml", experiment.name);
    let path = cargo::workspace().join(&file);
    let out = runs.join(experiment.name);
    let seeds = format!("0..{seeds}");
    let (path, out) = (path.to_string_lossy(), out.to_string_lossy());
    let answer = program.ask(&["train", &path, "--seed", &seeds, "--out", &out, "--json"])?;
    Outcome::of(experiment, &answer)
}

/// What the seeds of an experiment came to.
struct Outcome {
    experiment: &'static Experiment,
    seeds: usize,
    steps: u64,
    value: Moments,
    wall_seconds: f64,
}

impl Outcome {
    /// Reads what `palaestra train --json` says: several seeds are its `runs`.
    fn of(experiment: &'static Experiment, answer: &Value) -> Result<Self> {
        let runs = answer["runs"]
            .as_array()
            .map_or(std::slice::from_ref(answer), Vec::as_slice);
        let value = |run: &Value| {
            let value = run["evaluation"].pointer(experiment.pointer)?.as_f64()?;
            Some((value, run["steps"].as_u64()?, run["wall_seconds"].as_f64()?))
        };
        let values: Option<Vec<_>> = runs.iter().map(value).collect();
        let values = values.filter(|values| !values.is_empty()).ok_or_else(|| {
            let (name, pointer) = (experiment.name, experiment.pointer);
            format!(
                "{name}: expected {pointer} in the evaluation of each run, found a run without it"
            )
        })?;
        Ok(Self {
            experiment,
            seeds: values.len(),
            steps: values[0].1,
            value: Moments::of(values.iter().map(|v| v.0)),
            wall_seconds: values.iter().map(|v| v.2).sum::<f64>() / values.len() as f64,
        })
    }

    /// Its line of the table.
    fn line(&self) -> String {
        let Experiment {
            name,
            measure,
            expected,
            ..
        } = self.experiment;
        let error = match self.seeds {
            1 => String::new(),
            _ => format!(" ± {}", number(self.value.standard_error())),
        };
        format!(
            "| `{name}` | {measure} | {} | {} | {}{error} | {expected} | {:.1} | \
             `palaestra train experiments/{name}.toml --seed 0..{}` |\n",
            self.steps,
            self.seeds,
            number(self.value.mean),
            self.wall_seconds,
            self.seeds
        )
    }
}

/// The page with this line in place of the experiment's former one; the others stay.
fn text(former: &str, line: &str, name: &str) -> String {
    let mut text = format!(
        "# Learning\n\nWritten by `cargo xtask learning` on {}: each experiment of `experiments/` is trained with several \
         seeds,\nand evaluated on episodes of its own at the end. Mean over the seeds ± its standard error, beside what is \
         expected\n(`xtask/src/learning.rs` says why). Wall seconds are those of one seed, with its evaluations.\n\n\
         | experiment | measure | env steps | seeds | reached | expected | wall seconds | command |\n\
         |---|---|---|---|---|---|---|---|\n",
        processor()
    );
    for experiment in &EXPERIMENTS {
        let start = format!("| `{}` |", experiment.name);
        let kept = former.lines().find(|line| line.starts_with(&start));
        match experiment.name == name {
            true => text.push_str(line),
            false => text.extend(kept.map(|kept| format!("{kept}\n"))),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(returns: &[f64]) -> Value {
        let run = |mean: &f64| {
            json!({"steps": 1000, "wall_seconds": mean.abs(), "evaluation": {
                "mean_return": mean, "groups": {"players": {"agents": [{"mean": -0.25}, {"mean": 0.25}]}},
            }})
        };
        let mut runs: Vec<_> = returns.iter().map(run).collect();
        match runs.len() {
            1 => runs.remove(0),
            _ => json!({"runs": runs}),
        }
    }

    #[test]
    fn every_experiment_is_a_file_and_every_file_an_experiment() {
        let folder = cargo::workspace().join("experiments");
        let entries = fs::read_dir(&folder).unwrap();
        let mut files: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
        files.sort();
        let mut names = EXPERIMENTS.map(|e| folder.join(format!("{}.toml", e.name)));
        names.sort();
        assert_eq!(files, names);
        for file in &files {
            palaestra::experiment::Experiment::read(file).unwrap();
        }
    }

    #[test]
    fn seeds_become_a_mean_with_its_error() {
        let outcome = Outcome::of(&EXPERIMENTS[1], &answer(&[-100.0, -300.0])).unwrap();
        let line = "| `pendulum-ppo` | return | 1000 | 2 | -200 ± 100 | at least -220 | 200.0 | \
                    `palaestra train experiments/pendulum-ppo.toml --seed 0..2` |\n";
        assert_eq!(outcome.line(), line);
        let one = Outcome::of(&EXPERIMENTS[4], &answer(&[0.0])).unwrap();
        assert!(
            one.line().contains("| 1 | -0.250 | -0.086 to -0.026 |"),
            "{}",
            one.line()
        );
        assert!(Outcome::of(&EXPERIMENTS[0], &json!({"runs": []})).is_err());
    }

    #[test]
    fn less_than_expected_is_missed_on_either_side() {
        let met = |i: usize, mean| EXPERIMENTS[i].expected.met(mean);
        assert!(met(0, 500.0) && !met(0, 499.9) && met(1, -130.0));
        assert!(met(4, -0.05) && !met(4, 0.0) && !met(4, -0.1));
    }

    #[test]
    fn a_page_keeps_the_lines_of_what_was_not_trained() {
        let table = |page: &str| page.lines().skip(8).map(str::to_owned).collect::<Vec<_>>();
        let one = text("", "| `spread-ippo` | old |\n", "spread-ippo");
        let two = text(&one, "| `cartpole-ppo` | new |\n", "cartpole-ppo");
        assert_eq!(
            table(&two),
            ["| `cartpole-ppo` | new |", "| `spread-ippo` | old |"]
        );
        let three = text(&two, "| `spread-ippo` | new |\n", "spread-ippo");
        assert_eq!(
            table(&three),
            ["| `cartpole-ppo` | new |", "| `spread-ippo` | new |"]
        );
    }

    #[test]
    fn an_unknown_name_is_refused_before_anything_is_built() {
        let Err(error) = chosen(&["chess".into()]) else {
            panic!("expected a refusal");
        };
        assert!(
            error.contains("cartpole-ppo") && error.contains("found chess"),
            "{error}"
        );
        assert_eq!(chosen(&["spread-ippo".into()]).unwrap().len(), 1);
    }
}
