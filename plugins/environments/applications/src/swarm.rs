//! Swarm: robots with local sensing that can fail cover an arena, keep a formation or search for targets.
//!
//! Source: coverage as in Cortés, Martínez, Karataş and Bullo, "Coverage Control for Mobile Sensing Networks" (2004);
//! formation as the α-lattice of Olfati-Saber, "Flocking for Multi-Agent Dynamic Systems" (2006).
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0–1 | own position / `size` | 0 to 1 |
//! | 3 per neighbour | its relative position / `sensing_range`, and 1 if it works, -1 if it has failed | -1 to 1 |
//! | last 3, in a search | the nearest target in range that is not found: relative position / range, and 1 | -1 to 1 |
//!
//! Neighbours are the nearest `num_neighbors` within the range, the nearest first; what is not there is 0, as is all
//! that a failed robot observes.
//!
//! | action | meaning | range |
//! |---|---|---|
//! | 0–1 | way in units of `speed`, shortened to length 1 | -1 to 1 |
//!
//! All move at once and stop at the walls. After the rewards of a step each working robot fails with
//! `failure_probability`: its own episode is terminated, it stays where it is and others can collide with it.
//!
//! | reward, of working robots | |
//! |---|---|
//! | coverage | to all: the part of the arena's points within the range of a working robot |
//! | formation | -(mean over the working neighbours of \|distance - `spacing`\|, in units of the largest); -1 without one |
//! | search | to all: the part of the targets found in this step - `step_cost` |
//! | each | - `collision_penalty` when another robot is nearer than `collision_distance` |
//! | terminated | all robots have failed; all targets are found |
//! | truncated | after `max_episode_steps` |
//!
//! Metrics: `performance` (mean; the covered part, the formation's mean reward without collisions, or the part of the
//! targets that is found), robots in `collisions` (sum) and robots `working` (last).
//!
//! Whoever is near is looked up in a list of cells: the cost of a robot does not depend on the size of the swarm.

use palaestra_plugin_api::{prelude::*, serde, serde_json::Value};

use crate::state::{invalid, require, require_joint};
use cells::CellList;
pub use config::{SwarmConfig, Task};
use coverage::Ground;
use sensing::{NOTHING, Sensed};

mod cells;
mod config;
mod coverage;
mod picture;
mod scripted;
mod sensing;

/// Metrics, in order.
const PERFORMANCE: usize = 0;
const COLLISIONS: usize = 1;
const WORKING: usize = 2;

/// What changes in an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    positions: Vec<[f64; 2]>,
    working: Vec<bool>,
    /// Targets of a search.
    targets: Vec<[f64; 2]>,
    found: Vec<bool>,
}

/// What a step brought to all.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Outcome {
    /// Reward of every working robot.
    shared: f64,
    /// What the metric says; of a formation the sum over the robots.
    performance: f64,
}

/// `apps/Swarm-v0`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<SwarmConfig, State>",
    into = "Saved<SwarmConfig, State>"
)]
pub struct Swarm {
    config: SwarmConfig,
    state: State,
    cells: CellList,
    /// Neighbours of each robot, the nearest first, `[robots · num_neighbors]`.
    neighbors: Vec<Sensed>,
    /// Nearest target of each robot.
    nearest_target: Vec<Sensed>,
    /// Points of the arena.
    ground: Ground,
}

saved_as!(Swarm, SwarmConfig, State);

impl Environment for Swarm {
    const ID: &'static str = "apps/Swarm-v0";
    const DESCRIPTION: &'static str = "Robots that can fail cover, keep a formation or search";
    type Config = SwarmConfig;

