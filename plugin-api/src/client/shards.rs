//! A batch of environments cut into shards that can be stepped on several threads.

use std::{ops::Range, sync::Arc};

use serde_json::Value;

use super::{EnvironmentHandle, ExactStep, Key, MakeEnvironment, SlabElement, Slabs};
use crate::{
    abi::RenderMode,
    error::{Error, Result},
    layout::environment_slabs,
    spec::EnvironmentSpec,
    trace::Joint,
};

struct Shard {
    environment: EnvironmentHandle,
    range: Range<usize>,
}

/// All instances of one environment: contiguous slabs, one object per shard.
///
/// Seeds follow the global instance index, so the number of shards and threads changes no byte.
pub struct EnvironmentBatch {
    // Declared first, dropped first: the objects hold addresses of the slabs.
    shards: Vec<Shard>,
    slabs: Arc<Slabs>,
    spec: EnvironmentSpec,
}

impl EnvironmentBatch {
    /// Makes `what.instances` instances in `shards` nearly equal shards, with `slots` time slots.
    pub fn new(
        what: &MakeEnvironment,
        shards: usize,
        slots: usize,
        mut make: impl FnMut(&MakeEnvironment) -> Result<EnvironmentHandle>,
    ) -> Result<Self> {
        let n = what.instances;
        let shards = shards.clamp(1, n.max(1));
        let ranges = (0..shards).map(|s| s * n / shards..(s + 1) * n / shards);
        let parts = ranges
            .map(|range| {
                let first_instance = what.first_instance + range.start as u64;
                let part = MakeEnvironment {
                    first_instance,
                    instances: range.len(),
                    ..what.clone()
                };
                Ok(Shard {
                    environment: make(&part)?,
                    range,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let spec = parts[0].environment.spec().clone();
        if parts.iter().any(|s| *s.environment.spec() != spec) {
            return Err(Error::plugin(
                "spec: expected the same spec from every shard, found several",
            ));
        }
        let slabs = Arc::new(Slabs::new(environment_slabs(&spec), slots, n));
        let mut batch = Self {
            shards: parts,
            slabs,
            spec,
        };
        for shard in &mut batch.shards {
            // SAFETY: the slabs live as long as the shards; rows are reached only through borrows of the batch.
            unsafe { shard.environment.bind(&batch.slabs.table(&shard.range))? };
        }
        Ok(batch)
    }

    /// The spec of every instance.
    pub fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    /// Number of instances.
    pub fn instances(&self) -> usize {
        self.slabs.instances()
    }

    /// The memory of the slabs.
    pub(crate) fn memory(&self) -> &Arc<Slabs> {
        &self.slabs
    }

    /// The slabs: layouts and keys.
    pub fn slabs(&self) -> &Slabs {
        &self.slabs
    }

    /// All rows of a slab at a slot, `[instances, …]`.
    pub fn rows<T: SlabElement>(&self, key: Key<T>, slot: usize) -> &[T] {
        // SAFETY: `&self` excludes every `ShardMut` and `&mut`.
        unsafe { self.slabs.rows(key, slot, &(0..self.slabs.instances())) }
    }

    /// All rows of a slab at a slot, to write.
    pub fn rows_mut<T: SlabElement>(&mut self, key: Key<T>, slot: usize) -> &mut [T] {
        // SAFETY: `&mut self` excludes everybody else.
        unsafe { self.slabs.rows_mut(key, slot, &(0..self.slabs.instances())) }
    }

    /// The bytes of every slab at a slot, in table order and without lists of ended episodes: what
    /// [`load_slot`](Self::load_slot) reads.
    pub fn save_slot(&self, slot: usize) -> Vec<u8> {
        // SAFETY: as for `rows`.
        unsafe { self.slabs.slot_bytes(slot) }
    }

    /// Makes every slab at a slot what [`save_slot`](Self::save_slot) wrote.
    ///
    /// # Errors
    /// Another number of bytes than these slabs have.
    pub fn load_slot(&mut self, slot: usize, bytes: &[u8]) -> Result<()> {
        // SAFETY: as for `rows_mut`.
        unsafe { self.slabs.set_slot_bytes(slot, bytes) }
    }

    /// The shards, each to be used by one thread.
    pub fn shards_mut(&mut self) -> impl Iterator<Item = ShardMut<'_>> {
        let slabs = &self.slabs;
        self.shards
            .iter_mut()
            .map(|shard| ShardMut { shard, slabs })
    }

    /// All shards as one borrow that can be split between threads.
    pub fn split(&mut self) -> ShardsMut<'_> {
        ShardsMut {
            shards: &mut self.shards,
            slabs: &self.slabs,
        }
    }

    /// Starts new episodes everywhere and writes slot `write`.
    pub fn reset(&mut self, options: &Value, write: usize) -> Result<()> {
        self.shards_mut()
            .try_for_each(|mut shard| shard.reset(None, options, write))
    }

    /// Advances every instance, shard after shard.
    pub fn step(&mut self, read: usize, write: usize) -> Result<()> {
        self.shards_mut()
            .try_for_each(|mut shard| shard.step(read, write))
    }

    /// The shard that holds an instance, and the instance's index within it.
    ///
    /// # Panics
    /// When there is no such instance.
    pub fn locate(&mut self, instance: usize) -> (ShardMut<'_>, usize) {
        let n = self.instances();
        let found = self.shards_mut().find(|s| s.range().contains(&instance));
        let shard = found.unwrap_or_else(|| panic!("instance {instance} of {n}"));
        let index = instance - shard.range().start;
        (shard, index)
    }
}

/// Consecutive shards, to be split between threads without allocating.
pub struct ShardsMut<'a> {
    shards: &'a mut [Shard],
    slabs: &'a Arc<Slabs>,
}

impl<'a> ShardsMut<'a> {
    /// Number of shards.
    pub fn len(&self) -> usize {
        self.shards.len()
    }

