//! Memory that several objects work on, lent to one call at a time.
//!
//! An algorithm reads what an environment has written and writes what a mechanism will read. Each owner of
//! slabs ([`EnvironmentBatch`], [`SlabMemory`]) is borrowed for every call that reaches into it, so nobody
//! else reads or writes those slabs meanwhile; a [`TablePlan`] says once which slabs an object is shown.

use std::sync::Arc;

use super::{EnvironmentBatch, Key, SlabElement, Slabs};
use crate::{
    abi::{Slab, id},
    error::{Error, ErrorKind, Result},
    layout::SlabLayout,
};

mod sealed {
    /// Only owners that give no other way to their memory may be lent.
    pub trait Sealed {
        fn slabs(&self) -> &std::sync::Arc<super::Slabs>;
        /// Whether lists of ended episodes are those of all instances and not one list a shard.
        fn has_whole_lists(&self) -> bool {
            true
        }
    }
}

/// An owner of slabs.
pub trait Lend: sealed::Sealed {}

impl sealed::Sealed for EnvironmentBatch {
    fn slabs(&self) -> &Arc<Slabs> {
        self.memory()
    }
    fn has_whole_lists(&self) -> bool {
        false
    }
}
impl Lend for EnvironmentBatch {}

/// Slabs beyond those of an environment: proposals, extras, recurrent state, keys, fragments.
pub struct SlabMemory {
    slabs: Arc<Slabs>,
}

impl sealed::Sealed for SlabMemory {
    fn slabs(&self) -> &Arc<Slabs> {
        &self.slabs
    }
}
impl Lend for SlabMemory {}

impl SlabMemory {
    /// Zeroed slabs with `slots` time slots; lists of ended episodes (`ended`) have one slot of `instances`
    /// entries. A fragment keeps its lists in a memory of their own, with steps × instances entries.
    pub fn new(layouts: Vec<SlabLayout>, slots: usize, instances: usize) -> Self {
        let slabs = Arc::new(Slabs::new(layouts, slots, instances));
        Self { slabs }
    }

    /// Layouts and keys.
    pub fn slabs(&self) -> &Slabs {
        &self.slabs
    }

    /// All rows of a slab at a slot, `[instances, …]`.
    pub fn rows<T: SlabElement>(&self, key: Key<T>, slot: usize) -> &[T] {
        // SAFETY: whoever writes these rows holds `&mut self`.
        unsafe { self.slabs.rows(key, slot, &(0..self.slabs.instances())) }
    }

    /// All rows of a slab at a slot, to write.
    pub fn rows_mut<T: SlabElement>(&mut self, key: Key<T>, slot: usize) -> &mut [T] {
        // SAFETY: `&mut self` excludes everybody else.
        unsafe { self.slabs.rows_mut(key, slot, &(0..self.slabs.instances())) }
    }

    /// Rows to read beside rows of another slab to write; none when both keys name one slab.
    pub fn read_write<R: SlabElement, W: SlabElement>(
        &mut self,
        (read, from): (Key<R>, usize),
        (write, to): (Key<W>, usize),
    ) -> Option<(&[R], &mut [W])> {
        let all = 0..self.slabs.instances();
        // SAFETY: `&mut self` excludes everybody else, and two different slabs do not overlap.
        read.is_other_than(write).then(|| unsafe {
            let read = self.slabs.rows(read, from, &all);
            (read, self.slabs.rows_mut(write, to, &all))
        })
    }

    /// Rows of one slot to read beside those of another slot of the same slab to write.
    ///
    /// # Panics
    /// When the slots are one.
    pub fn two_slots<T: SlabElement>(
        &mut self,
        key: Key<T>,
        from: usize,
        to: usize,
    ) -> (&[T], &mut [T]) {
        assert!(from != to && !self.slabs.keeps_one_slot(key), "two slots");
        let all = 0..self.slabs.instances();
        // SAFETY: `&mut self` excludes everybody else, and two slots do not overlap.
        unsafe {
            let read = self.slabs.rows(key, from, &all);
            (read, self.slabs.rows_mut(key, to, &all))
        }
    }

    /// Copies every slab that keeps several slots from one slot to another.
    pub fn copy_slot(&mut self, from: usize, to: usize) {
        let all = 0..self.slabs.instances();
        // SAFETY: `&mut self` excludes everybody else.
        unsafe { self.slabs.copy_slot(from, to, &all) }
    }

