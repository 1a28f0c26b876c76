//! Traffic junction: cars on fixed routes brake or go; nobody sees far, everybody could talk.
//!
//! Sukhbaatar et al. (2016), "Learning multiagent communication with backpropagation"; behaves as the
//! environment of IC3Net (Singh et al., 2019), whose quirks are marked "quirk".
//!
//! | difficulty | roads | arrival points × routes | cars | steps | `add_rate` |
//! |---|---|---|---|---|---|
//! | easy | two one-way roads on 7 × 7 cells | 2 × 1 | 5 | 20 | 0.1 to 0.3 |
//! | medium | two two-lane roads on 14 × 14 cells | 4 × 3 | 10 | 40 | 0.05 to 0.2 |
//! | hard | four two-lane roads on 18 × 18 cells | 8 × 7 | 20 | 80 | 0.02 to 0.05 |
//!
//! | observation | meaning |
//! |---|---|
//! | 0 | own last action |
//! | 1 | number of the route / (number of routes - 1) |
//! | then b + 3 per cell of the window, row by row | one-hot number of the road cell, b off the roads; at b + 2 the number of cars there |
//!
//! The window has `2·vision + 1` cells a side; b is 2, 4 or 8 times `dim`. Quirk: the easy roads have 14 cells
//! and b is 12, so that two cells look like off the roads and like the unused number. A car that is not on the
//! road sees zeros; it is not `alive`.
//!
//! | action | meaning |
//! |---|---|
//! | 0 | gas: one cell on |
//! | 1 | brake |
//!
//! First all cars move; at the end of its route a car leaves (its own episode is terminated). Then at each
//! arrival point, unless all cars are on the road, with probability `add_rate` a random car enters on a random
//! route. Cars that share a cell collide, and drive on.
//!
//! | | when |
//! |---|---|
//! | reward | -0.01 · steps since the car entered, and -10 while it shares a cell |
//! | terminated | never |
//! | truncated | after `max_episode_steps` |
//!
//! Curriculum: option `epoch` sets `add_rate` between `add_rate_min` and `add_rate`, in steps of 0.01; option
//! `add_rate` sets it itself. Metric `success`: whether no car has collided, so its mean is the success rate.

mod config;
mod dynamics;
mod roads;
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
    board::{Grid, Place},
    picture::{self, Picture},
    state::{Foresight, choices, invalid, joint},
};
pub use config::{Difficulty, TrafficJunctionConfig};
use roads::Roads;

/// Number of actions.
const ACTIONS: usize = 2;
/// The action that does not move.
const BRAKE: usize = 1;
/// Reward for every step since a car entered.
const WAITING: f64 = -0.01;
/// Reward of a car that shares a cell.
const CRASH: f64 = -10.0;
/// Where cars are that are not on the road: a cell off the roads.
const PARKED: Place = [0, 0];
/// Numbers of an observation before the window.
const OWN: usize = 2;
/// Metrics, in order.
const SUCCESS: usize = 0;
const COLLISIONS: usize = 1;
const ARRIVALS: usize = 2;
const CARS: usize = 3;
const ADD_RATE: usize = 4;

/// A car.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "serde")]
struct Car {
    alive: bool,
    place: Place,
    /// Steps since it entered.
    wait: u32,
    /// Number of its last route; -1 for none.
    route: i32,
    /// Cells it is on from the start of the route.
    progress: usize,
    last_action: u8,
    /// Whether it reached the end of its route in the last step.
    completed: bool,
}

/// What changes in an episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct State {
    cars: Vec<Car>,
    has_failed: bool,
    add_rate: f64,
    step: usize,
    /// `(car, route)` that enter in each step, if that was prescribed.
    additions: Option<Vec<Vec<(usize, usize)>>>,
    /// Which cars enter in the coming step, if that was not prescribed.
    foresight: Foresight,
}

/// `grid/TrafficJunction-v0`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(
    crate = "serde",
    try_from = "Saved<TrafficJunctionConfig, State>",
    into = "Saved<TrafficJunctionConfig, State>"
)]
pub struct TrafficJunction {
    config: TrafficJunctionConfig,
    roads: Roads,
    state: State,
    on_road: usize,
    /// How many cars, parked ones too, are on each cell.
    counts: Grid<u16>,
}

