//! Snapshots of worlds that can be rebuilt from their settings and what changes.

use serde::{Deserialize, Serialize};

/// A snapshot: the settings and what changes. Everything else of a world is rebuilt from these; see
/// [`saved_as!`](crate::saved_as).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved<C, S> {
    /// Settings.
    pub config: C,
    /// What changes.
    pub state: S,
}

/// Makes snapshots of an [`Environment`](crate::environment::Environment) a [`Saved`](crate::saved::Saved):
/// `saved_as!(World, Config, State)`.
///
/// The world has the fields `config` and `state` and a method `place(&mut self, state) -> Result<()>`, which refuses a
/// state that cannot be one of this world; it derives its serde traits with `try_from = "Saved<Config, State>"` and
/// `into = "Saved<Config, State>"`.
#[macro_export]
macro_rules! saved_as {
    ($world:ty, $config:ty, $state:ty) => {
        impl From<$world> for $crate::saved::Saved<$config, $state> {
            fn from(world: $world) -> Self {
                Self {
                    config: world.config,
                    state: world.state,
                }
            }
        }

        impl TryFrom<$crate::saved::Saved<$config, $state>> for $world {
            type Error = $crate::Error;

            fn try_from(saved: $crate::saved::Saved<$config, $state>) -> $crate::Result<Self> {
                let mut world = <Self as $crate::environment::Environment>::new(&saved.config)?;
                world.place(saved.state)?;
                Ok(world)
            }
        }
    };
}
