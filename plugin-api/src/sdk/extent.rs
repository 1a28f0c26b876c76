//! What a slab says about its memory, checked once: for typed planes and for tables.

use crate::{
    abi::{DType, MAX_RANK, NO_GROUP, Slab, id},
    error::{Error, ErrorKind, Result},
};

/// The checked shape of a slab `[slots, instances, …]` whose instances are contiguous.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// Element type.
    pub(crate) dtype: DType,
    /// Slots that may be named; `usize::MAX` where one slot repeats.
    pub(crate) slots: usize,
    /// Elements from one slot to the next; 0 where one slot repeats.
    pub(crate) slot_stride: usize,
    /// Instances (entries, for lists of ended episodes).
    pub(crate) instances: usize,
    /// Elements of one instance.
    pub(crate) row: usize,
}

impl Extent {
    /// Checks type, shape, strides and alignment.
    pub(crate) fn of(slab: &Slab) -> Result<Self> {
        let Some(dtype) = DType::from_number(slab.dtype) else {
            return Err(wrong(slab, "an element type of 1 to 6", slab.dtype));
        };
        let rank = slab.rank as usize;
        if !(2..=MAX_RANK).contains(&rank) {
            return Err(wrong(slab, "2 to 6 axes", rank));
        }
        let shape = &slab.shape[..rank];
        let size = dtype.size() as i64;
        let mut contiguous = size;
        for axis in (1..rank).rev() {
            if shape[axis] > 1 && slab.strides[axis] != contiguous {
                let expected = format!("stride {contiguous} of axis {axis}");
                return Err(wrong(slab, &expected, slab.strides[axis]));
            }
            contiguous = i64::try_from(shape[axis])
                .ok()
                .and_then(|len| contiguous.checked_mul(len))
                .ok_or_else(|| wrong(slab, "a shape that fits memory", format!("{shape:?}")))?;
        }
        let stride = slab.strides[0];
        let several = shape[0] > 1;
        let fits = stride >= contiguous
            && stride % size == 0
            && i64::try_from(shape[0]).is_ok_and(|slots| stride.checked_mul(slots).is_some());
        if several && stride != 0 && !fits {
            let expected = format!("slot stride 0 or at least {contiguous}");
            return Err(wrong(slab, &expected, stride));
        }
        if shape[0] == 0 {
            return Err(wrong(slab, "at least one slot", 0));
        }
        let aligned = slab.data.addr().is_multiple_of(dtype.size());
        if contiguous > 0 && (slab.data.is_null() || !aligned) {
            return Err(wrong(slab, "aligned memory", format!("{:p}", slab.data)));
        }
        Ok(Self {
            dtype,
            slots: if stride == 0 {
                usize::MAX
            } else {
                shape[0] as usize
            },
            slot_stride: if several { (stride / size) as usize } else { 0 },
            instances: shape[1] as usize,
            row: shape[2..]
                .iter()
                .fold(1, |row: u64, &len| row.saturating_mul(len)) as usize,
        })
    }

    /// Elements of one slot.
    pub(crate) fn len(&self) -> usize {
        self.instances * self.row
    }
}

/// `slab 1 (observation) of group 0`.
pub(crate) fn subject(slab: u32, group: u32) -> String {
    let name = id::name(slab)
        .map(|n| format!(" ({n})"))
        .unwrap_or_default();
    let group = match group {
        NO_GROUP => String::new(),
        g => format!(" of group {g}"),
    };
    format!("slab {slab}{name}{group}")
}

/// `slab …: expected X, found Y`: a fault of the host.
pub(crate) fn wrong(slab: &Slab, expected: &str, found: impl std::fmt::Display) -> Error {
    let subject = subject(slab.id, slab.group);
    Error::new(
        ErrorKind::Host,
        format!("{subject}: expected {expected}, found {found}"),
    )
}
