//! A bound slab as typed memory.

use crate::{
    abi::{DType, MAX_RANK, NO_GROUP, Slab},
    error::{Error, ErrorKind, Result},
};

/// Element types of slabs.
pub(crate) trait Element: Copy + Default + 'static {
    const DTYPE: DType;
}
macro_rules! elements {
    ($($t:ty => $d:ident),*) => { $(impl Element for $t { const DTYPE: DType = DType::$d; })* };
}
elements!(u8 => U8, i32 => I32, u32 => U32, u64 => U64, f32 => F32, f64 => F64);

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
        let wrong = |expected: String, found: String| {
            let group = if slab.group == NO_GROUP {
                String::new()
            } else {
                format!(" of group {}", slab.group)
            };
            Err(Error::new(
                ErrorKind::Host,
                format!(
                    "slab {}{group}: expected {expected}, found {found}",
                    slab.id
                ),
            ))
        };
        if slab.dtype != T::DTYPE as u32 {
            return wrong(
                format!("element type {}", T::DTYPE as u32),
                slab.dtype.to_string(),
            );
        }
        let rank = slab.rank as usize;
        if !(2..=MAX_RANK).contains(&rank) {
            return wrong("2 to 6 axes".into(), rank.to_string());
        }
        let shape = &slab.shape[..rank];
        let inner: u64 = shape[2..].iter().product();
        if shape[0] == 0 || shape[1] != instances as u64 || inner != row as u64 {
            return wrong(
                format!("[slots, {instances}, …] with {row} elements per instance"),
                format!("{shape:?}"),
            );
        }
        let mut contiguous = size_of::<T>() as i64;
        for axis in (1..rank).rev() {
            if shape[axis] > 1 && slab.strides[axis] != contiguous {
                return wrong(
                    format!("stride {contiguous} of axis {axis}"),
                    slab.strides[axis].to_string(),
                );
            }
            contiguous *= shape[axis] as i64;
        }
        let slot = slab.strides[0];
        if shape[0] > 1 && slot != 0 && (slot < contiguous || slot % size_of::<T>() as i64 != 0) {
            return wrong(
                format!("slot stride 0 or at least {contiguous}"),
                slot.to_string(),
            );
        }
        if slab.data.is_null() || !slab.data.cast::<T>().is_aligned() {
            return wrong("aligned memory".into(), format!("{:p}", slab.data));
        }
        Ok(Self {
            data: slab.data.cast(),
            slots: if slot == 0 {
                usize::MAX
            } else {
                shape[0] as usize
            },
            slot_stride: if shape[0] > 1 {
                slot as usize / size_of::<T>()
            } else {
                0
            },
            len: instances * row,
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
