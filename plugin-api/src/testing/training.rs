//! Training in a test: an algorithm and a world in one process, as a host runs them, in a hundredth of its code.
//!
//! ```ignore
//! let mut training = Training::of::<Reinforce>(
//!     &Subject::of_batch::<CartPole>(json!({})),
//!     &Settings { instances: 8, ..Settings::default() },
//! )?;
//! for _ in 0..100 {
//!     training.iterate()?;
//! }
//! assert!(training.play(20)? > 400.0);
//! ```
//!
//! One shard, one thread, one algorithm that controls every group; no wrappers and no mechanism. A fragment has what a
//! host's has: see [`crate::table`].

mod lists;

use serde_json::{Value, json};

use self::lists::Lists;
use super::Subject;
use crate::{
    abi::{DType, NO_GROUP, id},
    algorithm::{
        Algorithm, AlgorithmCapabilities, AlgorithmRequest, Amount, Collect, Metrics, Role,
    },
    client::{
        AlgorithmHandle, EnvironmentBatch, Key, Lend, MakeAlgorithm, MakeEnvironment, SlabElement,
        SlabMemory, TablePlan,
    },
    error::{Error, ErrorKind, Result},
    layout::{SlabLayout, action_dtype},
    rng::{self, purpose},
    sdk::AlgorithmEntry,
    spec::EnvironmentSpec,
};

/// How to train.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Configuration of the algorithm.
    pub config: Value,
    /// Instances of the world.
    pub instances: usize,
    /// Seed of weights, worlds and actions.
    pub run_seed: u64,
    /// Most steps of one fragment.
    pub longest: usize,
    /// Reset options of each task that the algorithm may ask for.
    pub tasks: Vec<Value>,
}

impl Default for Settings {
    /// One instance, fragments of at most 500 steps, no tasks.
    fn default() -> Self {
        Self {
            config: json!({}),
            instances: 1,
            run_seed: 0,
            longest: 500,
            tasks: Vec::new(),
        }
    }
}

/// What a fragment was like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Played {
    /// Steps of every instance.
    pub steps: usize,
    /// Mean return of the agents in each episode that ended, in the order of their ends.
    pub returns: Vec<f64>,
    /// Instance of each of those episodes.
    pub instances: Vec<usize>,
}

impl Played {
    /// The mean of the returns; NaN without any.
    pub fn mean_return(&self) -> f64 {
        self.returns.iter().sum::<f64>() / self.returns.len() as f64
    }
}

/// An algorithm in a world.
pub struct Training {
    // Declared first, dropped first: it holds addresses of the others.
    algorithm: AlgorithmHandle,
    world: EnvironmentBatch,
    rows: SlabMemory,
    plan: TablePlan,
    lists: Lists,
    settings: Settings,
    /// Slot at which the last fragment ended; none when the next one starts anew.
    slot: Option<usize>,
    /// Steps of the last fragment.
    steps: usize,
}

impl Training {
    /// A learner of type `A` before its first fragment.
    ///
    /// # Errors
    /// What the algorithm or the world refuses.
    pub fn of<A: Algorithm>(world: &Subject<'_>, settings: &Settings) -> Result<Self> {
        let what = MakeEnvironment {
            instances: settings.instances,
            ..world.request(settings.run_seed)
        };
        let slots = settings.longest + 1;
        let world = EnvironmentBatch::new(&what, 1, slots, |part| world.make(part))?;
        let algorithm = Self::algorithm_of::<A>(world.spec(), settings)?;
        let layouts = layouts(world.spec(), algorithm.capabilities());
        let mut rows = SlabMemory::new(layouts, slots, settings.instances);
        (0..slots).try_for_each(|slot| introduce(&mut rows, world.spec(), slot))?;
        let mut training = Self {
            plan: TablePlan::new().with(&world).with(&rows),
            lists: Lists::new(world.spec()),
            settings: settings.clone(),
            slot: None,
            steps: 0,
            algorithm,
            world,
            rows,
        };
        training.algorithm.bind(&training.plan)?;
        Ok(training)
    }

