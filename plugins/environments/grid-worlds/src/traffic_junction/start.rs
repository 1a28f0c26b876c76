//! Starts: an empty junction, perhaps with prescribed arrivals, or what a snapshot says.

use palaestra_plugin_api::{
    Error, Result,
    prelude::{Deserialize, ResetOptions},
    saved_as, serde,
};

use super::{Car, PARKED, State, TrafficJunction, TrafficJunctionConfig};
use crate::state::{misplaced, require_count, require_on_board};

/// `init`: what chance does in this episode.
#[derive(Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct Init {
    /// `[car, route]` that enter in each step; nobody after the last.
    additions: Vec<Vec<(usize, usize)>>,
}

/// Options: a place in the curriculum.
#[derive(Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct Options {
    /// Probability that a car enters at an arrival point.
    add_rate: Option<f64>,
    /// Epoch of the curriculum.
    epoch: Option<u32>,
}

/// A car that has not been on the road.
pub(super) fn parked() -> Car {
    Car {
        alive: false,
        place: PARKED,
        wait: 0,
        route: -1,
        progress: 0,
        last_action: 0,
        completed: false,
    }
}

saved_as!(TrafficJunction, TrafficJunctionConfig, State);

impl TrafficJunction {
    /// Empties the junction.
    pub(super) fn restart(&mut self, options: &ResetOptions<'_>) -> Result<()> {
        let add_rate = self.rate(options.options()?)?;
        let additions = options.init::<Init>()?.map(|init| init.additions);
        let entering = additions.iter().flatten().flatten();
        for &(car, route) in entering {
            if car >= self.state.cars.len() || route >= self.roads.routes() {
                let most = format!(
                    "cars below {} and routes below {}",
                    self.state.cars.len(),
                    self.roads.routes()
                );
                return Err(misplaced(
                    "additions",
                    most,
                    format_args!("[{car}, {route}]"),
                ));
            }
        }
        self.state.cars.fill(parked());
        (self.state.has_failed, self.state.step) = (false, 0);
        (self.state.add_rate, self.state.additions) = (add_rate, additions);
        self.settle();
        Ok(())
    }

    fn rate(&self, options: Option<Options>) -> Result<f64> {
        match options {
            Some(Options {
                add_rate: Some(rate),
                epoch: None,
            }) if (0.0..=1.0).contains(&rate) => Ok(rate),
            Some(Options {
                add_rate: Some(_), ..
            }) => Err(Error::config(
                "reset /options: expected add_rate in 0 to 1, without epoch, found another",
            )),
            Some(Options {
                epoch: Some(epoch), ..
            }) => Ok(self.config.rate_in(epoch)),
            _ => Ok(self.config.rates()[1]),
        }
    }

    /// Goes on from a given state, after checking that it can be one.
    fn place(&mut self, state: State) -> Result<()> {
        self.check(&state)?;
        self.state = state;
        self.settle();
        Ok(())
    }

    fn check(&self, state: &State) -> Result<()> {
        require_count("cars", self.state.cars.len(), state.cars.len())?;
        if !(0.0..=1.0).contains(&state.add_rate) {
            return Err(misplaced("add_rate", "0 ≤ x ≤ 1", state.add_rate));
        }
        for car in &state.cars {
            require_on_board("cars", self.roads.board, car.place)?;
            let on_route = usize::try_from(car.route)
                .ok()
                .filter(|&route| route < self.roads.routes());
            let here = on_route.and_then(|route| self.roads.route(route).get(car.progress));
            if car.alive && here != Some(&car.place)
                || !car.alive && car.place != PARKED
                || car.last_action > 1
            {
                return Err(misplaced(
                    "cars",
                    "a place on the car's route",
                    format_args!("{car:?}"),
                ));
            }
        }
        let entering = state.additions.iter().flatten().flatten();
        let known =
            |&(car, route): &(usize, usize)| car < state.cars.len() && route < self.roads.routes();
        match entering.copied().find(|pair| !known(pair)) {
            Some(pair) => Err(misplaced(
                "additions",
                "cars and routes of this junction",
                format_args!("{pair:?}"),
            )),
            None => Ok(()),
        }
    }

    /// Rebuilds what follows from the state.
    pub(super) fn settle(&mut self) {
        self.counts.fill(self.roads.board, 0);
        for car in &self.state.cars {
            self.counts[car.place] += 1;
        }
        self.on_road = self.state.cars.iter().filter(|car| car.alive).count();
    }
}
