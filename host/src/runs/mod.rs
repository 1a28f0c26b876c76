//! What a training run leaves on the disk and shows while it goes on.
//!
//! [`RunFolder`] names the parts; [`MetricsLog`] and [`EventWriter`] record numbers,
//! [`CheckpointStore`] the whole state, [`learning_curve`] the picture at the end. [`Progress`]
//! shows how far the run is, [`Interrupt`] tells when somebody wants it to stop.
//!
//! A disk that is full ends no training: what could not be written comes back as a [`Warning`]
//! to print, once, and is tried again.

mod append;
pub mod checkpoints;
mod container;
mod csv;
mod curve;
mod folder;
mod interrupt;
mod progress;
#[cfg(test)]
mod subprocess;
mod table;
mod tensorboard;

use std::fmt;

pub use checkpoints::{CheckpointStore, Fallback, Loaded, Saved};
pub use container::{Checkpoint, PartsWriter};
pub use csv::{MetricsLog, Position, STEP};
pub use curve::{Curve, EvaluationPoint, SeedCurve, learning_curve};
pub use folder::{RunFolder, RunGuard};
pub use interrupt::Interrupt;
pub use progress::{Progress, ProgressMode};
pub use table::Table;
pub use tensorboard::EventWriter;

/// Something went wrong beside the training, which goes on. One line, to be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning(String);

impl Warning {
    fn new(message: impl Into<String>) -> Self {
        Self(palaestra_plugin_api::one_line(message.into()))
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
