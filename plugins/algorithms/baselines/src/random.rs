//! `core/Random-v0`: any allowed action, with equal probability.
//!
//! | space | drawn |
//! |---|---|
//! | discrete, multi-discrete, bits | uniform over the choices that the mask allows |
//! | box, bounded on both sides | uniform |
//! | box, bounded on one side | the bound and a standard exponential away from it |
//! | box, unbounded | standard normal |
//!
//! 1. Noise comes from the row's key, and each agent has a stream of its own: shards, threads, the order of
//!    rows and what other agents may do change nothing.
//! 2. A dead agent, and one whose turn it is not, does what `core/NoOp-v0` does.
//! 3. There is no best action: greedy is random too.

use palaestra_plugin_api::{
    abi::{NO_GROUP, id},
    algorithm::{Algorithm, AlgorithmCapabilities, Setting},
    math,
    prelude::*,
    rng::purpose,
    table::Table,
};

use crate::acting::{self, Component, Domain, Group};

/// No settings.
#[config]
pub struct RandomConfig {}

/// Any allowed action.
pub struct Random {
    groups: Vec<Group>,
    keys: Vec<u64>,
}

impl Algorithm for Random {
    const ID: &'static str = "core/Random-v0";
    const DESCRIPTION: &'static str = "Any allowed action, with equal probability; learns nothing";
    type Config = RandomConfig;

    fn capabilities(_: &RandomConfig, _: &Setting) -> Result<AlgorithmCapabilities> {
        Ok(AlgorithmCapabilities {
            needs: vec![id::KEY],
            ..acting::capabilities()
        })
    }

    fn new(_: &RandomConfig, setting: &Setting) -> Result<Self> {
        Ok(Self {
            groups: Group::all(setting),
            keys: Vec::new(),
        })
    }

    fn act(&mut self, rows: &mut Table<'_>, slot: usize, _greedy: bool) -> Result<()> {
        self.keys.clear();
        self.keys
            .extend_from_slice(rows.rows::<u64>(id::KEY, NO_GROUP, slot)?);
        for group in &mut self.groups {
            let (keys, g) = (&self.keys, u64::from(group.index));
            group.act(rows, slot, |row, agent| {
                let mut rng = EnvRng::new(keys[row], agent as u64, g, purpose::ACTIONS);
                move |component: &Component<'_>| draw(&component.domain, &mut rng)
            })?;
        }
        Ok(())
    }
}

/// One value of a component.
fn draw(domain: &Domain<'_>, rng: &mut EnvRng) -> f64 {
    match *domain {
        Domain::Choice(allowed) => {
            let choices = || (0..allowed.len()).filter(|&c| allowed[c] != 0);
            let nth = rng.below(choices().count() as u64) as usize;
            choices().nth(nth).unwrap_or(0) as f64
        }
        Domain::Real(low, high) => match (low.is_finite(), high.is_finite()) {
            // Not low + (high - low)·u: the difference may overflow.
            (true, true) => {
                let u = rng.uniform();
                low * (1.0 - u) + high * u
            }
            (true, false) => low - math::ln(1.0 - rng.uniform()),
            (false, true) => high + math::ln(1.0 - rng.uniform()),
            (false, false) => rng.normal(),
        },
    }
}
