//! Experience: a rollout cut into minibatches, whole episodes for replay.

mod episodes;
mod minibatches;

pub use episodes::{EpisodeBatch, EpisodeBuffer, Field};
pub use minibatches::{Sequences, gather, minibatches, sequences};
