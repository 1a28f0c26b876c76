//! The penalty game: two best joint actions, and a penalty where the players mix them up.
//!
//! Source: Claus and Boutilier, "The dynamics of reinforcement learning in cooperative multiagent systems" (1998).
//! Both players are paid the same; zeros are observed and an episode has 25 rounds, as in EPyMARL, where k is
//! 0, -25, -50, -75 or -100.
//!
//! | | a | b | c |
//! |---|---|---|---|
//! | a | k | 0 | 10 |
//! | b | 0 | 2 | 0 |
//! | c | 10 | 0 | k |

use palaestra_plugin_api::prelude::Result;

use crate::{
    batch::Preset,
    game::Game,
    rules::{Rules, repeated_settings},
};

repeated_settings! {
    /// Settings of Penalty.
    PenaltyConfig {
        rounds: 25, memory: 0;
        /// Payoff of mixing the optima up, usually negative.
        #[config(default = -100.0)]
        pub k: f64,
    }
}

/// `matrix/Penalty-v0`.
#[derive(Debug)]
pub struct Penalty;

impl Preset for Penalty {
    const ID: &'static str = "matrix/Penalty-v0";
    const DESCRIPTION: &'static str = "A common payoff with two optima; a mix of them is punished";
    type Config = PenaltyConfig;

    fn game(config: &PenaltyConfig) -> Result<Game> {
        let k = config.k;
        let payoff = [[k, 0.0, 10.0], [0.0, 2.0, 0.0], [10.0, 0.0, k]];
        Ok(Game::common(["a", "b", "c"], payoff))
    }

    fn rules(config: &PenaltyConfig) -> Rules {
        config.rules()
    }
}
