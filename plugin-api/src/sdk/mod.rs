//! Turns an author's plain Rust types into ABI objects. Authors reach it only through
//! [`export_plugin!`](crate::export_plugin).
#![allow(unsafe_code)]

mod accounting;
mod actions;
mod algorithm;
pub(crate) mod aligned;
mod batch;
mod columns;
mod coordination;
mod direct;
mod endings;
mod entry;
pub(crate) mod extent;
pub(crate) mod guard;
mod guarded;
pub(crate) mod memory;
mod per_instance;
mod plane;
pub mod root;
mod snapshot;
pub(crate) mod span;
mod stream;
mod trampoline;
mod vtable;

pub(crate) use accounting::Accounting;
pub use algorithm::AlgorithmEntry;
pub use coordination::MechanismEntry;
pub use direct::DirectBatch;
pub use entry::EnvironmentEntry;
pub(crate) use memory::Memory;
pub(crate) use per_instance::PerInstance;
