//! The sections of an experiment file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::wrapper_list;
use crate::wrappers::WrapperSpec;

/// An environment by its name, with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
pub struct EnvironmentSection {
    /// Its id, such as classic/CartPole-v1; namespace and version may be left out.
    pub name: String,
    /// Its settings.
    #[serde(flatten)]
    pub config: Map<String, Value>,
}

/// An algorithm by its name, with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
pub struct AlgorithmSection {
    /// Its id, such as core/PPO-v0; namespace and version may be left out.
    pub name: String,
    /// The agent groups it controls; those that no other algorithm names, when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Policy wrappers; the first is closest to the environment.
    #[serde(
        default,
        deserialize_with = "wrapper_list::read",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(with = "Vec<wrapper_list::Form>")]
    pub wrappers: Vec<WrapperSpec>,
    /// Its settings.
    #[serde(flatten)]
    pub config: Map<String, Value>,
}

/// A coordination mechanism by its name, with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
pub struct CoordinationSection {
    /// Its id, such as comm/Broadcast-v0; namespace and version may be left out.
    pub name: String,
    /// Its settings.
    #[serde(flatten)]
    pub config: Map<String, Value>,
}

/// How long and how to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// Environment steps in all, those of all instances added up.
    #[schemars(range(min = 1))]
    pub steps: u64,
    /// Instances of the environment.
    #[schemars(range(min = 1))]
    pub num_envs: usize,
    /// Threads that step them and learn. When left out, one for every 64 instances steps, up to all cores, and large updates
    /// use all cores. Changes no result.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub threads: Option<usize>,
    /// Environment steps between checkpoints, 0 for the end only; a tenth of all steps when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_every: Option<u64>,
    /// Checkpoints that are kept.
    #[schemars(range(min = 1))]
    pub keep: usize,
    /// Environment steps between lines of metrics; a hundredth of all steps when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub log_every: Option<u64>,
    /// Reset options of each task; an algorithm that learns several tasks asks for them by number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Map<String, Value>>,
    /// Training against former versions of oneself; none when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_play: Option<SelfPlay>,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            steps: 100_000,
            num_envs: 8,
            threads: None,
            checkpoint_every: None,
            keep: 3,
            log_every: None,
            tasks: Vec::new(),
            self_play: None,
        }
    }
}

/// Training against former versions of oneself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SelfPlay {
    /// Share of the episodes against former versions; the others are against oneself.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
    /// Environment steps after which the present version joins the former ones.
    #[schemars(range(min = 1))]
    pub refresh: u64,
    /// Former versions that are kept; the oldest leaves first.
    #[schemars(range(min = 1))]
    pub keep: usize,
}

impl Default for SelfPlay {
    fn default() -> Self {
        Self {
            share: 0.5,
            refresh: 10_000,
            keep: 10,
        }
    }
}

/// How to evaluate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Evaluation {
    /// Environment steps between evaluations, 0 for the end only; a tenth of all steps when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// Episodes of an evaluation.
    #[schemars(range(min = 1))]
    pub episodes: u64,
    /// Instances of the environment; those of training, but no more than episodes, when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub num_envs: Option<usize>,
    /// Whether policies take their best action instead of exploring.
    pub greedy: bool,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self {
            every: None,
            episodes: 20,
            num_envs: None,
            greedy: true,
        }
    }
}
