//! The road: a ring, or a straight one with a ramp, and who is next to whom on it.
//!
//! Vehicles are kept in the order of their places. From a step to the next that order hardly changes, so it is put
//! right by insertion, and everybody's neighbours are found in one sweep over it each way: the cost of a vehicle does
//! not depend on how many there are.

use palaestra_plugin_api::{Result, math};

use super::{HighwayConfig, Scenario, State, Status, Vehicle};
use crate::state::invalid;

/// Nobody.
pub(super) const NOBODY: usize = usize::MAX;
/// Lanes that a vehicle looks at: to the right, its own, to the left.
pub(super) const LOOKS: usize = 3;
/// The own lane among them.
pub(super) const OWN: usize = 1;
/// How much longer than its platoons a ring is.
const SLACK: f64 = 1.5;

/// What follows from the settings.
#[derive(Clone, Debug)]
pub(super) struct Road {
    pub(super) ring: bool,
    pub(super) lanes: usize,
    /// Length of the road; of a ring all around [m].
    pub(super) length: f64,
    /// Length of the part where vehicles start [m].
    pub(super) start: f64,
    /// Part of the ramp where vehicles can merge; its end is where the ramp ends [m].
    pub(super) merge: [f64; 2],
    /// Rows of starting places.
    pub(super) rows: usize,
}

/// The vehicles around another one, by lane: to the right, own, to the left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Around {
    pub(super) ahead: [usize; LOOKS],
    pub(super) behind: [usize; LOOKS],
}

pub(super) const ALONE: Around = Around {
    ahead: [NOBODY; LOOKS],
    behind: [NOBODY; LOOKS],
};

impl Road {
    pub(super) fn new(config: &HighwayConfig) -> Result<Self> {
        let (slot, lanes) = (1000.0 / config.density, config.num_lanes);
        if slot < config.vehicle_length + config.min_gap {
            let most = 1000.0 / (config.vehicle_length + config.min_gap);
            let expected = format!("at most {most:.1}, so that vehicles have room");
            return Err(invalid("/density", expected, config.density));
        }
        if config.max_speed < config.desired_speed {
            let expected = format!("at least desired_speed = {}", config.desired_speed);
            return Err(invalid("/max_speed", expected, config.max_speed));
        }
        if config.max_deceleration < config.deceleration {
            let expected = format!("at least deceleration = {}", config.deceleration);
            let found = config.max_deceleration;
            return Err(invalid("/max_deceleration", expected, found));
        }
        let ramp = config.ramp_vehicles();
        let rows = (config.num_vehicles - ramp).div_ceil(lanes).max(ramp);
        let start = rows as f64 * slot;
        let merging = config.scenario == Scenario::Merge;
        let merge = [start, start + config.merge_length];
        let length = match config.scenario {
            Scenario::Cruise => start,
            Scenario::Merge => merge[1] + config.exit_length,
            Scenario::Platoon => {
                let platoons = config.num_vehicles.div_ceil(config.platoon_size);
                let size = config.platoon_size.min(config.num_vehicles) as f64;
                let pitch = config.vehicle_length + config.wanted_gap(config.desired_speed);
                start.max(SLACK * pitch * size * platoons.div_ceil(lanes) as f64)
            }
        };
        Ok(Self {
            ring: !merging,
            lanes: config.lanes(),
            length,
            start,
            merge: if merging { merge } else { [0.0; 2] },
            rows,
        })
    }

    /// Way ahead from one place to another, from centre to centre.
    #[inline(always)]
    pub(super) fn distance(&self, from: f64, to: f64) -> f64 {
        let way = to - from;
        if self.ring && way < 0.0 {
            way + self.length
        } else {
            way
        }
    }

    /// Whether there is a lane: the ramp ends.
    #[inline(always)]
    pub(super) fn has_lane(&self, lane: i64, place: f64) -> bool {
        (0..self.lanes as i64).contains(&lane) && (self.ring || lane > 0 || place < self.merge[1])
    }

