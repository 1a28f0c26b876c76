//! The host's side of the boundary: safe handles on plugin objects and the slabs they work on.
#![allow(unsafe_code)]

mod algorithm;
pub(crate) mod call;
mod coordination;
mod environment;
mod exchange;
mod lending;
mod random_policy;
mod scripted_policy;
mod services;
mod shards;
mod slabs;
mod stream;
mod wide;

pub use algorithm::{AlgorithmHandle, MakeAlgorithm};
pub use coordination::{CoordinationHandle, MakeMechanism};
pub use environment::{EnvironmentHandle, ExactStep, MakeEnvironment};
pub(crate) use exchange::Link;
pub use exchange::{ExchangePort, Gradients, OpenExchange};
pub(crate) use lending::Lending;
pub use lending::{Lend, SlabMemory, TablePlan};
pub use random_policy::RandomPolicy;
pub use scripted_policy::ScriptedPolicy;
pub use services::{Context, QuietServices, Services};
pub use shards::{EnvironmentBatch, ShardMut, ShardsIter, ShardsMut};
pub use slabs::{Key, SlabElement, Slabs};
pub use wide::wide;
