//! Application worlds: small models of engineering and economic problems with several deciders.
//!
//! | id | agents | task |
//! |---|---|---|
//! | `apps/ResourceAllocation-v0` | users | request shares of a limited resource |
//! | `apps/LinearTeam-v0` | controllers | steer one linear system, together or against each other |
//! | `apps/SmartGrid-v0` | producers, consumers, storages | keep an electricity grid in balance |
//! | `apps/MarketMaking-v0` | market makers, arbitrageurs, trend followers, noise traders | trade in a limit order book |
//! | `apps/Swarm-v0` | robots | cover an arena, keep a formation or search, though robots fail |
//! | `apps/Highway-v0` | vehicles | keep speed and distance, overtake, merge, drive in platoons |
//! | `apps/Intersection-v0` | vehicles | cross an intersection without traffic lights |
//!
//! One file an environment; `state` reads starts and joint actions given as numbers, `driving` is how vehicles move.

mod driving;
pub mod highway;
pub mod intersection;
pub mod linear_team;
pub mod market_making;
pub mod resource_allocation;
pub mod smart_grid;
mod state;
pub mod swarm;

pub use highway::Highway;
pub use intersection::Intersection;
pub use linear_team::LinearTeam;
pub use market_making::MarketMaking;
pub use resource_allocation::ResourceAllocation;
pub use smart_grid::SmartGrid;
pub use swarm::Swarm;

palaestra_plugin_api::export_plugin!(environments: [ResourceAllocation, LinearTeam, SmartGrid, Swarm, Highway, Intersection, MarketMaking]);
