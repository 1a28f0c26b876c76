//! Ten thousand random episodes of every card game: no panic, nothing infinite, and no allocation in steps, ends and
//! resets.

use cards::{Hanabi, LiarsDice};
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
fn ten_thousand_random_episodes_of_every_card_game_allocate_nothing() {
    assert_exports_allocate_nothing(4, 10_000);
}

#[test]
fn other_tables_allocate_nothing() {
    for subject in [
        Subject::of::<LiarsDice>(json!({"players": 3, "dice": 2})),
        Subject::of::<Hanabi>(json!({"players": 5, "loss": "keep", "max_life_tokens": 50})),
    ] {
        assert_no_allocations(&subject, 1_000);
    }
}
