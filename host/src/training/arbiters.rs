//! Mechanisms between policies and the world: `arbitrate` on joint actions, `share` on rewards.
//!
//! The first mechanism is closest to the environment. Proposals pass the last one first; each turns an action of its
//! own composed spec into one of the spec before it. Rewards pass the other way.

use palaestra_plugin_api::{
    Error, Result,
    abi::{DType, id},
    client::{CoordinationHandle, EnvironmentBatch, Key, Lend, SlabElement, SlabMemory, TablePlan},
    coordination::Port,
    layout::{SlabLayout, action_dtype},
    spec::EnvironmentSpec,
};

use super::{
    composition::Parts,
    identity::{Identity, missing},
    player::{Action, Player},
};

/// The mechanisms that change actions or rewards.
pub(super) struct Arbiters {
    /// In the order of the mechanisms.
    chain: Vec<Arbiter>,
    /// Environment's actions and rewards, by group.
    world: Vec<(AnyKey, Key<f32>)>,
    composed: EnvironmentSpec,
}

/// One mechanism's rows.
struct Arbiter {
    mechanism: usize,
    plugin: Box<dyn Fn(Error) -> Error + Send>,
    arbitrates: bool,
    shares: bool,
    memory: SlabMemory,
    groups: Vec<Rows>,
}

/// One group's rows of a mechanism.
struct Rows {
    proposed: AnyKey,
    action: AnyKey,
    reward: Key<f32>,
    learning_reward: Key<f32>,
}

/// Actions of either type.
#[derive(Clone, Copy)]
enum AnyKey {
    Choices(Key<i32>),
    Real(Key<f32>),
}

impl Arbiters {
    /// `specs` is the environment's, and then what each mechanism makes of the one before.
    ///
    /// # Errors
    /// What a plugin refuses.
    pub(super) fn new(
        parts: &Parts,
        mechanisms: &mut [CoordinationHandle],
        specs: &[EnvironmentSpec],
        batch: &EnvironmentBatch,
        identity: &Identity,
        slots: usize,
    ) -> Result<Self> {
        let mut chain = Vec::new();
        for (m, handle) in mechanisms.iter_mut().enumerate() {
            let has = |port| handle.description().has(port);
            let (arbitrates, shares) = (has(Port::Arbitrate), has(Port::Share));
            if !arbitrates && !shares {
                continue;
            }
            let layouts = layouts(&specs[m], &specs[m + 1]);
            let memory = SlabMemory::new(layouts, slots, batch.instances());
            let plan = TablePlan::new().with(batch).with(identity.memory());
            let maker = parts.mechanisms[m].clone();
            let bound = handle.bind(&plan.with(&memory));
            bound.map_err(|e| maker.blame(e))?;
            let rows = |g: usize| Rows::find(&memory, g as u32);
            chain.push(Arbiter {
                mechanism: m,
                plugin: Box::new(move |e| maker.blame(e)),
                arbitrates,
                shares,
                groups: (0..specs[m].groups.len())
                    .map(rows)
                    .collect::<Result<_>>()?,
                memory,
            });
        }
        let world = (0..specs[0].groups.len() as u32).map(|g| {
            let slabs = batch.slabs();
            let reward = slabs.key(id::REWARD, g).ok_or_else(|| missing(id::REWARD));
            Ok((AnyKey::find(slabs, id::ACTION, g)?, reward?))
        });
        Ok(Self {
            chain,
            world: world.collect::<Result<_>>()?,
            composed: specs[specs.len() - 1].clone(),
        })
    }

    /// The spec with everything that mechanisms add.
    pub(super) fn composed(&self) -> &EnvironmentSpec {
        &self.composed
    }

    /// Whether any mechanism stands between proposals and actions.
    pub(super) fn arbitrates(&self) -> bool {
        self.chain.iter().any(|arbiter| arbiter.arbitrates)
    }

