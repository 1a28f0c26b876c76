//! Ten thousand random episodes of every board game: no panic, nothing infinite, and no allocation in steps, ends and
//! resets.

use board_games::Pong;
use palaestra_plugin_api::{
    serde_json::json,
    testing::{
        Subject,
        allocations::{CountingAllocator, assert_exports_allocate_nothing, assert_no_allocations},
    },
};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn ten_thousand_random_episodes_of_every_board_game_allocate_nothing() {
    assert_exports_allocate_nothing(3, 10_000);
}

#[test]
fn teams_at_pong_allocate_nothing() {
    assert_no_allocations(&Subject::of::<Pong>(json!({"team_size": 2})), 10_000);
}
