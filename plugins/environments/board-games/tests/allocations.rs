//! Steps, ends and resets of ten thousand random games allocate nothing.

use board_games::{ConnectFour, Pong, TicTacToe};
use palaestra_plugin_api::{
    serde_json::json,
    testing::{
        Subject,
        allocations::{CountingAllocator, assert_no_allocations},
    },
};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn random_games_allocate_nothing() {
    for subject in [
        Subject::of::<TicTacToe>(json!({})),
        Subject::of::<ConnectFour>(json!({})),
        Subject::of::<Pong>(json!({})),
        Subject::of::<Pong>(json!({"team_size": 2})),
    ] {
        assert_no_allocations(&subject, 10_000);
    }
}