    /// An action that the environment refuses is the fault of the mechanism next to it.
    pub(super) fn blame(&self, error: Error) -> Error {
        let next = self.chain.iter().find(|arbiter| arbiter.arbitrates);
        let error = Error::plugin(format!("(arbitrate): {}", error.message));
        match next {
            Some(arbiter) => (arbiter.plugin)(error),
            None => error,
        }
    }

    /// Whether any mechanism changes rewards.
    pub(super) fn shares(&self) -> bool {
        self.chain.iter().any(|arbiter| arbiter.shares)
    }

    /// The rows that say which proposals were overridden: those of the mechanism next to the policies.
    pub(super) fn overridden(&self) -> Option<&SlabMemory> {
        let outermost = self.chain.iter().rev().find(|arbiter| arbiter.arbitrates);
        outermost.map(|arbiter| &arbiter.memory)
    }

    /// Rewards after every mechanism, `[instances, agents]`; none when nobody shares.
    pub(super) fn rewards(&self, g: usize, slot: usize) -> Option<&[f32]> {
        let last = self.chain.iter().rev().find(|arbiter| arbiter.shares)?;
        Some(last.memory.rows(last.groups[g].learning_reward, slot))
    }

    /// From the players' proposals to the actions of the environment.
    ///
    /// # Errors
    /// What a mechanism reports, named.
    pub(super) fn arbitrate(
        &mut self,
        mechanisms: &mut [CoordinationHandle],
        batch: &mut EnvironmentBatch,
        identity: &mut Identity,
        players: &[Player],
        slot: usize,
    ) -> Result<()> {
        let mut outer: Option<usize> = None;
        for position in (0..self.chain.len()).rev() {
            if !self.chain[position].arbitrates {
                continue;
            }
            match outer {
                None => self.chain[position].propose(players, slot),
                Some(outer) => self.hand_on(outer, position, slot),
            }
            let arbiter = &mut self.chain[position];
            let lent: &mut [&mut dyn Lend] =
                &mut [batch, identity.memory_mut(), &mut arbiter.memory];
            let done = mechanisms[arbiter.mechanism].arbitrate(lent, slot);
            done.map_err(&arbiter.plugin)?;
            outer = Some(position);
        }
        let Some(last) = outer else { return Ok(()) };
        let Arbiter { memory, groups, .. } = &self.chain[last];
        for (rows, &(world, _)) in groups.iter().zip(&self.world) {
            match (rows.action, world) {
                (AnyKey::Choices(from), AnyKey::Choices(to)) => {
                    batch
                        .rows_mut(to, slot)
                        .copy_from_slice(memory.rows(from, slot));
                }
                (AnyKey::Real(from), AnyKey::Real(to)) => {
                    batch
                        .rows_mut(to, slot)
                        .copy_from_slice(memory.rows(from, slot));
                }
                _ => return Err(missing(id::ACTION)),
            }
        }
        Ok(())
    }

    /// One mechanism's actions are the next one's proposals.
    fn hand_on(&mut self, outer: usize, inner: usize, slot: usize) {
        let (left, right) = self.chain.split_at_mut(outer);
        let (inner, outer) = (&mut left[inner], &right[0]);
        for (to, from) in inner.groups.iter().zip(&outer.groups) {
            match (from.action, to.proposed) {
                (AnyKey::Choices(from), AnyKey::Choices(to)) => inner
                    .memory
                    .rows_mut(to, slot)
                    .copy_from_slice(outer.memory.rows(from, slot)),
                (AnyKey::Real(from), AnyKey::Real(to)) => inner
                    .memory
                    .rows_mut(to, slot)
                    .copy_from_slice(outer.memory.rows(from, slot)),
                // Both are of the same spec.
                _ => {}
            }
        }
    }

