//! Ten thousand random episodes of every grid world: no panic, nothing infinite, and no allocation in steps, ends and
//! resets.

use grid_worlds::{Foraging, PredatorPrey, TrafficJunction, Warehouse};
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
fn ten_thousand_random_episodes_of_every_grid_world_allocate_nothing() {
    assert_exports_allocate_nothing(10, 10_000);
}

#[test]
fn other_forms_allocate_nothing() {
    for subject in [
        Subject::of::<Foraging>(
            json!({"grid_observation": true, "sight": 2, "action_mask": true, "penalty": 0.1}),
        ),
        Subject::of::<Warehouse>(
            json!({"num_agents": 6, "reward_type": "two_stage", "max_episode_steps": 50}),
        ),
        Subject::of::<TrafficJunction>(json!({"difficulty": "hard"})),
        Subject::of::<PredatorPrey>(
            json!({"observation": "local", "num_predators": 4, "prey": "random"}),
        ),
    ] {
        assert_no_allocations(&subject, 1_000);
    }
}
