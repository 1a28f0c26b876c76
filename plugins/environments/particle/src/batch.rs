//! A task as a batch environment: one loop over blocks that acts, moves, pays and observes.

use palaestra_plugin_api::{
    batch::{GroupBatch, InstanceBatch},
    prelude::{
        BatchEnvironment, BatchStep, Canvas, EnvRng, EnvironmentSpec, Error, Flags, Observe,
        ResetOptions, Result,
    },
    serde_json::{Value, json},
    trace::{self, TraceCase},
};

use crate::{
    control::Control,
    features::{Features, Turn},
    legacy,
    physics::{Dynamics, Physics},
    scripted::{self, Wish},
    several,
    state::{Init, State},
    task::{Common, Group, Outcome, Scenario, Task},
    world::{LANES, Layout, View, Worlds},
};

/// The worlds of one task. `GROUPS` is the number of its agent groups.
pub struct Particle<T, const GROUPS: usize> {
    task: T,
    scenario: Scenario,
    layout: Layout,
    dynamics: Dynamics,
    controls: Vec<Control>,
    continuous: bool,
    physics: Physics,
    worlds: Worlds,
    block: Scratch<LANES>,
    turn: Turn,
    single: Scratch<1>,
}

/// Room for the intermediate values of `L` worlds.
struct Scratch<const L: usize> {
    columns: Vec<[f64; L]>,
    choices: Vec<[i32; L]>,
    forces: Vec<[f64; L]>,
    rewards: Vec<[f64; L]>,
    metrics: Vec<[f64; L]>,
    terminated: [bool; L],
    features: Vec<[f32; L]>,
}

impl<const L: usize> Scratch<L> {
    fn new(scenario: &Scenario, layout: &Layout) -> Self {
        let agents = scenario.agents();
        Self {
            columns: vec![[0.0; L]; layout.columns()],
            choices: vec![[0; L]; agents],
            forces: vec![[0.0; L]; 2 * agents],
            rewards: vec![[0.0; L]; agents],
            metrics: vec![[0.0; L]; scenario.metrics.len()],
            terminated: [false; L],
            features: vec![[0.0; L]; scenario.features()],
        }
    }

    /// Rewards, metrics, ends and observations of worlds after a step.
    #[inline(always)]
    fn evaluate<T: Task>(&mut self, task: &T, world: View<'_, L>) {
        self.rewards.fill([0.0; L]);
        self.metrics.fill([0.0; L]);
        self.terminated = [false; L];
        task.reward(
            world,
            &mut Outcome {
                rewards: &mut self.rewards,
                metrics: &mut self.metrics,
                terminated: &mut self.terminated,
            },
        );
        self.observe(task, world);
    }

    #[inline(always)]
    fn observe<T: Task>(&mut self, task: &T, world: View<'_, L>) {
        let mut features = Features::new(&mut self.features);
        task.observe(world, &mut features);
        debug_assert_eq!(
            features.written(),
            self.features.len(),
            "features of the groups' observations"
        );
    }
}

