//! The public goods game: what players give is multiplied and shared equally, also with those who gave nothing.
//!
//! Source: Fehr and Gächter, "Cooperation and punishment in public goods experiments" (2000): four players, an
//! endowment of 20 and a return of 0.4 per token to each, over ten rounds.
//!
//! | action | meaning |
//! |---|---|
//! | a of L levels | give a / (L - 1) of the endowment |
//!
//! A player is paid endowment - gift + multiplier · all gifts / players. With 1 < multiplier < players giving
//! nothing always pays more, and everybody giving everything pays all more. Cooperation is the share given.

use palaestra_plugin_api::prelude::Result;

use crate::{
    batch::Preset,
    game::Game,
    rules::{Rules, repeated_settings},
};

repeated_settings! {
    /// Settings of PublicGoods.
    PublicGoodsConfig {
        rounds: 10, memory: 0;
        /// Number of players.
        #[config(default = 4, range = 2..=100)]
        pub num_players: usize,
        /// What each player has in a round.
        #[config(default = 20.0, above = 0.0)]
        pub endowment: f64,
        /// What gifts are multiplied by before they are shared.
        #[config(default = 1.6, range = 0.0..)]
        pub multiplier: f64,
        /// Sizes of a gift, from nothing to everything.
        #[config(default = 21, range = 2..=101)]
        pub levels: usize,
    }
}

/// `matrix/PublicGoods-v0`.
#[derive(Debug)]
pub struct PublicGoods;

impl Preset for PublicGoods {
    const ID: &'static str = "matrix/PublicGoods-v0";
    const DESCRIPTION: &'static str =
        "Gifts are multiplied and shared by all, also by those who gave nothing";
    type Config = PublicGoodsConfig;

    fn game(config: &PublicGoodsConfig) -> Result<Game> {
        let (players, most) = (config.num_players, config.levels - 1);
        let tokens = |levels: usize| config.endowment * levels as f64 / most as f64;
        let labels = (0..=most)
            .map(|level| format!("give {}", tokens(level)))
            .collect();
        let mut game = Game::anonymous(players, labels, |own, total| {
            config.endowment - tokens(own) + config.multiplier * tokens(total) / players as f64
        });
        let degrees = (0..=most).map(|level| level as f64 / most as f64).collect();
        game.cooperation = vec![degrees; players];
        Ok(game)
    }

    fn rules(config: &PublicGoodsConfig) -> Rules {
        config.rules()
    }
}
