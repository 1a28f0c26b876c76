//! A host in a few lines: small worlds, recorded fragment by fragment, through an algorithm's vtable.
//!
//! Beside [`palaestra_plugin_api::testing::training`], which trains in real environments: this one has a mechanism, other
//! ranks, agents of others, and memory that a test may change between acting and learning.

#![allow(dead_code)] // every test file uses its part

use palaestra_plugin_api::{
    __private::AlgorithmEntry,
    Result,
    abi::{DType, NO_GROUP, id},
    algorithm::{Algorithm, AlgorithmRequest, Amount, Metrics, Role},
    client::{
        AlgorithmHandle, Context, CoordinationHandle, MakeAlgorithm, SlabElement, SlabMemory,
        TablePlan,
    },
    layout::{SlabLayout, action_dtype},
    rng::{self, purpose},
    serde_json::Value,
    spec::EnvironmentSpec,
};

pub(crate) const SEED: u64 = 5;

/// What a step led to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Of each agent of each group.
    pub(crate) rewards: Vec<f32>,
    pub(crate) terminated: bool,
    pub(crate) truncated: bool,
}

/// A world of one instance; agents are numbered over all groups.
pub(crate) trait World {
    fn spec() -> EnvironmentSpec;
    fn new(instance: usize) -> Self;
    /// Begins an episode.
    fn reset(&mut self);
    /// What an agent sees.
    fn observe(&self, agent: usize, into: &mut [f32]);
    /// What an agent may do.
    fn mask(&self, _agent: usize, _into: &mut [u8]) {}
    /// The global state.
    fn state(&self, _into: &mut [f32]) {}
    /// Whether an agent acts now.
    fn acting(&self, _agent: usize) -> bool {
        true
    }
    /// Actions of all agents, one component after the other.
    fn step(&mut self, actions: &[Vec<f32>]) -> Outcome;
}

/// Worlds, an algorithm and the memory between them.
pub(crate) struct Gym<W> {
    pub(crate) handle: AlgorithmHandle,
    pub(crate) memory: SlabMemory,
    pub(crate) lists: SlabMemory,
    pub(crate) worlds: Vec<W>,
    pub(crate) spec: EnvironmentSpec,
    pub(crate) steps: usize,
    start: usize,
    episodes: Vec<u64>,
    clocks: Vec<u64>,
    /// Mean reward of each step of the last fragment.
    pub(crate) rewards: Vec<f32>,
    /// 1 where the algorithm controls the agent of an instance.
    pub(crate) controls: Box<dyn Fn(usize, usize) -> bool>,
}

impl<W: World> Gym<W> {
    pub(crate) fn new<A: Algorithm>(
        config: Value,
        instances: usize,
        mechanism: Option<&CoordinationHandle>,
    ) -> Self {
        Self::try_new::<A>(config, instances, mechanism).unwrap()
    }

    pub(crate) fn try_new<A: Algorithm>(
        config: Value,
        instances: usize,
        mechanism: Option<&CoordinationHandle>,
    ) -> Result<Self> {
        Self::of_rank::<A>(config, 0..instances, mechanism, &Context::default())
    }

    /// The worlds of some instances of a run, with services that know of other ranks.
    pub(crate) fn of_rank<A: Algorithm>(
        config: Value,
        range: std::ops::Range<usize>,
        mechanism: Option<&CoordinationHandle>,
        context: &Context,
    ) -> Result<Self> {
        let instances = range.len();
        let spec = W::spec();
        let request = AlgorithmRequest {
            id: A::ID.into(),
            config,
            role: Role::Learner,
            spec: spec.clone(),
            controlled: (0..spec.groups.len()).collect(),
            exchange: None,
        };
        let what = MakeAlgorithm {
            instances,
            run_seed: SEED,
            ..MakeAlgorithm::new(request)
        };
        let mut handle = AlgorithmHandle::in_process_with(
            &AlgorithmEntry::of::<A>(),
            context,
            &what,
            mechanism,
        )?;
        let steps = match handle.what_next()?.amount {
            Amount::Steps(steps) => steps,
            Amount::Episodes(_) => spec.max_episode_steps.unwrap_or(1) as usize,
        };
        let extras = mechanism.map_or(0, |m| m.description().extras_width);
        let recurrent = handle
            .capabilities()
            .recurrent
            .first()
            .copied()
            .unwrap_or(0);
        let memory = SlabMemory::new(layouts(&spec, recurrent, extras), steps + 1, instances);
        let lists = SlabMemory::new(lists(&spec), 1, steps * instances);
        handle.bind(&TablePlan::new().with(&memory))?;
        let mut gym = Self {
            handle,
            memory,
            lists,
            worlds: range.clone().map(W::new).collect(),
            start: range.start,
            spec,
            steps,
            episodes: vec![0; instances],
            clocks: vec![0; instances],
            rewards: Vec::new(),
            controls: Box::new(|_, _| true),
        };
        for i in 0..instances {
            gym.worlds[i].reset();
            gym.row::<u8>(id::FIRST, NO_GROUP, 0)[i] = 1;
            gym.show(0, i);
        }
        Ok(gym)
    }

