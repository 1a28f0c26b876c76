//! The prisoner's dilemma: whatever the other does, defecting pays more; mutual cooperation pays both more.
//!
//! Source: Flood and Dresher (1950); points of Axelrod, "The Evolution of Cooperation" (1984).
//!
//! | `points` | cooperate | defect | | `years` | cooperate | defect |
//! |---|---|---|---|---|---|---|
//! | cooperate | 3, 3 | 0, 5 | | cooperate | -1, -1 | -3, 0 |
//! | defect | 5, 0 | 1, 1 | | defect | 0, -3 | -2, -2 |

use palaestra_plugin_api::prelude::Result;

use crate::{
    batch::Preset,
    game::Game,
    rules::{Rules, repeated_settings},
};

/// How the outcomes of the prisoner's dilemma are paid.
#[palaestra_plugin_api::config]
pub enum Convention {
    /// Points: 3 for both, 5 for the one who defects alone, 0 for the other, 1 where both defect.
    Points,
    /// Years in prison as costs: 1 for both, 0 for the one who defects alone, 3 for the other, 2 where both defect.
    Years,
}

/// The dilemma under one convention.
pub(crate) fn dilemma(convention: Convention) -> Game {
    let payoffs = match convention {
        Convention::Points => [[3.0, 0.0], [5.0, 1.0]],
        Convention::Years => [[-1.0, -3.0], [0.0, -2.0]],
    };
    Game::symmetric(["cooperate", "defect"], payoffs).cooperating("cooperate")
}

repeated_settings! {
    /// Settings of PrisonersDilemma.
    PrisonersDilemmaConfig {
        rounds: 25, memory: 0;
        /// How outcomes are paid.
        pub convention: Convention,
    }
}

/// `matrix/PrisonersDilemma-v0`.
#[derive(Debug)]
pub struct PrisonersDilemma;

impl Preset for PrisonersDilemma {
    const ID: &'static str = "matrix/PrisonersDilemma-v0";
    const DESCRIPTION: &'static str =
        "Defecting always pays more, mutual cooperation pays both more";
    type Config = PrisonersDilemmaConfig;

    fn game(config: &PrisonersDilemmaConfig) -> Result<Game> {
        Ok(dilemma(config.convention))
    }

    fn rules(config: &PrisonersDilemmaConfig) -> Rules {
        config.rules()
    }
}
