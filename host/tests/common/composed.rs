//! Compositions that are made and trained within the test, with libraries loaded as the program loads them.

use palaestra::{
    session::Session,
    training::{
        composition::{Parts, PolicyParts},
        trainer::TrainingPlan,
    },
};
use serde_json::{Value, json};

/// A world with the settings it has by itself, and one algorithm for all its groups.
pub(crate) fn parts(session: &Session, world: &str, algorithm: &str, config: Value) -> Parts {
    Parts {
        environment: session.environment(world, &json!({})).unwrap(),
        wrappers: Vec::new(),
        mechanisms: Vec::new(),
        policies: vec![PolicyParts {
            algorithm: session.algorithm(algorithm, &config).unwrap(),
            groups: Vec::new(),
            wrappers: Vec::new(),
        }],
    }
}

/// Training without tasks and without former versions.
pub(crate) fn plan(num_envs: usize) -> TrainingPlan {
    TrainingPlan {
        run_seed: 1,
        num_envs,
        shards: None,
        tasks: Vec::new(),
        self_play: None,
    }
}
