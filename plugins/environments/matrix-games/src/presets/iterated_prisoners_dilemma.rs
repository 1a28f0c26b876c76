//! The iterated prisoner's dilemma: players see the last round, so that they can reward and retaliate.
//!
//! Source: Axelrod, "The Evolution of Cooperation" (1984): 200 rounds; payoffs as in
//! [`prisoners_dilemma`](super::prisoners_dilemma). Set `discount` below 1 for an end that nobody can foresee.

use palaestra_plugin_api::prelude::Result;

use crate::{
    batch::Preset,
    game::Game,
    presets::prisoners_dilemma::{Convention, dilemma},
    rules::{Rules, repeated_settings},
    solution::Reciprocity,
};

repeated_settings! {
    /// Settings of IteratedPrisonersDilemma.
    IteratedPrisonersDilemmaConfig {
        rounds: 200, memory: 1;
        /// How outcomes are paid.
        pub convention: Convention,
    }
}

/// `matrix/IteratedPrisonersDilemma-v0`.
#[derive(Debug)]
pub struct IteratedPrisonersDilemma;

impl Preset for IteratedPrisonersDilemma {
    const ID: &'static str = "matrix/IteratedPrisonersDilemma-v0";
    const DESCRIPTION: &'static str =
        "The prisoner's dilemma with memory, so that reciprocity can pay";
    const RECIPROCITY: Reciprocity = Reciprocity::TitForTat;
    type Config = IteratedPrisonersDilemmaConfig;

    fn game(config: &IteratedPrisonersDilemmaConfig) -> Result<Game> {
        Ok(dilemma(config.convention))
    }

    fn rules(config: &IteratedPrisonersDilemmaConfig) -> Rules {
        config.rules()
    }
}