    /// Another object of the same algorithm, to be restored and compared: it acts and learns nowhere yet.
    ///
    /// # Errors
    /// What the algorithm refuses.
    pub fn another<A: Algorithm>(&self) -> Result<AlgorithmHandle> {
        Self::algorithm_of::<A>(self.world.spec(), &self.settings)
    }

    fn algorithm_of<A: Algorithm>(
        spec: &EnvironmentSpec,
        settings: &Settings,
    ) -> Result<AlgorithmHandle> {
        let request = AlgorithmRequest {
            id: A::ID.into(),
            config: settings.config.clone(),
            role: Role::Learner,
            spec: spec.clone(),
            controlled: (0..spec.groups.len()).collect(),
            exchange: None,
        };
        let what = MakeAlgorithm {
            run_seed: settings.run_seed,
            instances: settings.instances,
            ..MakeAlgorithm::new(request)
        };
        AlgorithmHandle::in_process(&AlgorithmEntry::of::<A>(), &what, None)
    }

    /// The algorithm object.
    pub fn algorithm(&mut self) -> &mut AlgorithmHandle {
        &mut self.algorithm
    }

    /// Puts another object in the place of the algorithm's: it acts and learns from now on.
    ///
    /// # Errors
    /// What the object refuses.
    pub fn replace(&mut self, mut algorithm: AlgorithmHandle) -> Result<AlgorithmHandle> {
        self.algorithm.unbind();
        algorithm.bind(&self.plan)?;
        Ok(std::mem::replace(&mut self.algorithm, algorithm))
    }

    /// Collects what the algorithm asks for, and lets it learn.
    ///
    /// # Errors
    /// What algorithm or world report.
    pub fn iterate(&mut self) -> Result<(Played, Metrics)> {
        let played = self.collect()?;
        Ok((played, self.learn()?))
    }

    /// Collects what the algorithm asks for.
    ///
    /// # Errors
    /// What algorithm or world report; a fragment that would be longer than `longest`.
    pub fn collect(&mut self) -> Result<Played> {
        let next = self.algorithm.what_next()?;
        self.fragment(&next)
    }

    /// Lets the algorithm learn from the last fragment.
    ///
    /// # Errors
    /// What the algorithm reports.
    pub fn learn(&mut self) -> Result<Metrics> {
        let lists = self.lists.memory(self.steps * self.settings.instances);
        let fragment = self.plan.clone().up_to(self.steps + 1).with(&lists);
        self.algorithm
            .learn(&fragment, &[&self.world, &self.rows, &lists])
    }

    /// Plays whole episodes by the best actions, without learning: their mean return.
    ///
    /// # Errors
    /// As for [`Training::collect`].
    pub fn play(&mut self, episodes: usize) -> Result<f64> {
        let each = episodes.div_ceil(self.settings.instances);
        let mut played = Played::default();
        for _ in 0..each {
            let one = self.fragment(&Collect {
                greedy: true,
                ..Collect::episodes(1)
            })?;
            played.returns.extend(one.returns);
        }
        self.slot = None;
        Ok(played.mean_return())
    }

    fn fragment(&mut self, next: &Collect) -> Result<Played> {
        self.begin(next)?;
        self.lists.clear();
        let mut played = Played::default();
        let mut ended = vec![0; self.settings.instances];
        let is_over = |steps: usize, ended: &[usize]| match next.amount {
            Amount::Steps(wanted) => steps >= wanted,
            Amount::Episodes(wanted) => ended.iter().all(|&n| n >= wanted),
        };
        while !is_over(played.steps, &ended) {
            let slot = played.steps;
            if slot == self.settings.longest {
                let message = format!(
                    "fragment: expected at most {slot} steps, found {:?}",
                    next.amount
                );
                return Err(Error::new(ErrorKind::Host, message).with_next("raise longest"));
            }
            self.step(slot, next.greedy)?;
            played.steps += 1;
            for (instance, total) in self.lists.append(&self.world, slot)? {
                let counts = match next.amount {
                    Amount::Steps(_) => true,
                    Amount::Episodes(wanted) => ended[instance] < wanted,
                };
                ended[instance] += 1;
                if counts {
                    played.returns.push(total);
                    played.instances.push(instance);
                }
            }
        }
        (self.steps, self.slot) = (played.steps, Some(played.steps));
        Ok(played)
    }

