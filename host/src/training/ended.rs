//! The episodes that ended within a fragment, joined from the lists of all shards step by step.

use palaestra_plugin_api::{
    Result,
    abi::{DType, NO_GROUP, id},
    client::{EnvironmentBatch, Key, ShardMut, SlabElement, SlabMemory, Slabs},
    spec::EnvironmentSpec,
};

use super::memory;
use crate::rollout::EndedList;

/// A list column of a shard and the same one of the fragment.
enum Column {
    U8(Key<u8>, Key<u8>),
    U32(Key<u32>, Key<u32>),
    F32(Key<f32>, Key<f32>),
    F64(Key<f64>, Key<f64>),
}

/// The lists of a fragment: ordered by step, then instance.
pub(super) struct EndedEpisodes {
    memory: SlabMemory,
    shard_list: EndedList,
    columns: Vec<Column>,
    count: Key<u32>,
    row: Key<u32>,
}

impl EndedEpisodes {
    /// Room for the episodes of `steps` steps of all instances.
    #[allow(clippy::expect_used)] // `environment_slabs` gives every spec these lists
    pub(super) fn new(spec: &EnvironmentSpec, batch: &EnvironmentBatch, steps: usize) -> Self {
        let layouts = memory::ended_lists(spec);
        let memory = SlabMemory::new(layouts, 1, steps * batch.instances());
        let (from, to) = (batch.slabs(), memory.slabs());
        let columns = to
            .layouts()
            .filter(|l| l.id != id::ENDED_COUNT && l.id != id::ENDED_ROW);
        let columns = columns.filter_map(|l| column(from, to, l.id, l.group, l.dtype));
        let key = |id| to.key(id, NO_GROUP).expect("a list of ended episodes");
        Self {
            columns: columns.collect(),
            count: key(id::ENDED_COUNT),
            row: key(id::ENDED_ROW),
            shard_list: EndedList::new(spec, from),
            memory,
        }
    }

    /// Starts an empty list.
    pub(super) fn clear(&mut self) {
        self.memory.rows_mut(self.count, 0)[0] = 0;
    }

    /// The lists as a fragment shows them.
    pub(super) fn memory(&self) -> &SlabMemory {
        &self.memory
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.memory.rows(self.count, 0)[0] as usize
    }

    /// Where each episode ended: `t · instances + i`.
    pub(super) fn rows(&self) -> &[u32] {
        &self.memory.rows(self.row, 0)[..self.len()]
    }

    /// A column of the fragment's lists, `[entries, …]`.
    pub(super) fn column<T: SlabElement>(&self, id: u32, group: u32) -> Option<&[T]> {
        let key: Key<T> = self.memory.slabs().key(id, group)?;
        let row = self.memory.slabs().row(key);
        Some(&self.memory.rows(key, 0)[..self.len() * row])
    }

    /// Appends what ended in step `step`.
    ///
    /// # Errors
    /// A list that contradicts itself.
    pub(super) fn join(&mut self, batch: &mut EnvironmentBatch, step: usize) -> Result<()> {
        let instances = batch.instances();
        for shard in batch.shards_mut() {
            let ended = self.shard_list.rows(&shard)?.len();
            if ended == 0 {
                continue;
            }
            let (start, first) = (self.len(), shard.range().start);
            for (entry, &row) in self.shard_list.rows(&shard)?.iter().enumerate() {
                let row = step * instances + first + row as usize;
                self.memory.rows_mut(self.row, 0)[start + entry] = row as u32;
            }
            for column in &self.columns {
                let copy = Copy {
                    shard: &shard,
                    to: &mut self.memory,
                    start,
                    ended,
                };
                match *column {
                    Column::U8(from, to) => copy.rows(from, to),
                    Column::U32(from, to) => copy.rows(from, to),
                    Column::F32(from, to) => copy.rows(from, to),
                    Column::F64(from, to) => copy.rows(from, to),
                }
            }
            self.memory.rows_mut(self.count, 0)[0] = (start + ended) as u32;
        }
        Ok(())
    }
}

struct Copy<'a, 'b> {
    shard: &'a ShardMut<'b>,
    to: &'a mut SlabMemory,
    start: usize,
    ended: usize,
}

impl Copy<'_, '_> {
    fn rows<T: SlabElement>(self, from: Key<T>, to: Key<T>) {
        let row = self.to.slabs().row(to);
        let from = &self.shard.rows(from, 0)[..self.ended * row];
        self.to.rows_mut(to, 0)[self.start * row..][..from.len()].copy_from_slice(from);
    }
}

fn column(from: &Slabs, to: &Slabs, id: u32, group: u32, dtype: DType) -> Option<Column> {
    Some(match dtype {
        DType::U8 => Column::U8(from.key(id, group)?, to.key(id, group)?),
        DType::U32 => Column::U32(from.key(id, group)?, to.key(id, group)?),
        DType::F32 => Column::F32(from.key(id, group)?, to.key(id, group)?),
        DType::F64 => Column::F64(from.key(id, group)?, to.key(id, group)?),
        DType::I32 | DType::U64 => return None,
    })
}
