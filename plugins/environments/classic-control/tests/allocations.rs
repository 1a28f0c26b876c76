//! Ten thousand random episodes of every task: no panic, nothing infinite, and no allocation in steps, ends and
//! resets.

use palaestra_plugin_api::testing::allocations::{
    CountingAllocator, assert_exports_allocate_nothing,
};
// Links the exports.
use classic_control as _;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn ten_thousand_random_episodes_of_every_task_allocate_nothing() {
    assert_exports_allocate_nothing(6, 10_000);
}
