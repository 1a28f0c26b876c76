//! Whether a step allocates: an allocator that counts, and random games that are played under it.
//!
//! ```ignore
//! #[global_allocator]
//! static ALLOCATOR: CountingAllocator = CountingAllocator;
//!
//! #[test]
//! fn ten_thousand_random_games_of_each_world_allocate_nothing() {
//!     assert_exports_allocate_nothing(3, 10_000);
//! }
//! ```
#![allow(unsafe_code)] // a counting allocator cannot be written without

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    hint::black_box,
};

use super::{Subject, games::Table};
use crate::abi::{NO_GROUP, id};

thread_local! {
    /// Needs no destructor and no memory of the heap, so the allocator may use it at any time.
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting what each thread allocates.
#[derive(Clone, Copy, Debug, Default)]
pub struct CountingAllocator;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: forwarded from the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: forwarded from the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: forwarded from the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Allocations of this thread so far; only with a [`CountingAllocator`] as the global allocator.
pub fn allocations() -> u64 {
    COUNT.get()
}

/// [`assert_no_allocations`] of every environment that the plugin under test exports, `exports` of them.
///
/// # Panics
/// As [`assert_no_allocations`], or when the plugin exports more or fewer.
pub fn assert_exports_allocate_nothing(exports: usize, games: u64) {
    let exported = Subject::exported();
    assert_eq!(exported.len(), exports);
    for subject in exported {
        assert_no_allocations(&subject, games);
    }
}

/// Checks that random games allocate nothing after their first step, `games` of them and more: steps, ends and resets;
/// and that all they give is finite.
///
/// # Panics
/// When they do, when a game cannot be played, or when nothing counts.
pub fn assert_no_allocations(subject: &Subject<'_>, games: u64) {
    let before = allocations();
    drop(black_box(Box::new(0_u8)));
    assert!(
        allocations() > before,
        "allocations: expected a CountingAllocator as the global allocator, found another"
    );
    let mut table = Table::new(subject);
    let Some(count) = table.batch.slabs().key::<u32>(id::ENDED_COUNT, NO_GROUP) else {
        panic!("{}: expected a list of ended episodes", subject.id);
    };
    // The policy makes room at its first use.
    let mut random = table.random();
    table.step(&mut random);
    let before = allocations();
    let mut played = 0;
    while played < games {
        table.step(&mut random);
        played += u64::from(table.batch.rows(count, 0)[0]);
    }
    let found = allocations() - before;
    assert_eq!(
        found, 0,
        "{}: expected {games} games without an allocation, found {found}",
        subject.id
    );
}
