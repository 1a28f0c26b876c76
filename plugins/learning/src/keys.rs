//! Random numbers that belong to a 64-bit key: functions of (key, index), so no result depends on call order.
//!
//! A key names one row of one step (see [`palaestra_plugin_api::rng::key`]); the index counts the numbers drawn for
//! that row. Word i is SplitMix64's i-th output when started at the key.

use palaestra_plugin_api::math;
use palaestra_plugin_api::rng::{EnvRng, mix64, purpose};

/// Word `index` of the key's sequence.
#[inline]
#[must_use]
pub const fn word(key: u64, index: u64) -> u64 {
    mix64(key.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

/// Uniform over the multiples of 2⁻⁵³ in [0, 1).
#[inline]
#[must_use]
pub fn uniform(key: u64, index: u64) -> f64 {
    (word(key, index) >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// Standard normal, by Box and Muller; takes words 2·index and 2·index + 1.
#[inline]
#[must_use]
pub fn normal(key: u64, index: u64) -> f64 {
    let u = 1.0 - uniform(key, 2 * index);
    let v = uniform(key, 2 * index + 1);
    (-2.0 * math::ln(u)).sqrt() * math::cos(std::f64::consts::TAU * v)
}

/// The key of one agent in a row of that key: each has numbers of its own, whatever other agents there are.
#[inline]
#[must_use]
pub const fn of_agent(key: u64, group: u32, agent: usize) -> u64 {
    word(word(key, u64::MAX - group as u64), agent as u64)
}

/// The key of a row's channel between agents, apart from those of the agents.
#[inline]
#[must_use]
pub const fn of_channel(key: u64) -> u64 {
    word(key, 1 << 63)
}

/// A generator for work that needs many numbers, such as a permutation.
#[must_use]
pub fn stream(key: u64) -> EnvRng {
    EnvRng::new(key, 0, 0, purpose::LEARNING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_key_alone() {
        // SplitMix64 from state 0, its published first outputs.
        assert_eq!(
            [word(0, 0), word(0, 1)],
            [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]
        );
        assert_eq!(uniform(7, 3), uniform(7, 3));
        assert_ne!(normal(7, 3), normal(8, 3));
    }

    #[test]
    fn normal_has_mean_zero_and_variance_one() {
        let draws: Vec<f64> = (0..20_000).map(|key| normal(mix64(key), key % 5)).collect();
        let mean = draws.iter().sum::<f64>() / 2e4;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2e4;
        assert!(
            mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05,
            "{mean} {variance}"
        );
    }
}
