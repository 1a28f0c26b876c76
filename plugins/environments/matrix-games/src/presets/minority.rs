//! The minority game: of two sides, that with fewer players wins.
//!
//! Source: Challet and Zhang, "Emergence of cooperation and organization in an evolutionary game" (1997), after
//! Arthur's El Farol bar. An odd number of players, so that there always is a minority.
//!
//! | action | payoff |
//! |---|---|
//! | 0 or 1 | `win` in the minority, else `lose` |

use palaestra_plugin_api::prelude::Result;

use crate::{
    batch::Preset,
    game::{Game, refused},
    rules::{Rules, repeated_settings},
};

repeated_settings! {
    /// Settings of Minority.
    MinorityConfig {
        rounds: 25, memory: 0;
        /// Number of players, odd.
        #[config(default = 5, range = 3..=1001)]
        pub num_players: usize,
        /// Payoff in the minority.
        #[config(default = 1.0)]
        pub win: f64,
        /// Payoff in the majority.
        #[config(default = 0.0)]
        pub lose: f64,
    }
}

/// `matrix/Minority-v0`.
#[derive(Debug)]
pub struct Minority;

impl Preset for Minority {
    const ID: &'static str = "matrix/Minority-v0";
    const DESCRIPTION: &'static str = "Of two sides, that with fewer players wins";
    type Config = MinorityConfig;

    fn game(config: &MinorityConfig) -> Result<Game> {
        let players = config.num_players;
        if players.is_multiple_of(2) {
            return Err(refused("/num_players", "an odd number", players));
        }
        let labels = vec!["left".to_owned(), "right".to_owned()];
        Ok(Game::anonymous(players, labels, |own, right| {
            let side = if own == 1 { right } else { players - right };
            if 2 * side < players {
                config.win
            } else {
                config.lose
            }
        }))
    }

    fn rules(config: &MinorityConfig) -> Rules {
        config.rules()
    }
}
