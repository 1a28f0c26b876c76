//! What is read from outside: settings, starts, and joint actions as numbers.

use std::fmt::Display;

use palaestra_plugin_api::{Error, Result};

/// A setting that does not fit.
pub(crate) fn invalid(at: &str, expected: impl Display, found: impl Display) -> Error {
    Error::config(format!("config {at}: expected {expected}, found {found}"))
}

/// Refuses values of a start or a snapshot: another count, or a number outside `low` to `high`.
pub(crate) fn require(
    what: &str,
    values: &[f64],
    count: usize,
    [low, high]: [f64; 2],
) -> Result<()> {
    let wrong = |expected: String, found: String| {
        Error::config(format!("start {what}: expected {expected}, found {found}"))
    };
    if values.len() != count {
        let found = values.len().to_string();
        return Err(wrong(format!("{count} of them"), found));
    }
    match values.iter().find(|x| !(low..=high).contains(x)) {
        Some(outside) => Err(wrong(format!("{low} ≤ x ≤ {high}"), outside.to_string())),
        None => Ok(()),
    }
}

/// Refuses a joint action `[group][agent][component]` that does not fit groups of `[agents, width]`.
pub(crate) fn require_joint(actions: &[Vec<Vec<f64>>], groups: &[[usize; 2]]) -> Result<()> {
    let fits = actions.len() == groups.len()
        && actions.iter().zip(groups).all(|(rows, &[agents, width])| {
            rows.len() == agents
                && rows
                    .iter()
                    .all(|row| row.len() == width && row.iter().all(|x| x.is_finite()))
        });
    if fits {
        Ok(())
    } else {
        Err(Error::config(format!(
            "joint action: expected finite numbers for groups of [agents, components] {groups:?}"
        )))
    }
}

/// Reads a joint action of choices `[group][agent][component]`, of groups of `(agents, choices of each component)`.
pub(crate) fn require_choices(
    actions: &[Vec<Vec<f64>>],
    groups: &[(usize, &[usize])],
) -> Result<Vec<Vec<Vec<i32>>>> {
    let shapes: Vec<_> = (groups.iter())
        .map(|&(agents, choices)| [agents, choices.len()])
        .collect();
    require_joint(actions, &shapes)?;
    let choice = |(at, (&x, &count)): (usize, (&f64, &usize))| {
        if x >= 0.0 && x < count as f64 && x.fract() == 0.0 {
            return Ok(x as i32);
        }
        Err(Error::config(format!(
            "joint action: expected a choice from 0 to {} as component {at}, found {x}",
            count - 1
        )))
    };
    (actions.iter().zip(groups))
        .map(|(rows, (_, choices))| {
            (rows.iter())
                .map(|row| row.iter().zip(*choices).enumerate().map(choice).collect())
                .collect()
        })
        .collect()
}
