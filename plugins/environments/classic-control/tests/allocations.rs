//! Ten thousand random episodes of every task: no panic, nothing infinite, and no allocation in steps, ends and
//! resets.

use palaestra_plugin_api::testing::{
    Subject,
    allocations::{CountingAllocator, assert_no_allocations},
};
// Links the exports.
use classic_control as _;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn ten_thousand_random_episodes_of_every_task_allocate_nothing() {
    let exported = Subject::exported();
    assert_eq!(exported.len(), 6);
    for subject in exported {
        assert_no_allocations(&subject, 10_000);
    }
}