    pub(crate) fn row<T: SlabElement>(&mut self, id: u32, group: u32, slot: usize) -> &mut [T] {
        let key = self
            .memory
            .slabs()
            .key(id, group)
            .unwrap_or_else(|| panic!("slab {id} of {group}"));
        self.memory.rows_mut(key, slot)
    }

    pub(crate) fn has<T: SlabElement>(&self, id: u32, group: u32) -> bool {
        self.memory.slabs().key::<T>(id, group).is_some()
    }

    /// Group, agent and number of every agent.
    pub(crate) fn agents(&self) -> Vec<(u32, usize, usize)> {
        let groups = self.spec.groups.iter().zip(0u32..);
        let all = groups.flat_map(|(g, index)| (0..g.agents).map(move |a| (index, a)));
        all.enumerate().map(|(k, (g, a))| (g, a, k)).collect()
    }

    /// Writes what instance i shows at a slot.
    fn show(&mut self, slot: usize, i: usize) {
        let n = self.worlds.len();
        for (g, a, k) in self.agents() {
            let spec = self.spec.groups[g as usize].clone();
            let width = spec.observation.width();
            let mut seen = vec![0.0; width];
            self.worlds[i].observe(k, &mut seen);
            let at = (i * spec.agents + a) * width;
            self.row(id::OBSERVATION, g, slot)[at..at + width].copy_from_slice(&seen);
            if spec.has_action_mask {
                let choices: usize = spec.action.choices().iter().sum();
                let mut mask = vec![1; choices];
                self.worlds[i].mask(k, &mut mask);
                let at = (i * spec.agents + a) * choices;
                self.row(id::ACTION_MASK, g, slot)[at..at + choices].copy_from_slice(&mask);
            }
            if self.spec.flags.turn_based {
                let acting = u8::from(self.worlds[i].acting(k));
                self.row(id::ACTING, g, slot)[i * spec.agents + a] = acting;
            }
            let controlled = u8::from((self.controls)(i, k));
            self.row(id::CONTROLLED, g, slot)[i * spec.agents + a] = controlled;
        }
        if let Some(state) = self.spec.state.clone() {
            let mut values = vec![0.0; state.width()];
            self.worlds[i].state(&mut values);
            let at = i * state.width();
            self.row(id::STATE, NO_GROUP, slot)[at..at + state.width()].copy_from_slice(&values);
        }
        let key = rng::key(
            SEED,
            (self.start + i) as u64,
            self.episodes[i],
            self.clocks[i],
            purpose::ACTIONS,
        );
        self.row::<u64>(id::KEY, NO_GROUP, slot)[i] = key;
        debug_assert!(i < n);
    }

    /// What agent k of instance i does at a slot.
    pub(crate) fn action(&mut self, slot: usize, i: usize, (g, a): (u32, usize)) -> Vec<f32> {
        let spec = self.spec.groups[g as usize].clone();
        let width = spec.action.width();
        let at = (i * spec.agents + a) * width;
        if spec.action.is_box() {
            self.row::<f32>(id::PROPOSED_ACTION, g, slot)[at..at + width].to_vec()
        } else {
            let row = &self.row::<i32>(id::PROPOSED_ACTION, g, slot)[at..at + width];
            row.iter().map(|&x| x as f32).collect()
        }
    }

