//! Policies' distributions over actions.
//!
//! Each evaluates whole batches: values *and* derivatives with respect to what the network gives, formed in one
//! pass over plain slices. [`Categorical::on_tape`] and [`DiagonalGaussian::on_tape`] put them onto the tape.
//! Sampling takes one 64-bit key a row, so an action depends on nothing but its row and key.

mod categorical;
mod gaussian;

pub use categorical::{Categorical, Evaluation};
pub use gaussian::{DiagonalGaussian, GaussianEvaluation, Squashed, squash_correction};
