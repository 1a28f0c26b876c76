//! What an algorithm author writes.
//!
//! An [`Algorithm`] controls one or more agent groups. The host owns all rows: what the policy sees, the
//! proposals and extras that [`act`](Algorithm::act) writes, the recurrent state between steps, and the
//! fragments that [`learn`](Algorithm::learn) reads. Rows come as [`Table`]s.
//!
//! ```
//! use palaestra_plugin_api::{abi::id, algorithm::*, prelude::*, table::Table};
//!
//! /// No settings.
//! #[config]
//! struct RandomConfig {}
//!
//! /// Any allowed choice, with equal probability.
//! struct Random {
//!     groups: Vec<(u32, GroupSpec)>,
//! }
//!
//! impl Algorithm for Random {
//!     const ID: &'static str = "example/Random-v0";
//!     const DESCRIPTION: &'static str = "Any choice, with equal probability";
//!     type Config = RandomConfig;
//!
//!     fn capabilities(_: &RandomConfig, _: &Setting) -> Result<AlgorithmCapabilities> {
//!         let actions = vec![ActionKind::Discrete];
//!         Ok(AlgorithmCapabilities { actions, ..AlgorithmCapabilities::default() })
//!     }
//!     fn new(_: &RandomConfig, setting: &Setting) -> Result<Self> {
//!         let groups = setting.controlled_groups().map(|(g, spec)| (g, spec.clone()));
//!         Ok(Self { groups: groups.collect() })
//!     }
//!     fn act(&mut self, rows: &mut Table<'_>, slot: usize, _greedy: bool) -> Result<()> {
//!         for (g, group) in &self.groups {
//!             let choices = group.action.choices()[0] as u64;
//!             let (keys, actions) = rows.read_write::<u64, i32>(
//!                 (id::KEY, palaestra_plugin_api::abi::NO_GROUP, slot),
//!                 (id::PROPOSED_ACTION, *g, slot),
//!             )?;
//!             for (key, row) in keys.iter().zip(actions.chunks_exact_mut(group.agents)) {
//!                 let mut rng = EnvRng::new(*key, 0, 0, u64::from(*g));
//!                 row.fill_with(|| rng.below(choices) as i32);
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//! ```

mod capabilities;
mod request;
mod untrained;

use std::io::{Read, Write};

use serde_json::{Map, Value};

pub use capabilities::{ActionKind, AlgorithmCapabilities, Extra, LearnsFrom, Sees};
pub use request::{AlgorithmRequest, Amount, Collect, Metrics, Role};

use crate::{
    config::{self, Config},
    coordination::ExchangePort,
    error::{Error, Result},
    host::Host,
    spec::{EnvironmentSpec, GroupSpec},
    table::Table,
};

/// What an algorithm object is made for.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Acts and learns, or acts only.
    pub role: Role,
    /// The environment with everything that wrappers and mechanisms add.
    pub spec: EnvironmentSpec,
    /// Indices of the agent groups that the object controls, ascending; they are the `group` of its slabs.
    pub controlled: Vec<usize>,
    /// Seed of the run; weights start from `purpose::INITIALISATION` of [`crate::rng`].
    pub run_seed: u64,
    /// Rows (instances) of one inference batch, fixed by the configuration of the run.
    pub instances: usize,
    /// Separates the random streams of training, evaluation and checks.
    pub purpose: u64,
    /// Log, metrics, threads, collectives.
    pub host: Host,
    /// The mechanism that policies exchange messages through, if there is one.
    pub exchange: Option<ExchangePort>,
}

impl Setting {
    /// The controlled groups, with the number that names their slabs.
    pub fn controlled_groups(&self) -> impl Iterator<Item = (u32, &GroupSpec)> {
        let groups = &self.spec.groups;
        self.controlled.iter().map(|&g| (g as u32, &groups[g]))
    }

    /// Agents over all controlled groups.
    pub fn agents(&self) -> usize {
        self.controlled_groups().map(|(_, g)| g.agents).sum()
    }
}

/// A way to act and learn. Objects move between threads and are never shared.
pub trait Algorithm: Sized + Send + 'static {
    /// `namespace/Name-vN`. Anything that alters learning results bumps `N`.
    const ID: &'static str;
    /// One line for `palaestra list`.
    const DESCRIPTION: &'static str;
    /// Settings; see [`config`](macro@crate::config).
    type Config: Config;

    /// What the algorithm can do under these settings; what does not fit is refused before `new`.
    fn capabilities(config: &Self::Config, setting: &Setting) -> Result<AlgorithmCapabilities>;

    /// An algorithm before its first call, with initial weights.
    fn new(config: &Self::Config, setting: &Setting) -> Result<Self>;

    /// What to collect next. One step at a time unless overridden.
    fn next(&mut self) -> Result<Collect> {
        Ok(Collect::steps(1))
    }

    /// Acts at a slot: writes `PROPOSED_ACTION` and `EXTRAS` of `slot`, `RECURRENT` of `slot + 1`, for the
    /// controlled groups. All noise comes from `KEY`.
    fn act(&mut self, rows: &mut Table<'_>, slot: usize, greedy: bool) -> Result<()>;

    /// Learns from a [fragment](crate::table) and says how it went. Refused unless overridden.
    fn learn(&mut self, fragment: &Table<'_>) -> Result<Metrics> {
        let _ = fragment;
        Err(Error::unsupported(format!("{} learns nothing", Self::ID)))
    }

    /// Changes tunable settings in place; the names are those of `tunable`. See [`changed`].
    fn configure(&mut self, changes: &Map<String, Value>) -> Result<()> {
        let names: Vec<_> = changes.keys().collect();
        Err(Error::plugin(format!(
            "expected an algorithm that tunes {names:?}, found none"
        )))
    }

    /// Writes everything: networks, targets, optimisers, replay, normalisers, generators. Resuming equals
    /// never having stopped. Nothing, for an algorithm without state.
    fn snapshot(&mut self, out: &mut dyn Write) -> Result<()> {
        let _ = out;
        Ok(())
    }

    /// Becomes what the snapshot says.
    fn restore(&mut self, from: &mut dyn Read) -> Result<()> {
        let _ = from;
        Ok(())
    }

    /// Writes the named tensors `policy/<group>/…` as safetensors; none, for an algorithm without weights.
    fn weights(&mut self, out: &mut dyn Write) -> Result<()> {
        untrained::weights(out)
    }

    /// Loads named tensors for some groups, by name; for all when `groups` is empty.
    fn set_weights(&mut self, from: &mut dyn Read, groups: &[String]) -> Result<()> {
        let _ = groups;
        untrained::set_weights(from, Self::ID)
    }
}

/// Settings with some fields changed, checked as a whole: what [`Algorithm::configure`] starts with.
///
/// # Errors
/// `/pointer: expected X, found Y` for the first value at fault.
pub fn changed<C: Config>(config: &C, changes: &Map<String, Value>) -> Result<C> {
    let mut fields = match serde_json::to_value(config) {
        Ok(Value::Object(fields)) => fields,
        other => {
            return Err(Error::plugin(format!(
                "config: expected an object, found {other:?}"
            )));
        }
    };
    fields.extend(changes.clone());
    config::parse(&Value::Object(fields).to_string()).map_err(Error::config)
}
