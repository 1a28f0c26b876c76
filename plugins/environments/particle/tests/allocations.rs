//! Ten thousand random episodes of every particle world: no panic, nothing infinite, and no allocation in steps, ends and
//! resets.

use palaestra_plugin_api::{
    serde_json::json,
    testing::{
        Subject,
        allocations::{CountingAllocator, assert_exports_allocate_nothing, assert_no_allocations},
    },
};
use particle::{Pursuit, SimpleSpread, SimpleTag};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn ten_thousand_random_episodes_of_every_particle_world_allocate_nothing() {
    assert_exports_allocate_nothing(9, 10_000);
}

#[test]
fn other_forms_allocate_nothing() {
    for subject in [
        Subject::of_batch::<SimpleSpread>(json!({"physics": "openai"})),
        Subject::of_batch::<SimpleSpread>(json!({"num_agents": 20})),
        Subject::of_batch::<SimpleTag>(json!({"continuous_actions": true})),
        Subject::of_batch::<SimpleTag>(
            json!({"num_agent_neighbors": 2, "terminate_on_success": true}),
        ),
        Subject::of::<Pursuit>(json!({"num_pursuers": 4})),
    ] {
        assert_no_allocations(&subject, 1_000);
    }
}
