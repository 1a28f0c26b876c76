//! What the host tells of every row: who it is, the key of its noise, its task, and who sits where.

use palaestra_plugin_api::{
    Error, ErrorKind, Result,
    abi::{NO_GROUP, id},
    client::{EnvironmentBatch, Key, SlabElement, SlabMemory, Slabs},
    rng,
    spec::EnvironmentSpec,
};

use super::{memory, seating::Seating};

/// Identity of all rows of a stage, `[steps + 1, instances, …]`.
pub(super) struct Identity {
    memory: SlabMemory,
    run_seed: u64,
    first_instance: u64,
    /// What the keys are for: actions of training or of evaluation.
    purpose: u64,
    seating: Seating,
    instance: Key<u64>,
    task: Key<u32>,
    key: Key<u64>,
    /// Slab of seats and agents of each group.
    seats: Vec<(Key<u32>, usize)>,
    first: Key<u8>,
    episode: Key<u64>,
    step: Key<u32>,
    /// Seats of one instance, over all groups.
    drawn: Vec<u32>,
}

impl Identity {
    /// # Errors
    /// Slabs that are not those of the spec.
    pub(super) fn new(
        spec: &EnvironmentSpec,
        batch: &EnvironmentBatch,
        slots: usize,
        (run_seed, first_instance, purpose): (u64, u64, u64),
    ) -> Result<Self> {
        let memory = SlabMemory::new(memory::identity(spec), slots, batch.instances());
        let (own, world) = (memory.slabs(), batch.slabs());
        let seats = (0..).zip(&spec.groups).map(|(g, group)| {
            let key = own.key(id::SEAT, g).ok_or_else(|| missing(id::SEAT))?;
            Ok((key, group.agents))
        });
        let mut identity = Self {
            run_seed,
            first_instance,
            purpose,
            seating: Seating::Own,
            instance: find(own, id::INSTANCE)?,
            task: find(own, id::TASK)?,
            key: find(own, id::KEY)?,
            seats: seats.collect::<Result<_>>()?,
            first: find(world, id::FIRST)?,
            episode: find(world, id::EPISODE)?,
            step: find(world, id::STEP)?,
            drawn: vec![0; spec.agents()],
            memory,
        };
        for slot in 0..slots {
            let rows = identity.memory.rows_mut(identity.instance, slot);
            (first_instance..).zip(rows).for_each(|(i, row)| *row = i);
        }
        Ok(identity)
    }

    pub(super) fn memory(&self) -> &SlabMemory {
        &self.memory
    }

    pub(super) fn memory_mut(&mut self) -> &mut SlabMemory {
        &mut self.memory
    }

    /// Seats of episodes that start from now on.
    pub(super) fn set_seating(&mut self, seating: Seating) {
        self.seating = seating;
    }

    /// Seats of a group at a slot, `[instances, agents]`.
    pub(super) fn seats(&self, group: usize, slot: usize) -> &[u32] {
        self.memory.rows(self.seats[group].0, slot)
    }

    /// Gives every instance its task, at slot 0.
    pub(super) fn set_tasks(&mut self, task_of: impl Fn(usize) -> u32) {
        let rows = self.memory.rows_mut(self.task, 0).iter_mut().enumerate();
        rows.for_each(|(i, task)| *task = task_of(i));
    }

    /// Fills a slot whose environment rows have just been written.
    pub(super) fn fill(&mut self, batch: &EnvironmentBatch, slot: usize) {
        let episodes = batch.rows(self.episode, slot);
        let steps = batch.rows(self.step, slot);
        let keys = self.memory.rows_mut(self.key, slot);
        for (i, key) in keys.iter_mut().enumerate() {
            let instance = self.first_instance + i as u64;
            let step = u64::from(steps[i]);
            *key = rng::key(self.run_seed, instance, episodes[i], step, self.purpose);
        }
        if slot > 0 {
            self.keep(self.task, slot);
            for g in 0..self.seats.len() {
                self.keep(self.seats[g].0, slot);
            }
        }
        if self.seating == Seating::Own {
            return;
        }
        for (i, &first) in batch.rows(self.first, slot).iter().enumerate() {
            if first != 0 {
                self.seat(i, episodes[i], slot);
            }
        }
    }

    fn seat(&mut self, i: usize, episode: u64, slot: usize) {
        let instance = self.first_instance + i as u64;
        let drawn = &mut self.drawn;
        self.seating.draw(self.run_seed, instance, episode, drawn);
        let mut drawn = drawn.as_slice();
        for &(key, agents) in &self.seats {
            let (own, others) = drawn.split_at(agents);
            self.memory.rows_mut(key, slot)[i * agents..][..agents].copy_from_slice(own);
            drawn = others;
        }
    }

    /// What the slot before says holds on.
    fn keep(&mut self, key: Key<u32>, slot: usize) {
        let (before, now) = self.memory.two_slots(key, slot - 1, slot);
        now.copy_from_slice(before);
    }
}

fn find<T: SlabElement>(slabs: &Slabs, id: u32) -> Result<Key<T>> {
    slabs.key(id, NO_GROUP).ok_or_else(|| missing(id))
}

pub(super) fn missing(id: u32) -> Error {
    let name = id::name(id).unwrap_or("unknown");
    let message = format!("slabs: expected {name} rows, found none");
    Error::new(ErrorKind::Host, message)
}