    /// Makes slot 0 the start of a fragment: where the last one ended, or new episodes.
    fn begin(&mut self, next: &Collect) -> Result<()> {
        let tasks = (0..self.settings.instances).map(|i| match next.tasks.as_slice() {
            [] => None,
            tasks => Some(tasks[i % tasks.len()]),
        });
        let tasks: Vec<_> = tasks.collect();
        for (instance, task) in tasks.iter().enumerate() {
            let Some(task) = *task else { continue };
            let Some(options) = self.settings.tasks.get(task as usize) else {
                let known = self.settings.tasks.len();
                let message = format!("tasks: expected a task below {known}, found {task}");
                return Err(Error::plugin(message));
            };
            let mut mask = vec![0; self.settings.instances];
            mask[instance] = 1;
            let (mut shard, _) = self.world.locate(0);
            shard.set_options(Some(&mask), options)?;
        }
        let key = self.key::<u32>(id::TASK, NO_GROUP)?;
        for slot in 0..=self.settings.longest {
            let to = self.rows.rows_mut(key, slot).iter_mut();
            for (to, task) in to.zip(&tasks) {
                *to = task.unwrap_or(0);
            }
        }
        match self.slot {
            Some(slot) if !next.fresh => {
                copy_slot(&mut self.world, slot, 0);
                self.rows.copy_slot(slot, 0);
            }
            _ => {
                self.world.reset(&json!({}), 0)?;
                self.clear_recurrent(0, |_| true)?;
            }
        }
        Ok(())
    }

    fn step(&mut self, slot: usize, greedy: bool) -> Result<()> {
        let (seed, keys) = (self.settings.run_seed, self.key::<u64>(id::KEY, NO_GROUP)?);
        let episode = world_rows::<u64>(&self.world, id::EPISODE, slot)?;
        let step = world_rows::<u32>(&self.world, id::STEP, slot)?;
        for (i, key) in self.rows.rows_mut(keys, slot).iter_mut().enumerate() {
            let (instance, step) = (i as u64, u64::from(step[i]));
            *key = rng::key(seed, instance, episode[i], step, purpose::ACTIONS);
        }
        let lent: &mut [&mut dyn Lend] = &mut [&mut self.world, &mut self.rows];
        self.algorithm.act(lent, slot, greedy)?;
        for g in 0..self.world.spec().groups.len() as u32 {
            match action_dtype(&self.world.spec().groups[g as usize]) {
                DType::F32 => self.execute::<f32>(g, slot)?,
                _ => self.execute::<i32>(g, slot)?,
            }
        }
        self.world.step(slot, slot + 1)?;
        for g in 0..self.world.spec().groups.len() as u32 {
            let reward = self.world.slabs().key::<f32>(id::REWARD, g);
            let reward = reward.ok_or_else(|| missing(id::REWARD))?;
            let to = self.key::<f32>(id::LEARNING_REWARD, g)?;
            let from = self.world.rows(reward, slot + 1);
            self.rows.rows_mut(to, slot + 1).copy_from_slice(from);
        }
        let first = world_rows::<u8>(&self.world, id::FIRST, slot + 1)?;
        self.clear_recurrent(slot + 1, |i| first[i] != 0)
    }

    fn execute<T: SlabElement>(&mut self, group: u32, slot: usize) -> Result<()> {
        let from = self.key::<T>(id::PROPOSED_ACTION, group)?;
        let to = self.world.slabs().key::<T>(id::ACTION, group);
        let to = to.ok_or_else(|| missing(id::ACTION))?;
        let proposed = self.rows.rows(from, slot);
        self.world.rows_mut(to, slot).copy_from_slice(proposed);
        Ok(())
    }