    /// Whether a vehicle may change to another lane: nobody leaves the road for the ramp, and the ramp only where
    /// there is no barrier.
    #[inline(always)]
    pub(super) fn may_change(&self, vehicle: &Vehicle, turn: i64) -> bool {
        let lane = vehicle.lane as i64 + turn;
        if !(0..self.lanes as i64).contains(&lane) {
            return false;
        }
        self.ring || lane > 0 && (vehicle.lane > 0 || vehicle.place >= self.merge[0])
    }
}

/// Speed that leaders of platoons wish for.
pub(super) fn leader_speed(config: &HighwayConfig, clock: u32) -> f64 {
    let phase = f64::from(clock) * config.time_step / config.leader_period;
    let angle = std::f64::consts::TAU * (phase - phase.floor());
    config.desired_speed * (1.0 + config.leader_swing * math::sin(angle))
}

/// Vehicles in the order of their places, and who is around whom.
#[derive(Clone, Debug)]
pub(super) struct Traffic {
    /// Vehicles that drive, by place, and of equal places by index.
    pub(super) order: Vec<usize>,
    pub(super) around: Vec<Around>,
    /// The last vehicle met of each lane.
    last: Vec<usize>,
}

impl Traffic {
    pub(super) fn new(vehicles: usize, lanes: usize) -> Self {
        Self {
            order: Vec::with_capacity(vehicles),
            around: vec![ALONE; vehicles],
            last: vec![NOBODY; lanes],
        }
    }

    /// Begins anew with all vehicles that drive.
    pub(super) fn rebuild(&mut self, state: &State, road: &Road) {
        self.order.clear();
        self.order.extend(0..state.vehicles.len());
        self.order.sort_unstable_by(|&a, &b| {
            let place = |v: usize| state.vehicles[v].place;
            place(a).total_cmp(&place(b)).then(a.cmp(&b))
        });
        self.update(state, road);
    }

    /// Drops who no longer drives, puts the others in order, and looks around.
    #[inline(always)]
    pub(super) fn update(&mut self, state: &State, road: &Road) {
        let vehicles = &state.vehicles;
        self.order
            .retain(|&v| vehicles[v].status == Status::Driving);
        for sorted in 1..self.order.len() {
            let vehicle = self.order[sorted];
            let key = (vehicles[vehicle].place, vehicle);
            let mut at = sorted;
            while at > 0 && key < (vehicles[self.order[at - 1]].place, self.order[at - 1]) {
                self.order[at] = self.order[at - 1];
                at -= 1;
            }
            self.order[at] = vehicle;
        }
        self.look(state, road);
    }

    /// Finds everybody's neighbours.
    #[inline(always)]
    pub(super) fn look(&mut self, state: &State, road: &Road) {
        let Self {
            order,
            around,
            last,
        } = self;
        let vehicles = &state.vehicles;
        let backwards = |i: usize| order[order.len() - 1 - i];
        for ahead in [false, true] {
            let nth = |i: usize| if ahead { backwards(i) } else { order[i] };
            last.fill(NOBODY);
            if road.ring {
                // Behind the first of the order is the last, all around the ring.
                for vehicle in (0..order.len()).map(nth) {
                    last[vehicles[vehicle].lane] = vehicle;
                }
            }
            for vehicle in (0..order.len()).map(nth) {
                let lane = vehicles[vehicle].lane;
                let seen: [usize; LOOKS] = std::array::from_fn(|look| {
                    let other = (lane + look)
                        .checked_sub(OWN)
                        .and_then(|lane| last.get(lane))
                        .copied()
                        .unwrap_or(NOBODY);
                    // On a ring a vehicle may meet itself, which is no neighbour.
                    if other == vehicle { NOBODY } else { other }
                });
                last[lane] = vehicle;
                if ahead {
                    around[vehicle].ahead = seen;
                } else {
                    around[vehicle].behind = seen;
                }
            }
        }
    }
}
