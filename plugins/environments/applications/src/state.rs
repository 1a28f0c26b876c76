//! What is kept of a world in snapshots, and what is read from outside: starts and joint actions as numbers.

use std::fmt::Display;

use palaestra_plugin_api::{
    Error, Result,
    prelude::{Deserialize, Serialize},
    serde,
};

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
