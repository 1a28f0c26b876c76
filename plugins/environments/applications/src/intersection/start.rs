//! Starts: vehicles in queues on the arms, or what a snapshot or a reset says.

use palaestra_plugin_api::{Error, prelude::*, serde};

use super::{ARMS, Intersection, Route, State, Status, Vehicle};
use crate::state::require;

/// How far a place at the start varies, as a part of the free room.
const JITTER: f64 = 0.25;
/// Speeds at the start, as parts of the limit.
const ROLLING: [f64; 2] = [0.5, 0.9];

/// Options: a place in the curriculum.
#[derive(Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
struct Options {
    /// How many vehicles take part.
    vehicles: Option<usize>,
}

impl Intersection {
    /// How many vehicles take part.
    pub(super) fn vehicles(&self, options: &ResetOptions<'_>) -> Result<usize> {
        let asked = options.options::<Options>()?.and_then(|o| o.vehicles);
        let (count, most) = (
            asked.unwrap_or(self.config.num_vehicles),
            self.config.room(),
        );
        if !(1..=most).contains(&count) {
            return Err(Error::config(format!(
                "reset /options/vehicles: expected 1 ≤ x ≤ {most}, found {count}; set max_vehicles for more"
            )));
        }
        Ok(count)
    }

    /// Draws a start of some vehicles: four a row, one on each arm, in an order of its own in each row.
    pub(super) fn draw(&mut self, rng: &mut EnvRng, count: usize) {
        let config = &self.config;
        let room = JITTER * (config.start_spacing - config.vehicle_size);
        let mut arms: [usize; ARMS] = std::array::from_fn(|arm| arm);
        for (index, vehicle) in self.state.vehicles.iter_mut().enumerate() {
            if index >= count {
                *vehicle = Vehicle::default();
                continue;
            }
            let (row, nth) = (index / ARMS, index % ARMS);
            if nth == 0 {
                rng.shuffle(&mut arms);
            }
            let distance = config.start_distance + row as f64 * config.start_spacing;
            *vehicle = Vehicle {
                status: Status::Driving,
                arm: arms[nth],
                route: Route::ALL[rng.below(Route::ALL.len() as u64) as usize],
                way: -distance - room * rng.uniform(),
                speed: config.speed_limit * rng.range(ROLLING[0], ROLLING[1]),
                acceleration: 0.0,
            };
        }
        self.settled();
    }

    /// Starts from a given state, after checking that it can be one.
    pub(super) fn place(&mut self, state: State) -> Result<()> {
        let config = &self.config;
        let room = config.room();
        let each = |of: fn(&Vehicle) -> f64| state.vehicles.iter().map(of).collect::<Vec<f64>>();
        let arms = [0.0, (ARMS - 1) as f64];
        require("arm", &each(|v| v.arm as f64), room, arms)?;
        let limits = [0.0, config.speed_limit];
        require("speed", &each(|v| v.speed), room, limits)?;
        // A quotient of rounded speeds may be a little larger than what was wanted.
        let largest = [-config.max_deceleration, config.acceleration].map(|a| a * (1.0 + 1e-9));
        require("acceleration", &each(|v| v.acceleration), room, largest)?;
        require("way", &each(|v| v.way), room, [-1e6, 1e6])?;
        let end = |v: &Vehicle| self.crossing.length(v.route) + config.exit_length;
        if let Some(at) = state
            .vehicles
            .iter()
            .position(|v| v.drives() && v.way >= end(v))
        {
            return Err(Error::config(format!(
                "start way: expected vehicles that drive before the end of their ways, found vehicle {at} beyond it"
            )));
        }
        self.state = state;
        self.settled();
        Ok(())
    }

    /// What follows from the state.
    fn settled(&mut self) {
        self.all_clear = false;
        self.driven.fill(super::RESTED);
        for (pose, vehicle) in self.poses.iter_mut().zip(&self.state.vehicles) {
            *pose = self.crossing.pose(vehicle.arm, vehicle.route, vehicle.way);
        }
    }
}
