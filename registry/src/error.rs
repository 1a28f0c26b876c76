//! The error of this crate: the plugin contract's own, one shape everywhere.

pub(crate) use palaestra_plugin_api::one_line;
pub use palaestra_plugin_api::{Error, ErrorKind, Result};
