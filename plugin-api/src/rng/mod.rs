//! Random streams: one small generator per (run seed, instance, episode, purpose), the same on every machine.
//!
//! [`EnvRng`] is Xoshiro256++ (Blackman and Vigna, 2018). Its seed is a hash of what the stream is for, so any episode
//! can be replayed alone and no stream depends on threads, shards or call order. The derived values (`uniform`,
//! `below`, `normal`, …) are part of the contract and never change: tests fix their bits. Noise that belongs to one
//! row of one step rather than to a stream comes from [`key`].
//!
//! # Seeding, exactly
//!
//! All arithmetic is modulo 2⁶⁴, γ = `0x9e3779b97f4a7c15`:
//!
//! ```text
//! absorb(h, w)  = mix64((h xor w) + γ)
//! h             = absorb(absorb(absorb(absorb(d, run_seed), purpose), instance), episode)
//! state[i]      = mix64(h + (i + 1)·γ)                     i = 0..4: SplitMix64 started at h
//! key           = absorb(absorb(absorb(absorb(absorb(d', run_seed), purpose), instance), episode), step)
//! ```
//!
//! with d = 0 for streams and d' = 1 for keys, so that a key is never a stream's seed.

use serde::{Deserialize, Serialize};

use crate::math;

/// What a stream or key is for. Two uses of randomness in one episode never share a purpose.
///
/// Values below 2³² belong to this crate; a plugin that needs its own adds to [`FIRST_PRIVATE`](purpose::FIRST_PRIVATE).
pub mod purpose {
    /// An environment's start states and transitions.
    pub const RESET_AND_STEP: u64 = 0;
    /// Sampling actions from a policy.
    pub const ACTIONS: u64 = 1;
    /// Noise and losses in a coordination mechanism's channel.
    pub const COORDINATION: u64 = 2;
    /// Wrappers around an environment or policy: sticky actions, failing agents.
    pub const WRAPPER: u64 = 3;
    /// Choice of tasks and curricula.
    pub const TASK: u64 = 4;
    /// Seating of policies: opponents, partners, leagues.
    pub const SEATING: u64 = 5;
    /// Initial weights.
    pub const INITIALISATION: u64 = 6;
    /// Learning: minibatches, replay, dropout.
    pub const LEARNING: u64 = 7;
    /// Evaluation episodes, apart from those of training.
    pub const EVALUATION: u64 = 8;
    /// Actions drawn by tests and conformance checks.
    pub const CHECK: u64 = 9;
    /// An environment's scripted baseline.
    pub const SCRIPTED: u64 = 10;
    /// First value outside this crate's range.
    pub const FIRST_PRIVATE: u64 = 1 << 32;
}

/// 2⁶⁴ divided by the golden ratio, odd: SplitMix64's increment.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// Where the absorption of a stream's and of a key's words starts.
const STREAM_DOMAIN: u64 = 0;
const KEY_DOMAIN: u64 = 1;

