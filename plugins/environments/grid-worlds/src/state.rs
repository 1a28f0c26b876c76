//! What is kept of a world in snapshots, and what is read from outside: starts and joint actions as numbers.

use std::fmt::Display;

use palaestra_plugin_api::{
    Error, Result,
    prelude::{Deserialize, Serialize},
    serde,
};

use crate::board::{Board, Place};

/// A snapshot: the settings and what changes. Everything else of a world is rebuilt from these.
#[derive(Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
pub(crate) struct Saved<C, S> {
    /// Settings.
    pub(crate) config: C,
    /// What changes.
    pub(crate) state: S,
}

/// Makes snapshots of `$world` a [`Saved`]: it needs `new`, and `place(&mut self, state) -> Result<()>`, which
/// refuses a state that cannot be one of this world.
macro_rules! saved_as {
    ($world:ty, $config:ty, $state:ty) => {
        impl From<$world> for $crate::state::Saved<$config, $state> {
            fn from(world: $world) -> Self {
                Self {
                    config: world.config,
                    state: world.state,
                }
            }
        }

        impl TryFrom<$crate::state::Saved<$config, $state>> for $world {
            type Error = palaestra_plugin_api::Error;

            fn try_from(
                saved: $crate::state::Saved<$config, $state>,
            ) -> palaestra_plugin_api::Result<Self> {
                let mut world =
                    <Self as palaestra_plugin_api::environment::Environment>::new(&saved.config)?;
                world.place(saved.state)?;
                Ok(world)
            }
        }
    };
}
pub(crate) use saved_as;

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