    /// Zeroes the recurrent state of the instances that start an episode.
    fn clear_recurrent(&mut self, slot: usize, starts: impl Fn(usize) -> bool) -> Result<()> {
        let groups = (0..self.world.spec().groups.len() as u32).map(|g| (id::RECURRENT, g));
        let states = groups.chain([(id::INSTANCE_RECURRENT, NO_GROUP)]);
        for (id, group) in states {
            let Some(key) = self.rows.slabs().key::<f32>(id, group) else {
                continue;
            };
            let row = self.rows.slabs().row(key);
            let rows = self.rows.rows_mut(key, slot).chunks_exact_mut(row);
            for (_, state) in rows.enumerate().filter(|(i, _)| starts(*i)) {
                state.fill(0.0);
            }
        }
        Ok(())
    }

    fn key<T: SlabElement>(&self, id: u32, group: u32) -> Result<Key<T>> {
        let key = self.rows.slabs().key(id, group);
        key.ok_or_else(|| missing(id))
    }
}

/// Slabs beyond the world's: identities, proposals, and what the capabilities ask for.
fn layouts(spec: &EnvironmentSpec, capabilities: &AlgorithmCapabilities) -> Vec<SlabLayout> {
    let layout = |id, group, dtype, shape| SlabLayout {
        id,
        group,
        dtype,
        shape,
        ended: false,
    };
    let mut all = vec![
        layout(id::KEY, NO_GROUP, DType::U64, vec![]),
        layout(id::INSTANCE, NO_GROUP, DType::U64, vec![]),
        layout(id::TASK, NO_GROUP, DType::U32, vec![]),
    ];
    if capabilities.instance_recurrent > 0 {
        let shape = vec![capabilities.instance_recurrent];
        all.push(layout(id::INSTANCE_RECURRENT, NO_GROUP, DType::F32, shape));
    }
    for (g, group) in spec.groups.iter().enumerate() {
        let n = group.agents;
        let mut add = |id, dtype, shape| all.push(layout(id, g as u32, dtype, shape));
        let action = vec![n, group.action.width()];
        add(id::PROPOSED_ACTION, action_dtype(group), action);
        add(id::LEARNING_REWARD, DType::F32, vec![n]);
        add(id::CONTROLLED, DType::U8, vec![n]);
        add(id::SEAT, DType::U32, vec![n]);
        let recurrent = capabilities.recurrent.get(g).copied().unwrap_or(0);
        for (id, width) in [
            (id::EXTRAS, capabilities.extras_width()),
            (id::RECURRENT, recurrent),
        ] {
            if width > 0 {
                add(id, DType::F32, vec![n, width]);
            }
        }
    }
    all
}

/// Writes what never changes: who is who, and that every agent is the algorithm's.
fn introduce(rows: &mut SlabMemory, spec: &EnvironmentSpec, slot: usize) -> Result<()> {
    let instance = rows.slabs().key::<u64>(id::INSTANCE, NO_GROUP);
    let instance = instance.ok_or_else(|| missing(id::INSTANCE))?;
    let numbers = rows.rows_mut(instance, slot).iter_mut().zip(0..);
    numbers.for_each(|(to, i)| *to = i);
    for g in 0..spec.groups.len() as u32 {
        let controlled = rows.slabs().key::<u8>(id::CONTROLLED, g);
        let controlled = controlled.ok_or_else(|| missing(id::CONTROLLED))?;
        rows.rows_mut(controlled, slot).fill(1);
    }
    Ok(())
}

fn world_rows<T: SlabElement>(world: &EnvironmentBatch, id: u32, slot: usize) -> Result<Vec<T>> {
    let key = world.slabs().key(id, NO_GROUP);
    let key = key.ok_or_else(|| missing(id))?;
    Ok(world.rows(key, slot).to_vec())
}

/// Copies all of a world's slabs but the lists from one slot to another.
fn copy_slot(world: &mut EnvironmentBatch, from: usize, to: usize) {
    let layouts: Vec<SlabLayout> = world.slabs().layouts().cloned().collect();
    for l in layouts.into_iter().filter(|l| !l.ended) {
        lists::by_type!(l.dtype, T => {
            if let Some(key) = world.slabs().key::<T>(l.id, l.group) {
                let row = world.rows(key, from).to_vec();
                world.rows_mut(key, to).copy_from_slice(&row);
            }
        });
    }
}

fn missing(id: u32) -> Error {
    let name = id::name(id).unwrap_or("a slab");
    Error::new(ErrorKind::Host, format!("{name}: expected, found none"))
}
