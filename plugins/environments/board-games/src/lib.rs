//! Board games without chance or secrets, and a court: tic-tac-toe, connect four, Pong.
//!
//! | id | players | turns | episode |
//! |---|---|---|---|
//! | `board/TicTacToe-v0` | 2 | one after another | 5 to 9 steps |
//! | `board/ConnectFour-v0` | 2 | one after another | 7 to 42 steps |
//! | `board/Pong-v0` | 2, or 2 against 2 | at once | to 5 points |

pub mod connect_four;
pub mod line;
pub mod pong;
pub mod tic_tac_toe;

pub use connect_four::ConnectFour;
pub use pong::Pong;
pub use tic_tac_toe::TicTacToe;

palaestra_plugin_api::export_plugin!(environments: [TicTacToe, ConnectFour, Pong]);
