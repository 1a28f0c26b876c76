//! What host and algorithms say to each other as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{coordination::MechanismDescription, spec::EnvironmentSpec};

/// What to make: the request of an algorithm factory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlgorithmRequest {
    /// Full id.
    pub id: String,
    /// Configuration, a JSON object.
    #[serde(default)]
    pub config: Value,
    /// What the object is for.
    pub role: Role,
    /// The environment with everything that wrappers and mechanisms add.
    pub spec: EnvironmentSpec,
    /// Indices of the agent groups that the object controls, ascending.
    pub controlled: Vec<usize>,
    /// The mechanism with an exchange port, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<MechanismDescription>,
}

/// What an algorithm object is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Acts and learns.
    #[default]
    Learner,
    /// Acts for a learner elsewhere, whose weights it is given now and then.
    Actor,
    /// Acts with fixed weights: evaluation, opponents, export.
    Evaluator,
}

/// What an algorithm wants to be given next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collect {
    /// How much.
    pub amount: Amount,
    /// Whether every instance starts a new episode first.
    #[serde(default)]
    pub fresh: bool,
    /// Whether to choose the best actions instead of exploring.
    #[serde(default)]
    pub greedy: bool,
    /// Tasks of new episodes: instance `i` plays `tasks[i % tasks.len()]`; empty leaves them to the host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<u32>,
}

/// Length of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// This many steps of every instance.
    Steps(usize),
    /// This many whole episodes of every instance.
    Episodes(usize),
}

impl Collect {
    /// A fragment of that many steps, where the last one ended.
    pub const fn steps(steps: usize) -> Self {
        Self::of(Amount::Steps(steps), false)
    }

    /// Whole episodes from their beginning.
    pub const fn episodes(episodes: usize) -> Self {
        Self::of(Amount::Episodes(episodes), true)
    }

    const fn of(amount: Amount, fresh: bool) -> Self {
        Self {
            amount,
            fresh,
            greedy: false,
            tasks: Vec::new(),
        }
    }
}

/// Named numbers that learning reports; NaN and infinity cross as null and arrive as NaN.
pub type Metrics = BTreeMap<String, f64>;
