//! Reports on episodes as people read them.

use super::output::{Ink, Table};
use crate::rollout::{EpisodeReport, Outcome};

/// Returns, in total and by group and agent, lengths and metrics.
pub(crate) fn report_table(report: &EpisodeReport) -> Table {
    let mut table = Table::new(&["", "mean", "standard error", "std", "least", "most"]);
    return_row(&mut table, "return", &report.total);
    if report.groups.len() > 1 || report.groups.values().any(|group| group.agents.len() > 1) {
        for (name, group) in &report.groups {
            return_row(&mut table, &format!("  {name}"), &group.outcome);
            for (agent, spread) in group
                .agents
                .iter()
                .enumerate()
                .filter(|_| group.agents.len() > 1)
            {
                row(
                    &mut table,
                    &format!("    {agent}"),
                    [spread.mean, spread.standard_error, spread.std].map(Some),
                );
            }
        }
    }
    row(
        &mut table,
        "length",
        [
            Some(report.total.mean_length),
            Some(report.total.length_standard_error),
            None,
        ],
    );
    for (name, spread) in &report.total.metrics {
        row(
            &mut table,
            name,
            [spread.mean, spread.standard_error, spread.std].map(Some),
        );
    }
    table
}

fn return_row(table: &mut Table, name: &str, outcome: &Outcome) {
    let extreme = |outer: fn(f64, f64) -> f64| outcome.returns.iter().copied().reduce(outer);
    let numbers = [
        Some(outcome.mean_return),
        Some(outcome.standard_error),
        Some(outcome.std_return),
        extreme(f64::min),
        extreme(f64::max),
    ];
    row(table, name, numbers);
}

fn row<const N: usize>(table: &mut Table, name: &str, numbers: [Option<f64>; N]) {
    let cells = numbers
        .iter()
        .map(|n| (Ink::Plain, n.map(number).unwrap_or_default()));
    table.row(std::iter::once((Ink::Bold, name.to_owned())).chain(cells));
}

/// A number with four or more significant digits.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 || (size > 0.0 && size < 1e-3) => format!("{value:.3e}"),
        size if size >= 1e2 => format!("{value:.1}"),
        size if size >= 10.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
