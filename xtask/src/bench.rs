//! `docs/benchmarks.md`: the speed of every environment, and what an agent costs among many, measured in one go.

mod scaling;
mod yardstick;

use std::path::Path;

use serde_json::Value;

use crate::Result;
use crate::page::{processor, put};
use crate::program::Program;

/// Measures, and writes or prints the table.
///
/// # Errors
/// A build or measurement that fails, a file that cannot be written.
pub(crate) fn run(out: Option<&Path>, arguments: &[String]) -> Result<()> {
    let program = Program::release()?;
    let before = yardstick::nanoseconds();
    let mut rows = Vec::new();
    for id in program.environments()? {
        eprintln!("measuring {id}");
        let mut all = vec!["bench", "environment", id.as_str(), "--json"];
        all.extend(arguments.iter().map(String::as_str));
        rows.extend(measurements(&program.ask(&all)?));
    }
    let scaling = scaling::section(&program)?;
    let machine = format!(
        "{}, {}, where a link of a chain of multiplications took {before:.2} ns before and {:.2} ns after",
        processor(),
        yardstick::vectors(),
        yardstick::nanoseconds()
    );
    put(out, &(page(&rows, &machine) + &scaling))
}

/// One measurement: environment, instances, threads, and steps a second of environments and agents.
struct Row {
    environment: String,
    num_envs: u64,
    threads: u64,
    env_steps: f64,
    agent_steps: f64,
}

/// The measurements in an answer: several thread counts are its `runs`.
fn measurements(answer: &Value) -> Vec<Row> {
    let all = answer["runs"]
        .as_array()
        .map_or(std::slice::from_ref(answer), Vec::as_slice);
    let row = |m: &Value| {
        Some(Row {
            environment: m["environment"].as_str()?.to_owned(),
            num_envs: m["num_envs"].as_u64()?,
            threads: m["threads"].as_u64()?,
            env_steps: m["env_steps_per_second"].as_f64()?,
            agent_steps: m["agent_steps_per_second"].as_f64()?,
        })
    };
    all.iter().filter_map(row).collect()
}

fn page(rows: &[Row], machine: &str) -> String {
    let mut text = format!(
        "# Speed of the environments\n\nWritten by `cargo xtask bench --out docs/benchmarks.md` on {machine}.\nEach line is \
         `palaestra bench environment ID`: random actions in, observations and rewards out, resets and statistics \
         included.\n\n| environment | instances | threads | million env steps/s | million agent steps/s |\n|---|---|---|---|---|\n"
    );
    for row in rows {
        let million = |x: f64| match x / 1e6 {
            m if m >= 10.0 => format!("{m:.1}"),
            m => format!("{m:.2}"),
        };
        text.push_str(&format!(
            "| `{}` | {} | {} | {} | {} |\n",
            row.environment,
            row.num_envs,
            row.threads,
            million(row.env_steps),
            million(row.agent_steps)
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_measurement_or_several_become_lines_of_the_table() {
        let one = json!({"environment": "a/X-v0", "num_envs": 8192, "threads": 1, "env_steps_per_second": 2.5e6, "agent_steps_per_second": 75e6});
        let lines = |answer: &Value| {
            page(&measurements(answer), "a machine")
                .lines()
                .skip(7)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let line = "| `a/X-v0` | 8192 | 1 | 2.50 | 75.0 |";
        assert_eq!(lines(&one), [line]);
        assert_eq!(
            lines(&json!({"environment": "a/X-v0", "runs": [one, one]})),
            [line, line]
        );
    }
}
