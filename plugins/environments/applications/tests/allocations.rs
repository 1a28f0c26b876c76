//! No world allocates in a step, nor when an episode ends and the next begins.
#![allow(unsafe_code)] // a counting allocator cannot be written without

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use applications::{
    Highway, Intersection, LinearTeam, MarketMaking, ResourceAllocation, SmartGrid, Swarm,
};
use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment, RandomPolicy},
    environment::Environment,
    rng::purpose,
    serde_json::{Value, json},
};

/// The system's allocator, counting what each thread allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // Nothing is counted while a thread ends.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: forwarded from the caller.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: forwarded from the caller.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: forwarded from the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of six hundred steps, after one to warm up.
fn allocations<E: Environment>(config: &Value) -> u64 {
    let entry = EnvironmentEntry::of::<E>();
    let what = MakeEnvironment {
        config: config.clone(),
        instances: 8,
        purpose: purpose::CHECK,
        ..MakeEnvironment::new(E::ID)
    };
    let mut batch =
        EnvironmentBatch::new(&what, 1, 1, |w| EnvironmentHandle::in_process(&entry, w)).unwrap();
    let mut random = RandomPolicy::new(batch.spec(), batch.slabs(), 2, 0);
    batch.reset(&json!({}), 0).unwrap();
    let mut found = 0;
    for time in 0..=600 {
        random.fill(&mut batch.locate(0).0, 0, time).unwrap();
        let before = ALLOCATIONS.get();
        batch.step(0, 0).unwrap();
        found = if time == 0 {
            0
        } else {
            found + ALLOCATIONS.get() - before
        };
    }
    found
}

#[test]
fn no_step_allocates() {
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(vec![0_u8; 100]));
    assert_eq!(ALLOCATIONS.get() - before, 1, "the count works");
    let none = json!({});
    assert_eq!(allocations::<ResourceAllocation>(&none), 0);
    assert_eq!(allocations::<LinearTeam>(&none), 0);
    assert_eq!(allocations::<SmartGrid>(&none), 0);
    assert_eq!(allocations::<MarketMaking>(&none), 0);
    for task in ["coverage", "formation", "search"] {
        assert_eq!(allocations::<Swarm>(&json!({"task": task})), 0, "{task}");
    }
    for scenario in ["cruise", "merge", "platoon"] {
        assert_eq!(
            allocations::<Highway>(&json!({"scenario": scenario})),
            0,
            "{scenario}"
        );
    }
    assert_eq!(allocations::<Intersection>(&none), 0);
}
