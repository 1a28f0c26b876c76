//! How often a game is played, and what is remembered; the settings that all repeated games have.

use palaestra_plugin_api::{math::ln, prelude::*};

/// How a game is repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Rounds of an episode, at most.
    pub rounds: u32,
    /// Past rounds that players see.
    pub memory: usize,
    /// Probability that another round follows.
    pub discount: f64,
}

impl Rules {
    /// Number of rounds of an episode: each next one follows with probability `discount`.
    #[inline]
    pub(crate) fn draw_rounds(&self, rng: &mut EnvRng) -> u32 {
        if self.discount >= 1.0 {
            return self.rounds;
        }
        // P(more than k rounds) = discountᵏ, inverted. Saturates at the ends, as wanted.
        let further = ln(1.0 - rng.uniform()) / ln(self.discount);
        (further as u32).saturating_add(1).min(self.rounds)
    }
}

/// A config struct: the settings of its own, then those of [`Rules`] with these defaults.
macro_rules! repeated_settings {
    (
        $(#[$meta:meta])*
        $name:ident { rounds: $rounds:tt, memory: $memory:tt; $($own:tt)* }
    ) => {
        $(#[$meta])*
        #[palaestra_plugin_api::config]
        pub struct $name {
            $($own)*
            /// Rounds of an episode, at most.
            #[config(default = $rounds, range = 1..=1_000_000)]
            pub rounds: u32,
            /// Past rounds that players see; with 0 they see zeros.
            #[config(default = $memory, range = 0..=100)]
            pub memory: usize,
            /// Probability that another round follows: an episode ends after each round with the rest.
            #[config(default = 1.0, range = 0.0..=1.0)]
            pub discount: f64,
        }

        impl $name {
            /// How the game is repeated.
            fn rules(&self) -> $crate::rules::Rules {
                let Self { rounds, memory, discount, .. } = *self;
                $crate::rules::Rules { rounds, memory, discount }
            }
        }
    };
}
pub(crate) use repeated_settings;
