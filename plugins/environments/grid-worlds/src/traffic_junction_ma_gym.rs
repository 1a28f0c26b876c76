//! Traffic junction of ma-gym: another game than IC3Net's. Every car drives once, and cannot enter a taken cell.
//!
//! ma-gym 0.0.14 (Koul, 2019), ids `TrafficJunction4-v0` and `TrafficJunction10-v0`. Two roads of two lanes cross on
//! 14 × 14 cells; cars keep to the right. Quirks are marked "quirk".
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | n + 5 per cell of 3 × 3 around, row by row | of the car there: one-hot number, row / 13, column / 13, one-hot route (straight, right, left) | 0 to 1 |
//!
//! With `full_observable` everybody sees the observations of all, one after the other. A car that waits to enter
//! is at (0, 0). Quirks: of those who wait only the last one is seen there, even when it has left, and then with
//! the place where it is; who has no route yet shows the route "right" (the original's index wraps around).
//!
//! | action | meaning |
//! |---|---|
//! | 0 | gas |
//! | 1 | brake |
//!
//! Up to four cars start at the four gates on random routes. Cars move in turn; one that finds a car ahead stays and
//! pays. Who is at the end of its route is gone (its own episode is terminated). Then, with probability
//! `arrive_prob`, the first car that waits enters at a random free gate on a random route.
//!
//! | | when |
//! |---|---|
//! | reward | -0.01 · own steps on the road, and -10 when the way was blocked |
//! | terminated | all cars have arrived |
//! | truncated | after `max_episode_steps` |
//!
//! Curriculum: option `arrive_prob` sets how often cars enter from the next reset on.

mod dynamics;
mod scripted;
mod start;
mod trace;

use palaestra_plugin_api::{
    prelude::*,
    serde,
    serde_json::{Value, json},
    trace::TraceCase,
};

use crate::{
    board::{Board, EAST, Grid, NORTH, Place, SOUTH, WEST},
    picture::{self, Picture},
    state::{choices, joint},
};

/// The board.
const BOARD: Board = Board {
    rows: 14,
    columns: 14,
};
/// Number of actions.
const ACTIONS: usize = 2;
/// The action that moves.
const GAS: usize = 0;
/// The action that does not.
const BRAKE: usize = 1;
/// Where cars enter, and where they drive from there.
const GATES: [(Place, Place); 4] = [
    ([7, 0], EAST),
    ([13, 7], NORTH),
    ([6, 13], WEST),
    ([0, 6], SOUTH),
];
/// Where cars leave.
const EXITS: [Place; 4] = [[7, 13], [0, 7], [6, 0], [13, 6]];
/// Routes: 1 straight, 2 right, 3 left.
const ROUTES: i32 = 3;
const STRAIGHT: i32 = 1;
const RIGHT: i32 = 2;
/// No route yet.
const NO_ROUTE: i32 = -1;
/// Where cars wait.
const WAITING: Place = [0, 0];
/// Reward for each step on the road, per step spent there.
const STEP_COST: f64 = -0.01;
/// Reward for a blocked move.
const COLLISION: f64 = -10.0;
/// Cells that a car sees.
const WINDOW: usize = 9;
/// Numbers of a car besides its own number: row, column, route.
const OF_CAR: usize = 5;

/// Metrics, in order.
const COLLISIONS: usize = 0;
const ARRIVED: usize = 1;
const SUCCESS: usize = 2;

/// Settings of ma-gym's traffic junction; the defaults are those of `TrafficJunction4-v0`.
#[palaestra_plugin_api::config]
pub struct TrafficJunctionMaGymConfig {
    /// Number of cars.
    #[config(default = 4, range = 1..=100)]
    pub num_cars: usize,
    /// Probability that a car enters in a step.
    #[config(default = 0.5, range = 0.0..=1.0)]
    pub arrive_prob: f64,
    /// Whether everybody sees what all see.
    #[config(default = false)]
    pub full_observable: bool,
    /// Steps until truncation.
    #[config(default = 100, range = 1..)]
    pub max_episode_steps: u32,
}

/// A car.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "serde")]
struct Car {
    place: Place,
    direction: Place,
    route: i32,
    on_road: bool,
    turned: bool,
    arrived: bool,
    /// Steps on the road.
    steps: u32,
}

/// What changes in an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    cars: Vec<Car>,
    step: usize,
    collided: bool,
    /// Probability that a car enters in a step.
    arrive_prob: f64,
    /// `(car, gate, route)` of who enters in each step, if that was prescribed.
    entries: Option<Vec<Vec<(usize, Place, i32)>>>,
}

/// `grid/TrafficJunctionMaGym-v0`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<TrafficJunctionMaGymConfig, State>",
    into = "Saved<TrafficJunctionMaGymConfig, State>"
)]
pub struct TrafficJunctionMaGym {
    config: TrafficJunctionMaGymConfig,
    state: State,
    /// Car + 1 on each cell, with a border for windows.
    cells: Grid<u8>,
    /// What others see of each car, `[cars, cars + 5]`.
    features: Vec<f32>,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Outcome {
    collisions: u32,
    arrived: usize,
}

impl Environment for TrafficJunctionMaGym {
    const ID: &'static str = "grid/TrafficJunctionMaGym-v0";
    const DESCRIPTION: &'static str =
        "Cars drive once through a junction, blocked by cars ahead (ma-gym)";
    const TRACES: &'static [&'static str] = &["ma-gym TrafficJunction4/10"];
    type Config = TrafficJunctionMaGymConfig;

