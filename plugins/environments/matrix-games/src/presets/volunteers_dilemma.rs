//! The volunteer's dilemma: if anybody pays, all benefit; everybody hopes for somebody else.
//!
//! Source: Diekmann, "Volunteer's dilemma" (1985).
//!
//! | action | payoff |
//! |---|---|
//! | 0, volunteer | `benefit` - `cost` |
//! | 1, abstain | `benefit` where anybody volunteers, else 0 |

use palaestra_plugin_api::prelude::Result;

use crate::{
    batch::Preset,
    game::Game,
    rules::{Rules, repeated_settings},
};

repeated_settings! {
    /// Settings of VolunteersDilemma.
    VolunteersDilemmaConfig {
        rounds: 25, memory: 0;
        /// Number of players.
        #[config(default = 3, range = 2..=1000)]
        pub num_players: usize,
        /// What everybody has of a volunteer.
        #[config(default = 1.0)]
        pub benefit: f64,
        /// What volunteering costs.
        #[config(default = 0.5)]
        pub cost: f64,
    }
}

/// `matrix/VolunteersDilemma-v0`.
#[derive(Debug)]
pub struct VolunteersDilemma;

impl Preset for VolunteersDilemma {
    const ID: &'static str = "matrix/VolunteersDilemma-v0";
    const DESCRIPTION: &'static str =
        "If anybody pays, all benefit; everybody hopes for somebody else";
    type Config = VolunteersDilemmaConfig;

    fn game(config: &VolunteersDilemmaConfig) -> Result<Game> {
        let players = config.num_players;
        let labels = vec!["volunteer".to_owned(), "abstain".to_owned()];
        let game = Game::anonymous(players, labels, |own, abstaining| match own {
            0 => config.benefit - config.cost,
            _ if abstaining < players => config.benefit,
            _ => 0.0,
        });
        Ok(game.cooperating("volunteer"))
    }

    fn rules(config: &VolunteersDilemmaConfig) -> Rules {
        config.rules()
    }
}
