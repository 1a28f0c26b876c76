//! What chooses the actions of a shard inside a fragment.

use palaestra_plugin_api::{
    Error, Result,
    abi::id,
    client::{Key, RandomPolicy, ShardMut},
    spec::EnvironmentSpec,
};

use crate::wrappers::Place;

/// Chooses the actions of one shard. One object per shard, so it may keep state for its rows; noise must
/// come from keys of the rows, so that shards change no byte.
pub trait Policy: Send {
    /// Writes the actions of every agent at `slot`, where the observations are.
    ///
    /// # Errors
    /// What keeps it from choosing.
    fn act(&mut self, shard: &mut ShardMut<'_>, slot: usize) -> Result<()>;

    /// Sees what the step has written at `slot`: rewards, and the list of ended episodes, which the next
    /// step overwrites.
    ///
    /// # Errors
    /// What keeps it from going on.
    fn observe(&mut self, shard: &mut ShardMut<'_>, slot: usize) -> Result<()> {
        let _ = (shard, slot);
        Ok(())
    }
}
