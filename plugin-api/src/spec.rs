//! What an environment tells about itself: groups, spaces, limits and flags. Crosses as JSON.

use serde::{Deserialize, Serialize};

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

/// A space of observations or actions. Structured spaces flatten with a recorded layout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Space {
    /// Real vectors or images, with bounds per component (null: unbounded).
    Box {
        /// Axes; the product is the width of the slab.
        shape: Vec<usize>,
        /// Lower bounds: one for all, or one per component.
        low: Vec<Option<f64>>,
        /// Upper bounds: one for all, or one per component.
        high: Vec<Option<f64>>,
        /// Element type of the slab.
        #[serde(default)]
        element: Element,
        /// Names of consecutive parts of a flattened structure, with their widths.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        parts: Vec<(String, usize)>,
    },
    /// One of `n` choices.
    Discrete {
        /// Number of choices.
        n: usize,
    },
    /// Several independent choices.
    MultiDiscrete {
        /// Number of choices of each component.
        choices: Vec<usize>,
    },
    /// Several bits.
    MultiBinary {
        /// Number of bits.
        n: usize,
    },
}

/// Element type of a box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Element {
    /// Single precision.
    #[default]
    F32,
    /// Bytes (images).
    U8,
}

impl Space {
    /// An unbounded real vector.
    pub fn real(width: usize) -> Self {
        Self::Box {
            shape: vec![width],
            low: vec![None],
            high: vec![None],
            element: Element::F32,
            parts: Vec::new(),
        }
    }

    /// A real vector with the same bounds for every component.
    pub fn bounded(width: usize, low: f64, high: f64) -> Self {
        Self::bounds(&vec![low; width], &vec![high; width])
    }

    /// A real vector with bounds per component; infinite means unbounded.
    pub fn bounds(low: &[f64], high: &[f64]) -> Self {
        let finite = |x: &f64| x.is_finite().then_some(*x);
        Self::Box {
            shape: vec![low.len()],
            low: low.iter().map(finite).collect(),
            high: high.iter().map(finite).collect(),
            element: Element::F32,
            parts: Vec::new(),
        }
    }

    /// An image of bytes, `[height, width, channels]`.
    pub fn image(height: usize, width: usize, channels: usize) -> Self {
        Self::Box {
            shape: vec![height, width, channels],
            low: vec![Some(0.0)],
            high: vec![Some(255.0)],
            element: Element::U8,
            parts: Vec::new(),
        }
    }

    /// One of `n` choices.
    pub const fn discrete(n: usize) -> Self {
        Self::Discrete { n }
    }

    /// Number of components in a slab row.
    pub fn width(&self) -> usize {
        match self {
            Self::Box { shape, .. } => shape.iter().product(),
            Self::Discrete { .. } => 1,
            Self::MultiDiscrete { choices } => choices.len(),
            Self::MultiBinary { n } => *n,
        }
    }

    /// Number of choices of each discrete component; empty for a box.
    pub fn choices(&self) -> Vec<usize> {
        match self {
            Self::Box { .. } => Vec::new(),
            Self::Discrete { n } => vec![*n],
            Self::MultiDiscrete { choices } => choices.clone(),
            Self::MultiBinary { n } => vec![2; *n],
        }
    }

    /// Whether rows are real numbers and not choices.
    pub const fn is_box(&self) -> bool {
        matches!(self, Self::Box { .. })
    }

    /// Element type of a slab that holds this space as an observation.
    pub const fn element(&self) -> Element {
        match self {
            Self::Box { element, .. } => *element,
            _ => Element::F32,
        }
    }

    /// Bounds of component `i` of a box; infinite where there are none.
    pub fn bounds_of(&self, i: usize) -> (f64, f64) {
        match self {
            Self::Box { low, high, .. } => {
                let at = |v: &[Option<f64>]| v.get(i).or(v.first()).copied().flatten();
                (
                    at(low).unwrap_or(f64::NEG_INFINITY),
                    at(high).unwrap_or(f64::INFINITY),
                )
            }
            _ => (0.0, self.choices()[i].saturating_sub(1) as f64),
        }
    }

    /// Refuses spaces that no value can be in.
    pub fn validate(&self) -> Result<()> {
        let wrong = |expected: &str, found: String| {
            Err(Error::plugin(format!("expected {expected}, found {found}")))
        };
        match self {
            Self::Box {
                shape,
                low,
                high,
                parts,
                ..
            } => {
                let width = self.width();
                if shape.is_empty() || width == 0 {
                    return wrong(
                        "a box with at least one component",
                        format!("shape {shape:?}"),
                    );
                }
                for bounds in [low, high] {
                    if bounds.len() != 1 && bounds.len() != width {
                        return wrong(&format!("1 or {width} bounds"), bounds.len().to_string());
                    }
                }
                if let Some(i) = (0..width).find(|&i| self.bounds_of(i).0 > self.bounds_of(i).1) {
                    return wrong(
                        "low ≤ high",
                        format!("{:?} at component {i}", self.bounds_of(i)),
                    );
                }
                let parts_width: usize = parts.iter().map(|p| p.1).sum();
                if !parts.is_empty() && parts_width != width {
                    return wrong(
                        &format!("parts of total width {width}"),
                        parts_width.to_string(),
                    );
                }
            }
            _ => {
                let choices = self.choices();
                if choices.is_empty()
                    || choices.contains(&0)
                    || choices.iter().any(|&n| n > i32::MAX as usize)
                {
                    return wrong("at least one choice per component", format!("{choices:?}"));
                }
            }
        }
        Ok(())
    }
}

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
