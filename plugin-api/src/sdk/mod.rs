//! Turns an author's plain Rust types into ABI objects. Authors reach it only through
//! [`export_plugin!`](crate::export_plugin).
#![allow(unsafe_code)]

mod accounting;
mod actions;
pub(crate) mod guard;
pub(crate) mod memory;
mod object;
mod per_instance;
mod plane;
pub mod root;
mod snapshot;
mod trampoline;

pub(crate) use accounting::Accounting;
pub(crate) use memory::Memory;
pub use object::EnvironmentEntry;
pub(crate) use per_instance::PerInstance;
