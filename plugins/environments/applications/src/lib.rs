//! Application worlds: small models of engineering and economic problems with several deciders.
//!
//! | id | agents | task |
//! |---|---|---|
//! | `apps/ResourceAllocation-v0` | users | request shares of a limited resource |
//! | `apps/LinearTeam-v0` | controllers | steer one linear system, together or against each other |
//! | `apps/SmartGrid-v0` | producers, consumers, storages | keep an electricity grid in balance |
//! | `apps/Swarm-v0` | robots | cover an arena, keep a formation or search, though robots fail |
//!
//! One file an environment; `state` holds what they have in common: snapshots and joint actions given as numbers.

pub mod linear_team;
pub mod resource_allocation;
pub mod smart_grid;
mod state;
pub mod swarm;

pub use linear_team::LinearTeam;
pub use resource_allocation::ResourceAllocation;
pub use smart_grid::SmartGrid;
pub use swarm::Swarm;

palaestra_plugin_api::export_plugin!(environments: [ResourceAllocation, LinearTeam, SmartGrid, Swarm]);
