//! Returns beside those of the reference implementations: the rows of `reference/tables/baselines_*.csv` whose policy the
//! program has.

use std::fs;

use serde_json::Value;

use super::{NO_OP, RANDOM, SCRIPTED, number, play};
use crate::program::Program;
use crate::{Result, cargo};

/// Tasks whose agents are all paid the sum over agents in the physics of 2017; the table lists that sum once.
const SHARED: [&str; 3] = [
    "simple_spread",
    "simple_speaker_listener",
    "simple_reference",
];

/// Episodes here for one of the reference, within the bounds: then what is uncertain is the reference's mean.
const FOR_EACH: f64 = 5.0;
/// Most episodes here.
const MOST: u32 = 20_000;

/// One measured mean, and how to measure it here.
#[derive(Clone, Debug, PartialEq)]
struct Case {
    /// What the table calls it.
    name: String,
    id: String,
    settings: Vec<String>,
    policy: &'static str,
    measure: Measure,
    episodes: f64,
    mean: f64,
    /// Standard deviation over episodes; ours where the table has none, and for the comparison where it is 0.
    std: Option<f64>,
}

impl Case {
    /// Episodes to play here.
    fn episodes_here(&self, least: u32) -> u32 {
        let wanted = FOR_EACH * self.episodes;
        // Between two u32, so it is one.
        wanted.clamp(f64::from(least), f64::from(MOST)) as u32
    }
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Measure {
    /// The return summed over agents.
    Sum,
    /// The return of the average agent.
    Average,
    /// A metric.
    Metric(&'static str),
}

/// The second table; at least four times `episodes` are played for each row.
///
/// # Errors
/// Tables that cannot be read, a rollout that fails.
pub(super) fn section(program: &Program, episodes: u32) -> Result<String> {
    let least = (4 * episodes).min(MOST);
    let mut lines = String::new();
    let (mut within, mut all) = (0, 0);
    let known = program.environments()?;
    for case in cases(&read("baselines_mpe.csv")?, &read("baselines_other.csv")?) {
        let id = versioned(&case.id, &known);
        let here = case.episodes_here(least);
        let report = play(program, id, case.policy, here, &case.settings)?;
        let (line, score) = compare(&case, &report)?;
        all += 1;
        within += usize::from(score.abs() <= 2.0);
        lines.push_str(&line);
    }
    Ok(format!(
        "\n## Beside the reference implementations\n\nThe same policies in the original implementations \
         (`reference/tables/baselines_*.csv`) and here, {FOR_EACH}\nepisodes for each of theirs, but {least} to {MOST}. z is the \
         difference in standard errors of the difference: {within} of {all}\nare within two, and about one in twenty should \
         not be. \"Always gas\" at the traffic junction is compared by the tests\nof the grid worlds.\n\n| reference | \
         policy | episodes | mean | episodes here | mean here | z |\n|---|---|---|---|---|---|---|\n{lines}"
    ))
}

/// The newest version of an id without one.
fn versioned<'a>(id: &'a str, known: &'a [String]) -> &'a str {
    let version = |known: &str| {
        known
            .strip_prefix(id)?
            .strip_prefix("-v")?
            .parse::<u32>()
            .ok()
    };
    let newest = known
        .iter()
        .filter_map(|id| Some((version(id)?, id.as_str())))
        .max();
    newest.map_or(id, |(_, id)| id)
}

fn read(name: &str) -> Result<Vec<Vec<String>>> {
    let folder = std::env::var_os("PALAESTRA_REFERENCE");
    let folder = folder.map_or_else(|| cargo::workspace().join("reference"), Into::into);
    let path = folder.join("tables").join(name);
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(text.lines().skip(1).map(cells).collect())
}

/// The cells of a line; one may be quoted.
fn cells(line: &str) -> Vec<String> {
    let mut quoted = false;
    let split = line.split(|c: char| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    split
        .map(|cell| cell.trim_matches('"').to_owned())
        .collect()
}

fn cases(mpe: &[Vec<String>], other: &[Vec<String>]) -> Vec<Case> {
    let other = other
        .iter()
        .filter_map(|row| row.first_chunk())
        .flat_map(other_cases);
    mpe.iter()
        .filter_map(|row| row.first_chunk())
        .filter_map(mpe_case)
        .chain(other)
        .collect()
}

/// A row: task, physics, policy, episodes, means and deviations by agent, mean and deviation of the sum.
fn mpe_case([task, physics, policy, episodes, _, _, mean, std]: &[String; 8]) -> Option<Case> {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    let name: String = task.split('_').map(capital).collect();
    let legacy = physics != "mpe2";
    Some(Case {
        name: format!("{task}, {physics}"),
        id: format!("mpe/{name}"),
        settings: legacy
            .then(|| "physics=openai".to_owned())
            .into_iter()
            .collect(),
        policy: match policy.as_str() {
            "random" => RANDOM,
            "noop" => NO_OP,
            _ => return None,
        },
        measure: if legacy && SHARED.contains(&task.as_str()) {
            Measure::Average
        } else {
            Measure::Sum
        },
        episodes: episodes.parse().ok()?,
        mean: mean.parse().ok()?,
        std: Some(std.parse().ok()?),
    })
}

/// A row: environment, policy, episodes, mean, deviation, notes.
fn other_cases([name, policy, episodes, mean, std, notes]: &[String; 6]) -> Vec<Case> {
    let policy = match policy.as_str() {
        text if text.starts_with("random") => RANDOM,
        // The controllers that are the scripted baselines here.
        text if text.starts_with("linear controller") || text.starts_with("energy pumping") => {
            SCRIPTED
        }
        _ => return Vec::new(),
    };
    let (Some((id, settings)), Ok(episodes), Ok(mean), Ok(std)) =
        (named(name), episodes.parse(), mean.parse(), std.parse())
    else {
        return Vec::new();
    };
    let junction = id == "grid/TrafficJunction";
    let case = Case {
        name: name.clone(),
        id,
        settings,
        policy,
        measure: if junction {
            Measure::Metric("success")
        } else {
            Measure::Sum
        },
        episodes,
        mean,
        std: Some(std),
    };
    let reward = notes
        .strip_prefix("mean total reward ")
        .and_then(|n| n.parse().ok());
    let rewards = reward.filter(|_| junction).map(|mean| Case {
        name: format!("{name}, total reward"),
        measure: Measure::Sum,
        mean,
        std: None,
        ..case.clone()
    });
    std::iter::once(case).chain(rewards).collect()
}

/// The environment and settings that a name of the reference stands for.
fn named(name: &str) -> Option<(String, Vec<String>)> {
    let settings = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect::<Vec<_>>()
    };
    if let Some(rest) = name.strip_prefix("IC3Net TJ ") {
        let (difficulty, rate) = rest.split_once(" add_rate ")?;
        let set = [
            ("difficulty", difficulty),
            ("add_rate", rate),
            ("vision", "0"),
        ];
        return Some(("grid/TrafficJunction".into(), settings(&set)));
    }
    let words: Vec<&str> = name.split('-').collect();
    match words.as_slice() {
        ["Foraging", words @ .., "v3"] => {
            let mut set = Vec::new();
            for word in words {
                set.push(foraging(word)?);
            }
            Some(("grid/Foraging".into(), set))
        }
        ["rware", size, robots, "v2"] => {
            let set = [("size", *size), ("num_agents", robots.strip_suffix("ag")?)];
            Some(("grid/Warehouse".into(), settings(&set)))
        }
        [_, _] => Some((format!("classic/{name}"), Vec::new())),
        _ => None,
    }
}

/// A word of a foraging id: `2s`, `8x8`, `2p`, `3f` or `coop`.
fn foraging(word: &str) -> Option<String> {
    if word == "coop" {
        return Some("force_coop=true".into());
    }
    if let Some((rows, columns)) = word.split_once('x') {
        return Some(format!("field_size=[{rows}, {columns}]"));
    }
    let (count, kind) = word.split_at_checked(word.len().checked_sub(1)?)?;
    let key = match kind {
        "s" => "sight",
        "p" => "players",
        "f" => "max_num_food",
        _ => return None,
    };
    Some(format!("{key}={count}"))
}

/// A line of the table, and the difference in standard errors.
fn compare(case: &Case, report: &Value) -> Result<(String, f64)> {
    let missing = || {
        format!(
            "rollout of {}: expected a mean and its error, found none",
            case.id
        )
    };
    let agents = || {
        let groups = report["groups"]
            .as_object()
            .into_iter()
            .flat_map(|groups| groups.values());
        groups
            .filter_map(|group| group["agents"].as_array())
            .map(Vec::len)
            .sum::<usize>() as f64
    };
    let (mean, error, share) = match case.measure {
        Measure::Sum => (&report["mean_return"], &report["standard_error"], 1.0),
        Measure::Average => (
            &report["mean_return"],
            &report["standard_error"],
            1.0 / agents(),
        ),
        Measure::Metric(name) => {
            let spread = &report["metrics"][name];
            (&spread["mean"], &spread["standard_error"], 1.0)
        }
    };
    let mean = share * mean.as_f64().ok_or_else(missing)?;
    let error = share * error.as_f64().ok_or_else(missing)?;
    let played = report["episodes"].as_f64().ok_or_else(missing)?;
    let std = case.std.unwrap_or(error * played.sqrt());
    let theirs = std / case.episodes.sqrt();
    // Where all of their few episodes ended alike their deviation says nothing; ours does.
    let unseen = if std > 0.0 {
        theirs
    } else {
        error * (played / case.episodes).sqrt()
    };
    let (off, spread) = (mean - case.mean, error.hypot(unseen));
    let score = if off == 0.0 { 0.0 } else { off / spread };
    let Case {
        name,
        policy,
        episodes,
        mean: expected,
        ..
    } = case;
    let numbers = [*expected, mean, error].map(number);
    let [expected, mean, error] = numbers;
    let theirs = number(theirs);
    let line = format!(
        "| {name} | {policy} | {episodes} | {expected} ± {theirs} | {played} | {mean} ± {error} | {score:+.1} |\n"
    );
    Ok((line, score))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_the_reference_become_ids_and_settings() {
        let settings = |name: &str| {
            let (id, settings) = named(name).unwrap();
            format!("{id} {}", settings.join(" "))
        };
        assert_eq!(settings("CartPole-v1"), "classic/CartPole-v1 ");
        assert_eq!(
            settings("Foraging-2s-8x8-2p-3f-coop-v3"),
            "grid/Foraging sight=2 field_size=[8, 8] players=2 max_num_food=3 force_coop=true"
        );
        assert_eq!(
            settings("rware-tiny-4ag-v2"),
            "grid/Warehouse size=tiny num_agents=4"
        );
        assert_eq!(
            settings("IC3Net TJ hard add_rate 0.02"),
            "grid/TrafficJunction difficulty=hard add_rate=0.02 vision=0"
        );
        assert_eq!(named("Foraging-8y8-v3"), None);
        let known = ["a/B-v2", "a/B-v10", "a/Bc-v11"].map(str::to_owned);
        assert_eq!(versioned("a/B", &known), "a/B-v10");
        assert_eq!(versioned("a/B-v2", &known), "a/B-v2");
    }

    #[test]
    fn every_row_with_a_policy_of_ours_is_compared() {
        let [mpe, other] = ["baselines_mpe.csv", "baselines_other.csv"].map(|n| read(n).unwrap());
        let rows = |rows: &[Vec<String>], at: usize, start: &str| {
            rows.iter().filter(|row| row[at].starts_with(start)).count()
        };
        let cases = cases(&mpe, &other);
        let compared = |policy| cases.iter().filter(|case| case.policy == policy).count();
        assert_eq!(compared(NO_OP), rows(&mpe, 2, "noop"));
        // Six rows of the traffic junction have a success rate and a reward.
        let chance = rows(&mpe, 2, "random") + rows(&other, 1, "random") + 6;
        assert_eq!((compared(RANDOM), compared(SCRIPTED)), (chance, 3));
    }

    /// A mean over episodes of the reference.
    fn measured(episodes: f64) -> Case {
        Case {
            name: "x".into(),
            id: "a/X".into(),
            settings: Vec::new(),
            policy: RANDOM,
            measure: Measure::Average,
            episodes,
            mean: 10.0,
            std: Some(3.0),
        }
    }

    #[test]
    fn what_was_measured_well_is_measured_well_here() {
        let here = [10.0, 1_000.0, 4_000.0, 50_000.0].map(|n| measured(n).episodes_here(2_000));
        assert_eq!(here, [2_000, 5_000, 20_000, 20_000]);
    }

    #[test]
    fn differences_are_told_in_standard_errors() {
        let case = measured(100.0);
        let report = json!({"mean_return": 22.0, "standard_error": 0.8, "episodes": 400,
            "groups": {"g": {"agents": [{}, {}]}}});
        let (line, score) = compare(&case, &report).unwrap();
        assert!((score - 2.0).abs() < 1e-12, "{score}");
        assert_eq!(
            line,
            "| x | random | 100 | 10.0 ± 0.300 | 400 | 11.0 ± 0.400 | +2.0 |\n"
        );
        // A hundred equal episodes leave room for what four hundred show: 0.8 = √(0.4² · 400 / 100).
        let alike = Case {
            std: Some(0.0),
            ..case
        };
        let (_, score) = compare(&alike, &report).unwrap();
        assert!((score - 1.0 / 0.8_f64.hypot(0.4)).abs() < 1e-12, "{score}");
    }
}