    /// From the rewards that the environment reports to those that policies learn from.
    ///
    /// # Errors
    /// What a mechanism reports, named.
    pub(super) fn share(
        &mut self,
        mechanisms: &mut [CoordinationHandle],
        batch: &mut EnvironmentBatch,
        identity: &mut Identity,
        slot: usize,
    ) -> Result<()> {
        let mut before: Option<usize> = None;
        for position in 0..self.chain.len() {
            if !self.chain[position].shares {
                continue;
            }
            let (earlier, from) = self.chain.split_at_mut(position);
            let arbiter = &mut from[0];
            for (g, rows) in arbiter.groups.iter().enumerate() {
                let reported = match before {
                    None => batch.rows(self.world[g].1, slot),
                    Some(b) => earlier[b]
                        .memory
                        .rows(earlier[b].groups[g].learning_reward, slot),
                };
                arbiter
                    .memory
                    .rows_mut(rows.reward, slot)
                    .copy_from_slice(reported);
            }
            let lent: &mut [&mut dyn Lend] =
                &mut [batch, identity.memory_mut(), &mut arbiter.memory];
            let done = mechanisms[arbiter.mechanism].share(lent, slot);
            done.map_err(&arbiter.plugin)?;
            before = Some(position);
        }
        Ok(())
    }
}

impl Arbiter {
    /// Takes the proposals of all players.
    fn propose(&mut self, players: &[Player], slot: usize) {
        for player in players {
            for g in player.groups() {
                match (player.action(g), self.groups[g].proposed) {
                    (Some(Action::Choices(from, _)), AnyKey::Choices(to)) => self
                        .memory
                        .rows_mut(to, slot)
                        .copy_from_slice(player.memory.rows(from, slot)),
                    (Some(Action::Real(from, _)), AnyKey::Real(to)) => {
                        let from = player.memory.rows(from, slot);
                        player.view.act(g, from, self.memory.rows_mut(to, slot));
                    }
                    // Both are of the composed spec.
                    _ => {}
                }
            }
        }
    }
}

impl Rows {
    fn find(memory: &SlabMemory, g: u32) -> Result<Self> {
        let slabs = memory.slabs();
        let real = |id| slabs.key(id, g).ok_or_else(|| missing(id));
        Ok(Self {
            proposed: AnyKey::find(slabs, id::PROPOSED_ACTION, g)?,
            action: AnyKey::find(slabs, id::ACTION, g)?,
            reward: real(id::REWARD)?,
            learning_reward: real(id::LEARNING_REWARD)?,
        })
    }
}

impl AnyKey {
    fn find(slabs: &palaestra_plugin_api::client::Slabs, id: u32, g: u32) -> Result<Self> {
        let choices = slabs.key(id, g).map(Self::Choices);
        let real = || slabs.key(id, g).map(Self::Real);
        choices.or_else(real).ok_or_else(|| missing(id))
    }
}

/// What a mechanism between two specs reads and writes.
fn layouts(inner: &EnvironmentSpec, outer: &EnvironmentSpec) -> Vec<SlabLayout> {
    let mut slabs = Vec::new();
    for (g, (inner, outer)) in (0..).zip(inner.groups.iter().zip(&outer.groups)) {
        let mut add = |id, dtype, width: Option<usize>| {
            slabs.push(SlabLayout {
                id,
                group: g,
                dtype,
                shape: std::iter::once(inner.agents).chain(width).collect(),
                ended: false,
            });
        };
        add(
            id::PROPOSED_ACTION,
            action_dtype(outer),
            Some(outer.action.width()),
        );
        add(id::ACTION, action_dtype(inner), Some(inner.action.width()));
        add(id::OVERRIDDEN, DType::U8, None);
        add(id::REWARD, DType::F32, None);
        add(id::LEARNING_REWARD, DType::F32, None);
    }
    slabs
}

/// Copies rows; with seats only those of agents that sit there.
pub(super) fn put<T: SlabElement>(from: &[T], to: &mut [T], seats: Option<(&[u32], u32)>) {
    let Some((seats, seat)) = seats else {
        to.copy_from_slice(from);
        return;
    };
    let width = to.len() / seats.len();
    let rows = to.chunks_exact_mut(width).zip(from.chunks_exact(width));
    for ((to, from), _) in rows.zip(seats).filter(|(_, s)| **s == seat) {
        to.copy_from_slice(from);
    }
}
