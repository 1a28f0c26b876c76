//! Starts new episodes within the step that ended the old ones, keeping what that step has written.

use palaestra_plugin_api::{
    Result,
    abi::{NO_GROUP, id},
    client::{Key, ShardMut, SlabElement, Slabs},
    spec::EnvironmentSpec,
};

/// A reset of some instances of a shard that looks like the environment's own: observations are those of
/// the new episodes; rewards, flags, metrics and the list of ended episodes are those of the step.
pub struct Restart {
    mask: Vec<u8>,
    floats: Vec<Kept<f32>>,
    bytes: Vec<Kept<u8>>,
    count: Option<Key<u32>>,
}

impl Restart {
    /// Memory for a shard of `instances`.
    pub fn new(spec: &EnvironmentSpec, slabs: &Slabs, instances: usize) -> Self {
        let groups = || (0..spec.groups.len() as u32).chain([NO_GROUP]);
        Self {
            mask: vec![0; instances],
            floats: groups()
                .flat_map(|g| kept(slabs, &[id::REWARD, id::METRICS], g, instances))
                .collect(),
            bytes: groups()
                .flat_map(|g| {
                    let flags = [
                        id::TERMINATED,
                        id::TRUNCATED,
                        id::AGENT_TERMINATED,
                        id::AGENT_TRUNCATED,
                    ];
                    kept(slabs, &flags, g, instances)
                })
                .collect(),
            count: slabs.key(id::ENDED_COUNT, NO_GROUP),
        }
    }

    /// Which instances to restart: 1 for those; all 0 after each run.
    pub fn mask_mut(&mut self) -> &mut [u8] {
        &mut self.mask
    }

    /// Which instances to restart.
    pub fn mask(&self) -> &[u8] {
        &self.mask
    }

    /// Restarts the marked instances, whose step has written slot `write`.
    ///
    /// # Errors
    /// What the plugin reports.
    pub fn run(&mut self, shard: &mut ShardMut<'_>, write: usize) -> Result<()> {
        self.floats
            .iter_mut()
            .for_each(|kept| kept.save(shard, write));
        self.bytes
            .iter_mut()
            .for_each(|kept| kept.save(shard, write));
        let count = self.count.map(|key| shard.rows(key, 0)[0]);
        shard.restart(&self.mask, write)?;
        self.floats
            .iter()
            .for_each(|kept| kept.put_back(shard, write, &self.mask));
        self.bytes
            .iter()
            .for_each(|kept| kept.put_back(shard, write, &self.mask));
        if let (Some(key), Some(count)) = (self.count, count) {
            shard.rows_mut(key, 0)[0] = count;
        }
        self.mask.fill(0);
        Ok(())
    }
}

/// A copy of one slab's rows.
struct Kept<T> {
    key: Key<T>,
    copy: Vec<T>,
    row: usize,
}

fn kept<T: SlabElement + Default>(
    slabs: &Slabs,
    ids: &[u32],
    group: u32,
    instances: usize,
) -> Vec<Kept<T>> {
    let keys = ids.iter().filter_map(|&id| slabs.key(id, group));
    keys.map(|key| Kept {
        key,
        row: slabs.row(key),
        copy: vec![T::default(); instances * slabs.row(key)],
    })
    .collect()
}

impl<T: SlabElement> Kept<T> {
    fn save(&mut self, shard: &ShardMut<'_>, slot: usize) {
        self.copy.copy_from_slice(shard.rows(self.key, slot));
    }

    fn put_back(&self, shard: &mut ShardMut<'_>, slot: usize, mask: &[u8]) {
        let rows = shard
            .rows_mut(self.key, slot)
            .chunks_exact_mut(self.row)
            .zip(self.copy.chunks_exact(self.row));
        for ((to, from), _) in rows.zip(mask).filter(|(_, marked)| **marked != 0) {
            to.copy_from_slice(from);
        }
    }
}
