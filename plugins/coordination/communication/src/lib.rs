//! Learned communication: what agents tell each other, inside their policy networks.
//!
//! | id | who hears what |
//! |---|---|
//! | `comm/Broadcast-v0` | everybody hears the mean of the others' messages, through one linear layer |

pub mod broadcast;
mod others;

pub use broadcast::Broadcast;

palaestra_plugin_api::export_plugin!(mechanisms: [Broadcast]);
