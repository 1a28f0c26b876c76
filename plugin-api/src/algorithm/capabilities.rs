//! What an algorithm can do, and the refusal of what it cannot.

use serde::{Deserialize, Serialize};

use super::AlgorithmRequest;
use crate::{
    abi::id,
    coordination::Port,
    error::{Error, Result},
    layout::environment_slabs,
    spec::{EnvironmentSpec, Space},
};

/// What an algorithm object can do, needs and writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlgorithmCapabilities {
    /// Action spaces it can act in.
    pub actions: Vec<ActionKind>,
    /// Learns from fragments of its own present policy.
    pub on_policy: bool,
    /// Learns from fragments of any policy.
    pub off_policy: bool,
    /// Cannot work without the global state.
    pub needs_state: bool,
    /// Values of `RECURRENT` of each agent, for every controlled group; empty without.
    pub recurrent: Vec<usize>,
    /// Values of `INSTANCE_RECURRENT`.
    pub instance_recurrent: usize,
    /// Values of a message that its policy sends: the mechanism's width, or 0 without one.
    pub message_width: usize,
    /// What it writes to `EXTRAS` for each agent, in order.
    pub extras: Vec<Extra>,
    /// Which action the loss is about.
    pub learns_from: LearnsFrom,
    /// Whose rows a fragment has.
    pub sees: Sees,
    /// Adds up rewards from turn to turn, so that an agent's γ and λ count its own turns.
    pub own_turns: bool,
    /// Has something to learn.
    pub trainable: bool,
    /// Several learners may average their gradients.
    pub data_parallel: bool,
    /// Fields of the configuration that `configure` changes in place.
    pub tunable: Vec<String>,
    /// Slab ids without which it cannot work.
    pub needs: Vec<u32>,
    /// Slab ids that it would use.
    pub likes: Vec<u32>,
}

impl Default for AlgorithmCapabilities {
    /// Acts anywhere, learns nothing.
    fn default() -> Self {
        Self {
            actions: ActionKind::ALL.to_vec(),
            on_policy: false,
            off_policy: false,
            needs_state: false,
            recurrent: Vec::new(),
            instance_recurrent: 0,
            message_width: 0,
            extras: Vec::new(),
            learns_from: LearnsFrom::Proposed,
            sees: Sees::Own,
            own_turns: false,
            trainable: false,
            data_parallel: false,
            tunable: Vec::new(),
            needs: Vec::new(),
            likes: Vec::new(),
        }
    }
}

/// Kinds of action spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// One of `n` choices.
    Discrete,
    /// Several independent choices.
    MultiDiscrete,
    /// Several bits.
    MultiBinary,
    /// Real vectors.
    Continuous,
}

impl ActionKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Discrete,
        Self::MultiDiscrete,
        Self::MultiBinary,
        Self::Continuous,
    ];

    /// The kind of a space.
    pub const fn of(space: &Space) -> Self {
        match space {
            Space::Box { .. } => Self::Continuous,
            Space::Discrete { .. } => Self::Discrete,
            Space::MultiDiscrete { .. } => Self::MultiDiscrete,
            Space::MultiBinary { .. } => Self::MultiBinary,
        }
    }

    /// The kind in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discrete => "discrete",
            Self::MultiDiscrete => "multi-discrete",
            Self::MultiBinary => "multi-binary",
            Self::Continuous => "continuous",
        }
    }
}

/// A named part of `EXTRAS`: a log-probability, a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extra {
    /// Name, unique within the algorithm.
    pub name: String,
    /// Values per agent.
    pub width: usize,
}

impl Extra {
    /// A part of that many values.
    pub fn new(name: &str, width: usize) -> Self {
        let name = name.into();
        Self { name, width }
    }
}

/// Which action a loss is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LearnsFrom {
    /// What the policy proposed: its log-probability is known.
    #[default]
    Proposed,
    /// What was executed, whoever chose it.
    Executed,
}

/// Whose rows a fragment has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sees {
    /// The controlled groups.
    #[default]
    Own,
    /// The other groups too, read-only.
    All,
}

impl AlgorithmCapabilities {
    /// Values of `EXTRAS` of each agent.
    pub fn extras_width(&self) -> usize {
        self.extras.iter().map(|e| e.width).sum()
    }

    /// Refuses a composition that does not fit, before anything is built.
    ///
    /// # Errors
    /// `algorithm ID: expected X, found Y`: the configuration is at fault where another choice would fit, the
    /// plugin where its capabilities contradict themselves.
    pub fn check(&self, request: &AlgorithmRequest) -> Result<()> {
        self.check_self(request)
            .and_then(|()| check_groups(request))
            .and_then(|()| self.check_actions(request))
            .and_then(|()| self.check_exchange(request))
            .and_then(|()| self.check_needs(request))
            .map_err(|e| e.within(format_args!("algorithm {}", request.id)))
    }

