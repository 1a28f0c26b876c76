//! What is read from outside: settings, starts, and joint actions as numbers; and the chance of counterfactuals.

use std::fmt::Display;

use palaestra_plugin_api::{
    Error, Result,
    prelude::{Deserialize, EnvRng, Serialize},
    serde,
};

use crate::board::{Board, Place};

/// The generator as the coming step will find it: a counterfactual meets the chance that the step would meet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", transparent)]
pub(crate) struct Foresight(EnvRng);

impl Foresight {
    /// Notes the generator, at the end of every reset and step.
    #[inline(always)]
    pub(crate) fn note(&mut self, rng: &EnvRng) {
        self.0.clone_from(rng);
    }

    /// What the coming step will draw from.
    pub(crate) fn chance(&self) -> EnvRng {
        self.0.clone()
    }
}

impl Default for Foresight {
    /// Before the first reset.
    fn default() -> Self {
        Self(EnvRng::new(0, 0, 0, 0))
    }
}

/// A setting that does not fit.
pub(crate) fn invalid(at: &str, expected: impl Display, found: impl Display) -> Error {
    Error::config(format!("config {at}: expected {expected}, found {found}"))
}

/// A start or a snapshot that does not fit.
pub(crate) fn misplaced(what: &str, expected: impl Display, found: impl Display) -> Error {
    Error::config(format!("start {what}: expected {expected}, found {found}"))
}

/// Refuses a list of another length.
pub(crate) fn require_count(what: &str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        Ok(())
    } else {
        Err(misplaced(what, format_args!("{expected} of them"), found))
    }
}

/// Refuses a place off the board.
pub(crate) fn require_on_board(what: &str, board: Board, place: Place) -> Result<()> {
    if board.contains(place) {
        return Ok(());
    }
    let expected =
        format_args!("[row, column] on {} × {} cells", board.rows, board.columns).to_string();
    Err(misplaced(what, expected, format_args!("{place:?}")))
}

/// The choices of a joint action `[group][agent][component]` for groups of `agents` agents with `n` choices each.
///
/// # Errors
/// When it has another shape, or a number that is no choice.
pub(crate) fn choices(
    actions: &[Vec<Vec<f64>>],
    agents: &[usize],
    n: usize,
) -> Result<Vec<Vec<usize>>> {
    let choice = |row: &Vec<f64>| match row.as_slice() {
        [a] if *a >= 0.0 && *a < n as f64 && a.fract() == 0.0 => Ok(*a as usize),
        _ => Err(Error::config(format!(
            "joint action: expected one of {n} choices, found {row:?}"
        ))),
    };
    if actions.len() != agents.len()
        || actions
            .iter()
            .zip(agents)
            .any(|(rows, &count)| rows.len() != count)
    {
        return Err(Error::config(format!(
            "joint action: expected {agents:?} agents in the groups"
        )));
    }
    actions
        .iter()
        .map(|rows| rows.iter().map(choice).collect())
        .collect()
}

/// A joint action `[group][agent][component]` of choices `[group][agent]`.
pub(crate) fn joint(choices: &[Vec<usize>]) -> Vec<Vec<Vec<f64>>> {
    let group = |agents: &Vec<usize>| agents.iter().map(|&choice| vec![choice as f64]).collect();
    choices.iter().map(group).collect()
}