    fn spec(config: &SwarmConfig) -> Result<EnvironmentSpec> {
        let sensed = 3 * (config.num_neighbors + usize::from(config.task == Task::Search));
        let observation = Space::bounds(
            &[vec![0.0; 2], vec![-1.0; sensed]].concat(),
            &vec![1.0; 2 + sensed],
        );
        let action = Space::bounded(2, -1.0, 1.0);
        let mut spec = EnvironmentSpec::new("robot", config.num_robots, observation, action);
        spec.groups[0].no_op = Some(vec![0.0; 2]);
        spec.max_episode_steps = Some(config.max_episode_steps);
        let (least, most) = match config.task {
            Task::Coverage => (0.0, 1.0),
            Task::Formation => (-1.0, 0.0),
            Task::Search => (-config.step_cost, 1.0),
        };
        spec.reward_range = (Some(least - config.collision_penalty), Some(most));
        spec.metrics = vec![
            Metric::mean("performance"),
            Metric::sum("collisions"),
            Metric::last("working"),
        ];
        spec.flags.per_agent_end = true;
        spec.flags.counterfactual = true;
        spec.flags.scripted = true;
        spec.tags = vec![if config.num_robots == 1 {
            Tag::SingleAgent
        } else {
            Tag::Cooperative
        }];
        Ok(spec)
    }

    fn new(config: &SwarmConfig) -> Result<Self> {
        for (at, distance) in [
            ("/detection_range", config.detection_range),
            ("/collision_distance", config.collision_distance),
            ("/spacing", config.spacing),
        ] {
            if distance > config.sensing_range {
                let expected = format!("at most sensing_range = {}", config.sensing_range);
                return Err(invalid(at, expected, distance));
            }
        }
        let robots = config.num_robots;
        let searching = config.task == Task::Search;
        let targets = if searching { config.num_targets } else { 0 };
        Ok(Self {
            config: config.clone(),
            state: State {
                positions: vec![[0.0; 2]; robots],
                working: vec![true; robots],
                targets: vec![[0.0; 2]; targets],
                found: vec![false; targets],
            },
            cells: CellList::new(robots, config.size, config.sensing_range),
            neighbors: vec![NOTHING; robots * config.num_neighbors],
            nearest_target: vec![NOTHING; robots],
            ground: Ground::new(config.points_per_side, config.size, config.sensing_range),
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        match options.init()? {
            Some(state) => self.place(state)?,
            None => self.draw(rng),
        }
        for (robot, &works) in self.state.working.iter().enumerate() {
            out.group(0).set_alive(robot, works);
        }
        self.sense();
        self.sense_targets();
        self.observe(out);
        Ok(())
    }

    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let outcome = self.advance(|robot| actions.continuous(robot));
        let mut collisions = 0;
        let mut performance = outcome.performance;
        let mut worked = 0;
        for robot in (0..self.config.num_robots).filter(|&robot| self.state.working[robot]) {
            let own = self.own_reward(robot);
            let collides = self.collides(robot);
            let penalty = self.penalty(collides);
            out.reward(robot, outcome.shared + own - penalty);
            performance += own;
            collisions += usize::from(collides);
            worked += 1;
        }
        if self.config.task == Task::Formation {
            performance /= f64::from(worked.max(1));
        }
        let mut working = 0;
        for (robot, works) in self.state.working.iter_mut().enumerate() {
            if *works && rng.bernoulli(self.config.failure_probability) {
                *works = false;
                out.group(0).terminate(robot);
            }
            working += usize::from(*works);
        }
        out.metric(PERFORMANCE, performance);
        out.metric(COLLISIONS, collisions as f64);
        out.metric(WORKING, working as f64);
        let found = &self.state.found;
        out.terminate_if(working == 0 || !found.is_empty() && found.iter().all(|&found| found));
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        palaestra_plugin_api::serde_json::to_value(&self.state).unwrap_or(Value::Null)
    }

    fn render(&self, canvas: &mut Canvas) {
        picture::draw(self, canvas);
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let robots = self.config.num_robots;
        require_joint(actions, &[[robots, 2]])?;
        let mut other = self.clone();
        let shared = other.advance(|robot| &actions[0][robot]).shared;
        let reward = |robot| match other.state.working[robot] {
            true => shared + other.own_reward(robot) - other.penalty(other.collides(robot)),
            false => 0.0,
        };
        Ok(vec![(0..robots).map(reward).collect()])
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(vec![scripted::actions(self)])
    }
}

impl Swarm {
    /// Moves everybody that works, and senses.
    fn advance<'a>(&mut self, action_of: impl Fn(usize) -> &'a [f64]) -> Outcome {
        let SwarmConfig { size, speed, .. } = self.config;
        let State {
            positions, working, ..
        } = &mut self.state;
        for (robot, place) in positions.iter_mut().enumerate() {
            if working[robot] {
                *place = moved(*place, action_of(robot), speed, size);
            }
        }
        self.sense();
        match self.config.task {
            Task::Coverage => {
                let (places, working) = (&self.state.positions, &self.state.working);
                let part = self.ground.cover(places, working);
                Outcome {
                    shared: part,
                    performance: part,
                }
            }
            Task::Formation => Outcome {
                shared: 0.0,
                performance: 0.0,
            },
            Task::Search => {
                let count = self.state.targets.len() as f64;
                let shared = self.search() as f64 / count - self.config.step_cost;
                self.sense_targets();
                let found = self.state.found.iter().filter(|found| **found).count();
                Outcome {
                    shared,
                    performance: found as f64 / count,
                }
            }
        }
    }

