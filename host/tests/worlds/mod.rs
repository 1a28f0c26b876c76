//! Small worlds for the tests of rollouts, made in this process, and helpers to compare runs.
#![allow(dead_code, unreachable_pub, missing_docs)] // each test file uses a part

use palaestra::rollout::{EndedList, Policy, Random, Rollout, RolloutOptions, Workers};
use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::DType,
    client::{EnvironmentHandle, MakeEnvironment, ShardMut, SlabElement},
    prelude::*,
};
use serde_json::{Value, json};

/// Settings of Walk.
#[palaestra_plugin_api::config]
pub struct WalkConfig {
    /// Steps until truncation.
    #[config(default = 40, range = 1..)]
    pub limit: u32,
    /// Ended instances wait for a reset.
    pub manual_reset: bool,
    /// Walkers end one by one.
    pub per_agent_end: bool,
    /// One step in so many may leave only the middle choice allowed; 0 for no masks.
    pub masked: u32,
    /// Where the line ends on both sides.
    #[config(default = 4.0)]
    pub bound: f64,
    /// What goes wrong, and where.
    pub fault: Fault,
}

/// What goes wrong at step 3 of an episode whose first walker starts to the right of the second.
#[palaestra_plugin_api::config]
pub enum Fault {
    /// Nothing.
    None,
    /// A reward is NaN.
    NanReward,
    /// An observation is infinite.
    InfiniteObservation,
    /// The first observation of such an episode is NaN.
    NanStart,
    /// A panic.
    Panic,
}

/// Two walkers drift on a line until one leaves it; a watcher pushes them by a real action.
#[derive(Serialize, Deserialize)]
pub struct Walk {
    config: WalkConfig,
    position: [f64; 2],
    last: [usize; 2],
    out: [bool; 2],
    steps: u32,
    start: [f64; 2],
}

impl Environment for Walk {
    const ID: &'static str = "test/Walk-v0";
    const DESCRIPTION: &'static str = "Two walkers and a watcher.";
    type Config = WalkConfig;

    fn spec(config: &WalkConfig) -> Result<EnvironmentSpec> {
        let mut spec = EnvironmentSpec::new("walkers", 2, Space::real(3), Space::discrete(3));
        spec.groups[0].no_op = Some(vec![1.0]);
        spec.groups[0].has_action_mask = config.masked > 0;
        let mut watchers =
            GroupSpec::new("watchers", 1, Space::real(2), Space::bounded(2, -1.0, 1.0));
        watchers.no_op = Some(vec![0.0, 0.0]);
        spec.groups.push(watchers);
        spec.state = Some(Space::real(2));
        spec.max_episode_steps = Some(config.limit);
        spec.metrics = vec![
            Metric::sum("moved"),
            Metric::mean("spread"),
            Metric::last("left"),
            Metric::max("far"),
        ];
        spec.flags.manual_reset = config.manual_reset;
        spec.flags.per_agent_end = config.per_agent_end;
        spec.reward_range = (Some(-2.0), Some(2.0));
        Ok(spec)
    }

