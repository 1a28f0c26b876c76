//! `docs/baselines.md`: what every environment pays agents that act at random, do nothing, or follow its own scripted
//! baseline; and the same beside what was measured in the reference implementations.

mod reference;

use std::path::Path;

use serde_json::Value;

use crate::Result;
use crate::page::{number, put};
use crate::program::Program;

/// The policies, as the program calls them.
const RANDOM: &str = "random";
const NO_OP: &str = "no-op";
const SCRIPTED: &str = "scripted";
/// Agents of one group whose returns are told one by one where rewards differ.
const FEW: usize = 4;
/// Metrics that are told.
const METRICS: usize = 3;

/// Plays, and writes or prints the tables.
///
/// # Errors
/// A build or a rollout that fails, reference tables that cannot be read, a file that cannot be written.
pub(crate) fn run(out: Option<&Path>, episodes: u32) -> Result<()> {
    let program = Program::dev()?;
    let mut text = format!(
        "# Baselines\n\nWritten by `cargo xtask baselines --out docs/baselines.md`: the same seed gives the same page. Each \
         entry is `palaestra rollout ID --policy …\n--episodes {episodes}`: mean return ± standard error, summed over the \
         agents of a group, with default settings. The scripted baseline\nis the world's own: it may know what agents do not \
         see, and is no optimum.\n\n| environment | random | no-op | scripted | metrics, random → scripted |\n\
         |---|---|---|---|---|\n"
    );
    for id in program.environments()? {
        eprintln!("playing {id}");
        text.push_str(&row(&program, &id, episodes)?);
    }
    eprintln!("comparing with the reference");
    text.push_str(&reference::section(&program, episodes)?);
    put(out, &text)
}

/// Episodes of a policy, as the program reports them.
///
/// # Errors
/// A rollout that fails.
fn play(program: &Program, id: &str, policy: &str, episodes: u32, set: &[String]) -> Result<Value> {
    let (episodes, threads) = (episodes.to_string(), threads().to_string());
    let mut arguments = vec!["rollout", id, "--policy", policy, "--episodes", &episodes];
    arguments.extend(["--threads", &threads, "--json"]);
    arguments.extend(set.iter().flat_map(|setting| ["--set", setting.as_str()]));
    program.ask(&arguments)
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// One line of the first table.
fn row(program: &Program, id: &str, episodes: u32) -> Result<String> {
    let description = program.ask(&["describe", id, "--json"])?;
    let spec = &description["spec"];
    let offered = |policy: &str| match policy {
        NO_OP => groups(spec).iter().all(|group| group["no_op"].is_array()),
        SCRIPTED => spec["flags"]["scripted"] == true,
        _ => true,
    };
    let report = |policy| {
        let played = || play(program, id, policy, episodes, &[]);
        offered(policy).then(played).transpose()
    };
    let reports = [report(RANDOM)?, report(NO_OP)?, report(SCRIPTED)?];
    Ok(line(id, spec, &reports))
}

fn groups(spec: &Value) -> &[Value] {
    spec["groups"].as_array().map_or(&[], Vec::as_slice)
}

fn line(id: &str, spec: &Value, reports: &[Option<Value>; 3]) -> String {
    let cell = |report: &Option<Value>| report.as_ref().map_or("–".into(), |r| returns(spec, r));
    let [random, no_op, scripted] = reports.each_ref().map(cell);
    let [chance, _, script] = reports;
    let metrics = metrics(spec, chance.as_ref(), script.as_ref());
    format!("| `{id}` | {random} | {no_op} | {scripted} | {metrics} |\n")
}

/// The returns of a report: in sum where agents are paid alike, else by group, and by agent where there are few.
fn returns(spec: &Value, report: &Value) -> String {
    let tags = spec["tags"].as_array().map_or(&[][..], Vec::as_slice);
    let alike = tags
        .iter()
        .any(|tag| tag == "cooperative" || tag == "single-agent");
    let by_agent = |group: &Value| -> Option<String> {
        let agents = group["agents"].as_array()?;
        let told = !alike && (2..=FEW).contains(&agents.len());
        let each = agents
            .iter()
            .map(|a| spread(&a["mean"], &a["standard_error"]));
        told.then(|| each.collect::<Vec<_>>().join(" / "))
    };
    let sum = |outcome: &Value| spread(&outcome["mean_return"], &outcome["standard_error"]);
    match groups(spec) {
        [only] => {
            let name = only["name"].as_str().unwrap_or_default();
            by_agent(&report["groups"][name]).unwrap_or_else(|| sum(report))
        }
        _ if alike => sum(report),
        several => {
            let of = |group: &Value| {
                let name = group["name"].as_str().unwrap_or_default();
                let outcome = &report["groups"][name];
                format!(
                    "{name} {}",
                    by_agent(outcome).unwrap_or_else(|| sum(outcome))
                )
            };
            several.iter().map(of).collect::<Vec<_>>().join("; ")
        }
    }
}

/// The first metrics by chance and by script.
fn metrics(spec: &Value, chance: Option<&Value>, script: Option<&Value>) -> String {
    let names = spec["metrics"].as_array().into_iter().flatten();
    let names = names.filter_map(|metric| metric["name"].as_str());
    let value = |report: Option<&Value>, name: &str| {
        let mean = report.and_then(|r| r["metrics"][name]["mean"].as_f64());
        mean.map_or("–".to_owned(), number)
    };
    let told = names
        .take(METRICS)
        .map(|name| format!("{name} {} → {}", value(chance, name), value(script, name)));
    told.collect::<Vec<_>>().join(", ")
}

/// `-26.5 ± 0.2`.
fn spread(mean: &Value, error: &Value) -> String {
    match (mean.as_f64(), error.as_f64()) {
        (Some(mean), Some(error)) => format!("{} ± {}", number(mean), number(error)),
        _ => "–".into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outcome(mean: f64) -> Value {
        json!({"mean_return": mean, "standard_error": 0.25, "agents": [
            {"mean": mean / 2.0, "standard_error": 0.125}, {"mean": mean / 2.0, "standard_error": 0.125},
        ]})
    }

    #[test]
    fn a_team_is_told_in_sum_and_opponents_one_by_one() {
        let mut spec = json!({"groups": [{"name": "agent"}], "tags": ["cooperative"], "metrics": [{"name": "win"}]});
        let mut report = outcome(12.0);
        report["groups"] = json!({"agent": outcome(12.0)});
        report["metrics"] = json!({"win": {"mean": 0.5}});
        let reports = [Some(report), None, None];
        let expected = "| `a/X-v0` | 12.0 ± 0.250 | – | – | win 0.500 → – |\n";
        assert_eq!(line("a/X-v0", &spec, &reports), expected);
        spec["tags"] = json!(["competitive"]);
        let [Some(report), ..] = &reports else {
            unreachable!()
        };
        assert_eq!(returns(&spec, report), "6.00 ± 0.125 / 6.00 ± 0.125");
    }

    #[test]
    fn groups_are_told_apart() {
        let spec = json!({"groups": [{"name": "fox"}, {"name": "hare"}], "tags": ["competitive"]});
        let one = |mean: f64| json!({"mean_return": mean, "standard_error": 0.0, "agents": [{}]});
        let report = json!({"groups": {"fox": one(250.0), "hare": one(-1.0)}});
        assert_eq!(returns(&spec, &report), "fox 250 ± 0.00; hare -1.00 ± 0.00");
    }
}
