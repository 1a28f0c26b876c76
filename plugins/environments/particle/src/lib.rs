//! Multi-particle environments: coloured discs that move, touch, hide and talk on a plane.
//!
//! | id | groups | task |
//! |---|---|---|
//! | `mpe/SimpleSpread-v3` | agent | cover landmarks, keep apart |
//! | `mpe/SimpleTag-v3` | adversary, agent | slow adversaries catch fast prey |
//! | `mpe/SimpleAdversary-v3` | adversary, agent | cover the goal without showing which it is |
//! | `mpe/SimpleSpeakerListener-v4` | speaker, listener | say which landmark is the goal |
//! | `mpe/SimpleReference-v3` | agent | tell each other where to go |
//! | `mpe/SimplePush-v3` | adversary, agent | keep an agent from a goal one does not know |
//! | `mpe/SimpleCrypto-v3` | eve, bob, alice | share a secret where somebody listens |
//! | `mpe/SimpleWorldComm-v3` | lead_adversary, adversary, agent | hunt in a pack, eat and hide |
//! | `mpe/Pursuit-v0` | pursuer, evader | pursue and evade without inertia |
//!
//! All but the last are MPE's, one file a task ([`task::Task`]): its bodies, observation, reward. The rest is
//! common: [`physics`] for the two generations of dynamics, [`world`] for the state of many instances,
//! [`control`] for actions, [`neighbours`] for partial sight, [`batch`] for the step.

mod assignment;
pub mod batch;
pub mod bounds;
pub mod control;
pub mod features;
mod legacy;
pub mod neighbours;
pub mod physics;
mod picture;
pub mod pursuit;
pub mod scripted;
mod several;
pub mod simple_adversary;
pub mod simple_crypto;
pub mod simple_push;
pub mod simple_reference;
pub mod simple_speaker_listener;
pub mod simple_spread;
pub mod simple_tag;
pub mod simple_world_comm;
mod state;
pub mod task;
#[cfg(test)]
mod testing;
pub mod world;

use palaestra_plugin_api::export_plugin;

use batch::Particle;
pub use pursuit::Pursuit;

/// `mpe/SimpleSpread-v3`.
pub type SimpleSpread = Particle<simple_spread::SimpleSpread, 1>;
/// `mpe/SimpleTag-v3`.
pub type SimpleTag = Particle<simple_tag::SimpleTag, 2>;
/// `mpe/SimpleAdversary-v3`.
pub type SimpleAdversary = Particle<simple_adversary::SimpleAdversary, 2>;
/// `mpe/SimpleSpeakerListener-v4`.
pub type SimpleSpeakerListener = Particle<simple_speaker_listener::SimpleSpeakerListener, 2>;
/// `mpe/SimpleReference-v3`.
pub type SimpleReference = Particle<simple_reference::SimpleReference, 1>;
/// `mpe/SimplePush-v3`.
pub type SimplePush = Particle<simple_push::SimplePush, 2>;
/// `mpe/SimpleCrypto-v3`.
pub type SimpleCrypto = Particle<simple_crypto::SimpleCrypto, 3>;
/// `mpe/SimpleWorldComm-v3`.
pub type SimpleWorldComm = Particle<simple_world_comm::SimpleWorldComm, 3>;

export_plugin!(
    environments: [Pursuit],
    batch_environments: [
        SimpleSpread,
        SimpleTag,
        SimpleAdversary,
        SimpleSpeakerListener,
        SimpleReference,
        SimplePush,
        SimpleCrypto,
        SimpleWorldComm,
    ],
);
