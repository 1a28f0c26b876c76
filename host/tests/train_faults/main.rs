//! What goes wrong in training: refused before a folder is made where that can be known, named, and never at the cost of
//! what was saved before.

#[path = "../common/mod.rs"]
mod common;
mod files;
mod plugins;
mod refused;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use common::{
    Machine, Run,
    training::{Trained, assert_same_run},
};
use serde_json::json;

/// A short run of CartPole; the algorithm follows.
const CART_POLE: [&str; 8] = [
    "classic/CartPole-v1",
    "--steps=1024",
    "--num-envs=4",
    "--set=algorithm.num_steps=32",
    "--set=evaluation.episodes=2",
    "--set=evaluation.every=512",
    "--set=training.log_every=128",
    "--set=training.checkpoint_every=256",
];

/// A short run of a team whose channel fails.
const TEAM: [&str; 10] = [
    "mpe/SimpleSpread-v3",
    "core/IPPO-v0",
    "--coordination=stress/FaultyExchange-v0",
    "--steps=1200",
    "--num-envs=4",
    "--set=algorithm.update_epochs=4",
    "--set=algorithm.hidden=[16]",
    "--set=evaluation.episodes=2",
    "--set=evaluation.every=0",
    "--set=training.checkpoint_every=100",
];

fn ppo<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [
        &CART_POLE[..1],
        &["core/PPO-v0", "--set=algorithm.update_epochs=2"],
        &CART_POLE[1..],
        more,
    ]
    .concat()
}

fn run(machine: &Machine, arguments: &[&str]) -> Run {
    machine.run(&[&["train", "--quiet"], arguments].concat())
}
