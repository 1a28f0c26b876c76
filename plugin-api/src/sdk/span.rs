//! The memory behind one slab of a [`Table`](crate::table::Table).

use std::{marker::PhantomData, ops::Range};

use super::extent::{Extent, subject, wrong};
use crate::{
    abi::{MAX_RANK, Slab, SlabElement, SlabTable, id},
    error::{Error, ErrorKind, Result},
};

/// A checked slab, to be read (and written, where it says so) for as long as `'a`.
pub(crate) struct Span<'a> {
    slab: Slab,
    extent: Extent,
    writable: bool,
    memory: PhantomData<&'a mut [u8]>,
}

// SAFETY: a span has its memory to itself (or shares it with readers only), and the memory has no thread.
unsafe impl Send for Span<'_> {}
// SAFETY: a shared span only reads.
unsafe impl Sync for Span<'_> {}

impl<'a> Span<'a> {
    /// Checks a slab.
    ///
    /// # Safety
    /// Its memory must be valid for `'a`, written by nobody else, and read by nobody else when `writable`.
    pub(crate) unsafe fn new(slab: &Slab, writable: bool) -> Result<Self> {
        Ok(Self {
            extent: Extent::of(slab)?,
            slab: *slab,
            writable,
            memory: PhantomData,
        })
    }

    /// Read-only memory of the caller.
    pub(crate) fn of<T: SlabElement>(name: Name, shape: &[usize], data: &'a [T]) -> Result<Self> {
        let slab = describe::<T>(name, shape, data.as_ptr().cast_mut(), data.len())?;
        // SAFETY: the borrow excludes writers for `'a`, and the span gives no way to write.
        unsafe { Self::new(&slab, false) }
    }

    /// Memory of the caller, to write.
    pub(crate) fn of_mut<T: SlabElement>(
        name: Name,
        shape: &[usize],
        data: &'a mut [T],
    ) -> Result<Self> {
        let slab = describe::<T>(name, shape, data.as_mut_ptr(), data.len())?;
        // SAFETY: the borrow excludes everybody else for `'a`.
        unsafe { Self::new(&slab, true) }
    }

    /// What the table says.
    pub(crate) fn slab(&self) -> &Slab {
        &self.slab
    }

    /// The checked shape.
    pub(crate) fn extent(&self) -> &Extent {
        &self.extent
    }

    /// One slot, all instances.
    pub(crate) fn slot<T: SlabElement>(&self, slot: usize) -> Result<&[T]> {
        let start = self.start::<T>(slot)?;
        // SAFETY: `start` has checked type and slot, `extent` the rest; `&self` excludes writers of this span.
        Ok(unsafe { slice(start, self.extent.len()) })
    }

    /// One slot, all instances, to write.
    pub(crate) fn slot_mut<T: SlabElement>(&mut self, slot: usize) -> Result<&mut [T]> {
        let start = self.start::<T>(slot)?;
        if !self.writable {
            return Err(wrong(&self.slab, "a slab to write", "a read-only one"));
        }
        // SAFETY: as for `slot`, and `&mut self` excludes readers.
        Ok(unsafe { slice_mut(start, self.extent.len()) })
    }

    /// One slot to read and another, apart from it, to write.
    pub(crate) fn pair<R: SlabElement, W: SlabElement>(
        &mut self,
        read: usize,
        write: usize,
    ) -> Result<(&[R], &mut [W])> {
        let (from, len) = (self.start::<R>(read)?, self.extent.len());
        let gap = read.abs_diff(write).saturating_mul(self.extent.slot_stride);
        if gap < len {
            return Err(wrong(&self.slab, "another slot to write", read));
        }
        let to = self.slot_mut(write)?;
        // SAFETY: as for `slot`; slots that far apart share no memory.
        Ok((unsafe { slice(from, len) }, to))
    }

    /// All slots, where they follow each other without a gap.
    pub(crate) fn all<T: SlabElement>(&self) -> Result<&[T]> {
        let start = self.start::<T>(0)?;
        let (slots, len) = (self.slab.shape[0] as usize, self.extent.len());
        if slots > 1 && self.extent.slot_stride != len {
            return Err(wrong(
                &self.slab,
                "slots without gaps",
                self.extent.slot_stride,
            ));
        }
        // SAFETY: as for `slot`; the slots are adjacent.
        Ok(unsafe { slice(start, slots * len) })
    }

