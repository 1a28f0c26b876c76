//! Settings of the highway.

use crate::driving::{Control, Engine};

/// What the traffic is like.
#[palaestra_plugin_api::config]
pub enum Scenario {
    /// Each vehicle drives at its own speed on a ring road and may overtake.
    Cruise,
    /// Some vehicles come by a ramp that ends, and have to merge.
    Merge,
    /// Vehicles follow each other closely behind leaders whose speed swings.
    Platoon,
}

/// Settings of Highway.
#[palaestra_plugin_api::config]
pub struct HighwayConfig {
    /// What the traffic is like.
    pub scenario: Scenario,
    /// How vehicles are controlled.
    pub control: Control,
    /// Number of vehicles.
    #[config(default = 10, range = 1..=1000)]
    pub num_vehicles: usize,
    /// Number of lanes; a ramp is another one.
    #[config(default = 3, range = 1..=8)]
    pub num_lanes: usize,
    /// Vehicles on a kilometre of a lane at the start [1/km].
    #[config(default = 15.0, range = 1.0..=100.0)]
    pub density: f64,
    /// Length of a vehicle (m).
    #[config(default = 5.0, range = 0.1..=30.0)]
    pub vehicle_length: f64,
    /// How far a vehicle senses others (m).
    #[config(default = 100.0, range = 1.0..=1000.0)]
    pub sensing_range: f64,
    /// Speed that vehicles wish for on average (m/s).
    #[config(default = 30.0, range = 1.0..=60.0)]
    pub desired_speed: f64,
    /// How far wishes differ, as a part of their mean.
    #[config(default = 0.2, range = 0.0..=0.9)]
    pub speed_spread: f64,
    /// Largest speed (m/s).
    #[config(default = 40.0, range = 1.0..=100.0)]
    pub max_speed: f64,
    /// Largest acceleration (m/s²).
    #[config(default = 3.0, range = 0.1..=20.0)]
    pub acceleration: f64,
    /// Comfortable deceleration, of the choice to slow down (m/s²).
    #[config(default = 3.0, range = 0.1..=20.0)]
    pub deceleration: f64,
    /// Largest deceleration (m/s²).
    #[config(default = 8.0, range = 0.1..=20.0)]
    pub max_deceleration: f64,
    /// Time that a vehicle should keep to the one ahead (s).
    #[config(default = 1.0, range = 0.0..=10.0)]
    pub headway: f64,
    /// Room that a vehicle should keep to the one ahead, beside the time (m).
    #[config(default = 2.0, range = 0.1..=100.0)]
    pub min_gap: f64,
    /// Steps after a change of lane until the next may follow.
    #[config(default = 10, range = 0..=10_000)]
    pub lane_change_pause: u32,
    /// Part of the vehicles that come by the ramp.
    #[config(default = 0.3, range = 0.0..=1.0)]
    pub ramp_share: f64,
    /// Length of the part of the ramp on which vehicles can merge (m).
    #[config(default = 200.0, range = 10.0..=10_000.0)]
    pub merge_length: f64,
    /// Length of the road after the end of the ramp (m).
    #[config(default = 200.0, range = 0.0..=10_000.0)]
    pub exit_length: f64,
    /// Vehicles of a platoon, its leader among them.
    #[config(default = 5, range = 1..=1000)]
    pub platoon_size: usize,
    /// How far the speed that leaders wish for swings, as a part of its mean.
    #[config(default = 0.2, range = 0.0..=0.9)]
    pub leader_swing: f64,
    /// Period of the swing (s).
    #[config(default = 30.0, range = 0.1..=10_000.0)]
    pub leader_period: f64,
    /// Weight of the speed in the reward.
    #[config(default = 1.0, range = 0.0..=1e6)]
    pub speed_weight: f64,
    /// Weight of the spacing in the reward.
    #[config(default = 0.5, range = 0.0..=1e6)]
    pub spacing_weight: f64,
    /// Weight of jerks in the reward.
    #[config(default = 0.1, range = 0.0..=1e6)]
    pub comfort_weight: f64,
    /// What a change of lane costs.
    #[config(default = 0.05, range = 0.0..=1e6)]
    pub lane_change_cost: f64,
    /// What a collision costs each vehicle in it.
    #[config(default = 20.0, range = 0.0..=1e6)]
    pub collision_penalty: f64,
    /// What it is worth to reach the end of the road, when merging.
    #[config(default = 10.0, range = 0.0..=1e6)]
    pub arrival_reward: f64,
    /// Length of a step (s).
    #[config(default = 0.2, range = 0.01..=1.0)]
    pub time_step: f64,
    /// Steps until truncation.
    #[config(default = 300, range = 1..)]
    pub max_episode_steps: u32,
}

impl HighwayConfig {
    pub(super) fn engine(&self) -> Engine {
        Engine {
            time_step: self.time_step,
            acceleration: self.acceleration,
            deceleration: self.deceleration,
            max_deceleration: self.max_deceleration,
            max_speed: self.max_speed,
        }
    }

    /// Room that a vehicle of some speed should keep.
    #[inline(always)]
    pub(super) fn wanted_gap(&self, speed: f64) -> f64 {
        self.min_gap + self.headway * speed
    }

    /// Number of lanes, the ramp among them.
    pub(super) fn lanes(&self) -> usize {
        self.num_lanes + usize::from(self.scenario == Scenario::Merge)
    }

    /// Number of vehicles that come by the ramp: those of the least indices.
    pub(super) fn ramp_vehicles(&self) -> usize {
        if self.scenario != Scenario::Merge {
            return 0;
        }
        (self.ramp_share * self.num_vehicles as f64).round() as usize
    }

    /// Least and largest reward of a vehicle in a step.
    pub(super) fn reward_range(&self) -> (f64, f64) {
        let spacing = self.spacing_weight;
        let lost = spacing + self.comfort_weight + self.lane_change_cost;
        let gained = match self.scenario {
            Scenario::Cruise => 0.0,
            Scenario::Merge => self.arrival_reward,
            Scenario::Platoon => spacing,
        };
        let least = -lost.max(self.collision_penalty);
        (least, self.speed_weight + gained)
    }
}
