//! Card games: players take turns, see only their own cards, and chance deals.
//!
//! | id | players | episode | value to the first player |
//! |---|---|---|---|
//! | `cards/KuhnPoker-v0` | 2 | 2 or 3 steps | -1/18 chips |

pub mod kuhn_poker;

pub use kuhn_poker::KuhnPoker;

palaestra_plugin_api::export_plugin!(environments: [KuhnPoker]);
