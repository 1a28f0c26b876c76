//! The experiment file: which environment, algorithms and mechanisms, how to train, how to evaluate.
//!
//! ```toml
//! seed = 0
//!
//! [environment]
//! name = "mpe/SimpleSpread-v3"
//! agents = 3                            # settings of the environment stand beside its name
//!
//! [[wrappers]]                          # world wrappers, the first closest to the environment
//! name = "TimeLimit"
//! max_episode_steps = 50
//!
//! [algorithm]                           # or [[algorithm]] several times, each with `groups`
//! name = "core/MAPPO-v0"
//! lr = 3e-4
//! wrappers = ["NormaliseObservation"]   # policy wrappers
//!
//! [[coordination]]
//! name = "comm/Broadcast-v0"
//!
//! [training]
//! steps = 1_000_000
//!
//! [evaluation]
//! episodes = 20
//! ```
//!
//! Only the names are needed; JSON says the same. Unknown keys are errors with their JSON pointer. Settings of a
//! plugin that are called as a key of its section (`name`, `groups`, `wrappers`) cannot be given.
//!
//! [`Experiment`] is the file as it was written; [`Experiment::resolve`] makes of it, with a session, one that leaves
//! nothing to defaults, and the makers of everything in it.

mod groups;
mod one_or_more;
mod read;
mod resolve;
mod sections;
mod setting;
mod wrapper_list;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::wrappers::WrapperSpec;

pub use groups::share_out;
pub use resolve::Resolved;
pub use sections::{
    AlgorithmSection, CoordinationSection, EnvironmentSection, Evaluation, SelfPlay, Training,
};
pub use setting::{Setting, apply, parse};

/// An experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Seed of everything that is random.
    #[serde(default)]
    #[schemars(range(max = 9_223_372_036_854_775_807_u64))]
    pub seed: u64,
    /// The environment.
    pub environment: EnvironmentSection,
    /// World wrappers; the first is closest to the environment.
    #[serde(
        default,
        deserialize_with = "wrapper_list::read",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(with = "Vec<wrapper_list::Form>")]
    pub wrappers: Vec<WrapperSpec>,
    /// The algorithm; or several, each with its groups.
    #[serde(with = "one_or_more")]
    #[schemars(with = "one_or_more::Form<AlgorithmSection>")]
    pub algorithm: Vec<AlgorithmSection>,
    /// Coordination mechanisms, in order.
    #[serde(default, with = "one_or_more", skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "one_or_more::Form<CoordinationSection>")]
    pub coordination: Vec<CoordinationSection>,
    /// How long and how to train.
    #[serde(default)]
    pub training: Training,
    /// How to evaluate.
    #[serde(default)]
    pub evaluation: Evaluation,
}

impl Experiment {
    /// The experiment that names alone stand for.
    pub fn of_names(environment: &str, algorithm: &str, coordination: &[String]) -> Self {
        let mechanism = |name: &String| CoordinationSection {
            name: name.clone(),
            config: Map::new(),
        };
        Self {
            seed: 0,
            environment: EnvironmentSection {
                name: environment.into(),
                config: Map::new(),
            },
            wrappers: Vec::new(),
            algorithm: vec![AlgorithmSection {
                name: algorithm.into(),
                groups: Vec::new(),
                wrappers: Vec::new(),
                config: Map::new(),
            }],
            coordination: coordination.iter().map(mechanism).collect(),
            training: Training::default(),
            evaluation: Evaluation::default(),
        }
    }

    /// The same with every number that follows from others: how often to evaluate, log and save, and on how many
    /// instances to evaluate. The number of threads stays open: it changes no byte.
    #[must_use]
    pub fn filled(&self) -> Self {
        let mut filled = self.clone();
        let (training, evaluation) = (&mut filled.training, &mut filled.evaluation);
        let part = |parts: u64| (training.steps / parts).max(1);
        let (tenth, hundredth) = (part(10), part(100));
        training.checkpoint_every.get_or_insert(tenth);
        training.log_every.get_or_insert(hundredth);
        evaluation.every.get_or_insert(tenth);
        let most = usize::try_from(evaluation.episodes).unwrap_or(usize::MAX);
        evaluation
            .num_envs
            .get_or_insert(training.num_envs.min(most));
        filled
    }
}

/// The JSON Schema of the experiment file.
pub fn schema() -> Value {
    schemars::schema_for!(Experiment).to_value()
}
