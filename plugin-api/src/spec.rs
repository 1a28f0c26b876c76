//! What an environment tells about itself: groups, spaces, limits and flags. Crosses as JSON.

mod metric;
mod space;

use serde::{Deserialize, Serialize};

pub use self::{
    metric::{Aggregate, Metric},
    space::{Element, Space},
};
use crate::error::{Error, Result};

/// Everything that host and algorithms know of an environment before it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentSpec {
    /// Agent groups: agents of one group share their spaces.
    pub groups: Vec<GroupSpec>,
    /// Global state for centralised learners; composition concatenates observations when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Space>,
    /// Steps after which an episode is truncated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_episode_steps: Option<u32>,
    /// Smallest and largest reward of one agent in one step; null means unbounded.
    #[serde(default)]
    pub reward_range: (Option<f64>, Option<f64>),
    /// Named per-step metrics and how an episode aggregates them.
    #[serde(default)]
    pub metrics: Vec<Metric>,
    /// What the environment can do.
    #[serde(default)]
    pub flags: Flags,
    /// What kind of problem it is.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// A group of agents with the same spaces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupSpec {
    /// Name of the group, unique within the environment.
    pub name: String,
    /// Number of agents.
    pub agents: usize,
    /// What each agent sees.
    pub observation: Space,
    /// What each agent can do.
    pub action: Space,
    /// Whether an action mask says which choices are allowed.
    #[serde(default)]
    pub has_action_mask: bool,
    /// The action of an agent that does nothing, if there is one (component values).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_op: Option<Vec<f64>>,
}

/// What an environment can do, and what its episodes are like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flags {
    /// `snapshot` and `restore` work.
    pub snapshot: bool,
    /// The same seed gives the same episode.
    pub deterministic: bool,
    /// Agents that died may come back within the episode.
    pub respawn: bool,
    /// Agents end one by one: the per-agent slabs are meaningful.
    pub per_agent_end: bool,
    /// Agents take turns: the acting mask is meaningful.
    pub turn_based: bool,
    /// Ended instances wait for `reset`.
    pub manual_reset: bool,
    /// `render` draws something.
    pub render: bool,
    /// `counterfactual/1` is offered.
    pub counterfactual: bool,
    /// `scripted/1` is offered.
    pub scripted: bool,
    /// `game-tree/1` is offered.
    pub game_tree: bool,
}

impl Default for Flags {
    fn default() -> Self {
        Self {
            snapshot: true,
            deterministic: true,
            respawn: false,
            per_agent_end: false,
            turn_based: false,
            manual_reset: false,
            render: true,
            counterfactual: false,
            scripted: false,
            game_tree: false,
        }
    }
}

/// What kind of problem an environment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tag {
    /// One agent.
    SingleAgent,
    /// All rewards aligned.
    Cooperative,
    /// Zero-sum or nearly so.
    Competitive,
    /// Neither.
    Mixed,
    /// Agents act one after another.
    TurnBased,
}

impl EnvironmentSpec {
    /// A spec with one group.
    pub fn new(name: &str, agents: usize, observation: Space, action: Space) -> Self {
        Self {
            groups: vec![GroupSpec::new(name, agents, observation, action)],
            state: None,
            max_episode_steps: None,
            reward_range: (None, None),
            metrics: Vec::new(),
            flags: Flags::default(),
            tags: Vec::new(),
        }
    }

    /// Agents over all groups.
    pub fn agents(&self) -> usize {
        self.groups.iter().map(|g| g.agents).sum()
    }

    /// Refuses a spec that cannot be laid out, naming the part at fault.
    pub fn validate(&self) -> Result<()> {
        if self.groups.is_empty() {
            return Err(Error::plugin(
                "spec: expected at least one agent group, found none",
            ));
        }
        for (i, group) in self.groups.iter().enumerate() {
            let at = |what: &str| format!("spec /groups/{i} ({}){what}", group.name);
            if group.agents == 0 {
                return Err(Error::plugin(format!(
                    "{}: expected at least one agent, found 0",
                    at("")
                )));
            }
            if self.groups[..i].iter().any(|g| g.name == group.name) {
                return Err(Error::plugin(format!(
                    "{}: expected a unique group name",
                    at("")
                )));
            }
            group
                .observation
                .validate()
                .map_err(|e| e.within(at(" /observation")))?;
            group
                .action
                .validate()
                .map_err(|e| e.within(at(" /action")))?;
            if group.has_action_mask && group.action.is_box() {
                return Err(Error::plugin(format!(
                    "{}: expected choices under an action mask, found a box",
                    at(" /action")
                )));
            }
            if let Some(no_op) = group
                .no_op
                .as_ref()
                .filter(|a| a.len() != group.action.width())
            {
                return Err(Error::plugin(format!(
                    "{}: expected {} components, found {}",
                    at(" /no_op"),
                    group.action.width(),
                    no_op.len()
                )));
            }
        }
        if let Some(state) = &self.state {
            state.validate().map_err(|e| e.within("spec /state"))?;
        }
        if self.max_episode_steps == Some(0) {
            return Err(Error::plugin(
                "spec /max_episode_steps: expected at least 1, found 0",
            ));
        }
        for (i, metric) in self.metrics.iter().enumerate() {
            if self.metrics[..i].iter().any(|m| m.name == metric.name) {
                return Err(Error::plugin(format!(
                    "spec /metrics/{i}: expected a unique name, found {}",
                    metric.name
                )));
            }
        }
        Ok(())
    }
}

impl GroupSpec {
    /// A group without action mask.
    pub fn new(name: &str, agents: usize, observation: Space, action: Space) -> Self {
        Self {
            name: name.into(),
            agents,
            observation,
            action,
            has_action_mask: false,
            no_op: None,
        }
    }

    /// What an agent that does nothing does, component by component: the no-op; without one choice 0, or the
    /// value of the box closest to 0.
    pub fn idle_action(&self) -> Vec<f64> {
        let nearest = |c: usize| {
            let (low, high) = self.action.bounds_of(c);
            0.0_f64.max(low).min(high)
        };
        self.no_op
            .clone()
            .unwrap_or_else(|| (0..self.action.width()).map(nearest).collect())
    }
}
