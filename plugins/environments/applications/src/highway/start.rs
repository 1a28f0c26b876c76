//! Starts: traffic that has been rolling for a while, or what a snapshot or a reset says.

use palaestra_plugin_api::prelude::*;

use super::{Highway, Scenario, State, Status, Vehicle, road::leader_speed};
use crate::state::require;

/// How far places and gaps at the start vary, as a part of the free room.
const JITTER: f64 = 0.25;
/// Speeds at the start, as parts of those wished for.
const ROLLING: [f64; 2] = [0.8, 1.0];
/// The same on the ramp.
const ON_RAMP: [f64; 2] = [0.6, 0.8];

impl Highway {
    /// Draws a start.
    pub(super) fn draw(&mut self, rng: &mut EnvRng) {
        self.state.clock = 0;
        if self.config.scenario == Scenario::Platoon {
            self.draw_platoons(rng);
        } else {
            self.draw_traffic(rng);
        }
        self.traffic.rebuild(&self.state, &self.road);
    }

    /// Vehicles in slots of the lanes, each somewhere in its slot; those from the ramp on it, one after the other.
    fn draw_traffic(&mut self, rng: &mut EnvRng) {
        let config = &self.config;
        let ramp = config.ramp_vehicles();
        let first_lane = config.lanes() - config.num_lanes;
        let slot = self.road.start / self.road.rows as f64;
        let room = JITTER * (slot - config.vehicle_length - config.min_gap);
        for (i, slot) in self.slots.iter_mut().enumerate() {
            *slot = i;
        }
        rng.shuffle(&mut self.slots);
        for (i, vehicle) in self.state.vehicles.iter_mut().enumerate() {
            let by_ramp = i < ramp;
            let (lane, row) = if by_ramp {
                (0, i)
            } else {
                let slot = self.slots[i - ramp];
                (
                    first_lane + slot % config.num_lanes,
                    slot / config.num_lanes,
                )
            };
            let spread = config.speed_spread * rng.range(-1.0, 1.0);
            let wish = (config.desired_speed * (1.0 + spread)).min(config.max_speed);
            let [low, high] = if by_ramp { ON_RAMP } else { ROLLING };
            *vehicle = Vehicle {
                place: (row as f64 + 0.5) * slot + room * rng.range(-1.0, 1.0),
                lane,
                speed: wish * rng.range(low, high),
                wish,
                by_ramp,
                ..Vehicle::default()
            };
        }
    }

    /// Platoons one after the other, lane after lane.
    fn draw_platoons(&mut self, rng: &mut EnvRng) {
        let config = &self.config;
        let (size, lanes) = (config.platoon_size, config.num_lanes);
        let platoons = config.num_vehicles.div_ceil(size);
        let wish = leader_speed(config, 0);
        let gap = config.wanted_gap(config.desired_speed);
        let mut place = 0.0;
        for (i, vehicle) in self.state.vehicles.iter_mut().enumerate() {
            let (platoon, nth) = (i / size, i % size);
            if nth == 0 {
                let in_lane = platoons.div_ceil(lanes);
                let part = (platoon / lanes + 1) as f64 / in_lane as f64;
                // The whole ring is the place where it begins.
                place = part * self.road.length - config.vehicle_length;
            } else {
                let part = 1.0 + JITTER * rng.range(-1.0, 1.0);
                place -= config.vehicle_length + gap * part;
            }
            *vehicle = Vehicle {
                place: place.max(0.0),
                lane: platoon % lanes,
                speed: wish * rng.range(ROLLING[0], ROLLING[1]),
                wish,
                ..Vehicle::default()
            };
        }
    }

    /// Starts from a given state, after checking that it can be one.
    pub(super) fn place(&mut self, state: State) -> Result<()> {
        let (config, road) = (&self.config, &self.road);
        let count = config.num_vehicles;
        let each = |of: fn(&Vehicle) -> f64| state.vehicles.iter().map(of).collect::<Vec<f64>>();
        let lanes = [0.0, (road.lanes - 1) as f64];
        require("place", &each(|v| v.place), count, [0.0, road.length])?;
        require("lane", &each(|v| v.lane as f64), count, lanes)?;
        let speeds = [0.0, config.max_speed];
        require("speed", &each(|v| v.speed), count, speeds)?;
        let (brake, push) = (config.max_deceleration, config.acceleration);
        // A quotient of rounded speeds may be a little larger than what was wanted.
        let accelerations = [-brake, push].map(|a| a * (1.0 + 1e-9));
        let found = each(|v| v.acceleration);
        require("acceleration", &found, count, accelerations)?;
        require(
            "wish",
            &each(|v| v.wish),
            count,
            [0.0, 2.0 * config.max_speed],
        )?;
        let pauses = [0.0, f64::from(config.lane_change_pause)];
        require("pause", &each(|v| f64::from(v.pause)), count, pauses)?;
        let misplaced = state
            .vehicles
            .iter()
            .position(|v| v.status == Status::Driving && !road.has_lane(v.lane as i64, v.place));
        if let Some(vehicle) = misplaced {
            return Err(Error::config(format!(
                "start vehicles: expected those that drive on a lane, found vehicle {vehicle} beyond the ramp"
            )));
        }
        self.state = state;
        self.traffic.rebuild(&self.state, &self.road);
        Ok(())
    }
}