    /// Whether there is no shard.
    pub fn is_empty(&self) -> bool {
        self.shards.is_empty()
    }

    /// The first `mid` shards, and the others.
    ///
    /// # Panics
    /// When there are fewer than `mid` shards.
    pub fn split_at(self, mid: usize) -> (Self, Self) {
        let (left, right) = self.shards.split_at_mut(mid);
        (
            Self {
                shards: left,
                slabs: self.slabs,
            },
            Self {
                shards: right,
                slabs: self.slabs,
            },
        )
    }
}

impl<'a> IntoIterator for ShardsMut<'a> {
    type Item = ShardMut<'a>;
    type IntoIter = ShardsIter<'a>;

    fn into_iter(self) -> ShardsIter<'a> {
        ShardsIter {
            shards: self.shards.iter_mut(),
            slabs: self.slabs,
        }
    }
}

/// Shards one after another.
pub struct ShardsIter<'a> {
    shards: std::slice::IterMut<'a, Shard>,
    slabs: &'a Arc<Slabs>,
}

impl<'a> Iterator for ShardsIter<'a> {
    type Item = ShardMut<'a>;

    fn next(&mut self) -> Option<ShardMut<'a>> {
        self.shards.next().map(|shard| ShardMut {
            shard,
            slabs: self.slabs,
        })
    }
}

/// One shard, borrowed by one thread: its object and its rows of all slabs.
pub struct ShardMut<'a> {
    shard: &'a mut Shard,
    slabs: &'a Arc<Slabs>,
}