    /// Plays a fragment.
    pub(crate) fn play(&mut self, greedy: bool) {
        self.rewards.clear();
        let mut ended: Vec<u32> = Vec::new();
        for t in 0..self.steps {
            self.handle.act(&mut [&mut self.memory], t, greedy).unwrap();
            let mut sum = 0.0;
            for i in 0..self.worlds.len() {
                sum += self.step(t, i, &mut ended);
            }
            self.rewards.push(sum / self.worlds.len() as f32);
        }
        self.list(id::ENDED_COUNT, NO_GROUP)[0] = ended.len() as u32;
    }

    fn list<T: SlabElement>(&mut self, id: u32, group: u32) -> &mut [T] {
        let key = self.lists.slabs().key(id, group).unwrap();
        self.lists.rows_mut(key, 0)
    }

    /// Steps instance i; the sum of its agents' rewards.
    fn step(&mut self, t: usize, i: usize, ended: &mut Vec<u32>) -> f32 {
        let agents = self.agents();
        let actions: Vec<_> = agents
            .iter()
            .map(|&(g, a, _)| self.action(t, i, (g, a)))
            .collect();
        let outcome = self.worlds[i].step(&actions);
        for &(g, a, k) in &agents {
            let size = self.spec.groups[g as usize].agents;
            self.row::<f32>(id::LEARNING_REWARD, g, t + 1)[i * size + a] = outcome.rewards[k];
        }
        let ends = outcome.terminated || outcome.truncated;
        self.row::<u8>(id::TERMINATED, NO_GROUP, t + 1)[i] = u8::from(outcome.terminated);
        self.row::<u8>(id::TRUNCATED, NO_GROUP, t + 1)[i] = u8::from(outcome.truncated);
        self.row::<u8>(id::FIRST, NO_GROUP, t + 1)[i] = u8::from(ends);
        self.clocks[i] += 1;
        if ends {
            self.finish(t, i, ended);
        }
        self.show(t + 1, i);
        outcome.rewards.iter().sum()
    }

    /// Lists the end of an episode, begins another and clears what is remembered.
    fn finish(&mut self, t: usize, i: usize, ended: &mut Vec<u32>) {
        let n = self.worlds.len();
        let entry = ended.len();
        self.list::<u32>(id::ENDED_ROW, NO_GROUP)[entry] = (t * n + i) as u32;
        for (g, a, k) in self.agents() {
            let spec = self.spec.groups[g as usize].clone();
            let width = spec.observation.width();
            let mut seen = vec![0.0; width];
            self.worlds[i].observe(k, &mut seen);
            let at = (entry * spec.agents + a) * width;
            self.list(id::FINAL_OBSERVATION, g)[at..at + width].copy_from_slice(&seen);
        }
        if let Some(state) = self.spec.state.clone() {
            let mut values = vec![0.0; state.width()];
            self.worlds[i].state(&mut values);
            let at = entry * state.width();
            self.list(id::FINAL_STATE, NO_GROUP)[at..at + state.width()].copy_from_slice(&values);
        }
        ended.push((t * n + i) as u32);
        self.worlds[i].reset();
        self.episodes[i] += 1;
        self.clocks[i] = 0;
        for g in 0..self.spec.groups.len() as u32 {
            if self.has::<f32>(id::RECURRENT, g) {
                let row = self.row::<f32>(id::RECURRENT, g, t + 1);
                let width = row.len() / n;
                row[i * width..(i + 1) * width].fill(0.0);
            }
        }
    }

    /// Learns from the fragment as it stands.
    pub(crate) fn learn(&mut self) -> Result<Metrics> {
        let plan = TablePlan::new().with(&self.memory).with(&self.lists);
        self.handle.learn(&plan, &[&self.memory, &self.lists])
    }

    /// What is at the last slot becomes what is at the first.
    pub(crate) fn turn(&mut self) {
        let steps = self.steps;
        let layouts: Vec<SlabLayout> = self.memory.slabs().layouts().cloned().collect();
        for l in layouts {
            match l.dtype {
                DType::F32 => self.copy::<f32>(&l, steps),
                DType::U8 => self.copy::<u8>(&l, steps),
                DType::U64 => self.copy::<u64>(&l, steps),
                _ => {}
            }
        }
    }

