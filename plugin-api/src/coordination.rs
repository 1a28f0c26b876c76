//! What the author of a coordination mechanism writes.
//!
//! A [`Mechanism`] works at any of four [`Port`]s. It holds no weights: it declares named
//! [`Parameter`]s, which the learning kit stores, optimises and checkpoints beside the policy's own, and
//! which come with every [`Exchange`]. What the SDK takes off the author's hands: tokens, lengths, dead
//! activations, and noise that learning has to see again.
//!
//! ```
//! use palaestra_plugin_api::{coordination::*, prelude::*};
//!
//! /// Settings.
//! #[config]
//! struct MeanConfig {
//!     /// Values of a message.
//!     #[config(default = 4, range = 1..=1024)]
//!     width: usize,
//! }
//!
//! /// Everybody hears the mean of the others.
//! struct Mean {
//!     width: usize,
//! }
//!
//! impl Mechanism for Mean {
//!     const ID: &'static str = "example/Mean-v0";
//!     const DESCRIPTION: &'static str = "Mean of the others' messages";
//!     type Config = MeanConfig;
//!     type Saved = ();
//!
//!     fn new(config: &MeanConfig, _: &Place) -> Result<Self> {
//!         Ok(Self { width: config.width })
//!     }
//!     fn describe(&self) -> MechanismDescription {
//!         MechanismDescription {
//!             ports: vec![Port::Exchange],
//!             message_width: self.width,
//!             inbox_width: self.width,
//!             topology: Some(Topology::Broadcast),
//!             ..MechanismDescription::default()
//!         }
//!     }
//!     fn exchange(&self, call: Exchange<'_>) -> Result<()> {
//!         spread(call.messages, call.inbox, call.agents, self.width);
//!         Ok(())
//!     }
//!     fn backward(&self, _: (), call: Backward<'_>) -> Result<()> {
//!         // The mean of the others is its own transpose.
//!         spread(call.d_inbox, call.d_messages, call.agents, self.width);
//!         Ok(())
//!     }
//! }
//!
//! fn spread(from: &[f32], to: &mut [f32], agents: usize, width: usize) {
//!     let row = agents * width;
//!     for (from, to) in from.chunks_exact(row).zip(to.chunks_exact_mut(row)) {
//!         for (i, y) in to.iter_mut().enumerate() {
//!             let others = (0..agents).filter(|a| *a != i / width);
//!             let sum: f32 = others.map(|a| from[a * width + i % width]).sum();
//!             *y = sum / (agents.max(2) - 1) as f32;
//!         }
//!     }
//! }
//! ```

mod description;

use std::io::{Read, Write};

pub use crate::client::{ExchangePort, Gradients, OpenExchange};
pub use description::{Init, MechanismDescription, Parameter, Port, Topology, Volume};

use crate::{
    config::Config,
    error::{Error, Result},
    host::Host,
    spec::EnvironmentSpec,
    table::Table,
};

/// Where a mechanism is to work.
#[derive(Clone, Debug)]
pub struct Place {
    /// The environment as earlier mechanisms have left it.
    pub spec: EnvironmentSpec,
    /// Seed of the run.
    pub run_seed: u64,
    /// Instances of the tables that `observe`, `arbitrate` and `share` will see.
    pub instances: usize,
    /// Separates random streams; see [`crate::rng`].
    pub purpose: u64,
    /// The host's services.
    pub host: Host,
}

