//! One policy on a stage: its algorithm object, its way of seeing, and the memory that it writes.

mod group;

use palaestra_plugin_api::{
    Error, Result,
    abi::{NO_GROUP, id},
    algorithm::{Collect, Metrics, Role, Sees},
    client::{
        AlgorithmHandle, CoordinationHandle, EnvironmentBatch, Key, Lend, SlabMemory, TablePlan,
    },
};
use serde_json::{Value, json};

use super::{arbiters::Arbiters, composition, ended::EndedEpisodes, identity::Identity, memory};
use crate::{
    policy::{ActionRows, PolicyView},
    session::AlgorithmMaker,
};
pub(super) use group::Action;
use group::{FIRST, Group, clear, key};

/// What a player is made of.
pub(super) struct Casting<'a> {
    pub(super) maker: &'a AlgorithmMaker,
    pub(super) view: PolicyView,
    pub(super) groups: Vec<usize>,
    pub(super) role: Role,
    /// The number that seats name it by.
    pub(super) seat: u32,
    pub(super) run_seed: u64,
    pub(super) purpose: u64,
    pub(super) mechanism: Option<&'a CoordinationHandle>,
}

/// A policy with the rows that are its own.
pub(super) struct Player {
    maker: AlgorithmMaker,
    pub(super) handle: AlgorithmHandle,
    pub(super) view: PolicyView,
    pub(super) seat: u32,
    pub(super) memory: SlabMemory,
    /// Final observations as it sees them.
    finals: SlabMemory,
    groups: Vec<Group>,
    instance_recurrent: Option<Key<f32>>,
    first: Key<u8>,
    sees_all: bool,
    plan: Option<(usize, TablePlan)>,
}

impl Player {
    /// # Errors
    /// What the plugin refuses, named.
    pub(super) fn new(
        casting: Casting<'_>,
        batch: &EnvironmentBatch,
        identity: &Identity,
        slots: usize,
    ) -> Result<Self> {
        let Casting { maker, view, .. } = &casting;
        let instances = batch.instances();
        let mut what = maker.request(casting.role, view.spec().clone(), casting.groups.clone());
        what.run_seed = casting.run_seed;
        what.instances = instances;
        what.purpose = casting.purpose;
        let mut handle = maker.make(&what, casting.mechanism)?;
        let extras = casting
            .mechanism
            .map_or(0, |m| m.description().extras_width);
        let capabilities = handle.capabilities().clone();
        let own = |g: usize| view.changes_observation(g);
        let layouts = memory::policy(view.spec(), &casting.groups, &capabilities, extras, own);
        let memory = SlabMemory::new(layouts, slots, instances);
        let lists = memory::final_observations(view.spec(), &casting.groups, own);
        let finals = SlabMemory::new(lists, 1, (slots - 1) * instances);
        let find = |&g: &usize| Group::find(g, batch, &memory, &finals, view.spec());
        let groups = casting
            .groups
            .iter()
            .map(find)
            .collect::<Result<Vec<_>>>()?;
        let sees_all = capabilities.sees == Sees::All;
        let shown = shown_to(&groups, sees_all);
        let plan = TablePlan::new()
            .with_some(batch, shown)
            .with_some(identity.memory(), shown)
            .with(&memory);
        handle.bind(&plan).map_err(|e| maker.blame(e))?;
        let mut player = Self {
            maker: AlgorithmMaker::clone(maker),
            seat: casting.seat,
            instance_recurrent: memory.slabs().key(id::INSTANCE_RECURRENT, NO_GROUP),
            first: key(batch.slabs(), id::FIRST, NO_GROUP)?,
            plan: None,
            view: casting.view,
            handle,
            memory,
            finals,
            groups,
            sees_all,
        };
        let all = u8::from(player.seat == 0);
        for group in &player.groups {
            for slot in 0..slots {
                player.memory.rows_mut(group.controlled, slot).fill(all);
            }
        }
        Ok(player)
    }

    /// Indices of the controlled groups.
    pub(super) fn groups(&self) -> impl Iterator<Item = usize> {
        self.groups.iter().map(|group| group.g)
    }

