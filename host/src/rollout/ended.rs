//! The list of episodes that ended in a step, as host code reads and extends it.

use palaestra_plugin_api::{
    Error, Result,
    abi::{NO_GROUP, id},
    client::{Key, ShardMut, SlabElement, Slabs, wide},
    spec::EnvironmentSpec,
};

/// Where the list of a batch's shards is: one entry per ended episode, in the order of the instances.
#[derive(Clone)]
pub struct EndedList {
    count: Key<u32>,
    row: Key<u32>,
    length: Key<u32>,
    returns: Vec<Key<f64>>,
    metrics: Option<Key<f64>>,
    /// Rows that an entry copies from the step: the live slab and the final one.
    floats: Vec<(Key<f32>, Key<f32>)>,
    bytes: Vec<(Key<u8>, Key<u8>)>,
}

impl EndedList {
    /// Finds the slabs of the list.
    ///
    /// # Panics
    /// When `slabs` are not those of the spec.
    pub fn new(spec: &EnvironmentSpec, slabs: &Slabs) -> Self {
        #[allow(clippy::expect_used)] // `environment_slabs` gives every spec these
        let of = |id| {
            slabs
                .key(id, NO_GROUP)
                .expect("every environment lists ended episodes")
        };
        let groups = 0..spec.groups.len() as u32;
        let floats = [(id::OBSERVATION, id::FINAL_OBSERVATION)];
        let bytes = [
            (id::OBSERVATION, id::FINAL_OBSERVATION),
            (id::ACTION_MASK, id::FINAL_ACTION_MASK),
            (id::ALIVE, id::FINAL_ALIVE),
        ];
        let state = pair(slabs, (id::STATE, id::FINAL_STATE), NO_GROUP);
        Self {
            count: of(id::ENDED_COUNT),
            row: of(id::ENDED_ROW),
            length: of(id::EPISODE_LENGTH),
            returns: groups
                .clone()
                .filter_map(|g| slabs.key(id::EPISODE_RETURN, g))
                .collect(),
            metrics: slabs.key(id::EPISODE_METRICS, NO_GROUP),
            floats: groups
                .clone()
                .flat_map(|g| pairs(slabs, floats, g))
                .chain(state)
                .collect(),
            bytes: groups.flat_map(|g| pairs(slabs, bytes, g)).collect(),
        }
    }

    /// Instances (within the shard) of the entries.
    ///
    /// # Errors
    /// Kind `Plugin` when the list names more instances than there are, or one that does not exist.
    #[inline]
    pub fn rows<'a>(&self, shard: &'a ShardMut<'_>) -> Result<&'a [u32]> {
        let rows = shard.rows(self.row, 0);
        let count = shard.rows(self.count, 0)[0] as usize;
        // No early end: whole vectors at a time.
        let exist = |ended: &[u32]| {
            let beyond = |any, &row: &u32| any | u32::from(row as usize >= rows.len());
            wide(|| ended.iter().fold(0, beyond)) == 0
        };
        match rows.get(..count) {
            Some(ended) if exist(ended) => Ok(ended),
            _ => Err(wrong(count, rows)),
        }
    }

    /// Steps of each ended episode.
    pub fn lengths<'a>(&self, shard: &'a ShardMut<'_>) -> &'a [u32] {
        shard.rows(self.length, 0)
    }

    /// Returns `[entry, agents]` of a group.
    pub fn returns<'a>(&self, shard: &'a ShardMut<'_>, group: usize) -> &'a [f64] {
        shard.rows(self.returns[group], 0)
    }

