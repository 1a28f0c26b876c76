//! What vehicles earn, and what is measured.

use super::{
    Highway, LONGEST_HEADWAY, METRICS, Status,
    road::{NOBODY, OWN},
};

impl Highway {
    /// What a vehicle that drove earns for the step.
    #[inline(always)]
    pub(super) fn reward(&self, index: usize) -> f64 {
        let (config, driven) = (&self.config, &self.driven[index]);
        let vehicle = &self.state.vehicles[index];
        let lane_change = config.lane_change_cost * f64::from(u8::from(driven.changed_lane));
        let cost = config.comfort_weight * driven.discomfort + lane_change;
        let alone = 1.0 - part(vehicle.speed - vehicle.wish, vehicle.wish.max(0.1));
        match vehicle.status {
            Status::Collided => return -config.collision_penalty,
            Status::Arrived => {
                return config.speed_weight * alone + config.arrival_reward - cost;
            }
            Status::Driving => {}
        }
        let wanted = config.wanted_gap(vehicle.speed);
        let (speed, spacing) = if let Some(ahead) = self.predecessor(index) {
            let missed = vehicle.speed - self.state.vehicles[ahead].speed;
            (
                1.0 - part(missed, config.desired_speed),
                1.0 - part(self.gap(index, ahead) - wanted, wanted),
            )
        } else {
            let ahead = self.traffic.around[index].ahead[OWN];
            let missing = match ahead {
                NOBODY => 0.0,
                _ => (wanted - self.gap(index, ahead)).max(0.0),
            };
            (alone, -part(missing, wanted))
        };
        config.speed_weight * speed + config.spacing_weight * spacing - cost
    }

    /// Metrics of the step.
    #[inline(always)]
    pub(super) fn measure(&self) -> [f64; METRICS] {
        let (mut hits, mut passed, mut jerk, mut changes) = (0, 0, 0.0, 0);
        for &index in &self.started {
            let driven = &self.driven[index];
            hits += usize::from(driven.hit);
            passed += usize::from(driven.passed);
            jerk += driven.jerk;
            changes += usize::from(driven.changed_lane);
        }
        let (mut speed, mut headway, mut following, mut close) = (0.0, 0.0, 0_u32, 0_u32);
        for &index in &self.traffic.order {
            let own = self.state.vehicles[index].speed;
            speed += own;
            let ahead = self.traffic.around[index].ahead[OWN];
            if ahead == NOBODY {
                continue;
            }
            let gap = self.gap(index, ahead);
            if gap <= self.config.sensing_range {
                headway += (gap.max(0.0) / own.max(1e-3)).min(LONGEST_HEADWAY);
                following += 1;
            }
            close += u32::from(gap < self.config.wanted_gap(own));
        }
        let driving = self.traffic.order.len().max(1) as f64;
        let headway = match following {
            0 => LONGEST_HEADWAY,
            _ => headway / f64::from(following),
        };
        [
            hits as f64,
            passed as f64,
            speed / driving,
            headway,
            jerk / self.started.len().max(1) as f64,
            changes as f64,
            f64::from(close) / driving,
        ]
    }
}

/// Size of a difference in parts of a whole, at most 1.
#[inline(always)]
fn part(difference: f64, whole: f64) -> f64 {
    (difference.abs() / whole).min(1.0)
}