    fn new(config: &WalkConfig) -> Result<Self> {
        let config = config.clone();
        Ok(Self {
            config,
            position: [0.0; 2],
            last: [1; 2],
            out: [false; 2],
            steps: 0,
            start: [0.0; 2],
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        _: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        self.position = [rng.range(-1.0, 1.0), rng.range(-1.0, 1.0)];
        self.start = self.position;
        (self.last, self.out, self.steps) = ([1; 2], [false; 2], 0);
        self.observe(out);
        if self.config.fault == Fault::NanStart && self.start[0] > self.start[1] {
            out.observation(1)[0] = f32::NAN;
        }
        Ok(())
    }

    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let push = actions.group(1).continuous(0);
        self.steps += 1;
        for (agent, push) in push.iter().enumerate() {
            if self.out[agent] {
                continue;
            }
            let choice = actions.group(0).discrete(agent);
            self.last[agent] = choice;
            self.position[agent] += choice as f64 - 1.0 + 0.3 * rng.normal() + 0.1 * push;
            // Dyadic: exact in f32 as well.
            out.group(0)
                .reward(agent, (choice as f64 - 1.0) * 0.25 + 0.125 * agent as f64);
            self.out[agent] = self.position[agent].abs() > self.config.bound;
            if self.out[agent] && self.config.per_agent_end {
                out.group(0).terminate(agent);
            }
        }
        out.group(1).reward(0, 0.5);
        if self.out[0] && (self.out[1] || !self.config.per_agent_end) {
            out.terminate();
        }
        for (metric, value) in [
            1.0,
            self.position[0] - self.position[1],
            self.last[0] as f64,
            self.position[0],
        ]
        .iter()
        .enumerate()
        {
            out.metric(metric, *value);
        }
        self.observe(out);
        if self.steps == 3 && self.start[0] > self.start[1] {
            self.fault(out);
        }
    }
}

impl Walk {
    fn observe(&self, out: &mut Observe<'_>) {
        for agent in 0..2 {
            let row = [
                self.position[agent] as f32,
                self.last[agent] as f32,
                self.steps as f32,
            ];
            out.group(0).observation(agent).copy_from_slice(&row);
            if self.config.masked > 0
                && (self.steps + agent as u32).is_multiple_of(self.config.masked)
            {
                out.group(0).action_mask(agent).copy_from_slice(&[0, 1, 0]);
            }
        }
        let row = self.position.map(|x| x as f32);
        out.group(1).observation(0).copy_from_slice(&row);
        out.state().copy_from_slice(&row);
    }

    fn fault(&self, out: &mut StepWriter<'_>) {
        match self.config.fault {
            Fault::None | Fault::NanStart => {}
            Fault::NanReward => out.group(0).reward(1, f64::NAN),
            Fault::InfiniteObservation => out.group(1).observation(0)[1] = f32::INFINITY,
            Fault::Panic => panic!("walked off"),
        }
    }
}

/// Makes Walk in this process.
pub fn make(what: &MakeEnvironment) -> Result<EnvironmentHandle> {
    const ENTRY: &EnvironmentEntry = &EnvironmentEntry::of::<Walk>();
    EnvironmentHandle::in_process(ENTRY, what)
}

/// Options of a run of Walk.
pub fn options(instances: usize, shards: usize, config: Value) -> RolloutOptions {
    let environment = MakeEnvironment {
        config,
        instances,
        run_seed: 7,
        ..MakeEnvironment::new(Walk::ID)
    };
    RolloutOptions {
        shards: Some(shards),
        ..RolloutOptions::new(environment, "walks")
    }
}

/// The same with world wrappers, written as on the command line.
pub fn wrapped(
    instances: usize,
    shards: usize,
    config: Value,
    wrappers: &[&str],
) -> RolloutOptions {
    let wrappers = wrappers.iter().map(|text| text.parse().unwrap()).collect();
    RolloutOptions {
        wrappers,
        ..options(instances, shards, config)
    }
}

/// A run that has been reset.
pub fn start(options: &RolloutOptions, threads: usize) -> Rollout {
    let mut rollout = Rollout::new(options, &Workers::new(threads).unwrap(), &make).unwrap();
    rollout.reset().unwrap();
    rollout
}

/// FNV-1a over the bytes of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub u64);

impl Digest {
    pub fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// All rows of every slab that keeps time slots, of consecutive parts of one batch, but for actions at
    /// the last slot, which nobody has chosen yet.
    pub fn slots(
        &mut self,
        parts: &[&Rollout],
        slots: std::ops::RangeInclusive<usize>,
        last: usize,
    ) {
        for slot in slots {
            for layout in parts[0]
                .batch()
                .slabs()
                .layouts()
                .filter(|layout| !layout.ended)
            {
                if slot == last && layout.id == palaestra_plugin_api::abi::id::ACTION {
                    continue;
                }
                for part in parts {
                    match layout.dtype {
                        DType::U8 => self.rows(part, layout.id, layout.group, slot, |x: u8| [x]),
                        DType::I32 => {
                            self.rows(part, layout.id, layout.group, slot, i32::to_le_bytes)
                        }
                        DType::U32 => {
                            self.rows(part, layout.id, layout.group, slot, u32::to_le_bytes)
                        }
                        DType::U64 => {
                            self.rows(part, layout.id, layout.group, slot, u64::to_le_bytes)
                        }
                        DType::F32 => {
                            self.rows(part, layout.id, layout.group, slot, f32::to_le_bytes)
                        }
                        DType::F64 => {
                            self.rows(part, layout.id, layout.group, slot, f64::to_le_bytes)
                        }
                    }
                }
            }
        }
    }