impl<T: Task, const GROUPS: usize> BatchEnvironment for Particle<T, GROUPS> {
    const ID: &'static str = T::ID;
    const DESCRIPTION: &'static str = T::DESCRIPTION;
    const TRACES: &'static [&'static str] = T::TRACES;
    type Config = T::Config;

    fn spec(config: &T::Config) -> Result<EnvironmentSpec> {
        let Common {
            continuous_actions,
            max_episode_steps,
            ..
        } = T::common(config);
        let (_, scenario) = T::new(config)?;
        Ok(EnvironmentSpec {
            groups: scenario.group_specs(continuous_actions),
            state: None,
            max_episode_steps: Some(max_episode_steps),
            reward_range: (None, scenario.largest_reward),
            metrics: scenario.metrics,
            flags: Flags {
                scripted: true,
                ..Flags::default()
            },
            tags: vec![scenario.tag],
        })
    }

    fn new(config: &T::Config, instances: usize) -> Result<Self> {
        let common = T::common(config);
        let (task, scenario) = T::new(config)?;
        let layout = scenario.layout();
        let bodies: Vec<_> = scenario.members().map(|group| group.body).collect();
        let obstacles: Vec<_> = scenario
            .landmarks
            .iter()
            .map(|l| l.collides.then_some(l.size))
            .collect();
        Ok(Self {
            dynamics: Dynamics::new(common.physics, &layout, &bodies, &obstacles),
            controls: scenario.members().map(|group| group.control()).collect(),
            continuous: common.continuous_actions,
            physics: common.physics,
            worlds: Worlds::new(&layout, instances),
            block: Scratch::new(&scenario, &layout),
            turn: Turn::new(scenario.features()),
            single: Scratch::new(&scenario, &layout),
            task,
            scenario,
            layout,
        })
    }

    fn reset(
        &mut self,
        instance: usize,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        let init = options.init::<Init>()?;
        self.draw(rng);
        if let Some(init) = init {
            init.write(&self.scenario, &self.layout, &mut self.single.columns)?;
        }
        self.worlds.write(instance, &self.single.columns);
        // The columns move out so that the scratch can be written while they are read.
        let columns = std::mem::take(&mut self.single.columns);
        self.single
            .observe(&self.task, View::new(&self.layout, &columns));
        self.single.columns = columns;
        let mut features = self.single.features.iter();
        for (g, group) in self.scenario.groups.iter().enumerate() {
            let mut writer = out.group(g);
            for agent in 0..group.agents {
                for (to, from) in writer.observation(agent).iter_mut().zip(&mut features) {
                    *to = from[0];
                }
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, batch: &mut BatchStep<'_>) {
        let instances = batch.instances();
        let (mut groups, mut out) = batch.arrays::<GROUPS>();
        let Self {
            task,
            scenario,
            layout,
            dynamics,
            controls,
            continuous,
            worlds,
            block,
            turn,
            ..
        } = self;
        for (b, columns) in worlds.blocks_mut().enumerate() {
            let base = b * LANES;
            let lanes = LANES.min(instances - base);
            let mut first = 0;
            for (group, spec) in groups.iter().zip(&scenario.groups) {
                let rows = base * spec.agents..(base + lanes) * spec.agents;
                let members = first..first + spec.agents;
                if *continuous {
                    let width = group.continuous.len() / (instances * spec.agents);
                    let actions =
                        group.continuous[rows.start * width..rows.end * width].chunks_exact(width);
                    for (row, action) in actions.enumerate() {
                        let (lane, agent) = (row / spec.agents, first + row % spec.agents);
                        controls[agent].steer(
                            agent,
                            action,
                            lane,
                            layout,
                            columns,
                            &mut block.forces,
                        );
                    }
                } else {
                    for (lane, row) in group.discrete[rows].chunks_exact(spec.agents).enumerate() {
                        for (column, &choice) in block.choices[members.clone()].iter_mut().zip(row)
                        {
                            column[lane] = choice;
                        }
                    }
                    for agent in members {
                        controls[agent].choose(
                            agent,
                            &block.choices[agent],
                            layout,
                            columns,
                            &mut block.forces,
                        );
                    }
                }
                first += spec.agents;
            }
            dynamics.advance(columns, &mut block.forces);
            block.evaluate(task, View::new(layout, columns));
            write_out(scenario, block, turn, &mut groups, &mut out, base, lanes);
            if task.terminates() {
                let rows = &mut out.terminated[base..base + lanes];
                for (over, &terminated) in rows.iter_mut().zip(&block.terminated) {
                    *over = u8::from(terminated);
                }
            }
        }
    }

    fn save(&self, instance: usize) -> Result<Value> {
        Ok(self.state(instance).to_json())
    }

    fn load(&mut self, instance: usize, saved: &Value) -> Result<()> {
        let state = State::from_json(saved)?;
        state.write(&self.scenario, &self.layout, &mut self.single.columns)?;
        self.worlds.write(instance, &self.single.columns);
        Ok(())
    }

    fn inspect(&self, instance: usize) -> Value {
        self.state(instance).to_json()
    }

    fn render(&self, instance: usize, canvas: &mut Canvas) {
        self.task
            .draw(&self.scenario, &self.state(instance), canvas);
    }

    fn scripted(&self, instance: usize, rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let columns: Vec<_> = self.worlds.read(instance).map(|value| [value]).collect();
        let world = View::new(&self.layout, &columns);
        let mut wishes = self.task.scripted(world, rng).into_iter().enumerate();
        let group = |group: &Group| {
            let body = scripted::Body {
                physics: self.physics,
                accel: group.body.accel,
                max_speed: group.body.max_speed.unwrap_or(f64::INFINITY),
            };
            let action = |(agent, wish): (usize, Wish<'_>)| {
                let [x, y] = world.position(agent).map(|axis| axis[0]);
                let [vx, vy] = world.velocity(agent).map(|axis| axis[0]);
                let unit = wish
                    .cost
                    .filter(|_| group.body.movable)
                    .map_or([0.0; 2], |cost| {
                        scripted::best_move(body, [[x, y], [vx, vy]], self.continuous, &cost)
                    });
                group.control().action(unit, wish.say, self.continuous)
            };
            wishes.by_ref().take(group.agents).map(action).collect()
        };
        Ok(self.scenario.groups.iter().map(group).collect())
    }

    fn trace_config(case: &Value) -> Value {
        let mut config = case["config"].as_object().cloned().unwrap_or_default();
        if let Some(continuous) = case["continuous"].as_bool() {
            config.insert("continuous_actions".into(), continuous.into());
        }
        config.into()
    }

    fn trace_cases(document: &Value) -> Result<Vec<TraceCase>> {
        let standard = |document: &Value, config_of: fn(&Value) -> Value| {
            trace::standard_cases(document, config_of, Self::spec)
        };
        match T::LEGACY {
            Some(legacy) if document["env"] == legacy::NAME => standard(
                &legacy::rewrite(document, legacy)?,
                |_| json!({"physics": "openai"}),
            ),
            _ if document["env"] == several::NAME => {
                standard(&several::own(document, T::TRACES)?, Self::trace_config)
            }
            _ => standard(document, Self::trace_config),
        }
    }
}

impl<T: Task, const GROUPS: usize> Particle<T, GROUPS> {
    /// Draws a start into the single world's columns.
    fn draw(&mut self, rng: &mut EnvRng) {
        let Self {
            scenario,
            layout,
            single: Scratch { columns, .. },
            ..
        } = self;
        columns.fill([0.0]);
        for agent in 0..layout.agents {
            for axis in 0..2 {
                columns[layout.agent(agent) + axis] = [rng.range(-1.0, 1.0)];
            }
        }
        for (m, landmark) in scenario.landmarks.iter().enumerate() {
            for axis in 0..2 {
                columns[layout.landmark(m) + axis] = [rng.range(-landmark.range, landmark.range)];
            }
        }
        for (g, goal) in scenario.goals.iter().enumerate() {
            columns[layout.goal(g)] = [rng.below(goal.choices as u64) as f64];
        }
    }

    fn state(&self, instance: usize) -> State {
        let columns: Vec<_> = self.worlds.read(instance).map(|value| [value]).collect();
        State::read(
            &self.scenario,
            &self.layout,
            View::new(&self.layout, &columns),
        )
    }
}

/// Writes the outcome of a block into the rows of its instances.
#[inline(always)]
fn write_out<const GROUPS: usize>(
    scenario: &Scenario,
    block: &Scratch<LANES>,
    turn: &mut Turn,
    groups: &mut [GroupBatch<'_>; GROUPS],
    out: &mut InstanceBatch<'_>,
    base: usize,
    lanes: usize,
) {
    let (mut features, mut rewards) = (block.features.as_slice(), block.rewards.as_slice());
    for (group, spec) in groups.iter_mut().zip(&scenario.groups) {
        let (width, agents) = (spec.agents * spec.width(), spec.agents);
        let (own, others) = features.split_at(width);
        turn.write(
            own,
            &mut group.observation[base * width..(base + lanes) * width],
        );
        features = others;
        let (own, others) = rewards.split_at(agents);
        let rows = group.reward[base * agents..(base + lanes) * agents].chunks_exact_mut(agents);
        for (lane, row) in rows.enumerate() {
            for (to, from) in row.iter_mut().zip(own) {
                *to = from[lane];
            }
        }
        rewards = others;
    }
    let width = block.metrics.len();
    if width > 0 {
        let rows = out.metrics[base * width..(base + lanes) * width].chunks_exact_mut(width);
        for (lane, row) in rows.enumerate() {
            for (to, from) in row.iter_mut().zip(&block.metrics) {
                *to = from[lane] as f32;
            }
        }
    }
}

/// Refuses a value that a state cannot have.
pub(crate) fn invalid(what: &str, expected: String, found: impl std::fmt::Display) -> Error {
    Error::config(format!("{what}: expected {expected}, found {found}"))
}