    fn spec(config: &TrafficJunctionMaGymConfig) -> Result<EnvironmentSpec> {
        let cars = config.num_cars;
        let seen = if config.full_observable { cars } else { 1 };
        let observation = Space::bounded(seen * WINDOW * (cars + OF_CAR), 0.0, 1.0);
        let mut spec = EnvironmentSpec::new("car", cars, observation, Space::discrete(ACTIONS));
        spec.groups[0].no_op = Some(vec![BRAKE as f64]);
        spec.max_episode_steps = Some(config.max_episode_steps);
        spec.reward_range = (
            Some(COLLISION + STEP_COST * f64::from(config.max_episode_steps)),
            Some(0.0),
        );
        spec.metrics = vec![
            Metric::sum("collisions"),
            Metric::last("arrived"),
            Metric::last("success"),
        ];
        spec.flags = Flags {
            per_agent_end: true,
            counterfactual: true,
            scripted: true,
            ..Flags::default()
        };
        spec.tags = vec![Tag::Cooperative];
        Ok(spec)
    }

    fn new(config: &TrafficJunctionMaGymConfig) -> Result<Self> {
        let cars = config.num_cars;
        let state = State {
            cars: vec![start::waiting(); cars],
            arrive_prob: config.arrive_prob,
            ..State::default()
        };
        let features = vec![0.0; cars * (cars + OF_CAR)];
        let mut world = Self {
            config: config.clone(),
            state,
            cells: Grid::new(BOARD, 1, 0, 0),
            features,
        };
        world.settle();
        Ok(world)
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        let arrive_prob = self.arrive_prob(options)?;
        match options.init::<start::Init>()? {
            Some(init) => self.place(init.into_state()?)?,
            None => self.draw(rng),
        }
        self.state.arrive_prob = arrive_prob;
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let outcome = self.drive(
            |car| actions.discrete(car),
            |car, reward, arrives| {
                out.reward(car, reward);
                if arrives {
                    out.group(0).terminate(car);
                }
            },
        );
        self.admit(rng);
        self.state.step += 1;
        self.state.collided |= outcome.collisions > 0;
        out.metric(COLLISIONS, f64::from(outcome.collisions));
        out.metric(ARRIVED, outcome.arrived as f64);
        out.metric(SUCCESS, f64::from(!self.state.collided));
        if outcome.arrived == self.config.num_cars {
            out.terminate();
        }
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        let of = |value: fn(&Car) -> Value| self.state.cars.iter().map(value).collect::<Vec<_>>();
        json!({
            "pos": of(|car| json!(car.place)),
            "route": of(|car| json!(car.route)),
            "on_road": of(|car| json!(car.on_road)),
            "direction": of(|car| json!(car.direction)),
            "arrived": of(|car| json!(u8::from(car.arrived))),
        })
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(joint(&[self.script()]))
    }

    fn render(&self, canvas: &mut Canvas) {
        let driving: Vec<usize> = (0..self.config.num_cars)
            .filter(|&car| self.state.cars[car].is_driving())
            .collect();
        let places: Vec<Place> = driving
            .iter()
            .map(|&car| self.state.cars[car].place)
            .collect();
        let mut picture = Picture::new(canvas, BOARD);
        BOARD
            .places()
            .filter(|&place| is_road(place))
            .for_each(|place| picture.cell(place, Color::LIGHT));
        picture.trails(&places, |nth| driving[nth]);
        picture.named_agents(&places, |nth| driving[nth]);
        for &car in &driving {
            picture.pointer(self.state.cars[car].place, self.state.cars[car].direction);
        }
        picture.legend(self.config.num_cars, &[]);
        let arrived = self.state.cars.iter().filter(|car| car.arrived).count();
        canvas.caption(format!(
            "{} cars on the road, {arrived} have arrived",
            driving.len()
        ));
        let road = |place| if is_road(place) { '.' } else { ' ' };
        canvas.text_frame(picture::text(BOARD, |place| {
            let here = driving
                .iter()
                .find(|&&car| self.state.cars[car].place == place);
            here.map_or_else(|| road(place), |&car| picture::letter(car))
        }));
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let chosen = choices(actions, &[self.config.num_cars], ACTIONS)?;
        let mut rewards = vec![0.0; self.config.num_cars];
        self.clone().drive(
            |car| chosen[0][car],
            |car, reward, _| rewards[car] += reward,
        );
        Ok(vec![rewards])
    }

    fn trace_cases(document: &Value) -> Result<Vec<TraceCase>> {
        trace::cases(document)
    }
}

fn is_road([row, column]: Place) -> bool {
    (6..=7).contains(&row) || (6..=7).contains(&column)
}

#[cfg(test)]
mod tests;
