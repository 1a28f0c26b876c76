//! Where a shard stands in its run.

use std::ops::Range;

use palaestra_plugin_api::client::MakeEnvironment;

/// The seed of the run and the instances of one shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Seed of the run.
    pub run_seed: u64,
    /// Global index of the first instance of the whole batch.
    pub first_instance: u64,
    /// Instances of the shard, within the batch.
    pub range: Range<usize>,
}

impl Place {
    /// The place of a shard of `environment`.
    pub fn new(environment: &MakeEnvironment, range: Range<usize>) -> Self {
        Self {
            run_seed: environment.run_seed,
            first_instance: environment.first_instance,
            range,
        }
    }

    /// Global index of an instance of the shard.
    pub fn instance(&self, index: usize) -> u64 {
        self.first_instance + (self.range.start + index) as u64
    }
}
