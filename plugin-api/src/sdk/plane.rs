//! A bound slab as typed memory.

use super::extent::{Extent, wrong};
use crate::{abi::Slab, error::Result};

pub(crate) use crate::abi::SlabElement as Element;

/// `[slots, instances · row]` elements: a host's slab, or memory of our own where none is bound.
pub(crate) struct Plane<T> {
    data: *mut T,
    slots: usize,
    slot_stride: usize,
    len: usize,
    row: usize,
    own: Option<Box<[T]>>,
}

// SAFETY: a plane is used by the one thread that calls its object; the memory has no thread of its own.
unsafe impl<T: Send> Send for Plane<T> {}

impl<T: Element> Plane<T> {
    /// One slot of own memory; used where the host binds nothing.
    pub(crate) fn own(instances: usize, row: usize) -> Self {
        let mut memory = vec![T::default(); instances * row].into_boxed_slice();
        Self {
            data: memory.as_mut_ptr(),
            slots: usize::MAX,
            slot_stride: 0,
            len: instances * row,
            row,
            own: Some(memory),
        }
    }

    /// Takes a slab of shape `[slots, instances, …]` after checking type, shape, strides and alignment.
    pub(crate) fn bind(slab: &Slab, instances: usize, row: usize) -> Result<Self> {
        let extent = Extent::of(slab)?;
        if extent.dtype != T::DTYPE {
            let expected = format!("elements of {:?}", T::DTYPE);
            return Err(wrong(slab, &expected, format!("{:?}", extent.dtype)));
        }
        if extent.instances != instances || extent.row != row {
            let expected = format!("[slots, {instances}, …] with {row} elements per instance");
            let shape = &slab.shape[..slab.rank as usize];
            return Err(wrong(slab, &expected, format!("{shape:?}")));
        }
        Ok(Self {
            data: slab.data.cast(),
            slots: extent.slots,
            slot_stride: extent.slot_stride,
            len: extent.len(),
            row,
            own: None,
        })
    }

    /// Elements of one instance.
    #[inline(always)]
    pub(crate) fn row(&self) -> usize {
        self.row
    }

    /// Slots that may be named; own memory repeats for all.
    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    /// Whether the host bound this plane.
    pub(crate) fn is_bound(&self) -> bool {
        self.own.is_none()
    }

    /// First element of a slot.
    #[inline(always)]
    pub(crate) fn at(&self, slot: usize) -> *mut T {
        debug_assert!(slot < self.slots);
        self.data.wrapping_add(slot * self.slot_stride)
    }

    /// All instances of one slot.
    #[inline(always)]
    pub(crate) fn slot(&self, slot: usize) -> &[T] {
        // SAFETY: `slot < slots` is checked when a call names it, and the host keeps bound memory valid.
        unsafe { std::slice::from_raw_parts(self.at(slot), self.len) }
    }

    /// All instances of one slot, to write.
    #[inline(always)]
    pub(crate) fn slot_mut(&mut self, slot: usize) -> &mut [T] {
        // SAFETY: as for `slot`; slabs do not overlap and no other thread touches them during a call.
        unsafe { std::slice::from_raw_parts_mut(self.at(slot), self.len) }
    }

    /// One instance of one slot.
    #[inline(always)]
    pub(crate) fn instance(&self, slot: usize, instance: usize) -> &[T] {
        &self.slot(slot)[instance * self.row..(instance + 1) * self.row]
    }

    /// One instance of one slot, to write.
    #[inline(always)]
    pub(crate) fn instance_mut(&mut self, slot: usize, instance: usize) -> &mut [T] {
        let row = self.row;
        &mut self.slot_mut(slot)[instance * row..(instance + 1) * row]
    }
}
