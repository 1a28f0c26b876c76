//! Steps, ends and resets of ten thousand random games allocate nothing.

use cards::{Hanabi, KuhnPoker, LeducPoker, LiarsDice};
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
        Subject::of::<KuhnPoker>(json!({})),
        Subject::of::<LeducPoker>(json!({})),
        Subject::of::<LiarsDice>(json!({"players": 3, "dice": 2})),
        Subject::of::<Hanabi>(json!({})),
        Subject::of::<Hanabi>(json!({"players": 5, "loss": "keep", "max_life_tokens": 50})),
    ] {
        let games = if subject.config == json!({}) {
            10_000
        } else {
            1_000
        };
        assert_no_allocations(&subject, games);
    }
}
