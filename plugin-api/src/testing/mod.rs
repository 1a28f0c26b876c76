//! What a plugin proves about itself in its own tests, and `palaestra check` from outside.
//!
//! ```ignore
//! #[test]
//! fn cart_pole_is_conformant() {
//!     palaestra_plugin_api::testing::assert_conformant::<CartPole>();
//! }
//! ```
//!
//! A [`Subject`] says how to make objects of one configured environment; [`CHECKS`] lists what must hold of
//! them; [`run_check`] gives a [`CheckReport`]. All randomness of a check follows from its seed, so a report
//! can be reproduced. Slots are filled with garbage before every call: what is not written is seen.
//!
//! One fault should fail one check: where a check rests on what another one establishes (comparing with a
//! copy rests on determinism), it is skipped when that does not hold, and says which check to look at.

mod actions;
pub mod allocations;
pub mod baseline;
mod check;
mod counterfactual;
mod determinism;
mod episodes;
mod finals;
mod games;
mod isolation;
pub mod replay;
mod rewards;
mod rows;
mod run;
mod snapshots;
mod spaces;
mod subject;
pub mod training;

pub use check::{CHECKS, Check, CheckReport, Status, run_all, run_check};
pub use games::{games, random_games};
pub use subject::{Subject, assert_batch_conformant, assert_conformant, assert_conforms};
