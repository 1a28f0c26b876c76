//! Highway: vehicles keep their speed and their distance, overtake, merge from a ramp, or drive in platoons.
//!
//! Source: scenarios as in Leurent, "An Environment for Autonomous Driving Decision-Making" (2018), and, on a ring, Wu,
//! Kreidieh, Parvate, Vinitsky and Bayen, "Flow" (2017). A slip that teaching versions of such tasks make is an agent
//! whose neighbour is itself: here a vehicle that is alone in a lane of a ring has nobody ahead. A vehicle that has
//! left the road or collided is gone, and is not paid for it again. The constants are ours.
//!
//! | scenario | road | wish | |
//! |---|---|---|---|
//! | cruise | a ring of `num_lanes` lanes, `density` vehicles on each km | its own, `desired_speed` ± `speed_spread` | who is slower can be overtaken on either side |
//! | merge | straight, and on the right of it a ramp | the same | `ramp_share` of the vehicles must be on the road before the ramp ends; beyond the end of the road a vehicle has arrived |
//! | platoon | a ring, one platoon of `platoon_size` after the other in each lane | the leaders' swings by `leader_swing` in `leader_period` | nobody changes lanes; the others follow at the wanted gap |
//!
//! The wanted gap is `min_gap` + `headway` · speed. Lane 0 is the rightmost, in a merge the ramp. Places are those of
//! the vehicles' middles; a gap is the room between two vehicles.
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0–1 | own speed, own wish / `max_speed` | 0 to 1 |
//! | 2 | own acceleration in the last step / `max_deceleration`, cut to the range | -1 to 1 |
//! | 3 | own lane / the last lane | 0 to 1 |
//! | 4–5 | may change to the right, to the left | 0, 1 |
//! | 6 | wanted gap / `sensing_range`, cut to the range | 0 to 1 |
//! | 7 | acceleration of the vehicle ahead, as 2: its brake lights; 0 without one in range | -1 to 1 |
//! | 8 | follows the vehicle ahead in a platoon | 0, 1 |
//! | 9–26 | the nearest ahead and behind, in the lane to the right, the own, that to the left: three numbers each | |
//! | | 1 for a vehicle in `sensing_range`, 0 for none, -1 where there is no such lane | -1 to 1 |
//! | | gap / `sensing_range`; 0 for who is alongside, 1 for nobody | 0 to 1 |
//! | | its speed less the own / `max_speed` | -1 to 1 |
//!
//! The end of the ramp looks like a vehicle that stands there.
//!
//! | action | discrete `control` |
//! |---|---|
//! | 0, 1 | keep the speed; speed up by `acceleration` |
//! | 2, 3 | slow down by `deceleration`; brake by `max_deceleration` |
//! | 4, 5 | change to the right lane, to the left one, and keep the speed |
//!
//! | action | continuous `control` | range |
//! |---|---|---|
//! | 0 | the acceleration in parts of `acceleration`, or of `max_deceleration` if negative | -1 to 1 |
//! | 1 | above 0.5 change to the left lane, below -0.5 to the right one | -1 to 1 |
//!
//! First vehicles change lanes, all at once, and not again for `lane_change_pause` steps; then all move. Who touches
//! another vehicle or the end of the ramp has collided. Who has collided or arrived is gone at once: its own episode
//! is terminated.
//!
//! | reward, of those that drive | |
//! |---|---|
//! | speed | `speed_weight` · (1 - \|speed - wish\| / wish, at least 0); who follows in a platoon wishes for the speed of the vehicle ahead, and misses it in parts of `desired_speed` |
//! | spacing | - `spacing_weight` · (1 - gap / wanted gap, at least 0) |
//! | | who follows in a platoon instead: + `spacing_weight` · (1 - \|gap - wanted gap\| / wanted gap, at least 0) |
//! | comfort | - `comfort_weight` · (change of the acceleration / the largest possible)² - `lane_change_cost` for each change of lane |
//! | arrival | + `arrival_reward` |
//! | collision | - `collision_penalty`, and nothing else |
//! | terminated | nobody drives any more |
//! | truncated | after `max_episode_steps` |
//!
//! Metrics: vehicles in `collisions` (sum), `throughput` (sum: vehicles that arrive, or drive over the beginning of
//! the ring), `mean_speed` of those that drive [m/s], mean `headway` of those that follow in range [s, at most 10, and
//! 10 if nobody does], mean `jerk` [m/s³], `lane_changes` (sum) and the part of the vehicles nearer than the wanted
//! gap, `tailgating` (mean).