impl Environment for TrafficJunction {
    const ID: &'static str = "grid/TrafficJunction-v0";
    const DESCRIPTION: &'static str =
        "Cars on fixed routes brake or go (IC3Net's traffic junction)";
    const TRACES: &'static [&'static str] = &["Traffic Junction (IC3Net/CommNet)"];
    type Config = TrafficJunctionConfig;

    fn spec(config: &TrafficJunctionConfig) -> Result<EnvironmentSpec> {
        let world = Self::new(config)?;
        let cars = world.state.cars.len();
        let width = OWN + world.window() * world.roads.vocabulary();
        let mut high = vec![1.0; width];
        let counts =
            (0..world.window()).map(|cell| OWN + (cell + 1) * world.roads.vocabulary() - 1);
        counts.for_each(|at| high[at] = cars as f64);
        let observation = Space::bounds(&vec![0.0; width], &high);
        let mut spec = EnvironmentSpec::new("car", cars, observation, Space::discrete(ACTIONS));
        spec.groups[0].no_op = Some(vec![BRAKE as f64]);
        let steps = config
            .max_episode_steps
            .unwrap_or(config.difficulty.preset().steps);
        spec.max_episode_steps = Some(steps);
        spec.reward_range = (Some(CRASH + WAITING * f64::from(steps)), Some(0.0));
        spec.metrics = vec![
            Metric::last("success"),
            Metric::sum("collisions"),
            Metric::sum("arrivals"),
            Metric::mean("cars_on_road"),
            Metric::last("add_rate"),
        ];
        spec.flags = Flags {
            respawn: true,
            per_agent_end: true,
            counterfactual: true,
            scripted: true,
            ..Flags::default()
        };
        spec.tags = vec![Tag::Cooperative];
        Ok(spec)
    }

    fn new(config: &TrafficJunctionConfig) -> Result<Self> {
        let preset = config.difficulty.preset();
        let cars = config.num_cars.unwrap_or(preset.cars);
        if !(1..=1000).contains(&cars) {
            return Err(invalid("/num_cars", "1 ≤ x ≤ 1000", cars));
        }
        if config.max_episode_steps == Some(0) {
            return Err(invalid("/max_episode_steps", "1 ≤ x", 0));
        }
        let [low, high] = config.rates();
        for (at, rate) in [("/add_rate", high), ("/add_rate_min", low)] {
            if !(0.0..=1.0).contains(&rate) {
                return Err(invalid(at, "0 ≤ x ≤ 1", rate));
            }
        }
        let vision = config.vision as i32;
        let roads = Roads::new(config.difficulty, config.dim.unwrap_or(preset.dim), vision)?;
        let counts = Grid::new(roads.board, vision, 0, 0);
        let state = State {
            cars: vec![start::parked(); cars],
            ..State::default()
        };
        let mut world = Self {
            config: config.clone(),
            roads,
            state,
            on_road: 0,
            counts,
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
        self.restart(options)?;
        self.state.foresight.note(rng);
        for (car, of) in self.state.cars.iter().enumerate() {
            out.group(0).set_alive(car, of.alive);
        }
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let mut arrivals = 0;
        self.drive(
            |car| actions.discrete(car),
            |car| {
                out.group(0).terminate(car);
                arrivals += 1;
            },
        );
        self.admit(rng, |car| out.group(0).set_alive(car, true));
        self.state.foresight.note(rng);
        self.state.step += 1;
        let collisions = self.pay(|car, reward| out.reward(car, reward));
        self.state.has_failed |= collisions > 0;
        out.metric(SUCCESS, f64::from(!self.state.has_failed));
        out.metric(COLLISIONS, f64::from(collisions));
        out.metric(ARRIVALS, f64::from(arrivals));
        out.metric(CARS, self.on_road as f64);
        out.metric(ADD_RATE, self.state.add_rate);
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        let of = |value: fn(&Car) -> Value| self.state.cars.iter().map(value).collect::<Vec<_>>();
        json!({
            "car_loc": of(|car| json!(car.place)),
            "alive": of(|car| json!(u8::from(car.alive))),
            "wait": of(|car| json!(car.wait)),
            "route": of(|car| json!(car.route)),
            "completed": of(|car| json!(u8::from(car.completed))),
            "has_failed": u8::from(self.state.has_failed),
            "add_rate": self.state.add_rate,
        })
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(joint(&[self.script()]))
    }

    fn render(&self, canvas: &mut Canvas) {
        let board = self.roads.board;
        let driving: Vec<usize> = (0..self.state.cars.len())
            .filter(|&car| self.state.cars[car].alive)
            .collect();
        let places: Vec<Place> = driving
            .iter()
            .map(|&car| self.state.cars[car].place)
            .collect();
        let crashed = |place: Place| self.counts[place] > 1 && place != PARKED;
        let mut picture = Picture::new(canvas, board);
        for place in board.places().filter(|&place| self.roads.is_road(place)) {
            picture.cell(
                place,
                if crashed(place) {
                    Color::ACCENT
                } else {
                    Color::LIGHT
                },
            );
        }
        // A car that has just entered may have been elsewhere before.
        let drove = |&car: &usize| self.state.cars[car].progress > 0;
        let under_way: Vec<usize> = driving.iter().copied().filter(drove).collect();
        let ways: Vec<Place> = under_way
            .iter()
            .map(|&car| self.state.cars[car].place)
            .collect();
        picture.trails(&ways, |nth| under_way[nth]);
        picture.named_agents(&places, |nth| driving[nth]);
        picture.legend(self.state.cars.len(), &[("collision", Color::ACCENT)]);
        let failed = if self.state.has_failed {
            "there was a collision"
        } else {
            "no collision so far"
        };
        canvas.caption(format!("{} cars on the road, {failed}", driving.len()));
        let road = |place| if self.roads.is_road(place) { '.' } else { ' ' };
        canvas.text_frame(picture::text(board, |place| {
            let first = driving
                .iter()
                .find(|&&car| self.state.cars[car].place == place);
            first.map_or_else(
                || road(place),
                |&car| {
                    if crashed(place) {
                        '&'
                    } else {
                        picture::letter(car)
                    }
                },
            )
        }));
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let cars = self.state.cars.len();
        let chosen = choices(actions, &[cars], ACTIONS)?;
        let mut rewards = vec![0.0; cars];
        let mut other = self.clone();
        other.drive(|car| chosen[0][car], |_| {});
        // Who enters may collide at once.
        other.admit(&mut self.state.foresight.chance(), |_| {});
        other.pay(|car, reward| rewards[car] += reward);
        Ok(vec![rewards])
    }

    fn trace_cases(document: &Value) -> Result<Vec<TraceCase>> {
        trace::cases(document)
    }
}

#[cfg(test)]
mod tests;
