//! Intersection: vehicles cross a four-way intersection without traffic lights.
//!
//! Source: the problem as in Dresner and Stone, "A Multiagent Approach to Autonomous Intersection Management" (2008).
//! A slip that teaching versions of such tasks make is a reward that cannot be earned, such as a bonus for all when
//! the last has passed, if the others are gone by then. Here a vehicle that has passed waits, alive, until all have:
//! its actions do nothing, and the bonus reaches it. A collision ends the part of those in it, and with it the bonus
//! of all. The constants are ours.
//!
//! Each road has one lane each way, driven on the right. Each vehicle comes from one of the four arms and goes left,
//! straight or right; only along its way it is driven. Vehicles are discs: whose middles come nearer than
//! `vehicle_size` within a step, taken as straight motions, have collided and are towed away.
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0 | way beyond the stop line / `sensing_range`, negative before it, cut to the range | -1 to 1 |
//! | 1 | own speed / `speed_limit` | 0 to 1 |
//! | 2 | own acceleration in the last step / `max_deceleration`, cut to the range | -1 to 1 |
//! | 3–5 | turns left, goes straight, turns right | 0, 1 |
//! | 6 | is within the crossing | 0, 1 |
//! | 7 | has passed; then all else is 0 | 0, 1 |
//! | 7 per neighbour | 1; its place ahead and to the left of the own / `sensing_range` | -1 to 1 |
//! | | its velocity less the own, ahead and to the left / twice `speed_limit` | -1 to 1 |
//! | | its way beyond its stop line, as 0; 1 if its way meets the own (it signals), else 0 | -1 to 1 |
//!
//! Neighbours are the nearest `num_neighbors` others within `sensing_range` that drive, the nearest first; what is not
//! there is 0. Who does not take part, or has collided, is not alive and observes zeros.
//!
//! | action | discrete `control` |
//! |---|---|
//! | 0, 1 | keep the speed; speed up by `acceleration` |
//! | 2, 3 | slow down by `deceleration`; brake by `max_deceleration` |
//!
//! | action | continuous `control` | range |
//! |---|---|---|
//! | 0 | the acceleration in parts of `acceleration`, or of `max_deceleration` if negative | -1 to 1 |
//!
//! | reward, of those that drive | |
//! |---|---|
//! | progress | `progress_weight` · way / the longest way of a step |
//! | safety | - `safety_weight` · (1 - distance / `safe_distance`, at least 0), to the nearest whose way meets the own |
//! | comfort | - `comfort_weight` · (change of the acceleration / the largest possible)² |
//! | arrival | + `arrival_reward`, `exit_length` behind the crossing |
//! | collision | - `collision_penalty`, and nothing else |
//! | all clear | + `all_clear_bonus` to each when the last has passed, if none has collided |
//! | terminated | nobody drives any more |
//! | truncated | after `max_episode_steps` |
//!
//! Curriculum: option `vehicles` sets how many take part from the next reset on, at most `max_vehicles`.
//!
//! Metrics: vehicles in `collisions` and `arrivals` (sums), `all_clear` (last: its mean is the success rate),
//! `mean_speed` of those that drove [m/s], mean `jerk` [m/s³], parts of them that stand, `waiting`, and that are nearer
//! to another than the safe distance, `near_misses` (means), and how many `vehicles` take part.
//!
//! All pairs are compared: there are at most 20 vehicles, and all meet in the middle.

use palaestra_plugin_api::{prelude::*, serde, serde_json::Value};

use crate::{
    driving::{Control, Engine, PACES},
    state::require_joint,
};
pub use config::IntersectionConfig;
use crossing::{ARMS, Crossing, Pose, ROUTES, Route, closest};

mod config;
mod crossing;
mod observation;
mod picture;
mod reward;
mod script;
mod start;

/// A vehicle slower than this stands [m/s].
const STANDING: f64 = 0.1;
/// Metrics, in order.
const METRICS: usize = 8;

/// What a vehicle is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "serde", rename_all = "snake_case")]
enum Status {
    /// It does not take part.
    #[default]
    Absent,
    Driving,
    Arrived,
    Collided,
}

