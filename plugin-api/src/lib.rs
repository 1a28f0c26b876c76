//! The contract between the Palaestra host and its plugins.
//!
//! **Environment authors** implement [`environment::Environment`] (or [`batch::BatchEnvironment`] where
//! every nanosecond counts), describe their settings with [`config`](macro@config), and call
//! [`export_plugin!`]. Everything they need is in the [`prelude`]; an author's crate depends on this
//! crate alone and may be `#![forbid(unsafe_code)]`… but for the one macro that exports it.
//!
//! **Hosts** use [`client`]: safe handles on objects, and the slabs those objects work on.
//!
//! [`abi`] is what crosses between the two; [`layout`] says which slabs an environment has.

pub mod abi;
pub mod algorithm;
pub mod batch;
pub mod canvas;
pub mod client;
pub mod config;
pub mod coordination;
pub mod environment;
mod error;
mod export;
pub mod game_tree;
pub mod host;
pub mod layout;
pub mod manifest;
pub mod math;
pub mod rng;
pub mod rows;
pub mod saved;
mod sdk;
pub mod spec;
pub mod table;
#[cfg(feature = "testing")]
pub mod testing;
pub mod trace;

pub use error::{Error, ErrorKind, Result, one_line};
pub use palaestra_plugin_macros::config;
pub use {schemars, serde, serde_json};

/// What an environment author imports.
pub mod prelude {
    pub use crate::{
        batch::{BatchEnvironment, BatchStep},
        canvas::{Canvas, Color},
        config,
        environment::{Actions, Environment, Observe, ResetOptions, StepWriter},
        error::{Error, Result},
        export_plugin,
        rng::EnvRng,
        saved::Saved,
        saved_as,
        serde::{Deserialize, Serialize},
        spec::{EnvironmentSpec, Flags, GroupSpec, Metric, Space, Tag},
    };
}

/// What the macros expand to. Not for authors.
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        manifest::{self, Part},
        sdk::{AlgorithmEntry, DirectBatch, EnvironmentEntry, MechanismEntry, root},
    };
    pub use {abi_stable, inventory};
}
