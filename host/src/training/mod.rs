//! Training: fragments from a stage of policies, learning from them, evaluation, checkpoints.
//!
//! | module | holds |
//! |---|---|
//! | [`composition`] | what is put together by name, and the checks before anything large is built |
//! | [`stage`] | a world and its players, and the step that they make together |
//! | [`seating`], [`self_play`] | which policy plays which agent; frozen opponents |
//! | [`trainer`] | collect, learn, count: one fragment at a time |
//! | [`saved`] | a trainer as the parts of a checkpoint |
//! | [`policy_state`], [`evaluation`] | weights and statistics of a policy; fixed episodes on seeds of their own |
//! | [`plan`] | from a resolved experiment to the parts and the plan of a run |
//! | [`run`] | the loop around a trainer: rows, evaluations, checkpoints, stopping |

mod arbiters;
pub mod composition;
mod ended;
pub mod evaluation;
mod identity;
mod memory;
pub mod plan;
mod player;
pub mod policy_state;
mod room;
pub mod run;
pub mod saved;
pub mod seating;
pub mod self_play;
pub mod stage;
pub mod trainer;