impl ShardMut<'_> {
    /// Global indices (within the batch) of the instances.
    pub fn range(&self) -> Range<usize> {
        self.shard.range.clone()
    }

    /// As [`EnvironmentHandle::reset`].
    pub fn reset(&mut self, mask: Option<&[u8]>, options: &Value, write: usize) -> Result<()> {
        self.shard.environment.reset(mask, options, write)
    }

    /// As [`EnvironmentHandle::restart`].
    #[inline]
    pub fn restart(&mut self, mask: &[u8], write: usize) -> Result<()> {
        self.shard.environment.restart(mask, write)
    }

    /// As [`EnvironmentHandle::set_options`].
    pub fn set_options(&mut self, mask: Option<&[u8]>, options: &Value) -> Result<()> {
        self.shard.environment.set_options(mask, options)
    }

    /// As [`EnvironmentHandle::step_exact`].
    pub fn step_exact(&mut self, actions: &[Vec<Vec<f64>>], write: usize) -> Result<ExactStep> {
        self.shard.environment.step_exact(actions, write)
    }

    /// As [`EnvironmentHandle::snapshot`].
    pub fn snapshot(&mut self, instance: usize) -> Result<Vec<u8>> {
        self.shard.environment.snapshot(instance)
    }

    /// As [`EnvironmentHandle::restore`].
    pub fn restore(&mut self, instance: usize, snapshot: &[u8], write: usize) -> Result<()> {
        self.shard.environment.restore(instance, snapshot, write)
    }

    /// As [`EnvironmentHandle::clone_instance`].
    pub fn clone_instance(&mut self, from: usize, to: usize, write: usize) -> Result<()> {
        self.shard.environment.clone_instance(from, to, write)
    }

    /// As [`EnvironmentHandle::inspect`].
    pub fn inspect(&mut self, instance: usize) -> Result<Value> {
        self.shard.environment.inspect(instance)
    }

    /// As [`EnvironmentHandle::render`].
    pub fn render(&mut self, instance: usize, mode: RenderMode) -> Result<Vec<u8>> {
        self.shard.environment.render(instance, mode)
    }

    /// As [`EnvironmentHandle::counterfactual`].
    pub fn counterfactual(
        &mut self,
        instance: usize,
        actions: &[Vec<Vec<f64>>],
    ) -> Result<Vec<Vec<f64>>> {
        self.shard.environment.counterfactual(instance, actions)
    }

    /// As [`EnvironmentHandle::scripted`].
    pub fn scripted(&mut self, instance: usize) -> Result<Joint> {
        self.shard.environment.scripted(instance)
    }

    /// Advances every instance of the shard.
    #[inline]
    pub fn step(&mut self, read: usize, write: usize) -> Result<()> {
        self.shard.environment.step(read, write)
    }

    /// Rows of a slab at a slot, `[len, …]`.
    #[inline]
    pub fn rows<T: SlabElement>(&self, key: Key<T>, slot: usize) -> &[T] {
        // SAFETY: the rows of this range belong to this borrow; the object runs only under `&mut self`.
        unsafe { self.slabs.rows(key, slot, &self.shard.range) }
    }

    /// Rows of a slab at a slot, to write.
    #[inline]
    pub fn rows_mut<T: SlabElement>(&mut self, key: Key<T>, slot: usize) -> &mut [T] {
        // SAFETY: as for `rows`, and `&mut self` is alone.
        unsafe { self.slabs.rows_mut(key, slot, &self.shard.range) }
    }

    /// Copies this shard's rows of every slab from one slot to another; lists of ended episodes have
    /// one slot and stay as they are.
    pub fn copy_slot(&mut self, from: usize, to: usize) {
        // SAFETY: as for `rows_mut`: the rows of this range belong to this borrow.
        unsafe { self.slabs.copy_slot(from, to, &self.shard.range) }
    }

    /// Rows of one slab to read beside rows of another to write; none when both keys name one slab.
    #[inline]
    pub fn read_write<R: SlabElement, W: SlabElement>(
        &mut self,
        (read, from): (Key<R>, usize),
        (write, to): (Key<W>, usize),
    ) -> Option<(&[R], &mut [W])> {
        // SAFETY: the rows belong to this borrow, and two different slabs do not overlap.
        read.is_other_than(write).then(|| unsafe {
            (
                self.slabs.rows(read, from, &self.shard.range),
                self.slabs.rows_mut(write, to, &self.shard.range),
            )
        })
    }
}