    /// Names of the controlled groups.
    pub(super) fn group_names(&self) -> Vec<String> {
        let groups = &self.view.spec().groups;
        self.groups().map(|g| groups[g].name.clone()).collect()
    }

    /// What its weights are the weights of: algorithm, configuration, groups, and the spec as it sees it.
    pub(super) fn about(&self) -> Value {
        json!({
            "algorithm": self.maker.id(),
            "config": self.maker.config(),
            "groups": self.group_names(),
            "spec": self.view.spec(),
        })
    }

    /// Where the actions of a controlled group are.
    pub(super) fn action(&self, g: usize) -> Option<Action> {
        let group = self.groups.iter().find(|group| group.g == g)?;
        Some(group.action)
    }

    /// Marks the agents whose seats are its own.
    pub(super) fn take_seats(&mut self, identity: &Identity, slot: usize) {
        for group in &self.groups {
            let controlled = self.memory.rows_mut(group.controlled, slot);
            for (own, &seat) in controlled.iter_mut().zip(identity.seats(group.g, slot)) {
                *own = u8::from(seat == self.seat);
            }
        }
    }

    /// Sees the rows that a reset has written at slot 0, or a step at a later one.
    ///
    /// # Errors
    /// What the view refuses.
    pub(super) fn see(
        &mut self,
        batch: &EnvironmentBatch,
        arbiters: &Arbiters,
        slot: usize,
    ) -> Result<()> {
        let Self {
            memory,
            view,
            groups,
            ..
        } = self;
        for group in groups {
            group.flag(batch, slot, FIRST);
            if let Some(key) = group.recurrent {
                clear(memory.rows_mut(key, slot), &group.flags);
            }
            if let (Some((seen, _)), Some(base)) = (group.seen, group.base) {
                let base = batch.rows(base, slot);
                let before = slot.checked_sub(1);
                let seen = (seen, slot);
                match (group.action, before) {
                    (_, None) => {
                        let out = memory.rows_mut(seen.0, slot);
                        view.observe(group.g, base, &group.flags, None, out)?;
                    }
                    (Action::Choices(own, _), Some(before)) => {
                        if let Some((own, out)) = memory.read_write((own, before), seen) {
                            let own = Some(ActionRows::Choices(own));
                            view.observe(group.g, base, &group.flags, own, out)?;
                        }
                    }
                    (Action::Real(own, _), Some(before)) => {
                        if let Some((own, out)) = memory.read_write((own, before), seen) {
                            let own = Some(ActionRows::Real(own));
                            view.observe(group.g, base, &group.flags, own, out)?;
                        }
                    }
                }
            }
            if slot > 0 {
                let reported = arbiters.rewards(group.g, slot);
                let reported = reported.unwrap_or_else(|| batch.rows(group.reward, slot));
                group.reward(batch, reported, memory, view, slot);
            }
        }
        if let Some(key) = self.instance_recurrent {
            clear(memory.rows_mut(key, slot), batch.rows(self.first, slot));
        }
        Ok(())
    }

    /// Sees the final observations that the lists have gained since entry `from`; before [`see`](Self::see).
    ///
    /// # Errors
    /// What the view refuses.
    pub(super) fn see_finals(
        &mut self,
        lists: &EndedEpisodes,
        from: usize,
        step: usize,
    ) -> Result<()> {
        let instances = self.memory.slabs().instances();
        for group in &self.groups {
            let (Some((_, seen)), Some(base)) = (
                group.seen,
                lists.column::<f32>(id::FINAL_OBSERVATION, group.g as u32),
            ) else {
                continue;
            };
            let (row, width) = (
                base.len() / lists.len().max(1),
                self.finals.slabs().row(seen),
            );
            for (entry, &ended) in lists.rows().iter().enumerate().skip(from) {
                let instance = ended as usize % instances;
                let base = &base[entry * row..(entry + 1) * row];
                let out = &mut self.finals.rows_mut(seen, 0)[entry * width..(entry + 1) * width];
                let actions = match group.action {
                    Action::Choices(own, _) => ActionRows::Choices(self.memory.rows(own, step)),
                    Action::Real(own, _) => ActionRows::Real(self.memory.rows(own, step)),
                };
                self.view
                    .observe_final(group.g, instance, base, actions, out)?;
            }
        }
        Ok(())
    }

