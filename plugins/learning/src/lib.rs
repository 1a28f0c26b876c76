//! The learning kit: what an algorithm plugin is made of, over dfdx 0.13.
//!
//! | module | holds |
//! |---|---|
//! | [`device`] | the device chosen at run time, and [`Backend`](device::Backend): what a device must offer |
//! | [`tensor`] | tensors with run-time shapes and the gradient tape |
//! | [`networks`] | parameters, linear layers, MLPs, GRUs, initialisation, tape-free inference |
//! | [`sharing`] | which agents share networks; between their slabs and a network's rows |
//! | [`central`], [`inputs`] | what centralised critics see; rows of a network's input |
//! | [`transitions`] | a fragment as transitions: rewards, ends, who learns |
//! | [`action_head`] | one face for all action spaces: sample, best, log-probability, entropy |
//! | [`exchange`], [`context`] | a mechanism's messages inside a policy network |
//! | [`distributions`] | categorical, multi-discrete, diagonal and squashed Gaussian |
//! | [`returns`] | n-step, λ-return, GAE, V-trace, Retrace |
//! | [`own_turns`] | GAE over an agent's own turns |
//! | [`losses`] | PPO's policy and value losses |
//! | [`normalise`] | running moments, value normalisation |
//! | [`buffers`] | rollouts in minibatches, episodes for replay |
//! | [`optimisers`] | Adam with clipping, one all-reduce, exact state |
//! | [`collective`] | what several learners decide together |
//! | [`skips`] | updates that were not finite |
//! | [`threads`] | threads for large matrix products |
//! | [`weights`] | named tensors as safetensors |
//! | [`keys`] | random numbers that belong to a 64-bit key |
//!
//! Rates that change over training are [`Rate`](palaestra_plugin_api::config::Rate)s of the configuration.
//!
//! The mathematics lives in pure functions over slices; each states its equation and source and has a golden test.
//! Most return a value *and* its gradient, so that the tape needs few operations (see [`tensor`]). Work on the CPU
//! depends on neither threads nor batch sizes: the same inputs give the same bits.

pub mod action_head;
pub mod buffers;
pub mod central;
pub mod collective;
mod composite;
pub mod context;
pub mod device;
pub mod distributions;
pub mod exchange;
mod fused;
pub mod inputs;
mod kernels;
pub mod keys;
pub mod losses;
pub mod networks;
pub mod normalise;
pub mod optimisers;
pub mod own_turns;
pub mod returns;
pub mod sharing;
pub mod skips;
pub mod tensor;
pub mod threads;
pub mod transitions;
pub mod weights;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod gradient_check;

pub use palaestra_plugin_api::{Error, Result};
