//! A Palaestra plugin: one coordination mechanism in one file, which hosts find by its name.
//!
//! Further mechanisms go beside `relay.rs` and into the list below.
#![forbid(unsafe_code)]

pub mod relay;

pub use relay::Relay;

palaestra_plugin_api::export_plugin!(mechanisms: [Relay]);
