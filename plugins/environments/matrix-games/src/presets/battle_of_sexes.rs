//! Battle of the sexes: go out together, though each would rather go elsewhere.
//!
//! Source: Luce and Raiffa, "Games and Decisions" (1957).
//!
//! | | opera | football |
//! |---|---|---|
//! | opera | 2, 1 | 0, 0 |
//! | football | 0, 0 | 1, 2 |

use palaestra_plugin_api::prelude::Result;

use crate::{
    batch::Preset,
    game::Game,
    rules::{Rules, repeated_settings},
};

repeated_settings! {
    /// Settings of BattleOfSexes.
    BattleOfSexesConfig {
        rounds: 25, memory: 0;
        /// Payoff of being together at the place one prefers.
        #[config(default = 2.0)]
        pub favourite: f64,
        /// Payoff of being together at the other place.
        #[config(default = 1.0)]
        pub other: f64,
        /// Payoff of being alone.
        #[config(default = 0.0)]
        pub apart: f64,
    }
}

/// `matrix/BattleOfSexes-v0`.
#[derive(Debug)]
pub struct BattleOfSexes;

impl Preset for BattleOfSexes {
    const ID: &'static str = "matrix/BattleOfSexes-v0";
    const DESCRIPTION: &'static str = "Agree on a place, though each prefers another";
    type Config = BattleOfSexesConfig;

    fn game(config: &BattleOfSexesConfig) -> Result<Game> {
        let (high, low, apart) = (config.favourite, config.other, config.apart);
        let places = ["opera", "football"];
        let (first, second) = ([[high, apart], [apart, low]], [[low, apart], [apart, high]]);
        Ok(Game::bimatrix(places, places, first, second))
    }

    fn rules(config: &BattleOfSexesConfig) -> Rules {
        config.rules()
    }
}
