//! Ten thousand random episodes of every battle: no panic, nothing infinite, and no allocation in steps, ends and
//! resets.

use palaestra_plugin_api::{
    serde_json::json,
    testing::{
        Subject,
        allocations::{CountingAllocator, assert_exports_allocate_nothing, assert_no_allocations},
    },
};
use skirmish::Battle;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn ten_thousand_random_episodes_of_every_battle_allocate_nothing() {
    assert_exports_allocate_nothing(1, 10_000);
}

#[test]
fn larger_battles_allocate_nothing() {
    for (scenario, episodes) in [
        ("8m", 1_000),
        ("5m_vs_6m", 1_000),
        ("2s3z", 1_000),
        ("27m_vs_30m", 250),
    ] {
        assert_no_allocations(
            &Subject::of::<Battle>(json!({"scenario": scenario})),
            episodes,
        );
    }
}
