//! The two-step game: player 0 chooses which matrix game both play next.
//!
//! Source: Rashid et al., "QMIX: Monotonic value function factorisation for deep multi-agent reinforcement
//! learning" (2018), section on representational complexity.
//!
//! | step | player 0's first action | payoff of both |
//! |---|---|---|
//! | 1 | 0 leads to 2A, 1 to 2B | 0 |
//! | 2, state 2A | | 7, whatever they do |
//! | 2, state 2B | | 0, 1 / 1, 8 |
//!
//! The best return is 8; a sum of the players' own values (VDN) cannot represent 2B and settles for 7.
//!
//! | observation | meaning |
//! |---|---|
//! | 0, 1, 2 | state 1, 2A or 2B, one-hot; zeros after the end |

use palaestra_plugin_api::prelude::Result;

use crate::{
    batch::Preset,
    game::{Game, Payoffs, Stage},
    rules::Rules,
};

/// Joint actions of two players with two actions.
const JOINT: usize = 4;

/// Settings of TwoStep.
#[palaestra_plugin_api::config]
pub struct TwoStepConfig {
    /// Payoff in state 2A.
    #[config(default = 7.0)]
    pub payoff_2a: f64,
    /// Payoffs in state 2B, `[player 0][player 1]`.
    #[config(default = [[0.0, 1.0], [1.0, 8.0]])]
    pub payoff_2b: [[f64; 2]; 2],
}

/// `matrix/TwoStep-v0`.
#[derive(Debug)]
pub struct TwoStep;

impl Preset for TwoStep {
    const ID: &'static str = "matrix/TwoStep-v0";
    const DESCRIPTION: &'static str = "The first choice is worth what the second makes of it";
    type Config = TwoStepConfig;

    fn game(config: &TwoStepConfig) -> Result<Game> {
        let stage = |name: &str, payoffs: [f64; JOINT], next: [Option<usize>; JOINT]| Stage {
            name: name.to_owned(),
            payoffs: payoffs.map(|x| vec![x; 2]).into(),
            next: next.into(),
        };
        let [[a, b], [c, d]] = config.payoff_2b;
        let names = vec!["0".to_owned(), "1".to_owned()];
        Ok(Game {
            actions: vec![names; 2],
            payoffs: Payoffs::Tensor(vec![
                stage(
                    "state 1",
                    [0.0; JOINT],
                    [Some(1), Some(1), Some(2), Some(2)],
                ),
                stage("state 2A", [config.payoff_2a; JOINT], [None; JOINT]),
                stage("state 2B", [a, b, c, d], [None; JOINT]),
            ]),
            cooperation: Vec::new(),
        })
    }

    fn rules(_: &TwoStepConfig) -> Rules {
        Rules {
            rounds: 2,
            memory: 0,
            discount: 1.0,
        }
    }
}
