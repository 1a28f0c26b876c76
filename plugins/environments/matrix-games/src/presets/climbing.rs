//! The climbing game: the best joint action is surrounded by penalties, and every step up must be made by both.
//!
//! Source: Claus and Boutilier, "The dynamics of reinforcement learning in cooperative multiagent systems" (1998).
//! Both players are paid the same; zeros are observed and an episode has 25 rounds, as in EPyMARL.
//!
//! | | a | b | c |
//! |---|---|---|---|
//! | a | 11 | -30 | 0 |
//! | b | -30 | 7 | 0 |
//! | c | 0 | 6 | 5 |

use palaestra_plugin_api::prelude::Result;

use crate::{
    batch::Preset,
    game::Game,
    rules::{Rules, repeated_settings},
};

repeated_settings! {
    /// Settings of Climbing.
    ClimbingConfig {
        rounds: 25, memory: 0;
    }
}

/// `matrix/Climbing-v0`.
#[derive(Debug)]
pub struct Climbing;

impl Preset for Climbing {
    const ID: &'static str = "matrix/Climbing-v0";
    const DESCRIPTION: &'static str = "A common payoff whose optimum is surrounded by penalties";
    type Config = ClimbingConfig;

    fn game(_: &ClimbingConfig) -> Result<Game> {
        let payoff = [[11.0, -30.0, 0.0], [-30.0, 7.0, 0.0], [0.0, 6.0, 5.0]];
        Ok(Game::common(["a", "b", "c"], payoff))
    }

    fn rules(config: &ClimbingConfig) -> Rules {
        config.rules()
    }
}
