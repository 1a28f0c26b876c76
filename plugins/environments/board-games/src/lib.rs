//! Board games without chance or secrets, and a court: tic-tac-toe, connect four, Pong.
//!
//! | id | players | turns | episode |
//! |---|---|---|---|
//! | `board/TicTacToe-v0` | 2 | one after another | 5 to 9 steps |
//! | `board/ConnectFour-v0` | 2 | one after another | 7 to 42 steps |

pub mod connect_four;
mod line;
pub mod tic_tac_toe;

pub use connect_four::ConnectFour;
pub use tic_tac_toe::TicTacToe;

palaestra_plugin_api::export_plugin!(environments: [TicTacToe, ConnectFour]);
