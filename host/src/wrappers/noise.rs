//! Noise of a wrapper: a pure function of seed, wrapper, instance, episode, step and agent.

use palaestra_plugin_api::rng::{key, mix64, purpose};

use crate::rollout::Place;

/// The noise of one wrapper of one shard.
#[derive(Clone, Debug)]
pub(super) struct Noise {
    place: Place,
    /// Position of the wrapper in the list: two wrappers never share noise.
    position: u64,
}

impl Noise {
    pub(super) fn new(place: &Place, position: usize) -> Self {
        Self {
            place: place.clone(),
            position: position as u64,
        }
    }

    /// The key of an instance of the shard at a step of an episode.
    #[inline]
    pub(super) fn row(&self, instance: usize, episode: u64, step: u32) -> u64 {
        let key = key(
            self.place.run_seed,
            self.place.instance(instance),
            episode,
            u64::from(step),
            purpose::WRAPPER,
        );
        mix64(key.wrapping_add(self.position))
    }
}

/// 64 random bits for an agent (counted over all groups) under the key of its row.
#[inline]
pub(super) fn word(row: u64, agent: usize) -> u64 {
    mix64(row ^ mix64(agent as u64 + 1))
}

/// Uniform over the multiples of 2⁻⁵³ in [0, 1).
#[inline]
pub(super) fn uniform(word: u64) -> f64 {
    (word >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}
