//! What vehicles earn, and what is measured.

use super::{Intersection, METRICS, STANDING, Status};

impl Intersection {
    /// What a vehicle earns for the step.
    #[inline(always)]
    pub(super) fn reward(&self, index: usize) -> f64 {
        let (config, driven) = (&self.config, &self.driven[index]);
        let arrived = self.state.vehicles[index].status == Status::Arrived;
        let mut reward = if self.all_clear && arrived {
            config.all_clear_bonus
        } else {
            0.0
        };
        if driven.hit {
            return -config.collision_penalty;
        }
        if driven.drove {
            let longest = config.speed_limit * config.time_step;
            let near = 1.0 - (driven.nearest.sqrt() / config.safe_distance).min(1.0);
            reward += config.progress_weight * (driven.way / longest).min(1.0)
                - config.safety_weight * near
                - config.comfort_weight * driven.discomfort;
            if arrived {
                reward += config.arrival_reward;
            }
        }
        reward
    }

    /// Metrics of the step.
    #[inline(always)]
    pub(super) fn measure(&self) -> [f64; METRICS] {
        let safe = self.config.safe_distance * self.config.safe_distance;
        let (mut hits, mut arrivals, mut drove, mut present) = (0, 0, 0_u32, 0);
        let (mut speed, mut jerk, mut waiting, mut near) = (0.0, 0.0, 0_u32, 0_u32);
        for (vehicle, driven) in self.state.vehicles.iter().zip(&self.driven) {
            present += u32::from(vehicle.status != Status::Absent);
            if driven.drove {
                drove += 1;
                hits += u32::from(driven.hit);
                arrivals += u32::from(vehicle.status == Status::Arrived);
                speed += vehicle.speed;
                jerk += driven.jerk;
                waiting += u32::from(vehicle.speed < STANDING);
                near += u32::from(driven.nearest < safe);
            }
        }
        let share = 1.0 / f64::from(drove.max(1));
        [
            f64::from(hits),
            f64::from(arrivals),
            f64::from(u8::from(self.all_clear)),
            speed * share,
            jerk * share,
            f64::from(waiting) * share,
            f64::from(near) * share,
            f64::from(present),
        ]
    }
}
