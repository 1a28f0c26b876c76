//! Finds, inspects, trusts and resolves Palaestra plugins.
//!
//! A plugin is a shared library with a `.rlmeta` section that describes it. The order of work never
//! changes, so that no code of a plugin runs before it is trusted:
//!
//! 1. [`search`] lists the libraries on the search path;
//! 2. [`inspect`] reads container and manifest with plain file reads, nothing is mapped or run;
//! 3. [`trust`] compares sha256 with `plugins.lock`, or applies the "built here" rule;
//! 4. [`admit`] reads the bytes once, hashes them, decides, and keeps a private copy in the [`store`];
//! 5. only that copy is ever opened as a library.
//!
//! [`Registry`] puts the first three together for `list`, `describe` and name resolution.

pub mod admit;
mod atomic;
pub mod built_here;
pub mod consent;
mod defaults;
pub mod error;
pub mod hash;
pub mod inspect;
pub mod loader;
pub mod lock;
pub mod manifest;
pub mod names;
pub mod options;
pub mod pack;
mod problem;
pub mod registry;
mod resolve;
mod schema_node;
pub mod search;
pub mod store;
pub mod suggest;
pub mod trust;
pub mod validate;

pub use admit::Admitted;
pub use atomic::AtomicFile;
pub use error::{Error, ErrorKind, Result};
pub use hash::Sha256;
pub use loader::Plugin;
pub use manifest::{EXPECTED_DRAFT, Export, Kind, Manifest};
pub use names::{Id, Query};
pub use options::Options;
pub use registry::{Entry, PluginFile, Registry};
pub use resolve::Resolution;
pub use trust::Trust;
