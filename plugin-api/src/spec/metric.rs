//! Named numbers beside rewards, and how an episode combines them.

use serde::{Deserialize, Serialize};

/// A named number per instance and step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    /// Name, unique within the environment.
    pub name: String,
    /// How an episode combines its steps.
    pub aggregate: Aggregate,
}

impl Metric {
    /// A metric summed over the episode.
    pub fn sum(name: &str) -> Self {
        Self {
            name: name.into(),
            aggregate: Aggregate::Sum,
        }
    }
    /// A metric whose last value counts.
    pub fn last(name: &str) -> Self {
        Self {
            name: name.into(),
            aggregate: Aggregate::Last,
        }
    }
    /// A metric averaged over the steps.
    pub fn mean(name: &str) -> Self {
        Self {
            name: name.into(),
            aggregate: Aggregate::Mean,
        }
    }
    /// A metric whose largest value counts.
    pub fn max(name: &str) -> Self {
        Self {
            name: name.into(),
            aggregate: Aggregate::Max,
        }
    }
}

/// How an episode combines the values of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// Sum over the steps.
    Sum,
    /// Value of the last step.
    Last,
    /// Mean over the steps.
    Mean,
    /// Largest value.
    Max,
}
