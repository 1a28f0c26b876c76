//! Nothing is allocated in the step loop.
#![allow(unsafe_code)] // a counting allocator cannot be written without

mod worlds;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicU64, Ordering},
};

use palaestra::{
    policy::{ActionRows, PolicyView},
    rollout::{Policy, Rollout},
    wrappers::WrapperSpec,
};
use palaestra_plugin_api::spec::{EnvironmentSpec, Space};
use serde_json::json;
use worlds::{Recorder, start, wrapped};

/// The system's allocator, counting.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: forwarded from the caller.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: forwarded from the caller.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: forwarded from the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of a thousand steps, fragment after fragment, after as many to warm up. The least of three
/// windows: other threads of the test program allocate too, but not in all of them.
fn allocations<P: Policy>(mut rollout: Rollout, mut policies: Vec<P>) -> u64 {
    let workers = rollout.workers().clone();
    let steps = rollout.plan().steps;
    let mut thousand = || {
        let mut left = 1_000_usize;
        while left > 0 {
            let now = left.min(steps);
            rollout.collect(&mut policies, now).unwrap();
            left -= now;
        }
    };
    workers.install(|| {
        thousand();
        let windows = [(); 3].map(|()| {
            let before = ALLOCATIONS.load(Ordering::Relaxed);
            thousand();
            ALLOCATIONS.load(Ordering::Relaxed) - before
        });
        windows.into_iter().min().unwrap_or(u64::MAX)
    })
}

/// Allocations of a thousand slots as a policy sees them through every wrapper there is, episodes that end and
/// statistics included; the least of three windows, as above.
fn policy_view() -> u64 {
    const N: usize = 16;
    let action = Space::bounded(2, -1.0, 1.0);
    let spec = EnvironmentSpec::new("g", 3, Space::real(4), action);
    let wrappers: Vec<_> = palaestra::policy::KINDS
        .iter()
        .filter(|kind| kind.name != "ClipAction")
        .map(|kind| WrapperSpec::new(kind.name))
        .chain([WrapperSpec::new("ClipAction")])
        .collect();
    let mut view = PolicyView::new(&spec, &[0], &wrappers, N).unwrap();
    let rows = N * 3;
    let width = view.spec().groups[0].observation.width();
    let (base, ended) = (vec![0.5; rows * 4], vec![1; rows]);
    let (proposed, mut executed) = (vec![0.25; rows * 2], vec![0.0; rows * 2]);
    let (mut seen, mut last) = (vec![0.0; rows * width], vec![0.0; 3 * width]);
    let mut reward = vec![0.0; rows];
    let mut thousand = || {
        for slot in 0..1_000 {
            let action = ActionRows::Real(&proposed);
            view.reward(0, &base[..rows], &ended, None, &mut reward);
            view.observe_final(0, slot % N, &base[..12], action, &mut last)
                .unwrap();
            view.observe(0, &base, &ended, Some(action), &mut seen)
                .unwrap();
            view.act(0, &proposed, &mut executed);
            view.learn_statistics(0, &mut [(&base[..], None)].into_iter());
        }
    };
    thousand();
    let windows = [(); 3].map(|()| {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        thousand();
        ALLOCATIONS.load(Ordering::Relaxed) - before
    });
    windows.into_iter().min().unwrap_or(u64::MAX)
}

/// One test: others beside it would be counted.
#[test]
fn a_thousand_steps_allocate_nothing_after_the_first() {
    let all = [
        "TimeLimit.max_episode_steps=11",
        "StickyAction.probability=0.3",
        "FailAgents.probability=0.5",
        "TeamReward.team=all",
    ];
    for threads in [1, 2] {
        for wrappers in [&[][..], &all] {
            let options = wrapped(64, 8, json!({"per_agent_end": true, "masked": 3}), wrappers);
            let rollout = start(&options, threads);
            let policies = rollout.random();
            let found = allocations(rollout, policies);
            assert_eq!(found, 0, "{threads} threads, wrappers {wrappers:?}");
        }
    }
    assert_eq!(policy_view(), 0, "a policy's wrappers");
    // The count works: a policy that notes every episode is seen.
    let rollout = start(&wrapped(64, 8, json!({}), &[]), 1);
    let policies = Recorder::all(&rollout);
    assert!(allocations(rollout, policies) > 0);
}
