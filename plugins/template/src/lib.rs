//! A Palaestra plugin: one environment in one file, which hosts find by its name.
//!
//! Further environments go beside `beacon.rs` and into the list below.
#![forbid(unsafe_code)]

pub mod beacon;

pub use beacon::Beacon;

palaestra_plugin_api::export_plugin!(environments: [Beacon]);
