//! Multi-particle environments: coloured discs that move, touch, hide and talk on a plane.
//!
//! | id | agents | task |
//! |---|---|---|
//! | `mpe/SimpleSpread-v3` | a team | cover landmarks, keep apart |
//!
//! One file a task ([`task::Task`]): its bodies, observation, reward. The rest is common: [`physics`] for the
//! two generations of dynamics, [`world`] for the state of many instances, [`particle`] for the step.

pub mod control;
pub mod features;
mod legacy;
pub mod particle;
pub mod physics;
mod picture;
pub mod simple_spread;
mod state;
pub mod task;
#[cfg(test)]
mod testing;
mod trail;
pub mod world;

use palaestra_plugin_api::export_plugin;

use particle::Particle;

/// `mpe/SimpleSpread-v3`.
pub type SimpleSpread = Particle<simple_spread::SimpleSpread, 1>;

export_plugin!(batch_environments: [SimpleSpread]);
