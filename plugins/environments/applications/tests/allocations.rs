//! Ten thousand random episodes of every application: no panic, nothing infinite, and no allocation in steps, ends and
//! resets.

use applications::{Highway, Intersection, LinearTeam, MarketMaking, SmartGrid, Swarm};
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
fn ten_thousand_random_episodes_of_every_application_allocate_nothing() {
    assert_exports_allocate_nothing(7, 10_000);
}

#[test]
fn other_tasks_allocate_nothing() {
    for subject in [
        Subject::of::<Swarm>(json!({"task": "formation", "failure_probability": 0.02})),
        Subject::of::<Swarm>(json!({"task": "search"})),
        Subject::of::<Highway>(json!({"scenario": "merge"})),
        Subject::of::<Highway>(json!({"scenario": "platoon"})),
        Subject::of::<Intersection>(json!({"num_vehicles": 2, "max_vehicles": 20})),
        Subject::of::<LinearTeam>(json!({"decay": 1.5, "reward": "competitive"})),
        Subject::of::<SmartGrid>(json!({"num_producers": 5, "num_storages": 3})),
        Subject::of::<MarketMaking>(json!({"max_inventory": 5, "demand": 5, "session_steps": 50})),
    ] {
        assert_no_allocations(&subject, 1_000);
    }
}
