//! The host: loads environments, algorithms and coordination mechanisms by name and runs them.
//!
//! [`session`] goes from a name to objects; [`rollout`] steps them in batches; [`render`] draws them;
//! [`cli`] is the `palaestra` program on top.

pub mod check;
pub mod cli;
pub mod render;
pub mod rollout;
pub mod session;
pub mod wrappers;
