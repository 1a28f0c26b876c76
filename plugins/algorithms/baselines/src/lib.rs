//! Policies to compare with: they learn nothing, and act in every environment.
//!
//! | id | does |
//! |---|---|
//! | `core/Random-v0` | any allowed action, with equal probability |
//! | `core/NoOp-v0` | nothing, as far as the environment lets it |

mod acting;
pub mod no_op;
pub mod random;

pub use no_op::NoOp;
pub use random::Random;

palaestra_plugin_api::export_plugin!(algorithms: [Random, NoOp]);
