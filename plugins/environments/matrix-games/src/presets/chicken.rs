//! Chicken: two cars drive at each other; who swerves has lost, but if nobody does both have lost more.
//!
//! Source: Rapoport and Chammah, "The game of chicken" (1966). Hawk and dove are the same game.
//!
//! | | swerve | straight |
//! |---|---|---|
//! | swerve | 0, 0 | -1, 1 |
//! | straight | 1, -1 | -10, -10 |

use palaestra_plugin_api::prelude::Result;

use crate::{
    batch::Preset,
    game::Game,
    rules::{Rules, repeated_settings},
};

repeated_settings! {
    /// Settings of Chicken.
    ChickenConfig {
        rounds: 25, memory: 0;
        /// Payoff where both swerve.
        #[config(default = 0.0)]
        pub tie: f64,
        /// Payoff of going straight where the other swerves.
        #[config(default = 1.0)]
        pub win: f64,
        /// Payoff of swerving where the other goes straight.
        #[config(default = -1.0)]
        pub lose: f64,
        /// Payoff where both go straight.
        #[config(default = -10.0)]
        pub crash: f64,
    }
}

/// `matrix/Chicken-v0`.
#[derive(Debug)]
pub struct Chicken;

impl Preset for Chicken {
    const ID: &'static str = "matrix/Chicken-v0";
    const DESCRIPTION: &'static str = "Somebody must give way, and nobody wants to";
    type Config = ChickenConfig;

    fn game(config: &ChickenConfig) -> Result<Game> {
        let payoffs = [[config.tie, config.lose], [config.win, config.crash]];
        Ok(Game::symmetric(["swerve", "straight"], payoffs).cooperating("swerve"))
    }

    fn rules(config: &ChickenConfig) -> Rules {
        config.rules()
    }
}