    fn check_self(&self, request: &AlgorithmRequest) -> Result<()> {
        let wrong = |at: &str, expected: &str, found: String| {
            let message = format!("capabilities /{at}: expected {expected}, found {found}");
            Err(Error::plugin(message))
        };
        let groups = request.controlled.len();
        if !self.recurrent.is_empty() && self.recurrent.len() != groups {
            let expected = format!("one width for each of {groups} groups");
            return wrong("recurrent", &expected, self.recurrent.len().to_string());
        }
        for (i, extra) in self.extras.iter().enumerate() {
            let twice = self.extras[..i].iter().any(|e| e.name == extra.name);
            if extra.width == 0 || extra.name.is_empty() || twice {
                return wrong(
                    &format!("extras/{i}"),
                    "a unique name and at least one value",
                    format!("{:?} of width {}", extra.name, extra.width),
                );
            }
        }
        if self.trainable && !self.on_policy && !self.off_policy {
            return wrong("trainable", "on_policy or off_policy", "neither".into());
        }
        Ok(())
    }

    fn check_actions(&self, request: &AlgorithmRequest) -> Result<()> {
        for &g in &request.controlled {
            let group = &request.spec.groups[g];
            let kind = ActionKind::of(&group.action);
            if !self.actions.contains(&kind) {
                let known: Vec<_> = self.actions.iter().map(|k| k.name()).collect();
                let (known, kind) = (known.join(" or "), kind.name());
                let message = format!(
                    "expected {known} actions, found {kind} ones in group {:?}",
                    group.name
                );
                return Err(Error::config(message).with_next("choose another algorithm"));
            }
        }
        if self.needs_state && request.spec.state.is_none() {
            let message = "expected a global state, found none in the environment";
            return Err(Error::config(message).with_next("choose an algorithm without one"));
        }
        Ok(())
    }

    fn check_exchange(&self, request: &AlgorithmRequest) -> Result<()> {
        let width = self.message_width;
        let Some(mechanism) = &request.exchange else {
            if width == 0 {
                return Ok(());
            }
            let message = format!("expected a mechanism for messages of width {width}, found none");
            return Err(Error::config(message).with_next("add a coordination mechanism"));
        };
        mechanism.validate()?;
        if !mechanism.has(Port::Exchange) {
            let message = format!("mechanism {}: expected an exchange port", mechanism.id);
            return Err(Error::config(message));
        }
        match (width, mechanism.message_width) {
            (0, _) => {
                let message = format!("expected no exchange of messages, found {}", mechanism.id);
                Err(Error::config(message).with_next("choose an algorithm that communicates"))
            }
            (ours, theirs) if ours == theirs => Ok(()),
            (ours, theirs) => Err(Error::config(format!(
                "expected messages of width {ours}, found {theirs} in {}",
                mechanism.id
            ))),
        }
    }

    fn check_needs(&self, request: &AlgorithmRequest) -> Result<()> {
        let extras = request.exchange.as_ref().map_or(0, |m| m.extras_width);
        for &slab in &self.needs {
            let Some(name) = id::name(slab) else {
                let message = format!("expected slabs of this host, found a need for {slab}");
                return Err(Error::config(message));
            };
            let there = match slab {
                id::MECHANISM_EXTRAS => extras > 0,
                _ if is_optional(slab) => offers(&request.spec, slab),
                _ => true,
            };
            if !there {
                let message = format!("expected {name} rows, found none in this composition");
                return Err(Error::config(message));
            }
        }
        Ok(())
    }
}

/// Slabs that some environments have and others do not.
fn is_optional(slab: u32) -> bool {
    matches!(
        slab,
        id::ACTION_MASK
            ..=id::AGENT_FIRST
                | id::STATE
                | id::METRICS
                | id::FINAL_ACTION_MASK
                | id::FINAL_ALIVE
                | id::FINAL_STATE
                | id::EPISODE_METRICS
    )
}

fn offers(spec: &EnvironmentSpec, slab: u32) -> bool {
    environment_slabs(spec).iter().any(|s| s.id == slab)
}

fn check_groups(request: &AlgorithmRequest) -> Result<()> {
    let (controlled, groups) = (&request.controlled, request.spec.groups.len());
    let ascending = controlled.windows(2).all(|pair| pair[0] < pair[1]);
    if controlled.is_empty() || !ascending || controlled.iter().any(|&g| g >= groups) {
        return Err(Error::config(format!(
            "controlled: expected ascending indices of {groups} groups, found {controlled:?}"
        )));
    }
    Ok(())
}