    /// Writes its proposals, extras and next recurrent state.
    ///
    /// # Errors
    /// What the algorithm reports, named.
    pub(super) fn act(
        &mut self,
        batch: &mut EnvironmentBatch,
        identity: &mut Identity,
        slot: usize,
        greedy: bool,
    ) -> Result<()> {
        let lent: &mut [&mut dyn Lend] = &mut [batch, identity.memory_mut(), &mut self.memory];
        let acted = self.handle.act(lent, slot, greedy);
        acted.map_err(|e| self.maker.blame(e))
    }

    /// Whether it learns: opponents do not, nor do algorithms that only act.
    pub(super) fn learns(&self) -> bool {
        self.seat == 0 && self.handle.capabilities().trainable
    }

    /// What to collect next.
    ///
    /// # Errors
    /// What the algorithm reports, named.
    pub(super) fn what_next(&mut self) -> Result<Collect> {
        composition::wanted(&mut self.handle, &self.maker)
    }

    /// Learns from a fragment of `steps` steps.
    ///
    /// # Errors
    /// What the algorithm reports, named.
    pub(super) fn learn(
        &mut self,
        batch: &EnvironmentBatch,
        identity: &Identity,
        lists: &EndedEpisodes,
        overridden: Option<&SlabMemory>,
        steps: usize,
    ) -> Result<Metrics> {
        if self.plan.as_ref().is_none_or(|(of, _)| *of != steps) {
            let shown = shown_to(&self.groups, self.sees_all);
            let plan = TablePlan::new()
                .with_some(batch, shown)
                .with_some(identity.memory(), shown)
                .with_some(lists.memory(), shown)
                .with(&self.memory)
                .with(&self.finals);
            let says = |slab: u32, g: u32| slab == id::OVERRIDDEN && shown(slab, g);
            let plan = match overridden {
                Some(memory) => plan.with_some(memory, says),
                None => plan,
            };
            self.plan = Some((steps, plan.up_to(steps + 1)));
        }
        let lent: &[&dyn Lend] = &[
            batch,
            identity.memory(),
            lists.memory(),
            &self.memory,
            &self.finals,
            overridden.unwrap_or(&self.memory),
        ];
        let Some((_, plan)) = &self.plan else {
            return Ok(Metrics::default());
        };
        let learned = self.handle.learn(plan, lent);
        learned.map_err(|e| self.maker.blame(e))
    }

    /// Teaches the view's statistics what a fragment of `steps` steps has shown.
    pub(super) fn learn_statistics(&mut self, batch: &EnvironmentBatch, steps: usize) {
        for group in &self.groups {
            let Some(base) = group.base else { continue };
            if !self.view.learns_statistics(group.g) {
                continue;
            }
            let mut rows = (0..steps).map(|slot| {
                // Without lives of their own all agents count that the policy plays.
                let counts = match group.alive {
                    Some(alive) => batch.rows(alive, slot),
                    None => self.memory.rows(group.controlled, slot),
                };
                (batch.rows(base, slot), Some(counts))
            });
            self.view.learn_statistics(group.g, &mut rows);
        }
    }

    /// Name of the algorithm's plugin.
    pub(super) fn plugin(&self) -> &str {
        self.maker.plugin()
    }

    /// Names the plugin in an error that is its fault.
    pub(super) fn blame(&self, error: Error) -> Error {
        self.maker.blame(error)
    }
}

/// Which slabs an algorithm is shown: those of its groups and those of no group, or all.
fn shown_to(groups: &[Group], all: bool) -> impl Fn(u32, u32) -> bool + Copy + '_ {
    move |_, g| all || g == NO_GROUP || groups.iter().any(|group| group.g == g as usize)
}
