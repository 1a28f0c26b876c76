//! Starts: cars at the gates, drawn or injected, or what a snapshot says.

use palaestra_plugin_api::{
    Error, Result,
    prelude::{Deserialize, EnvRng, ResetOptions},
    saved_as, serde,
};

use super::{
    BOARD, Car, EXITS, GATES, NO_ROUTE, ROUTES, State, TrafficJunctionMaGym,
    TrafficJunctionMaGymConfig, WAITING, is_road,
};
use crate::{
    board::{EAST, NORTH, Place, SOUTH, STAY, WEST},
    state::{misplaced, require_count, require_on_board},
};

/// `init`: a start in place of a drawn one, and who enters then.
#[derive(Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
pub(super) struct Init {
    pos: Vec<Place>,
    route: Vec<i32>,
    on_road: Vec<bool>,
    direction: Vec<Place>,
    /// `[car, gate, route]` of who enters in each step.
    #[serde(default)]
    entries: Option<Vec<Vec<(usize, Place, i32)>>>,
}

/// Options: a place in the curriculum.
#[derive(Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct Options {
    /// Probability that a car enters in a step.
    arrive_prob: f64,
}

impl Init {
    pub(super) fn into_state(self) -> Result<State> {
        let cars = self.pos.len();
        require_count("route", cars, self.route.len())?;
        require_count("on_road", cars, self.on_road.len())?;
        require_count("direction", cars, self.direction.len())?;
        let car = |i: usize| Car {
            place: self.pos[i],
            route: self.route[i],
            on_road: self.on_road[i],
            direction: self.direction[i],
            ..waiting()
        };
        Ok(State {
            cars: (0..cars).map(car).collect(),
            step: 0,
            collided: false,
            arrive_prob: 0.0,
            entries: self.entries,
        })
    }
}

saved_as!(TrafficJunctionMaGym, TrafficJunctionMaGymConfig, State);

/// A car that has not entered.
pub(super) fn waiting() -> Car {
    Car {
        place: WAITING,
        direction: STAY,
        route: NO_ROUTE,
        on_road: false,
        turned: false,
        arrived: false,
        steps: 0,
    }
}

/// Where a car drives that enters at a gate.
pub(super) fn direction_at(gate: Place) -> Place {
    GATES
        .iter()
        .find(|(place, _)| *place == gate)
        .map_or(STAY, |(_, direction)| *direction)
}

impl TrafficJunctionMaGym {
    /// How often cars enter in the episode that starts.
    pub(super) fn arrive_prob(&self, options: &ResetOptions<'_>) -> Result<f64> {
        match options.options::<Options>()? {
            Some(Options { arrive_prob }) if !(0.0..=1.0).contains(&arrive_prob) => {
                Err(Error::config(format!(
                    "reset /options/arrive_prob: expected 0 ≤ x ≤ 1, found {arrive_prob}"
                )))
            }
            Some(Options { arrive_prob }) => Ok(arrive_prob),
            None => Ok(self.config.arrive_prob),
        }
    }

    /// Goes on from a given state, after checking that it can be one.
    pub(super) fn place(&mut self, state: State) -> Result<()> {
        require_count("cars", self.config.num_cars, state.cars.len())?;
        if !(0.0..=1.0).contains(&state.arrive_prob) {
            return Err(misplaced("arrive_prob", "0 ≤ x ≤ 1", state.arrive_prob));
        }
        for (i, car) in state.cars.iter().enumerate() {
            require_on_board("cars", BOARD, car.place)?;
            let heads = [EAST, NORTH, SOUTH, WEST].contains(&car.direction)
                && (1..=ROUTES).contains(&car.route);
            let fits = match (car.on_road, car.arrived) {
                (false, _) => car.place == WAITING && car.route == NO_ROUTE,
                (true, true) => EXITS.contains(&car.place) && (1..=ROUTES).contains(&car.route),
                (true, false) => heads && is_road(car.place) && !EXITS.contains(&car.place),
            };
            let taken = state.cars[..i]
                .iter()
                .any(|other| car.is_driving() && other.is_driving() && other.place == car.place);
            if !fits || taken {
                return Err(misplaced(
                    "cars",
                    "a car that waits, drives or has arrived",
                    format_args!("{car:?}"),
                ));
            }
        }
        let known = |&(car, gate, route): &(usize, Place, i32)| {
            car < state.cars.len() && direction_at(gate) != STAY && (1..=ROUTES).contains(&route)
        };
        if let Some(entry) = state
            .entries
            .iter()
            .flatten()
            .flatten()
            .copied()
            .find(|entry| !known(entry))
        {
            return Err(misplaced(
                "entries",
                "a car, a gate and a route",
                format_args!("{entry:?}"),
            ));
        }
        self.state = state;
        self.settle();
        Ok(())
    }

    /// A drawn start: the first four cars at the gates in any order, on any routes.
    pub(super) fn draw(&mut self, rng: &mut EnvRng) {
        let mut gates = GATES;
        rng.shuffle(&mut gates);
        self.state.cars.fill(waiting());
        for (car, (place, direction)) in self.state.cars.iter_mut().zip(gates) {
            let route = 1 + rng.below(ROUTES as u64) as i32;
            *car = Car {
                place,
                direction,
                route,
                on_road: true,
                ..waiting()
            };
        }
        (self.state.step, self.state.collided, self.state.entries) = (0, false, None);
        self.settle();
    }

    /// Rebuilds what follows from the state.
    pub(super) fn settle(&mut self) {
        self.cells.fill(BOARD, 0);
        for (i, car) in self
            .state
            .cars
            .iter()
            .enumerate()
            .filter(|(_, car)| car.is_driving())
        {
            self.cells[car.place] = i as u8 + 1;
        }
        // Cars beyond the gates have waited, and the last of them is drawn for good.
        if self.state.cars.len() > GATES.len() {
            self.cells[WAITING] = self.state.cars.len() as u8;
        }
    }
}
