//! Policy gradient methods.
//!
//! | id | is |
//! |---|---|
//! | `core/PPO-v0` | proximal policy optimisation, for one agent or many |
//! | `core/IPPO-v0` | the same with a team's defaults: every agent is judged by what it sees itself |
//! | `core/MAPPO-v0` | the same with a critic that sees all |

pub mod ppo;

pub use ppo::{Ippo, Mappo, Ppo};

palaestra_plugin_api::export_plugin!(algorithms: [Ppo, Ippo, Mappo]);
