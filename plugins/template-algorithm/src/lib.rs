//! A Palaestra plugin: one learning algorithm, which hosts find by its name.
//!
//! Further algorithms go beside `ascent.rs` and into the list below.
#![forbid(unsafe_code)]

pub mod ascent;

pub use ascent::Ascent;

palaestra_plugin_api::export_plugin!(algorithms: [Ascent]);
