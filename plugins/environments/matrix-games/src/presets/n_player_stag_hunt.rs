//! The stag hunt of many: the stag takes a number of hunters, a hare takes one.
//!
//! Source: Pacheco et al., "Evolutionary dynamics of collective action in N-person stag hunt dilemmas" (2009),
//! with payoffs instead of a production function.
//!
//! | action | payoff |
//! |---|---|
//! | 0, stag | 4 where at least `hunters` players hunt it, else 0 |
//! | 1, hare | 2 |

use palaestra_plugin_api::prelude::Result;

use crate::{
    batch::Preset,
    game::{Game, refused},
    rules::{Rules, repeated_settings},
};

repeated_settings! {
    /// Settings of NPlayerStagHunt.
    NPlayerStagHuntConfig {
        rounds: 25, memory: 0;
        /// Number of players.
        #[config(default = 5, range = 2..=1000)]
        pub num_players: usize,
        /// Hunters that the stag takes.
        #[config(default = 4, range = 1..=1000)]
        pub hunters: usize,
        /// Payoff of the stag, for each hunter.
        #[config(default = 4.0)]
        pub stag: f64,
        /// Payoff of hunting the stag with too few.
        #[config(default = 0.0)]
        pub alone: f64,
        /// Payoff of a hare.
        #[config(default = 2.0)]
        pub hare: f64,
    }
}

/// `matrix/NPlayerStagHunt-v0`.
#[derive(Debug)]
pub struct NPlayerStagHunt;

impl Preset for NPlayerStagHunt {
    const ID: &'static str = "matrix/NPlayerStagHunt-v0";
    const DESCRIPTION: &'static str = "The stag takes enough hunters, a hare takes one";
    type Config = NPlayerStagHuntConfig;

    fn game(config: &NPlayerStagHuntConfig) -> Result<Game> {
        let players = config.num_players;
        if config.hunters > players {
            return Err(refused(
                "/hunters",
                &format!("at most {players} players"),
                config.hunters,
            ));
        }
        let labels = vec!["stag".to_owned(), "hare".to_owned()];
        let game = Game::anonymous(players, labels, |own, hares| match own {
            0 if players - hares >= config.hunters => config.stag,
            0 => config.alone,
            _ => config.hare,
        });
        Ok(game.cooperating("stag"))
    }

    fn rules(config: &NPlayerStagHuntConfig) -> Rules {
        config.rules()
    }
}