use palaestra_plugin_api::{prelude::*, serde, serde_json::Value};

use crate::{
    driving::{Control, Engine, PACES},
    state::require_joint,
};
pub use config::{HighwayConfig, Scenario};
use road::{Road, Traffic};

mod config;
mod motion;
mod observation;
mod picture;
mod reward;
mod road;
mod script;
mod start;

/// Choices of an agent.
const RIGHT: usize = PACES;
const LEFT: usize = PACES + 1;
const CHOICES: usize = PACES + 2;
/// Width of a continuous action, and from where its second component changes lanes.
const WIDTH: usize = 2;
const STEER: f64 = 0.5;
/// A headway is at most this [s].
const LONGEST_HEADWAY: f64 = 10.0;
/// Metrics, in order.
const METRICS: usize = 7;

/// What a vehicle is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "serde", rename_all = "snake_case")]
enum Status {
    #[default]
    Driving,
    Arrived,
    Collided,
}

/// A vehicle.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct Vehicle {
    /// Middle of the vehicle from the beginning of the road [m].
    place: f64,
    /// 0 is the rightmost.
    lane: usize,
    /// [m/s]
    speed: f64,
    /// In the last step [m/s²].
    acceleration: f64,
    /// Speed that it wishes for [m/s].
    wish: f64,
    /// Steps until it may change lanes again.
    pause: u32,
    /// Whether it came by the ramp.
    by_ramp: bool,
    status: Status,
}

/// What changes in an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    /// Steps since the start.
    clock: u32,
    vehicles: Vec<Vehicle>,
}

/// What a vehicle is to do.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Command {
    /// [m/s²]
    acceleration: f64,
    /// -1 to the right, 1 to the left.
    turn: i64,
}

/// What a step brought to a vehicle.
#[derive(Clone, Copy, Debug, Default)]
struct Driven {
    /// What it was to do [m/s²].
    wanted: f64,
    /// Way [m].
    way: f64,
    /// [m/s³]
    jerk: f64,
    /// Square of the part of the largest change of the acceleration.
    discomfort: f64,
    changed_lane: bool,
    hit: bool,
    /// Whether it passed the end of the road, or of the ring.
    passed: bool,
}

/// `apps/Highway-v0`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<HighwayConfig, State>",
    into = "Saved<HighwayConfig, State>"
)]
pub struct Highway {
    config: HighwayConfig,
    engine: Engine,
    road: Road,
    state: State,
    traffic: Traffic,
    driven: Vec<Driven>,
    /// Starting places, to be shuffled.
    slots: Vec<usize>,
    /// Who drove at the beginning of the step.
    started: Vec<usize>,
}

saved_as!(Highway, HighwayConfig, State);

impl Environment for Highway {
    const ID: &'static str = "apps/Highway-v0";
    const DESCRIPTION: &'static str = "Vehicles cruise, merge or drive in platoons";
    type Config = HighwayConfig;