/// A vehicle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct Vehicle {
    status: Status,
    /// From the south, the east, the north, the west.
    arm: usize,
    route: Route,
    /// Way beyond the stop line [m].
    way: f64,
    /// [m/s]
    speed: f64,
    /// In the last step [m/s²].
    acceleration: f64,
}

impl Vehicle {
    #[inline(always)]
    fn drives(&self) -> bool {
        self.status == Status::Driving
    }

    #[inline(always)]
    fn path(&self) -> (usize, Route) {
        (self.arm, self.route)
    }
}

/// What changes in an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    vehicles: Vec<Vehicle>,
}

/// What a step brought to a vehicle.
#[derive(Clone, Copy, Debug)]
struct Driven {
    /// Whether it drove at all.
    drove: bool,
    /// Way [m].
    way: f64,
    /// [m/s³]
    jerk: f64,
    /// Square of the part of the largest change of the acceleration.
    discomfort: f64,
    /// Square of the distance to the nearest whose way meets the own [m²].
    nearest: f64,
    hit: bool,
}

const RESTED: Driven = Driven {
    drove: false,
    way: 0.0,
    jerk: 0.0,
    discomfort: 0.0,
    nearest: f64::INFINITY,
    hit: false,
};

/// `apps/Intersection-v0`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<IntersectionConfig, State>",
    into = "Saved<IntersectionConfig, State>"
)]
pub struct Intersection {
    config: IntersectionConfig,
    engine: Engine,
    crossing: Crossing,
    state: State,
    poses: Vec<Pose>,
    driven: Vec<Driven>,
    /// Whether in this step all have passed.
    all_clear: bool,
}

saved_as!(Intersection, IntersectionConfig, State);

impl Environment for Intersection {
    const ID: &'static str = "apps/Intersection-v0";
    const DESCRIPTION: &'static str = "Vehicles cross an intersection without traffic lights";
    type Config = IntersectionConfig;

    fn spec(config: &IntersectionConfig) -> Result<EnvironmentSpec> {
        let action = match config.control {
            Control::Discrete => Space::discrete(PACES),
            Control::Continuous => Space::bounded(1, -1.0, 1.0),
        };
        let (room, space) = (config.room().max(1), observation::space(config));
        let mut spec = EnvironmentSpec::new("vehicle", room, space, action);
        spec.groups[0].no_op = Some(vec![0.0]);
        spec.max_episode_steps = Some(config.max_episode_steps);
        let (least, most) = config.reward_range();
        spec.reward_range = (Some(least), Some(most));
        spec.metrics = vec![
            Metric::sum("collisions"),
            Metric::sum("arrivals"),
            Metric::last("all_clear"),
            Metric::mean("mean_speed"),
            Metric::mean("jerk"),
            Metric::mean("waiting"),
            Metric::mean("near_misses"),
            Metric::last("vehicles"),
        ];
        spec.flags = Flags {
            per_agent_end: true,
            counterfactual: true,
            scripted: true,
            ..Flags::default()
        };
        spec.tags = vec![if room == 1 {
            Tag::SingleAgent
        } else {
            Tag::Mixed
        }];
        Ok(spec)
    }

