//! Coordination: all are paid if all choose the same, and more for some choices than for others.
//!
//! By default two players with payoffs 2 and 1: each of the two agreements is an equilibrium, one is better.
//! `payoffs` lists what each agreement pays to everybody, and so how many actions there are.

use palaestra_plugin_api::prelude::Result;

use crate::{
    batch::Preset,
    game::{Game, Payoffs, joint_actions},
    rules::{Rules, repeated_settings},
};

repeated_settings! {
    /// Settings of Coordination.
    CoordinationConfig {
        rounds: 25, memory: 0;
        /// Number of players.
        #[config(default = 2, range = 2..=6)]
        pub num_players: usize,
        /// What everybody is paid where all choose action 0, 1, …
        #[config(default = vec![2.0, 1.0])]
        pub payoffs: Vec<f64>,
        /// What everybody is paid otherwise.
        #[config(default = 0.0)]
        pub miscoordination: f64,
    }
}

/// `matrix/Coordination-v0`.
#[derive(Debug)]
pub struct Coordination;

impl Preset for Coordination {
    const ID: &'static str = "matrix/Coordination-v0";
    const DESCRIPTION: &'static str = "Choose the same as the others; the first choice pays more";
    type Config = CoordinationConfig;

    fn game(config: &CoordinationConfig) -> Result<Game> {
        let (players, actions) = (config.num_players, config.payoffs.len());
        let joint = joint_actions(&vec![actions; players])?;
        let pay = |cell: usize| {
            // Everybody chooses action a in the cells a·(1 + A + A² + …).
            let repunit = (0..players).fold(0, |sum, _| sum * actions + 1);
            let agreed = cell
                .is_multiple_of(repunit)
                .then(|| config.payoffs[cell / repunit]);
            vec![agreed.unwrap_or(config.miscoordination); players]
        };
        Ok(Game {
            actions: vec![(0..actions).map(|a| a.to_string()).collect(); players],
            payoffs: Payoffs::repeated((0..joint).map(pay).collect()),
            cooperation: Vec::new(),
        })
    }

    fn rules(config: &CoordinationConfig) -> Rules {
        config.rules()
    }
}