    /// The bytes of every slab at a slot, in table order and without lists of ended episodes: what
    /// [`load_slot`](Self::load_slot) reads.
    pub fn save_slot(&self, slot: usize) -> Vec<u8> {
        // SAFETY: whoever writes these rows holds `&mut self`.
        unsafe { self.slabs.slot_bytes(slot) }
    }

    /// Makes every slab at a slot what [`save_slot`](Self::save_slot) wrote.
    ///
    /// # Errors
    /// Another number of bytes than these slabs have.
    pub fn load_slot(&mut self, slot: usize, bytes: &[u8]) -> Result<()> {
        // SAFETY: `&mut self` excludes everybody else.
        unsafe { self.slabs.set_slot_bytes(slot, bytes) }
    }
}

/// Which slabs an object is shown, by id and group; made once, used for many calls.
#[derive(Clone, Default)]
pub struct TablePlan {
    parts: Vec<(Slab, Arc<Slabs>)>,
}

// SAFETY: the addresses are those of `Slabs`, which may move between threads; only calls that are lent the
// owners follow them.
unsafe impl Send for TablePlan {}
// SAFETY: as above.
unsafe impl Sync for TablePlan {}

impl TablePlan {
    /// A plan without slabs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds all slabs of an owner, but for the lists of ended episodes of an environment batch: every shard
    /// has its own, and whoever makes a fragment joins them. One of the same id and group that was there before is replaced.
    #[must_use]
    pub fn with(self, owner: &dyn Lend) -> Self {
        self.with_some(owner, |_, _| true)
    }

    /// Adds the slabs of an owner that `wanted(id, group)` picks.
    #[must_use]
    pub fn with_some(mut self, owner: &dyn Lend, wanted: impl Fn(u32, u32) -> bool) -> Self {
        let memory = sealed::Sealed::slabs(owner);
        for slab in memory.table(&(0..memory.instances())) {
            let split = id::is_ended_list(slab.id) && !sealed::Sealed::has_whole_lists(owner);
            if !split && wanted(slab.id, slab.group) {
                self.parts
                    .retain(|(s, _)| (s.id, s.group) != (slab.id, slab.group));
                self.parts.push((slab, memory.clone()));
            }
        }
        self
    }

    /// Shows only the first `slots` time slots: a fragment that is shorter than its memory. Lists of ended
    /// episodes stay as they are.
    #[must_use]
    pub fn up_to(mut self, slots: usize) -> Self {
        for (slab, _) in &mut self.parts {
            if !id::is_ended_list(slab.id) {
                slab.shape[0] = slab.shape[0].min(slots as u64);
            }
        }
        self
    }

    pub(crate) fn slabs(&self) -> Vec<Slab> {
        self.parts.iter().map(|(slab, _)| *slab).collect()
    }

    /// What calls on this plan have to be lent.
    pub(crate) fn lending(&self) -> Lending {
        let mut owners: Vec<Arc<Slabs>> = Vec::new();
        for (_, memory) in &self.parts {
            if !owners.iter().any(|o| Arc::ptr_eq(o, memory)) {
                owners.push(memory.clone());
            }
        }
        Lending { owners }
    }
}

/// The memory behind a bound table; it stays alive while it is bound.
#[derive(Default)]
pub(crate) struct Lending {
    owners: Vec<Arc<Slabs>>,
}

impl Lending {
    /// Refuses a call that has not been lent everything it reaches, to write.
    pub(crate) fn check(&self, operation: &str, lent: &[&mut dyn Lend]) -> Result<()> {
        self.all(operation, |o| lent.iter().any(|l| is(&**l, o)))
    }

    /// Refuses a call that has not been lent everything it reaches, to read.
    pub(crate) fn check_shared(&self, operation: &str, lent: &[&dyn Lend]) -> Result<()> {
        self.all(operation, |o| lent.iter().any(|l| is(*l, o)))
    }

    fn all(&self, operation: &str, lent: impl Fn(&Arc<Slabs>) -> bool) -> Result<()> {
        if self.owners.iter().all(lent) {
            return Ok(());
        }
        let message = format!("{operation}: expected all memory of the table to be lent");
        Err(Error::new(ErrorKind::Host, message))
    }
}

fn is(owner: &dyn Lend, memory: &Arc<Slabs>) -> bool {
    Arc::ptr_eq(sealed::Sealed::slabs(owner), memory)
}
