//! The plugin to copy: one environment, in one file, that the host finds by name.
//!
//! `palaestra new environment NAME` writes a crate from these very sources. Change the world in
//! `beacon.rs`; add further environments beside it and to the list below.
#![forbid(unsafe_code)]

pub mod beacon;

pub use beacon::Beacon;

palaestra_plugin_api::export_plugin!(environments: [Beacon]);
