//! The stag hunt: a stag takes both hunters, a hare one; the better equilibrium is the riskier.
//!
//! Source: Skyrms, "The Stag Hunt" (2001), after Rousseau.
//!
//! | | stag | hare |
//! |---|---|---|
//! | stag | 4, 4 | 1, 3 |
//! | hare | 3, 1 | 2, 2 |

use palaestra_plugin_api::prelude::Result;

use crate::{
    batch::Preset,
    game::Game,
    rules::{Rules, repeated_settings},
};

repeated_settings! {
    /// Settings of StagHunt.
    StagHuntConfig {
        rounds: 25, memory: 0;
        /// Payoff of the stag, for both.
        #[config(default = 4.0)]
        pub stag: f64,
        /// Payoff of hunting the stag alone.
        #[config(default = 1.0)]
        pub alone: f64,
        /// Payoff of the hare where the other hunts the stag.
        #[config(default = 3.0)]
        pub hare_alone: f64,
        /// Payoff of the hare where both hunt it.
        #[config(default = 2.0)]
        pub hare_both: f64,
    }
}

/// `matrix/StagHunt-v0`.
#[derive(Debug)]
pub struct StagHunt;

impl Preset for StagHunt {
    const ID: &'static str = "matrix/StagHunt-v0";
    const DESCRIPTION: &'static str =
        "Hunt the stag together or a hare alone: the better equilibrium is the riskier";
    type Config = StagHuntConfig;

    fn game(config: &StagHuntConfig) -> Result<Game> {
        let payoffs = [
            [config.stag, config.alone],
            [config.hare_alone, config.hare_both],
        ];
        Ok(Game::symmetric(["stag", "hare"], payoffs).cooperating("stag"))
    }

    fn rules(config: &StagHuntConfig) -> Rules {
        config.rules()
    }
}
