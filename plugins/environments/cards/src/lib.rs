//! Games of chance and hidden information: players take turns, see only what is theirs, and chance deals.
//!
//! | id | players | episode | value to the first player |
//! |---|---|---|---|
//! | `cards/KuhnPoker-v0` | 2 | 2 or 3 steps | -1/18 chips |
//! | `cards/LeducPoker-v0` | 2 | 2 to 8 steps | -0.0856 chips |
//! | `cards/LiarsDice-v0` | 2 to 6 | 2 steps and more | |
//! | `cards/Hanabi-v0` | 2 to 5, all together | about 20 to 90 steps | 25 points at most |

pub mod hanabi;
pub mod kuhn_poker;
pub mod leduc_poker;
pub mod liars_dice;
mod table;
mod turns;

pub use hanabi::Hanabi;
pub use kuhn_poker::KuhnPoker;
pub use leduc_poker::LeducPoker;
pub use liars_dice::LiarsDice;

palaestra_plugin_api::export_plugin!(environments: [KuhnPoker, LeducPoker, LiarsDice, Hanabi]);
