//! The host: loads environments, algorithms and coordination mechanisms by name and runs them.
//!
//! [`session`] goes from a name to objects; [`rollout`] steps them in batches; [`render`] draws them;
//! [`policy`] wraps what policies see and do; [`training`] lets them learn; [`runs`] keeps what a run leaves behind;
//! [`cli`] is the `palaestra` program on top.

pub mod check;
pub mod cli;
mod exact;
pub mod experiment;
pub mod policy;
pub mod render;
pub mod rollout;
pub mod runs;
pub mod session;
pub mod training;
pub mod wrappers;
