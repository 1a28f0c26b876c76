//! Matching pennies: player 0 wins if the coins match, player 1 if they differ; no pure equilibrium.
//!
//! Source: von Neumann, "Zur Theorie der Gesellschaftsspiele" (1928).
//!
//! | | heads | tails |
//! |---|---|---|
//! | heads | 1, -1 | -1, 1 |
//! | tails | -1, 1 | 1, -1 |

use palaestra_plugin_api::prelude::Result;

use crate::{
    batch::Preset,
    game::Game,
    rules::{Rules, repeated_settings},
};

repeated_settings! {
    /// Settings of MatchingPennies.
    MatchingPenniesConfig {
        rounds: 25, memory: 0;
        /// What the loser pays the winner.
        #[config(default = 1.0)]
        pub stake: f64,
    }
}

/// `matrix/MatchingPennies-v0`.
#[derive(Debug)]
pub struct MatchingPennies;

impl Preset for MatchingPennies {
    const ID: &'static str = "matrix/MatchingPennies-v0";
    const DESCRIPTION: &'static str =
        "One wants the coins to match, the other wants them to differ";
    type Config = MatchingPenniesConfig;

    fn game(config: &MatchingPenniesConfig) -> Result<Game> {
        let (win, coins) = (config.stake, ["heads", "tails"]);
        let (even, odd) = ([[win, -win], [-win, win]], [[-win, win], [win, -win]]);
        Ok(Game::bimatrix(coins, coins, even, odd))
    }

    fn rules(config: &MatchingPenniesConfig) -> Rules {
        config.rules()
    }
}