    /// Returns of a group, to write.
    pub(crate) fn returns_mut<'a>(
        &self,
        shard: &'a mut ShardMut<'_>,
        group: usize,
    ) -> &'a mut [f64] {
        shard.rows_mut(self.returns[group], 0)
    }

    /// Metrics `[entry, metrics]`; none when the environment names none.
    pub fn metrics<'a>(&self, shard: &'a ShardMut<'_>) -> &'a [f64] {
        self.metrics.map_or(&[], |key| shard.rows(key, 0))
    }

    /// Metrics, to write.
    pub(crate) fn metrics_mut<'a>(&self, shard: &'a mut ShardMut<'_>) -> &'a mut [f64] {
        self.metrics.map_or(&mut [], |key| shard.rows_mut(key, 0))
    }

    /// Adds entries for the instances that `marked` names (not 0) and whose episodes the host itself
    /// ends at slot `write`: final rows come from that slot; `fill` writes returns and metrics of an entry
    /// of an instance. The order of the instances is kept.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub(crate) fn insert(
        &self,
        shard: &mut ShardMut<'_>,
        marked: &[u8],
        write: usize,
        lengths: Key<u32>,
        mut fill: impl FnMut(&mut ShardMut<'_>, usize, usize),
    ) -> Result<()> {
        let listed = self.rows(shard)?.len();
        let added = marked.iter().filter(|&&m| m != 0).count();
        let (mut from, mut to) = (listed, listed + added);
        if to > marked.len() {
            return Err(wrong(to, shard.rows(self.row, 0)));
        }
        // From the back, so that entries move at most once and never onto one that is still needed.
        for instance in (0..marked.len()).rev() {
            while from > 0 && shard.rows(self.row, 0)[from - 1] as usize > instance {
                from -= 1;
                to -= 1;
                self.move_entry(shard, from, to);
            }
            if marked[instance] != 0 {
                to -= 1;
                self.copy_rows(shard, write, instance, to);
                shard.rows_mut(self.row, 0)[to] = instance as u32;
                shard.rows_mut(self.length, 0)[to] = shard.rows(lengths, write)[instance];
                fill(shard, to, instance);
            }
        }
        shard.rows_mut(self.count, 0)[0] = (listed + added) as u32;
        Ok(())
    }

    fn move_entry(&self, shard: &mut ShardMut<'_>, from: usize, to: usize) {
        if from == to {
            return;
        }
        for key in [self.row, self.length] {
            move_row(shard, key, from, to);
        }
        for &key in self.returns.iter().chain(&self.metrics) {
            move_row(shard, key, from, to);
        }
        self.floats
            .iter()
            .for_each(|&(_, key)| move_row(shard, key, from, to));
        self.bytes
            .iter()
            .for_each(|&(_, key)| move_row(shard, key, from, to));
    }

    fn copy_rows(&self, shard: &mut ShardMut<'_>, write: usize, instance: usize, entry: usize) {
        self.floats
            .iter()
            .for_each(|&keys| copy_row(shard, keys, write, instance, entry));
        self.bytes
            .iter()
            .for_each(|&keys| copy_row(shard, keys, write, instance, entry));
    }
}

fn pair<T: SlabElement>(
    slabs: &Slabs,
    (live, ended): (u32, u32),
    group: u32,
) -> Option<(Key<T>, Key<T>)> {
    slabs.key(live, group).zip(slabs.key(ended, group))
}

fn pairs<T: SlabElement, const N: usize>(
    slabs: &Slabs,
    ids: [(u32, u32); N],
    group: u32,
) -> impl Iterator<Item = (Key<T>, Key<T>)> {
    ids.into_iter()
        .filter_map(move |ids| pair(slabs, ids, group))
}

fn move_row<T: SlabElement>(shard: &mut ShardMut<'_>, key: Key<T>, from: usize, to: usize) {
    let n = shard.range().len();
    let rows = shard.rows_mut(key, 0);
    let row = rows.len() / n;
    rows.copy_within(from * row..(from + 1) * row, to * row);
}

fn copy_row<T: SlabElement>(
    shard: &mut ShardMut<'_>,
    (live, ended): (Key<T>, Key<T>),
    slot: usize,
    instance: usize,
    entry: usize,
) {
    let n = shard.range().len();
    if let Some((from, to)) = shard.read_write((live, slot), (ended, 0)) {
        let row = from.len() / n;
        to[entry * row..(entry + 1) * row]
            .copy_from_slice(&from[instance * row..(instance + 1) * row]);
    }
}

#[cold]
fn wrong(count: usize, rows: &[u32]) -> Error {
    match rows.get(..count) {
        None => Error::plugin(format!(
            "(step): expected at most {} ended episodes, found {count}",
            rows.len()
        )),
        Some(ended) => {
            let row = ended
                .iter()
                .find(|&&row| row as usize >= rows.len())
                .copied()
                .unwrap_or_default();
            Error::plugin(format!(
                "(step): expected ended instances below {}, found {row}",
                rows.len()
            ))
        }
    }
}