    fn copy<T: SlabElement>(&mut self, l: &SlabLayout, from: usize) {
        let last = self.row::<T>(l.id, l.group, from).to_vec();
        self.row::<T>(l.id, l.group, 0).copy_from_slice(&last);
    }

    /// Plays, learns and goes on.
    pub(crate) fn update(&mut self) -> Metrics {
        self.play(false);
        let metrics = self.learn().unwrap();
        self.turn();
        metrics
    }

    /// Mean reward of a step over some updates.
    pub(crate) fn train(&mut self, updates: usize) -> f32 {
        for _ in 0..updates {
            self.update();
        }
        self.score(false)
    }

    /// Mean reward of a step of a fragment that nobody learns from.
    pub(crate) fn score(&mut self, greedy: bool) -> f32 {
        self.play(greedy);
        let mean = self.rewards.iter().sum::<f32>() / self.rewards.len() as f32;
        self.turn();
        mean
    }

    /// Everything that a snapshot says.
    pub(crate) fn snapshot(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.handle.snapshot(&mut bytes).unwrap();
        bytes
    }

    /// The weights as a file.
    pub(crate) fn weights(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.handle.weights(&mut bytes).unwrap();
        bytes
    }
}

fn layout(id: u32, group: u32, dtype: DType, shape: Vec<usize>) -> SlabLayout {
    SlabLayout {
        id,
        group,
        dtype,
        shape,
        ended: false,
    }
}

fn layouts(spec: &EnvironmentSpec, recurrent: usize, extras: usize) -> Vec<SlabLayout> {
    let mut all = vec![
        layout(id::TERMINATED, NO_GROUP, DType::U8, vec![]),
        layout(id::TRUNCATED, NO_GROUP, DType::U8, vec![]),
        layout(id::FIRST, NO_GROUP, DType::U8, vec![]),
        layout(id::KEY, NO_GROUP, DType::U64, vec![]),
    ];
    if let Some(state) = &spec.state {
        all.push(layout(id::STATE, NO_GROUP, DType::F32, vec![state.width()]));
    }
    if extras > 0 {
        all.push(layout(
            id::MECHANISM_EXTRAS,
            NO_GROUP,
            DType::F32,
            vec![extras],
        ));
    }
    for (group, g) in spec.groups.iter().zip(0..) {
        let wide = |width| vec![group.agents, width];
        let flat = vec![group.agents];
        all.push(layout(
            id::OBSERVATION,
            g,
            DType::F32,
            wide(group.observation.width()),
        ));
        all.push(layout(
            id::PROPOSED_ACTION,
            g,
            action_dtype(group),
            wide(group.action.width()),
        ));
        all.push(layout(id::LEARNING_REWARD, g, DType::F32, flat.clone()));
        all.push(layout(id::EXTRAS, g, DType::F32, wide(2)));
        all.push(layout(id::CONTROLLED, g, DType::U8, flat.clone()));
        if recurrent > 0 {
            all.push(layout(id::RECURRENT, g, DType::F32, wide(recurrent)));
        }
        if group.has_action_mask {
            let choices = group.action.choices().iter().sum();
            all.push(layout(id::ACTION_MASK, g, DType::U8, wide(choices)));
        }
        if spec.flags.turn_based {
            all.push(layout(id::ACTING, g, DType::U8, flat));
        }
    }
    all
}

fn lists(spec: &EnvironmentSpec) -> Vec<SlabLayout> {
    let list = |id, group, dtype, shape| SlabLayout {
        ended: true,
        ..layout(id, group, dtype, shape)
    };
    let mut all = vec![
        list(id::ENDED_COUNT, NO_GROUP, DType::U32, vec![]),
        list(id::ENDED_ROW, NO_GROUP, DType::U32, vec![]),
    ];
    if let Some(state) = &spec.state {
        all.push(list(
            id::FINAL_STATE,
            NO_GROUP,
            DType::F32,
            vec![state.width()],
        ));
    }
    for (group, g) in spec.groups.iter().zip(0..) {
        let shape = vec![group.agents, group.observation.width()];
        all.push(list(id::FINAL_OBSERVATION, g, DType::F32, shape));
    }
    all
}
