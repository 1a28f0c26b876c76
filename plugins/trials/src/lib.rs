//! Algorithms that prove the contract of learning from outside the host: small ones with unusual needs, for
//! tests.
//!
//! | id | what it needs of a host |
//! |---|---|
//! | `trial/Adapting-v0` | fresh episodes of given tasks, two phases by turns |
//! | `trial/Auditor-v0` | fragments that tell what was seen, done and got |
//! | `trial/TinyQmix-v0` | whole episodes, recurrent state, final states |

pub mod adapting;
pub mod auditor;
mod one_group;
pub mod tiny_qmix;

pub use adapting::Adapting;
pub use auditor::Auditor;
pub use tiny_qmix::TinyQmix;

palaestra_plugin_api::export_plugin!(algorithms: [Adapting, Auditor, TinyQmix]);
