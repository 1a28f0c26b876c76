//! What a vehicle senses.

use palaestra_plugin_api::prelude::*;

use super::{
    Control, Highway, LEFT, RIGHT, Status,
    road::{LOOKS, NOBODY, OWN},
};

/// Numbers about the vehicle itself.
const ITSELF: usize = 9;
/// Numbers about another one.
const EACH: usize = 3;
/// Width of an observation: ahead and behind in each lane.
const WIDTH: usize = ITSELF + EACH * 2 * LOOKS;

/// The space of observations.
pub(super) fn space() -> Space {
    let itself = [0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0];
    let others = [-1.0, 0.0, -1.0].repeat(2 * LOOKS);
    Space::bounds(&[itself.to_vec(), others].concat(), &[1.0; WIDTH])
}

impl Highway {
    /// Writes observations and masks; zeros for those that are gone.
    #[inline(always)]
    pub(super) fn observe(&self, out: &mut Observe<'_>) {
        let discrete = self.config.control == Control::Discrete;
        for (index, vehicle) in self.state.vehicles.iter().enumerate() {
            let driving = vehicle.status == Status::Driving;
            let may = [-1, 1].map(|turn| driving && self.may_change(index, turn));
            if discrete {
                let mask = out.action_mask(index);
                mask[RIGHT] = u8::from(may[0]);
                mask[LEFT] = u8::from(may[1]);
            }
            let row = out.observation(index);
            if driving {
                self.sense(index, may, row);
            } else {
                row.fill(0.0);
            }
        }
    }

    #[inline(always)]
    fn sense(&self, index: usize, may: [bool; 2], row: &mut [f32]) {
        let (config, vehicle) = (&self.config, &self.state.vehicles[index]);
        let pedal = |acceleration: f64| (acceleration / config.max_deceleration).clamp(-1.0, 1.0);
        let around = &self.traffic.around[index];
        let range = config.sensing_range;
        let ahead = around.ahead[OWN];
        let brake_lights = if ahead != NOBODY && self.gap(index, ahead) <= range {
            pedal(self.state.vehicles[ahead].acceleration)
        } else {
            0.0
        };
        let last_lane = (self.road.lanes - 1).max(1);
        let itself: [f64; ITSELF] = [
            vehicle.speed / config.max_speed,
            (vehicle.wish / config.max_speed).min(1.0),
            pedal(vehicle.acceleration),
            vehicle.lane as f64 / last_lane as f64,
            f64::from(u8::from(may[0])),
            f64::from(u8::from(may[1])),
            (config.wanted_gap(vehicle.speed) / range).min(1.0),
            brake_lights,
            f64::from(u8::from(self.predecessor(index).is_some())),
        ];
        for (to, x) in row.iter_mut().zip(itself) {
            *to = x as f32;
        }
        let others = row[ITSELF..].chunks_exact_mut(EACH);
        for (nth, to) in others.enumerate() {
            let look = nth / 2;
            let lane = vehicle.lane as i64 + look as i64 - OWN as i64;
            let sensed = if !self.road.has_lane(lane, vehicle.place) {
                None
            } else if nth % 2 == 0 {
                let other = around.ahead[look];
                let gap = if other == NOBODY {
                    f64::INFINITY
                } else {
                    self.gap(index, other)
                };
                let ramp = if look == OWN {
                    self.ramp_ahead(vehicle)
                } else {
                    f64::INFINITY
                };
                if ramp < gap {
                    Some((ramp, 0.0))
                } else {
                    Some((gap, self.speed_of(other)))
                }
            } else {
                let other = around.behind[look];
                let gap = if other == NOBODY {
                    f64::INFINITY
                } else {
                    self.gap(other, index)
                };
                Some((gap, self.speed_of(other)))
            };
            let numbers = match sensed {
                None => [-1.0, 1.0, 0.0],
                Some((gap, _)) if gap > range => [0.0, 1.0, 0.0],
                Some((gap, speed)) => [
                    1.0,
                    gap.max(0.0) / range,
                    ((speed - vehicle.speed) / config.max_speed).clamp(-1.0, 1.0),
                ],
            };
            to.copy_from_slice(&numbers.map(|x| x as f32));
        }
    }

    #[inline(always)]
    fn speed_of(&self, index: usize) -> f64 {
        match index {
            NOBODY => 0.0,
            _ => self.state.vehicles[index].speed,
        }
    }
}
