//! Rock, paper, scissors: each beats one and loses to one; the only equilibrium is uniform.
//!
//! | | rock | paper | scissors |
//! |---|---|---|---|
//! | rock | 0, 0 | -1, 1 | 1, -1 |
//! | paper | 1, -1 | 0, 0 | -1, 1 |
//! | scissors | -1, 1 | 1, -1 | 0, 0 |

use palaestra_plugin_api::prelude::Result;

use crate::{
    batch::Preset,
    game::Game,
    rules::{Rules, repeated_settings},
};

repeated_settings! {
    /// Settings of RockPaperScissors.
    RockPaperScissorsConfig {
        rounds: 25, memory: 0;
        /// Payoff of winning.
        #[config(default = 1.0)]
        pub win: f64,
        /// Payoff of losing.
        #[config(default = -1.0)]
        pub lose: f64,
        /// Payoff of a tie.
        #[config(default = 0.0)]
        pub tie: f64,
    }
}

/// `matrix/RockPaperScissors-v0`.
#[derive(Debug)]
pub struct RockPaperScissors;

impl Preset for RockPaperScissors {
    const ID: &'static str = "matrix/RockPaperScissors-v0";
    const DESCRIPTION: &'static str = "Each choice beats one and loses to one";
    type Config = RockPaperScissorsConfig;

    fn game(config: &RockPaperScissorsConfig) -> Result<Game> {
        let (win, lose, tie) = (config.win, config.lose, config.tie);
        let payoffs = [[tie, lose, win], [win, tie, lose], [lose, win, tie]];
        Ok(Game::symmetric(["rock", "paper", "scissors"], payoffs))
    }

    fn rules(config: &RockPaperScissorsConfig) -> Rules {
        config.rules()
    }
}