    fn new(config: &IntersectionConfig) -> Result<Self> {
        let crossing = Crossing::new(config)?;
        let room = config.room();
        let mut world = Self {
            config: config.clone(),
            engine: config.engine(),
            crossing,
            state: State {
                vehicles: vec![Vehicle::default(); room],
            },
            poses: vec![Pose::default(); room],
            driven: vec![RESTED; room],
            all_clear: false,
        };
        world.draw(&mut EnvRng::new(0, 0, 0, 0), config.num_vehicles);
        Ok(world)
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        let count = self.vehicles(options)?;
        match options.init()? {
            Some(state) => self.place(state)?,
            None => self.draw(rng, count),
        }
        for (index, vehicle) in self.state.vehicles.iter().enumerate() {
            let alive = matches!(vehicle.status, Status::Driving | Status::Arrived);
            out.group(0).set_alive(index, alive);
        }
        self.observe(out);
        Ok(())
    }

    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        match self.config.control {
            Control::Discrete => self.advance(|engine, v| engine.pace(actions.discrete(v))),
            Control::Continuous => {
                self.advance(|engine, v| engine.pedal(actions.continuous(v)[0]));
            }
        }
        for index in 0..self.state.vehicles.len() {
            out.reward(index, self.reward(index));
            if self.driven[index].hit {
                out.group(0).terminate(index);
            }
        }
        for (index, value) in self.measure().into_iter().enumerate() {
            out.metric(index, value);
        }
        out.terminate_if(!self.state.vehicles.iter().any(Vehicle::drives));
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        palaestra_plugin_api::serde_json::to_value(&self.state).unwrap_or(Value::Null)
    }

    fn render(&self, canvas: &mut Canvas) {
        picture::draw(self, canvas);
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let room = self.state.vehicles.len();
        require_joint(actions, &[[room, 1]])?;
        let mut other = self.clone();
        let control = self.config.control;
        other.advance(|engine, vehicle| {
            let action = actions[0][vehicle][0];
            match control {
                Control::Discrete => engine.pace(action as usize),
                Control::Continuous => engine.pedal(action),
            }
        });
        Ok(vec![(0..room).map(|v| other.reward(v)).collect()])
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(vec![script::actions(self)])
    }
}

impl Intersection {
    /// One step of everybody that drives; `wanted_of` gives the wanted acceleration.
    #[inline(always)]
    fn advance(&mut self, wanted_of: impl Fn(&Engine, usize) -> f64) {
        let before: [Pose; config::MOST] =
            std::array::from_fn(|v| self.poses.get(v).copied().unwrap_or_default());
        for (index, vehicle) in self.state.vehicles.iter_mut().enumerate() {
            self.driven[index] = RESTED;
            if !vehicle.drives() {
                continue;
            }
            let motion = (self.engine).drive(vehicle.speed, wanted_of(&self.engine, index));
            let last = vehicle.acceleration;
            self.driven[index] = Driven {
                drove: true,
                way: motion.way,
                jerk: self.engine.jerk(last, motion.acceleration),
                discomfort: self.engine.discomfort(last, motion.acceleration),
                ..RESTED
            };
            vehicle.way += motion.way;
            vehicle.speed = motion.speed;
            vehicle.acceleration = motion.acceleration;
            self.poses[index] = self.crossing.pose(vehicle.arm, vehicle.route, vehicle.way);
        }
        self.meet(&before);
        self.settle();
    }

    /// How near all pairs have come on their ways.
    #[inline(always)]
    fn meet(&mut self, before: &[Pose]) {
        let touch = self.config.vehicle_size * self.config.vehicle_size;
        let vehicles = &self.state.vehicles;
        let way = |v: usize| [before[v].position, self.poses[v].position];
        for a in 0..vehicles.len() {
            for b in (0..a).filter(|&b| vehicles[a].drives() && vehicles[b].drives()) {
                let distance = closest(way(a), way(b));
                let hit = distance < touch;
                self.driven[a].hit |= hit;
                self.driven[b].hit |= hit;
                if self.crossing.meet(vehicles[a].path(), vehicles[b].path()) {
                    for v in [a, b] {
                        self.driven[v].nearest = self.driven[v].nearest.min(distance);
                    }
                }
            }
        }
    }

    /// Who has collided or passed stops driving.
    #[inline(always)]
    fn settle(&mut self) {
        let drove = self.state.vehicles.iter().any(Vehicle::drives);
        for (vehicle, driven) in self.state.vehicles.iter_mut().zip(&self.driven) {
            let end = self.crossing.length(vehicle.route) + self.config.exit_length;
            if driven.hit {
                vehicle.status = Status::Collided;
            } else if vehicle.drives() && vehicle.way >= end {
                vehicle.status = Status::Arrived;
            }
        }
        let through = |v: &Vehicle| matches!(v.status, Status::Arrived | Status::Absent);
        self.all_clear = drove && self.state.vehicles.iter().all(through);
    }
}

#[cfg(test)]
mod tests;