    /// What a robot earns for its own place: that in the formation.
    fn own_reward(&self, robot: usize) -> f64 {
        if self.config.task != Task::Formation {
            return 0.0;
        }
        let spacing = self.config.spacing;
        let (mut sum, mut count) = (0.0, 0);
        for &(distance, other) in self.neighbors_of(robot) {
            if distance.is_finite() && self.state.working[other] {
                sum += (distance.sqrt() - spacing).abs();
                count += 1;
            }
        }
        if count == 0 {
            return -1.0;
        }
        let largest = spacing.max(self.config.sensing_range - spacing);
        -(sum / (f64::from(count) * largest)).min(1.0)
    }

    fn collides(&self, robot: usize) -> bool {
        let near = self.config.collision_distance;
        self.neighbors_of(robot)[0].0 < near * near
    }

    fn penalty(&self, collides: bool) -> f64 {
        if collides {
            self.config.collision_penalty
        } else {
            0.0
        }
    }

    fn draw(&mut self, rng: &mut EnvRng) {
        let size = self.config.size;
        let State {
            positions,
            working,
            targets,
            found,
        } = &mut self.state;
        working.fill(true);
        found.fill(false);
        for place in positions.iter_mut().chain(targets) {
            *place = [rng.range(0.0, size), rng.range(0.0, size)];
        }
    }

    /// Starts from a given state, after checking that it can be one.
    fn place(&mut self, state: State) -> Result<()> {
        let (robots, targets) = (self.config.num_robots, self.state.targets.len());
        let inside = [0.0, self.config.size];
        let places = state.positions.as_flattened();
        require("positions", places, 2 * robots, inside)?;
        let places = state.targets.as_flattened();
        require("targets", places, 2 * targets, inside)?;
        let counts = [state.working.len() as f64, state.found.len() as f64];
        require("working", &counts[..1], 1, [robots as f64; 2])?;
        require("found", &counts[1..], 1, [targets as f64; 2])?;
        self.state = state;
        self.sense();
        self.sense_targets();
        Ok(())
    }
}

/// Where a step takes a robot: at most `speed`, up to the walls.
fn moved([x, y]: [f64; 2], action: &[f64], speed: f64, size: f64) -> [f64; 2] {
    let (dx, dy) = (action[0].clamp(-1.0, 1.0), action[1].clamp(-1.0, 1.0));
    let way = speed / (dx * dx + dy * dy).sqrt().max(1.0);
    [
        (x + dx * way).clamp(0.0, size),
        (y + dy * way).clamp(0.0, size),
    ]
}

#[cfg(test)]
mod tests;
