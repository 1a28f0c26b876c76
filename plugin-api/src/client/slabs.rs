//! Host-owned memory for all slabs of a batch of environments.

use std::{cell::UnsafeCell, marker::PhantomData, ops::Range};

use crate::{
    abi::{MAX_RANK, Slab},
    error::{Error, ErrorKind, Result},
    layout::SlabLayout,
};

pub use crate::abi::SlabElement;

/// Names one slab of a [`Slabs`], with its element type; found once, used in hot loops.
pub struct Key<T> {
    index: usize,
    element: PhantomData<T>,
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Key<T> {}

impl<T> Key<T> {
    /// Whether the other key names another slab.
    pub(crate) fn is_other_than<U>(self, other: Key<U>) -> bool {
        self.index != other.index
    }
}

/// A cache line: slabs start on one.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([u8; 64]);

struct Buffer {
    memory: Box<[UnsafeCell<Line>]>,
    layout: SlabLayout,
    /// Slots that this slab keeps; lists of ended episodes keep one.
    slots: usize,
}

/// All slabs of a batch: `[slots, instances, …]` each, zeroed at first.
pub struct Slabs {
    buffers: Vec<Buffer>,
    instances: usize,
}

// SAFETY: memory is reached only through `rows` and `rows_mut`, whose callers hold the borrow of their range.
unsafe impl Sync for Slabs {}
// SAFETY: as above.
unsafe impl Send for Slabs {}

impl Slabs {
    /// Allocates slabs with `slots` time slots; lists of ended episodes keep the last step only.
    pub fn new(layouts: Vec<SlabLayout>, slots: usize, instances: usize) -> Self {
        let buffers = layouts
            .into_iter()
            .map(|layout| {
                let slots = if layout.ended { 1 } else { slots };
                let bytes = slots * instances * layout.row() * layout.dtype.size();
                let memory = (0..bytes.div_ceil(64))
                    .map(|_| UnsafeCell::new(Line([0; 64])))
                    .collect();
                Buffer {
                    memory,
                    layout,
                    slots,
                }
            })
            .collect();
        Self { buffers, instances }
    }

    /// Number of instances.
    pub fn instances(&self) -> usize {
        self.instances
    }

    /// The layouts, in table order.
    pub fn layouts(&self) -> impl Iterator<Item = &SlabLayout> {
        self.buffers.iter().map(|b| &b.layout)
    }

    /// Finds a slab; none when the spec has none or its elements are of another type.
    pub fn key<T: SlabElement>(&self, id: u32, group: u32) -> Option<Key<T>> {
        let matches =
            |b: &Buffer| b.layout.id == id && b.layout.group == group && b.layout.dtype == T::DTYPE;
        self.buffers.iter().position(matches).map(|index| Key {
            index,
            element: PhantomData,
        })
    }

    /// Elements of one instance of a slab.
    pub fn row<T>(&self, key: Key<T>) -> usize {
        self.buffers[key.index].layout.row()
    }

    /// Whether a slab is a list of ended episodes, whose every slot is the first.
    pub(crate) fn keeps_one_slot<T>(&self, key: Key<T>) -> bool {
        self.buffers[key.index].layout.ended
    }

    fn span<T: SlabElement>(
        &self,
        key: Key<T>,
        slot: usize,
        range: &Range<usize>,
    ) -> (*mut T, usize) {
        let buffer = &self.buffers[key.index];
        assert_eq!(buffer.layout.dtype, T::DTYPE, "a key of other slabs");
        let slot = if buffer.layout.ended { 0 } else { slot };
        assert!(
            slot < buffer.slots && range.end <= self.instances && range.start <= range.end,
            "slot or rows out of range"
        );
        let row = buffer.layout.row();
        let start = buffer.memory.as_ptr().cast::<T>().cast_mut();
        (
            start.wrapping_add((slot * self.instances + range.start) * row),
            range.len() * row,
        )
    }

    /// Rows of a range of instances.
    ///
    /// # Safety
    /// Nobody may be writing these rows.
    pub(crate) unsafe fn rows<T: SlabElement>(
        &self,
        key: Key<T>,
        slot: usize,
        range: &Range<usize>,
    ) -> &[T] {
        let (data, len) = self.span(key, slot, range);
        // SAFETY: `span` has checked the bounds; all bit patterns are valid elements; see above for aliasing.
        unsafe { std::slice::from_raw_parts(data, len) }
    }

