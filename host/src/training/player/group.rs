//! One group of agents that a player controls: where its rows are, and what flags and rewards become of them.

use palaestra_plugin_api::{
    Result,
    abi::{NO_GROUP, id},
    client::{EnvironmentBatch, Key, SlabElement, SlabMemory, Slabs},
    layout::ends_per_agent,
    spec::{EnvironmentSpec, GroupSpec},
};

use crate::{policy::PolicyView, training::identity::missing};

/// One controlled group: where its rows are.
pub(super) struct Group {
    pub(super) g: usize,
    agents: usize,
    /// Observations of the environment; none for bytes.
    pub(super) base: Option<Key<f32>>,
    /// Observations and final observations as the policy sees them, where they differ.
    pub(super) seen: Option<(Key<f32>, Key<f32>)>,
    pub(super) action: Action,
    pub(super) controlled: Key<u8>,
    pub(super) reward: Key<f32>,
    learning_reward: Key<f32>,
    pub(super) recurrent: Option<Key<f32>>,
    pub(super) alive: Option<Key<u8>>,
    /// Ends and beginnings of the agents' own episodes, where they have them.
    agent: Option<[Key<u8>; 3]>,
    instance: [Key<u8>; 3],
    /// Scratch, one flag an agent.
    pub(super) flags: Vec<u8>,
    terminated: Vec<u8>,
}

/// Proposed actions, and the environment's.
#[derive(Clone, Copy)]
pub(in crate::training) enum Action {
    Choices(Key<i32>, Key<i32>),
    Real(Key<f32>, Key<f32>),
}

/// Positions in [`Group::agent`] and [`Group::instance`].
pub(super) const FIRST: usize = 0;
const TERMINATED: usize = 1;
const TRUNCATED: usize = 2;

impl Group {
    /// # Errors
    /// A slab that the world or the policy lacks.
    pub(super) fn find(
        g: usize,
        batch: &EnvironmentBatch,
        memory: &SlabMemory,
        finals: &SlabMemory,
        seen_spec: &EnvironmentSpec,
    ) -> Result<Self> {
        let (world, own, group) = (batch.slabs(), memory.slabs(), g as u32);
        let GroupSpec { agents, action, .. } = &seen_spec.groups[g];
        let action = if action.is_box() {
            Action::Real(
                key(own, id::PROPOSED_ACTION, group)?,
                key(world, id::ACTION, group)?,
            )
        } else {
            Action::Choices(
                key(own, id::PROPOSED_ACTION, group)?,
                key(world, id::ACTION, group)?,
            )
        };
        let agent = ends_per_agent(batch.spec()).then(|| -> Result<_> {
            let key = |id| key(world, id, group);
            Ok([
                key(id::AGENT_FIRST)?,
                key(id::AGENT_TERMINATED)?,
                key(id::AGENT_TRUNCATED)?,
            ])
        });
        let seen = own.key(id::OBSERVATION, group);
        Ok(Self {
            g,
            agents: *agents,
            base: world.key(id::OBSERVATION, group),
            seen: seen.zip(finals.slabs().key(id::FINAL_OBSERVATION, group)),
            action,
            controlled: key(own, id::CONTROLLED, group)?,
            reward: key(world, id::REWARD, group)?,
            learning_reward: key(own, id::LEARNING_REWARD, group)?,
            recurrent: own.key(id::RECURRENT, group),
            alive: world.key(id::ALIVE, group),
            agent: agent.transpose()?,
            instance: [
                key(world, id::FIRST, NO_GROUP)?,
                key(world, id::TERMINATED, NO_GROUP)?,
                key(world, id::TRUNCATED, NO_GROUP)?,
            ],
            flags: vec![0; batch.instances() * agents],
            terminated: vec![0; batch.instances() * agents],
        })
    }

    /// Writes one flag an agent: its own where agents have episodes of their own, else the instance's.
    pub(super) fn flag(&mut self, batch: &EnvironmentBatch, slot: usize, which: usize) {
        match &self.agent {
            Some(keys) => self.flags.copy_from_slice(batch.rows(keys[which], slot)),
            None => {
                let rows = batch.rows(self.instance[which], slot);
                for (agents, &flag) in self.flags.chunks_exact_mut(self.agents).zip(rows) {
                    agents.fill(flag);
                }
            }
        }
    }

    /// The reward to learn from: the environment's, as the view changes it.
    pub(super) fn reward(
        &mut self,
        batch: &EnvironmentBatch,
        reported: &[f32],
        memory: &mut SlabMemory,
        view: &mut PolicyView,
        slot: usize,
    ) {
        if !view.changes_reward() {
            memory
                .rows_mut(self.learning_reward, slot)
                .copy_from_slice(reported);
            return;
        }
        self.flag(batch, slot, TERMINATED);
        std::mem::swap(&mut self.flags, &mut self.terminated);
        self.flag(batch, slot, TRUNCATED);
        let ended = self.flags.iter_mut().zip(&self.terminated);
        ended.for_each(|(ended, &terminated)| *ended |= terminated);
        let (counted, out) = (self.controlled, self.learning_reward);
        if let Some((counted, out)) = memory.read_write((counted, slot - 1), (out, slot)) {
            view.reward(self.g, reported, &self.flags, Some(counted), out);
        }
    }
}

/// Zeroes the rows that are flagged.
pub(super) fn clear(rows: &mut [f32], flags: &[u8]) {
    let width = rows.len() / flags.len().max(1);
    let rows = rows.chunks_exact_mut(width.max(1)).zip(flags);
    rows.filter(|&(_, &flag)| flag != 0)
        .for_each(|(row, _)| row.fill(0.0));
}

/// Where a slab's rows are.
///
/// # Errors
/// A slab that is not there.
pub(super) fn key<T: SlabElement>(slabs: &Slabs, id: u32, group: u32) -> Result<Key<T>> {
    slabs.key(id, group).ok_or_else(|| missing(id))
}
