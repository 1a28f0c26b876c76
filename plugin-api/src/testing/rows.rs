//! Rows of any slab: filled with garbage before a call, compared after it.

use crate::{
    abi::{DType, NO_GROUP, id},
    client::{EnvironmentBatch, Key, SlabElement},
    layout::SlabLayout,
    spec::EnvironmentSpec,
};

/// What a slot holds before a call writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Garbage {
    /// Zeros.
    Zeros,
    /// NaN in every number, this byte everywhere else.
    Nan(u8),
}

/// Elements that can be filled with garbage and compared bit by bit.
trait Cell: SlabElement + std::fmt::Debug {
    fn bits(self) -> u64;
    fn garbage(garbage: Garbage) -> Self;
}

macro_rules! integers {
    ($($t:ty),*) => { $(impl Cell for $t {
        fn bits(self) -> u64 {
            self as u64
        }
        fn garbage(garbage: Garbage) -> Self {
            match garbage {
                Garbage::Zeros => 0,
                Garbage::Nan(byte) => Self::from_ne_bytes([byte; size_of::<Self>()]),
            }
        }
    })* };
}
integers!(u8, i32, u32, u64);

macro_rules! numbers {
    ($($t:ty),*) => { $(impl Cell for $t {
        fn bits(self) -> u64 {
            self.to_bits().into()
        }
        fn garbage(garbage: Garbage) -> Self {
            if garbage == Garbage::Zeros { 0.0 } else { Self::NAN }
        }
    })* };
}
numbers!(f32, f64);

/// Calls a generic function with the key of a column.
macro_rules! with_key {
    ($key:expr, $k:ident => $body:expr) => {
        match $key {
            AnyKey::U8($k) => $body,
            AnyKey::I32($k) => $body,
            AnyKey::U32($k) => $body,
            AnyKey::U64($k) => $body,
            AnyKey::F32($k) => $body,
            AnyKey::F64($k) => $body,
        }
    };
}

#[derive(Clone, Copy)]
enum AnyKey {
    U8(Key<u8>),
    I32(Key<i32>),
    U32(Key<u32>),
    U64(Key<u64>),
    F32(Key<f32>),
    F64(Key<f64>),
}

/// One slab of a batch, whatever its elements.
pub(super) struct Column {
    pub(super) layout: SlabLayout,
    key: AnyKey,
    name: String,
}

/// All slabs of a batch but the actions.
pub(super) fn columns(batch: &EnvironmentBatch) -> Vec<Column> {
    let slabs = batch.slabs();
    let column = |layout: &SlabLayout| {
        let (id, group) = (layout.id, layout.group);
        let key = match layout.dtype {
            DType::U8 => AnyKey::U8(slabs.key(id, group)?),
            DType::I32 => AnyKey::I32(slabs.key(id, group)?),
            DType::U32 => AnyKey::U32(slabs.key(id, group)?),
            DType::U64 => AnyKey::U64(slabs.key(id, group)?),
            DType::F32 => AnyKey::F32(slabs.key(id, group)?),
            DType::F64 => AnyKey::F64(slabs.key(id, group)?),
        };
        Some(Column {
            layout: layout.clone(),
            key,
            name: name(layout, batch.spec()),
        })
    };
    slabs
        .layouts()
        .filter(|l| l.id != id::ACTION)
        .filter_map(column)
        .collect()
}

/// Fills a slot (lists of ended episodes too) with garbage.
pub(super) fn spoil(
    batch: &mut EnvironmentBatch,
    columns: &[Column],
    slot: usize,
    garbage: Garbage,
) {
    fn fill<T: Cell>(batch: &mut EnvironmentBatch, key: Key<T>, slot: usize, garbage: Garbage) {
        batch.rows_mut(key, slot).fill(T::garbage(garbage));
    }
    for column in columns {
        with_key!(column.key, key => fill(batch, key, slot, garbage));
    }
}

/// A row: the batch, the slot, and the instance or list entry.
#[derive(Clone, Copy)]
pub(super) struct At<'a>(
    pub(super) &'a EnvironmentBatch,
    pub(super) usize,
    pub(super) usize,
);

impl Column {
    /// Says where two rows of this slab differ, if they do.
    pub(super) fn difference(&self, a: At<'_>, b: At<'_>) -> Option<String> {
        with_key!(self.key, key => self.compare(key, a, b))
    }

    fn compare<T: Cell>(&self, key: Key<T>, a: At<'_>, b: At<'_>) -> Option<String> {
        let width = self.layout.row();
        let row = |At(batch, slot, row): At<'_>| -> Vec<T> {
            batch.rows(key, slot)[row * width..(row + 1) * width].to_vec()
        };
        let (a, b) = (row(a), row(b));
        let at = (0..width).find(|&i| a[i].bits() != b[i].bits())?;
        let inner = width / self.layout.shape.first().copied().unwrap_or(1).max(1);
        let place = match self.layout.shape.len() {
            0 => String::new(),
            1 => format!(" {at}"),
            _ => format!(" of agent {}, component {}", at / inner, at % inner),
        };
        Some(format!("{}{place}: {:?} and {:?}", self.name, a[at], b[at]))
    }
}

fn name(layout: &SlabLayout, spec: &EnvironmentSpec) -> String {
    let slab = match layout.id {
        id::OBSERVATION => "observation",
        id::REWARD => "reward",
        id::ACTION_MASK => "action mask",
        id::ALIVE => "alive",
        id::ACTING => "acting",
        id::AGENT_TERMINATED => "agent_terminated",
        id::AGENT_TRUNCATED => "agent_truncated",
        id::AGENT_FIRST => "agent_first",
        id::STATE => "state",
        id::TERMINATED => "terminated",
        id::TRUNCATED => "truncated",
        id::FIRST => "first",
        id::METRICS => "metric",
        id::EPISODE => "episode",
        id::STEP => "step",
        id::FINAL_OBSERVATION => "final observation",
        id::FINAL_ACTION_MASK => "final action mask",
        id::FINAL_ALIVE => "final alive",
        id::FINAL_STATE => "final state",
        id::EPISODE_RETURN => "episode return",
        id::EPISODE_LENGTH => "episode length",
        id::EPISODE_METRICS => "episode metric",
        _ => "slab",
    };
    match layout.group {
        NO_GROUP => slab.into(),
        group => format!("{slab} of group {}", spec.groups[group as usize].name),
    }
}