/// SplitMix64's finaliser (Stafford's variant 13): a bijection of u64 in which every input bit changes every output
/// bit with probability near one half. `mix64(0)` is 0.
#[inline]
#[must_use]
pub const fn mix64(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// One word into the hash `h`.
#[inline]
const fn absorb(h: u64, word: u64) -> u64 {
    mix64((h ^ word).wrapping_add(GAMMA))
}

/// A row's 64-bit key: the source of all noise that belongs to one row of one step.
///
/// A pure function of its arguments (see the module's doc), so the noise depends on no call order. In a loop over rows
/// the run seed's and purpose's share of the work is the same for all and is hoisted by the compiler.
#[inline]
#[must_use]
pub const fn key(run_seed: u64, instance: u64, episode: u64, step: u64, purpose: u64) -> u64 {
    let h = absorb(absorb(KEY_DOMAIN, run_seed), purpose);
    absorb(absorb(absorb(h, instance), episode), step)
}

/// What the streams of all episodes of one instance share: run seed, purpose and instance, absorbed once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InstanceStreams(u64);

impl InstanceStreams {
    #[inline]
    pub(crate) const fn new(run_seed: u64, instance: u64, purpose: u64) -> Self {
        let h = absorb(absorb(STREAM_DOMAIN, run_seed), purpose);
        Self(absorb(h, instance))
    }

    /// The stream of one episode.
    #[inline]
    pub(crate) const fn episode(self, episode: u64) -> EnvRng {
        let first = absorb(self.0, episode).wrapping_add(GAMMA);
        let second = first.wrapping_add(GAMMA);
        let third = second.wrapping_add(GAMMA);
        let fourth = third.wrapping_add(GAMMA);
        // `mix64` is a bijection of four different words: at most one of the results is 0.
        EnvRng {
            state: [mix64(first), mix64(second), mix64(third), mix64(fourth)],
        }
    }
}

/// Xoshiro256++: 256 bits of state, period 2²⁵⁶ - 1.
///
/// Every method is a pure function of the state: nothing is cached, so four words are the whole of it and a snapshot
/// taken anywhere resumes the same values. Serialised as those four words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "[u64; 4]", into = "[u64; 4]")]
pub struct EnvRng {
    state: [u64; 4],
}

impl EnvRng {
    /// The stream of one purpose in one episode of one instance.
    ///
    /// `instance` is the global index over all shards; `purpose` is one of [`purpose`]'s values.
    #[inline]
    #[must_use]
    pub const fn new(run_seed: u64, instance: u64, episode: u64, purpose: u64) -> Self {
        InstanceStreams::new(run_seed, instance, purpose).episode(episode)
    }

    /// A generator in a state that [`state`](Self::state) returned.
    ///
    /// # Panics
    ///
    /// If all four words are 0, a state from which Xoshiro never moves and that no generator here reaches. For words
    /// from outside use `EnvRng::try_from`.
    #[must_use]
    pub const fn from_state(state: [u64; 4]) -> Self {
        assert!(
            state[0] | state[1] | state[2] | state[3] != 0,
            "generator state: expected a word other than 0, found none"
        );
        Self { state }
    }

    /// The state: four words, not all 0.
    #[inline]
    #[must_use]
    pub const fn state(&self) -> [u64; 4] {
        self.state
    }

    /// 64 uniform bits.
    #[inline]
    pub const fn next_u64(&mut self) -> u64 {
        let [s0, s1, s2, s3] = self.state;
        let result = s0.wrapping_add(s3).rotate_left(23).wrapping_add(s0);
        let s2 = s2 ^ s0;
        let s3 = s3 ^ s1;
        self.state = [s0 ^ s3, s1 ^ s2, s2 ^ (s1 << 17), s3.rotate_left(45)];
        result
    }

    /// Uniform over the multiples of 2⁻⁵³ in [0, 1): the upper 53 bits of one word.
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform in [low, high), as `low + (high - low)·uniform()`; the rounding of that sum may give `high` itself.
    #[inline]
    pub fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Uniform over 0..n without bias: Lemire's multiplication with rejection (2019). Usually one word.
    ///
    /// # Panics
    ///
    /// If `n` is 0.
    #[inline]
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "below: expected n > 0, found 0");
        let mut product = u128::from(self.next_u64()) * u128::from(n);
        // The low half below 2⁶⁴ mod n marks the surplus; that costs a division, so look only where it is possible.
        if (product as u64) < n {
            let surplus = n.wrapping_neg() % n;
            while (product as u64) < surplus {
                product = u128::from(self.next_u64()) * u128::from(n);
            }
        }
        (product >> 64) as u64
    }

    /// Standard normal, by Box and Muller on [`math`]: √(-2 ln u)·cos 2πv, of which the second value is not kept.
    ///
    /// Takes exactly two words: u = 1 - `uniform()`, then v = `uniform()`. |value| is at most 8.58.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        let u = 1.0 - self.uniform();
        let v = self.uniform();
        (-2.0 * math::ln(u)).sqrt() * math::cos(core::f64::consts::TAU * v)
    }

    /// True with probability `p`: `uniform() < p`. Never for p ≤ 0 and NaN, always for p ≥ 1; one word in any case.
    #[inline]
    pub fn bernoulli(&mut self, p: f64) -> bool {
        self.uniform() < p
    }

    /// A uniform permutation of `items` in place: Fisher and Yates from the last item down, `below(i + 1)` for each.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }

    /// Index i with probability `weights[i] / Σ weights`, by one `uniform()`. A weight of 0 is never chosen.
    ///
    /// # Panics
    ///
    /// Unless every weight is ≥ 0 and their sum is finite and positive.
    pub fn choice(&mut self, weights: &[f64]) -> usize {
        let total: f64 = weights.iter().sum();
        assert!(
            weights.iter().all(|&weight| weight >= 0.0) && total > 0.0 && total < f64::INFINITY,
            "choice: expected weights ≥ 0 with a finite, positive sum, found sum {total}"
        );
        let threshold = self.uniform() * total;
        let mut sum = 0.0;
        let mut chosen = 0;
        for (index, &weight) in weights.iter().enumerate() {
            if weight > 0.0 {
                sum += weight;
                chosen = index;
                if threshold < sum {
                    break;
                }
            }
        }
        // Rounding may leave the threshold at the sum: then it is the last index of positive weight.
        chosen
    }
}

impl TryFrom<[u64; 4]> for EnvRng {
    type Error = &'static str;

    /// A generator in the given state, unless all four words are 0.
    fn try_from(state: [u64; 4]) -> Result<Self, Self::Error> {
        if state == [0; 4] {
            return Err("generator state: expected a word other than 0, found none");
        }
        Ok(Self { state })
    }
}

impl From<EnvRng> for [u64; 4] {
    fn from(rng: EnvRng) -> Self {
        rng.state
    }
}

#[cfg(test)]
mod tests;
