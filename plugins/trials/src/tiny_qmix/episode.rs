//! From a fragment to episodes in replay, and from replay to what an update reads.

use palaestra_learning::buffers::{EpisodeBatch, EpisodeBuffer, Field};
use palaestra_plugin_api::{
    abi::{NO_GROUP, SlabElement, id},
    prelude::*,
    table::Table,
};

use super::network::Sizes;

/// Places of the fields in an episode.
const OBSERVATION: usize = 0;
const STATE: usize = 1;
const AVAILABLE: usize = 2;
const ACTION: usize = 3;
const REWARD: usize = 4;
const TERMINATED: usize = 5;
const VALID: usize = 6;

/// What an episode's rows hold; row L of an episode of L steps is its final observation.
pub(super) struct Fields {
    group: u32,
    sizes: Sizes,
    has_state: bool,
    has_mask: bool,
}

impl Fields {
    pub(super) fn new(group: u32, sizes: Sizes, has_state: bool, has_mask: bool) -> Self {
        Self {
            group,
            sizes,
            has_state,
            has_mask,
        }
    }

    pub(super) fn list(&self) -> Vec<Field> {
        let Sizes {
            agents,
            observation,
            choices,
            state,
            ..
        } = self.sizes;
        let field = |(name, width): (&str, usize)| Field {
            name: name.into(),
            width,
        };
        let widths = [
            ("observation", agents * observation),
            ("state", state),
            ("available", agents * choices),
            ("action", agents),
            ("reward", 1),
            ("terminated", 1),
            ("valid", 1),
        ];
        widths.map(field).into()
    }

    /// 1 where a choice is available, `[instances, agents, choices]`.
    pub(super) fn available(&self, rows: &Table<'_>, slot: usize) -> Result<Vec<u8>> {
        if self.has_mask {
            return Ok(rows.rows::<u8>(id::ACTION_MASK, self.group, slot)?.to_vec());
        }
        Ok(vec![
            1;
            rows.instances()
                * self.sizes.agents
                * self.sizes.choices
        ])
    }

    /// Keeps the first episode of every instance that this object has played as a whole.
    pub(super) fn store(&self, fragment: &Table<'_>, buffer: &mut EpisodeBuffer) -> Result<()> {
        let n = fragment.instances();
        let mut stored = vec![false; n];
        for (entry, &row) in fragment.ended()?.iter().enumerate() {
            let (t, i) = (row as usize / n, row as usize % n);
            if !std::mem::replace(&mut stored[i], true) && self.plays(fragment, i)? {
                buffer.push(t + 2, self.episode(fragment, i, t + 1, entry)?)?;
            }
        }
        Ok(())
    }

    /// Whether all agents of an instance are this object's.
    fn plays(&self, fragment: &Table<'_>, i: usize) -> Result<bool> {
        if !fragment.has(id::CONTROLLED, self.group) {
            return Ok(true);
        }
        let controlled = fragment.rows::<u8>(id::CONTROLLED, self.group, 0)?;
        let agents = self.sizes.agents;
        Ok(controlled[i * agents..][..agents].iter().all(|&c| c != 0))
    }

    /// The first `steps` steps of instance `i`, which ended as entry `entry` of the lists says.
    fn episode(
        &self,
        fragment: &Table<'_>,
        i: usize,
        steps: usize,
        entry: usize,
    ) -> Result<Vec<Vec<f32>>> {
        let (g, agents) = (self.group, self.sizes.agents);
        let mut data = vec![Vec::new(); VALID + 1];
        for t in 0..steps {
            data[OBSERVATION].extend_from_slice(of(fragment, (id::OBSERVATION, g, t), i)?);
            if self.has_state {
                data[STATE].extend_from_slice(of(fragment, (id::STATE, NO_GROUP, t), i)?);
            }
            if self.has_mask {
                let mask = of::<u8>(fragment, (id::ACTION_MASK, g, t), i)?;
                data[AVAILABLE].extend(mask.iter().map(|&m| f32::from(m)));
            }
            let action = of::<i32>(fragment, (id::ACTION, g, t), i)?;
            data[ACTION].extend(action.iter().map(|&a| a as f32));
            let reward = of::<f32>(fragment, (id::LEARNING_REWARD, g, t + 1), i)?;
            data[REWARD].push(reward.iter().sum::<f32>() / agents as f32);
            let terminated = of::<u8>(fragment, (id::TERMINATED, NO_GROUP, t + 1), i)?;
            data[TERMINATED].push(f32::from(terminated[0]));
            data[VALID].push(1.0);
        }
        data[OBSERVATION].extend_from_slice(last(fragment, (id::FINAL_OBSERVATION, g), entry)?);
        if self.has_state {
            data[STATE].extend_from_slice(last(fragment, (id::FINAL_STATE, NO_GROUP), entry)?);
        } else {
            data[STATE] = data[OBSERVATION].clone();
        }
        if self.has_mask {
            let mask = last::<u8>(fragment, (id::FINAL_ACTION_MASK, g), entry)?;
            data[AVAILABLE].extend(mask.iter().map(|&m| f32::from(m)));
        } else {
            data[AVAILABLE] = vec![1.0; (steps + 1) * agents * self.sizes.choices];
        }
        data[ACTION].extend(vec![0.0; agents]);
        for field in [REWARD, TERMINATED, VALID] {
            data[field].push(0.0);
        }
        Ok(data)
    }

    /// `[steps, columns, agents, observation]`.
    pub(super) fn observations<'a>(&self, batch: &'a EpisodeBatch) -> &'a [f32] {
        &batch.fields[OBSERVATION]
    }

    /// `[steps, columns, state]`.
    pub(super) fn states<'a>(&self, batch: &'a EpisodeBatch) -> &'a [f32] {
        &batch.fields[STATE]
    }

    /// `[steps, columns, agents, choices]`.
    pub(super) fn masks<'a>(&self, batch: &'a EpisodeBatch) -> &'a [f32] {
        &batch.fields[AVAILABLE]
    }

    /// `[steps, columns, agents]`.
    pub(super) fn actions<'a>(&self, batch: &'a EpisodeBatch) -> &'a [f32] {
        &batch.fields[ACTION]
    }

    /// Rewards and terminal flags, `[steps, columns]`.
    pub(super) fn outcomes<'a>(&self, batch: &'a EpisodeBatch) -> (&'a [f32], &'a [f32]) {
        (&batch.fields[REWARD], &batch.fields[TERMINATED])
    }

    /// 1 for every step, 0 for final observations and padding, `[steps, columns]`.
    pub(super) fn valid(&self, batch: &EpisodeBatch) -> Vec<u8> {
        let valid = batch.fields[VALID].iter();
        valid.map(|&v| u8::from(v != 0.0)).collect()
    }
}

/// One instance's part of a slab.
fn of<'a, T: SlabElement>(
    table: &'a Table<'_>,
    (id, group, slot): (u32, u32, usize),
    instance: usize,
) -> Result<&'a [T]> {
    let row = table.row(id, group).unwrap_or(0);
    Ok(&table.rows(id, group, slot)?[instance * row..(instance + 1) * row])
}

/// One entry of a list.
fn last<'a, T: SlabElement>(
    table: &'a Table<'_>,
    (id, group): (u32, u32),
    entry: usize,
) -> Result<&'a [T]> {
    let row = table.row(id, group).unwrap_or(0);
    Ok(&table.ended_rows(id, group)?[entry * row..(entry + 1) * row])
}