    fn spec(config: &HighwayConfig) -> Result<EnvironmentSpec> {
        let discrete = config.control == Control::Discrete;
        let action = if discrete {
            Space::discrete(CHOICES)
        } else {
            Space::bounded(WIDTH, -1.0, 1.0)
        };
        let count = config.num_vehicles;
        let mut spec = EnvironmentSpec::new("vehicle", count, observation::space(), action);
        spec.groups[0].has_action_mask = discrete;
        spec.groups[0].no_op = Some(vec![0.0; if discrete { 1 } else { WIDTH }]);
        spec.max_episode_steps = Some(config.max_episode_steps);
        let (least, most) = config.reward_range();
        spec.reward_range = (Some(least), Some(most));
        spec.metrics = vec![
            Metric::sum("collisions"),
            Metric::sum("throughput"),
            Metric::mean("mean_speed"),
            Metric::mean("headway"),
            Metric::mean("jerk"),
            Metric::sum("lane_changes"),
            Metric::mean("tailgating"),
        ];
        spec.flags = Flags {
            per_agent_end: true,
            counterfactual: true,
            scripted: true,
            ..Flags::default()
        };
        spec.tags = vec![if count == 1 {
            Tag::SingleAgent
        } else {
            Tag::Mixed
        }];
        Ok(spec)
    }

    fn new(config: &HighwayConfig) -> Result<Self> {
        let road = Road::new(config)?;
        let count = config.num_vehicles;
        let mut world = Self {
            config: config.clone(),
            engine: config.engine(),
            state: State {
                clock: 0,
                vehicles: vec![Vehicle::default(); count],
            },
            traffic: Traffic::new(count, road.lanes),
            driven: vec![Driven::default(); count],
            slots: vec![0; config.num_lanes * road.rows],
            started: Vec::with_capacity(count),
            road,
        };
        world.draw(&mut EnvRng::new(0, 0, 0, 0));
        Ok(world)
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
        for (vehicle, of) in self.state.vehicles.iter().enumerate() {
            out.group(0)
                .set_alive(vehicle, of.status == Status::Driving);
        }
        self.observe(out);
        Ok(())
    }

    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        if self.config.control == Control::Discrete {
            self.advance(|engine, vehicle| chosen(engine, actions.discrete(vehicle)));
        } else {
            self.advance(|engine, vehicle| steered(engine, actions.continuous(vehicle)));
        }
        for &vehicle in &self.started {
            out.reward(vehicle, self.reward(vehicle));
            if self.state.vehicles[vehicle].status != Status::Driving {
                out.group(0).terminate(vehicle);
            }
        }
        for (index, value) in self.measure().into_iter().enumerate() {
            out.metric(index, value);
        }
        out.terminate_if(self.traffic.order.is_empty());
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        palaestra_plugin_api::serde_json::to_value(&self.state).unwrap_or(Value::Null)
    }

    fn render(&self, canvas: &mut Canvas) {
        picture::draw(self, canvas);
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let discrete = self.config.control == Control::Discrete;
        let width = if discrete { 1 } else { WIDTH };
        require_joint(actions, &[[self.config.num_vehicles, width]])?;
        let mut other = self.clone();
        other.advance(|engine, vehicle| {
            let action = &actions[0][vehicle];
            if discrete {
                chosen(engine, action[0] as usize)
            } else {
                steered(engine, action)
            }
        });
        let mut rewards = vec![0.0; self.config.num_vehicles];
        for &vehicle in &other.started {
            rewards[vehicle] = other.reward(vehicle);
        }
        Ok(vec![rewards])
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(vec![script::actions(self)])
    }
}

/// What a choice means.
#[inline(always)]
fn chosen(engine: &Engine, choice: usize) -> Command {
    Command {
        acceleration: engine.pace(choice.min(CHOICES)),
        turn: i64::from(choice == LEFT) - i64::from(choice == RIGHT),
    }
}

/// What a continuous action means.
#[inline(always)]
fn steered(engine: &Engine, action: &[f64]) -> Command {
    Command {
        acceleration: engine.pedal(action[0]),
        turn: i64::from(action[1] > STEER) - i64::from(action[1] < -STEER),
    }
}

#[cfg(test)]
mod tests;