    /// A read-only span of one slot.
    pub(crate) fn only(&self, slot: usize) -> Result<Span<'_>> {
        self.check_slot(slot)?;
        let mut slab = self.slab;
        let bytes = slot * self.extent.slot_stride * self.extent.dtype.size();
        slab.data = slab.data.wrapping_add(bytes);
        slab.shape[0] = 1;
        // SAFETY: part of this span, which `&self` keeps from being written.
        unsafe { Span::new(&slab, false) }
    }

    /// Addresses of one slot.
    pub(crate) fn addresses(&self, slot: usize) -> Result<Range<usize>> {
        self.check_slot(slot)?;
        let size = self.extent.dtype.size();
        let start = self.slab.data.addr() + slot * self.extent.slot_stride * size;
        Ok(start..start + self.extent.len() * size)
    }

    fn check_slot(&self, slot: usize) -> Result<()> {
        if slot < self.extent.slots {
            return Ok(());
        }
        let subject = subject(self.slab.id, self.slab.group);
        let expected = format!("{subject}: slot: expected less than {}", self.extent.slots);
        Err(Error::new(
            ErrorKind::Host,
            format!("{expected}, found {slot}"),
        ))
    }

    fn start<T: SlabElement>(&self, slot: usize) -> Result<*mut T> {
        self.check_slot(slot)?;
        if self.extent.dtype != T::DTYPE {
            // The author asked for the wrong type.
            let found = wrong(
                &self.slab,
                &format!("elements of {:?}", self.extent.dtype),
                format!("a view of {:?}", T::DTYPE),
            );
            return Err(Error::plugin(found.message));
        }
        let first = self.slab.data.cast::<T>();
        Ok(first.wrapping_add(slot * self.extent.slot_stride))
    }
}

/// Id and group of a slab.
pub(crate) type Name = (u32, u32);

fn describe<T: SlabElement>(
    (id, group): Name,
    axes: &[usize],
    data: *mut T,
    len: usize,
) -> Result<Slab> {
    let elements = axes
        .iter()
        .try_fold(1usize, |product, &axis| product.checked_mul(axis));
    if !(2..=MAX_RANK).contains(&axes.len()) || elements != Some(len) {
        let message = format!("expected 2 to 6 axes of {len} elements, found {axes:?}");
        return Err(Error::plugin(message).within(subject(id, group)));
    }
    let (mut shape, mut strides) = ([1; MAX_RANK], [0; MAX_RANK]);
    let mut stride = T::DTYPE.size() as i64;
    for (axis, &n) in axes.iter().enumerate().rev() {
        shape[axis] = n as u64;
        strides[axis] = stride;
        stride *= n as i64;
    }
    Ok(Slab {
        id,
        group,
        dtype: T::DTYPE as u32,
        rank: axes.len() as u32,
        data: data.cast(),
        shape,
        strides,
    })
}

/// The slabs of a table that a call handed over.
///
/// # Safety
/// The table must be null or readable for `'a`.
pub(crate) unsafe fn slabs<'a>(table: *const SlabTable) -> &'a [Slab] {
    // SAFETY: forwarded from the caller.
    match unsafe { table.as_ref() } {
        // SAFETY: as above.
        Some(table) if table.len > 0 => unsafe {
            std::slice::from_raw_parts(table.slabs, table.len as usize)
        },
        _ => &[],
    }
}

/// Spans of all slabs. Slabs of unknown ids are left out when they are not well-formed.
///
/// # Safety
/// As for [`Span::new`], for every slab.
pub(crate) unsafe fn spans<'a>(slabs: &[Slab], writable: bool) -> Result<Vec<Span<'a>>> {
    let mut spans = Vec::with_capacity(slabs.len());
    for slab in slabs {
        // SAFETY: forwarded from the caller.
        match unsafe { Span::new(slab, writable) } {
            Ok(span) => spans.push(span),
            Err(e) if id::name(slab.id).is_some() => return Err(e),
            Err(_) => {}
        }
    }
    Ok(spans)
}

/// # Safety
/// `len` elements at `data` must be readable for `'a` and not written meanwhile; with none, anything goes.
pub(crate) unsafe fn slice<'a, T>(data: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: forwarded from the caller.
    unsafe { std::slice::from_raw_parts(data, len) }
}

/// # Safety
/// As for [`slice`], and nobody else may reach the elements.
pub(crate) unsafe fn slice_mut<'a, T>(data: *mut T, len: usize) -> &'a mut [T] {
    if len == 0 {
        return &mut [];
    }
    // SAFETY: forwarded from the caller.
    unsafe { std::slice::from_raw_parts_mut(data, len) }
}