    /// Rows of a range of instances, to write.
    ///
    /// # Safety
    /// The caller must be the only one to reach these rows.
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn rows_mut<T: SlabElement>(
        &self,
        key: Key<T>,
        slot: usize,
        range: &Range<usize>,
    ) -> &mut [T] {
        let (data, len) = self.span(key, slot, range);
        // SAFETY: as for `rows`, and the caller is alone.
        unsafe { std::slice::from_raw_parts_mut(data, len) }
    }

    /// Copies the rows of a range from one slot to another, for every slab that keeps several.
    ///
    /// # Safety
    /// As for `rows_mut`, for both slots of every slab.
    pub(crate) unsafe fn copy_slot(&self, from: usize, to: usize, range: &Range<usize>) {
        assert!(
            range.end <= self.instances && range.start <= range.end,
            "rows out of range"
        );
        for buffer in self.buffers.iter().filter(|b| b.slots > 1) {
            assert!(
                from < buffer.slots && to < buffer.slots,
                "slot out of range"
            );
            let row = buffer.layout.row() * buffer.layout.dtype.size();
            let start = buffer.memory.as_ptr().cast::<u8>().cast_mut();
            let at = |slot: usize| start.wrapping_add((slot * self.instances + range.start) * row);
            // SAFETY: the bounds are checked above; `copy` allows both slots to be the same.
            unsafe { std::ptr::copy(at(from), at(to), range.len() * row) };
        }
    }

    /// The bytes of every slab that keeps time slots, at one of them, in table order.
    ///
    /// # Safety
    /// As for `rows`, for every slab.
    pub(crate) unsafe fn slot_bytes(&self, slot: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (start, len) in self.slot_spans(slot) {
            // SAFETY: the span lies within its buffer.
            bytes.extend_from_slice(unsafe { std::slice::from_raw_parts(start, len) });
        }
        bytes
    }

    /// Writes what `slot_bytes` gave.
    ///
    /// # Safety
    /// As for `rows_mut`, for every slab.
    pub(crate) unsafe fn set_slot_bytes(&self, slot: usize, mut bytes: &[u8]) -> Result<()> {
        let expected: usize = self.slot_spans(slot).map(|(_, len)| len).sum();
        if bytes.len() != expected {
            return Err(Error::new(
                ErrorKind::Config,
                format!("rows: expected {expected} bytes, found {}", bytes.len()),
            ));
        }
        for (start, len) in self.slot_spans(slot) {
            let (part, rest) = bytes.split_at(len);
            // SAFETY: the span lies within its buffer, which nobody else reaches; every byte is a value.
            unsafe { std::ptr::copy_nonoverlapping(part.as_ptr(), start, len) };
            bytes = rest;
        }
        Ok(())
    }

    /// Start and length in bytes of every slab that keeps time slots.
    fn slot_spans(&self, slot: usize) -> impl Iterator<Item = (*mut u8, usize)> {
        let kept = self.buffers.iter().filter(|buffer| !buffer.layout.ended);
        kept.map(move |buffer| {
            let len = self.instances * buffer.layout.row() * buffer.layout.dtype.size();
            assert!(slot < buffer.slots, "slot out of range");
            let start = buffer.memory.as_ptr().cast::<u8>().cast_mut();
            (start.wrapping_add(slot * len), len)
        })
    }

    /// The table that a shard binds: the rows of its range, `[slots, len, …]`.
    pub(crate) fn table(&self, range: &Range<usize>) -> Vec<Slab> {
        let slab = |buffer: &Buffer| {
            let layout = &buffer.layout;
            let size = layout.dtype.size();
            let (mut shape, mut strides) = ([1; MAX_RANK], [0; MAX_RANK]);
            let rank = 2 + layout.shape.len();
            shape[0] = buffer.slots as u64;
            shape[1] = range.len() as u64;
            let mut stride = size;
            for (axis, &len) in layout.shape.iter().enumerate().rev() {
                shape[axis + 2] = len as u64;
                strides[axis + 2] = stride as i64;
                stride *= len;
            }
            strides[1] = stride as i64;
            strides[0] = if layout.ended {
                0
            } else {
                (stride * self.instances) as i64
            };
            let start = buffer.memory.as_ptr().cast::<u8>().cast_mut();
            let data = start.wrapping_add(range.start * stride);
            Slab {
                id: layout.id,
                group: layout.group,
                dtype: layout.dtype as u32,
                rank: rank as u32,
                data,
                shape,
                strides,
            }
        };
        self.buffers.iter().map(slab).collect()
    }
}
