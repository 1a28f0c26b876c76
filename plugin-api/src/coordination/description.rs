//! What a mechanism tells about itself. Crosses as JSON.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    rng::EnvRng,
};

/// Everything that host and learning kit know of a mechanism before it runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MechanismDescription {
    /// Full name, for errors; the SDK fills it in.
    #[serde(default)]
    pub id: String,
    /// Ports it has; calls of others are refused.
    pub ports: Vec<Port>,
    /// Learned parameters, in the order of the flat slab; see [`Port::Exchange`].
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// Values that each agent sends per row.
    #[serde(default)]
    pub message_width: usize,
    /// Values that each agent receives per row.
    #[serde(default)]
    pub inbox_width: usize,
    /// Values of recurrent state of each agent (delay lines, memories); 0 without.
    #[serde(default)]
    pub state_width: usize,
    /// Values per row that the channel draws (drop masks, noise) and learning replays.
    #[serde(default)]
    pub extras_width: usize,
    /// Who hears whom, where messages are exchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<Topology>,
    /// Values that the channel carries.
    #[serde(default)]
    pub volume: Volume,
    /// Slab ids without which the mechanism cannot work: those of its tables, and of `context`.
    #[serde(default)]
    pub needs: Vec<u32>,
    /// Slab ids that it would use.
    #[serde(default)]
    pub likes: Vec<u32>,
}

/// A place where a mechanism works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Port {
    /// Between environment and policy: extra features per agent; on final observations too.
    Observe,
    /// Inside the policy network: messages to inboxes, and backwards.
    Exchange,
    /// Between policy and environment: proposed joint action to executed joint action.
    Arbitrate,
    /// On rewards: reported rewards to learning rewards.
    Share,
}

impl Port {
    /// The name, as in an author's function.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Exchange => "exchange",
            Self::Arbitrate => "arbitrate",
            Self::Share => "share",
        }
    }
}

/// One learned parameter: row-major, `[outputs, inputs]` for the matrix of a linear layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Name, unique within the mechanism.
    pub name: String,
    /// Axes.
    pub shape: Vec<usize>,
    /// Initial values.
    #[serde(default)]
    pub init: Init,
}

/// Initial values of a parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// Uniform in ±1/√inputs, the last axis being the inputs: a linear layer's usual start.
    #[default]
    FanIn,
    /// One value everywhere.
    Constant(f64),
    /// Uniform in ±bound.
    Uniform(f64),
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
}

/// Who hears whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topology {
    /// Everybody hears everybody else.
    Broadcast,
    /// The sender (or the receiver's attention) chooses who hears it.
    Targeted,
    /// Everybody hears the neighbour before.
    Ring,
    /// Everybody hears those who are near.
    Neighbourhood,
    /// Through leaders.
    Hierarchy,
    /// Everybody gets one sum or mean over all.
    AllReduce,
}

/// Values that the channel carries in one row with everybody taking part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Volume {
    /// Values per agent: each message counts once.
    pub per_agent: f64,
    /// Values per ordered pair of agents: each message counts once per receiver.
    pub per_pair: f64,
}

impl Volume {
    /// Values of one row of that many agents.
    pub fn of(self, agents: usize) -> f64 {
        let n = agents as f64;
        n * self.per_agent + n * (n - 1.0) * self.per_pair
    }
}

impl Parameter {
    /// A parameter with a linear layer's usual start.
    pub fn new(name: &str, shape: &[usize]) -> Self {
        let (name, shape, init) = (name.into(), shape.to_vec(), Init::default());
        Self { name, shape, init }
    }

    /// With other initial values.
    #[must_use]
    pub fn with(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no values: never, once described.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn draw(&self, rng: &mut EnvRng) -> f32 {
        let value = match self.init {
            Init::Constant(value) => value,
            Init::Uniform(bound) => rng.range(-bound, bound),
            Init::Normal(deviation) => rng.normal() * deviation,
            Init::FanIn => {
                let inputs = self.shape.last().copied().unwrap_or(1) as f64;
                let bound = inputs.sqrt().recip();
                rng.range(-bound, bound)
            }
        };
        value as f32
    }
}

impl MechanismDescription {
    /// Whether it has this port.
    pub fn has(&self, port: Port) -> bool {
        self.ports.contains(&port)
    }

    /// Values of the flat parameter slab.
    pub fn parameters_len(&self) -> usize {
        self.parameters.iter().map(Parameter::len).sum()
    }

    /// Where a parameter is in the flat slab.
    pub fn range(&self, name: &str) -> Option<Range<usize>> {
        let index = self.parameters.iter().position(|p| p.name == name)?;
        let start = self.parameters[..index].iter().map(Parameter::len).sum();
        Some(start..start + self.parameters[index].len())
    }

    /// Initial parameters, flat; the generator is that of `purpose::INITIALISATION`.
    pub fn initial_parameters(&self, rng: &mut EnvRng) -> Vec<f32> {
        let values = |p: &Parameter, rng: &mut EnvRng| -> Vec<f32> {
            (0..p.len()).map(|_| p.draw(rng)).collect()
        };
        self.parameters
            .iter()
            .flat_map(|p| values(p, rng))
            .collect()
    }

    /// Refuses a description that contradicts itself.
    ///
    /// # Errors
    /// `description /…: expected X, found Y`, the plugin being at fault.
    pub fn validate(&self) -> Result<()> {
        let wrong = |at: String, expected: &str, found: String| {
            let message = format!("description /{at}: expected {expected}, found {found}");
            Err(Error::plugin(message))
        };
        if self.ports.is_empty() {
            return wrong("ports".into(), "at least one port", "none".into());
        }
        for (i, port) in self.ports.iter().enumerate() {
            if self.ports[..i].contains(port) {
                return wrong(format!("ports/{i}"), "every port once", port.name().into());
            }
        }
        let widths = [
            ("message_width", self.message_width),
            ("inbox_width", self.inbox_width),
            ("state_width", self.state_width),
            ("parameters", self.parameters.len()),
        ];
        for (i, (name, width)) in widths.into_iter().enumerate() {
            match (self.has(Port::Exchange), width) {
                (true, 0) if i < 2 => {
                    return wrong(name.into(), "at least 1 with an exchange port", "0".into());
                }
                (false, 1..) => {
                    return wrong(
                        name.into(),
                        "none without an exchange port",
                        width.to_string(),
                    );
                }
                _ => {}
            }
        }
        for (i, p) in self.parameters.iter().enumerate() {
            let size = p
                .shape
                .iter()
                .try_fold(1usize, |n, &axis| n.checked_mul(axis));
            if !matches!(size, Some(1..)) {
                let found = format!("{:?}", p.shape);
                return wrong(
                    format!("parameters/{i} ({})", p.name),
                    "at least one value",
                    found,
                );
            }
            if p.name.is_empty() || self.parameters[..i].iter().any(|q| q.name == p.name) {
                return wrong(
                    format!("parameters/{i}"),
                    "a unique name",
                    format!("{:?}", p.name),
                );
            }
        }
        Ok(())
    }
}