/// A way to coordinate agents. Its fields are settings and, for slow clocks and books, state; never weights.
pub trait Mechanism: Sized + Send + 'static {
    /// `namespace/Name-vN`. Anything that alters learning results bumps `N`.
    const ID: &'static str;
    /// One line for `palaestra list`.
    const DESCRIPTION: &'static str;
    /// Settings; see [`config`](macro@crate::config).
    type Config: Config;
    /// Activations that `backward` needs; `()` without any, and without an exchange port.
    type Saved: Send + 'static;

    /// A mechanism before its first call.
    fn new(config: &Self::Config, place: &Place) -> Result<Self>;

    /// Ports, parameters, widths, slab ids; the same at every call.
    fn describe(&self) -> MechanismDescription;

    /// Adds observation features and action heads to the spec; `arbitrate` takes those heads off again.
    fn compose(&mut self, spec: EnvironmentSpec) -> Result<EnvironmentSpec> {
        Ok(spec)
    }

    /// Port `observe`: writes `FEATURES` of a slot from what the slot holds.
    fn observe(&mut self, rows: &mut Table<'_>, slot: usize) -> Result<()> {
        let _ = (rows, slot);
        Err(refused::<Self>(Port::Observe))
    }

    /// Port `exchange`: writes `inbox` (and `state_out`, and drawn `extras`), zero on entry, and gives what
    /// `backward` will need. Rows are independent of each other, and all noise comes from `keys`.
    fn exchange(&self, call: Exchange<'_>) -> Result<Self::Saved> {
        let _ = call;
        Err(refused::<Self>(Port::Exchange))
    }

    /// Port `exchange`, backwards: adds to `d_messages` and `d_state_in`, zero on entry, and to
    /// `d_parameters`, which other calls have added to.
    fn backward(&self, saved: Self::Saved, call: Backward<'_>) -> Result<()> {
        let _ = (saved, call);
        Err(refused::<Self>(Port::Exchange))
    }

    /// Port `arbitrate`: reads `PROPOSED_ACTION`, writes `ACTION` and `OVERRIDDEN` of a slot.
    fn arbitrate(&mut self, rows: &mut Table<'_>, slot: usize) -> Result<()> {
        let _ = (rows, slot);
        Err(refused::<Self>(Port::Arbitrate))
    }

    /// Port `share`: reads `REWARD`, writes `LEARNING_REWARD` of a slot.
    fn share(&mut self, rows: &mut Table<'_>, slot: usize) -> Result<()> {
        let _ = (rows, slot);
        Err(refused::<Self>(Port::Share))
    }

    /// Writes everything that the mechanism is beyond its settings; nothing, for one without state.
    fn snapshot(&mut self, out: &mut dyn Write) -> Result<()> {
        let _ = out;
        Ok(())
    }

    /// Becomes what the snapshot says.
    fn restore(&mut self, from: &mut dyn Read) -> Result<()> {
        let _ = from;
        Ok(())
    }
}

fn refused<M: Mechanism>(port: Port) -> Error {
    Error::unsupported(format!("{}: not offered by {}", port.name(), M::ID))
}

/// One exchange of messages. A row is one (time, instance) with all agents of all groups of one algorithm
/// object, in group order. Arrays are row-major.
pub struct Exchange<'a> {
    /// Number of rows.
    pub rows: usize,
    /// Agents per row.
    pub agents: usize,
    /// Parameters, flat, in the declared order.
    pub parameters: &'a [f32],
    /// `[rows, agents, message_width]`.
    pub messages: &'a [f32],
    /// `[rows, agents]`, 1 where the agent takes part; none: all do.
    pub mask: Option<&'a [u8]>,
    /// Slabs `[1, rows, …]` of the same rows (positions, adjacency, state), read-only.
    pub context: Option<&'a Table<'a>>,
    /// `[rows, agents, state_width]`; empty without a state.
    pub state_in: &'a [f32],
    /// `[rows]`, the source of all noise; see [`crate::rng::key`].
    pub keys: &'a [u64],
    /// What the channel draws, `[rows, extras_width]`.
    pub extras: Extras<'a>,
    /// Whether `backward` will follow.
    pub save: bool,
    /// Out `[rows, agents, inbox_width]`.
    pub inbox: &'a mut [f32],
    /// Out `[rows, agents, state_width]`; empty without a state.
    pub state_out: &'a mut [f32],
}

impl Exchange<'_> {
    /// Whether an agent takes part in a row.
    pub fn takes_part(&self, row: usize, agent: usize) -> bool {
        self.mask.is_none_or(|m| m[row * self.agents + agent] != 0)
    }
}

/// Values that a channel draws when acting, and learning replays: drop masks, noise, neighbour lists.
pub enum Extras<'a> {
    /// To be drawn from the keys and written.
    Draw(&'a mut [f32]),
    /// Drawn before: to be used as they are.
    Replay(&'a [f32]),
}

impl Extras<'_> {
    /// What was drawn so far, or is to be replayed.
    pub fn values(&self) -> &[f32] {
        match self {
            Self::Draw(values) => values,
            Self::Replay(values) => values,
        }
    }

    /// Draws with `draw` unless there is something to replay; the values either way.
    pub fn or_draw(&mut self, draw: impl FnOnce(&mut [f32])) -> &[f32] {
        if let Self::Draw(values) = self {
            draw(values);
        }
        self.values()
    }
}

/// The way back through one [`Exchange`].
pub struct Backward<'a> {
    /// Number of rows of the exchange.
    pub rows: usize,
    /// Agents per row.
    pub agents: usize,
    /// Parameters as they were in the exchange.
    pub parameters: &'a [f32],
    /// `[rows, agents, inbox_width]`: gradient of the loss by the inbox.
    pub d_inbox: &'a [f32],
    /// `[rows, agents, state_width]` by `state_out`; none: zero.
    pub d_state_out: Option<&'a [f32]>,
    /// Out `[rows, agents, message_width]`.
    pub d_messages: &'a mut [f32],
    /// Out `[rows, agents, state_width]`; empty without a state.
    pub d_state_in: &'a mut [f32],
    /// Added to: `[parameters]`.
    pub d_parameters: &'a mut [f32],
}
