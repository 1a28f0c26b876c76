//! The host's side of the boundary: safe handles on plugin objects and the slabs they work on.
#![allow(unsafe_code)]

mod call;
mod environment;
mod random_policy;
mod services;
mod shards;
mod slabs;

pub use environment::{EnvironmentHandle, ExactStep, MakeEnvironment};
pub use random_policy::RandomPolicy;
pub use services::{Context, QuietServices, Services};
pub use shards::{EnvironmentBatch, ShardMut, ShardsIter, ShardsMut};
pub use slabs::{Key, SlabElement, Slabs};
