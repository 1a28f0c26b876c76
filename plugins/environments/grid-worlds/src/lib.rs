//! Grid worlds: agents on cells that forage, deliver, drive, queue, chase and meet.
//!
//! | id | agents | task |
//! |---|---|---|
//! | `grid/Foraging-v3` | a team | load food together (level-based foraging, version 3) |
//!
//! One file or folder an environment. The rest is common: [`board`] for places, moves and cells, `picture`
//! for what is drawn, `trace` for the forms of the reference traces, `state` for snapshots, starts and
//! joint actions given as numbers.

pub mod board;
pub mod foraging;
mod picture;
mod state;
mod trace;
pub mod traffic_junction;
pub mod warehouse;

pub use foraging::Foraging;
pub use traffic_junction::TrafficJunction;
pub use warehouse::Warehouse;

palaestra_plugin_api::export_plugin!(environments: [Foraging, TrafficJunction, Warehouse]);