    fn rows<T: SlabElement, const N: usize>(
        &mut self,
        part: &Rollout,
        id: u32,
        group: u32,
        slot: usize,
        bytes: impl Fn(T) -> [u8; N],
    ) {
        let key = part.batch().slabs().key::<T>(id, group).unwrap();
        part.batch()
            .rows(key, slot)
            .iter()
            .for_each(|&x| self.add(&bytes(x)));
    }
}

/// An ended episode as the lists tell it.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    pub time: u64,
    pub instance: usize,
    pub length: u32,
    pub returns: Vec<f64>,
    pub metrics: Vec<f64>,
    pub observation: Vec<f32>,
}

/// A random policy that notes every ended episode.
pub struct Recorder {
    random: Random,
    list: EndedList,
    final_observation: palaestra_plugin_api::client::Key<f32>,
    time: u64,
    pub ended: Vec<Ended>,
}

impl Recorder {
    pub fn all(rollout: &Rollout) -> Vec<Self> {
        let (spec, slabs) = (rollout.spec(), rollout.batch().slabs());
        let recorder = |random| Self {
            random,
            list: EndedList::new(spec, slabs),
            final_observation: slabs
                .key(palaestra_plugin_api::abi::id::FINAL_OBSERVATION, 0)
                .unwrap(),
            time: 0,
            ended: Vec::new(),
        };
        rollout.random().into_iter().map(recorder).collect()
    }

    /// What all shards noted, in order of time, then instance.
    pub fn merged(recorders: &[Self]) -> Vec<Ended> {
        let mut all: Vec<_> = recorders
            .iter()
            .flat_map(|recorder| recorder.ended.clone())
            .collect();
        all.sort_by_key(|ended| (ended.time, ended.instance));
        all
    }
}

impl Policy for Recorder {
    fn act(&mut self, shard: &mut ShardMut<'_>, slot: usize) -> Result<()> {
        self.random.act(shard, slot)
    }

    fn observe(&mut self, shard: &mut ShardMut<'_>, _: usize) -> Result<()> {
        let rows = self.list.rows(shard)?;
        assert!(
            rows.is_sorted(),
            "entries are in the order of the instances"
        );
        let observation = shard.rows(self.final_observation, 0);
        let width = observation.len() / shard.range().len();
        for (entry, &row) in rows.iter().enumerate() {
            let returns = [(0, 2), (1, 1)]
                .iter()
                .flat_map(|&(g, n)| &self.list.returns(shard, g)[entry * n..(entry + 1) * n]);
            self.ended.push(Ended {
                time: self.time,
                instance: shard.range().start + row as usize,
                length: self.list.lengths(shard)[entry],
                returns: returns.copied().collect(),
                metrics: self.list.metrics(shard)[entry * 4..(entry + 1) * 4].to_vec(),
                observation: observation[entry * width..(entry + 1) * width].to_vec(),
            });
        }
        self.time += 1;
        Ok(())
    }
}

/// Steps with random actions and gives everything that was seen: all slabs, all ended episodes.
pub fn run(
    options: &RolloutOptions,
    threads: usize,
    steps: usize,
) -> (Digest, Vec<Ended>, Rollout) {
    let mut rollout = start(options, threads);
    let mut policies = Recorder::all(&rollout);
    let mut digest = Digest::new();
    digest.slots(&[&rollout], 0..=0, 0);
    let mut left = steps;
    while left > 0 {
        let now = left.min(rollout.plan().steps);
        rollout.collect(&mut policies, now).unwrap();
        digest.slots(&[&rollout], 0..=now, now);
        left -= now;
    }
    (digest, Recorder::merged(&policies), rollout)
}

/// No settings.
pub fn defaults() -> Value {
    json!({})
}
