//! Settings of the intersection.

use crate::driving::{Control, Engine};

/// Most vehicles.
pub(super) const MOST: usize = 20;

/// Settings of Intersection.
#[palaestra_plugin_api::config]
pub struct IntersectionConfig {
    /// How vehicles are controlled.
    pub control: Control,
    /// Number of vehicles, unless the option `vehicles` says another.
    #[config(default = 4, range = 1..=20)]
    pub num_vehicles: usize,
    /// Room for this number of vehicles, of which those that do not take part are not alive: as many as a
    /// curriculum will need, 20 at most. Without it `num_vehicles`.
    #[config(range = 1..=20)]
    pub max_vehicles: Option<usize>,
    /// So many of the nearest others are sensed.
    #[config(default = 4, range = 1..=19)]
    pub num_neighbors: usize,
    /// How far a vehicle senses others (m).
    #[config(default = 50.0, range = 1.0..=1000.0)]
    pub sensing_range: f64,
    /// Width of a lane; each road has one in each direction (m).
    #[config(default = 4.0, range = 1.0..=20.0)]
    pub lane_width: f64,
    /// Vehicles whose middles are nearer than this collide (m).
    #[config(default = 3.0, range = 0.1..=20.0)]
    pub vehicle_size: f64,
    /// Distance from the stop line at which the first vehicles start (m).
    #[config(default = 25.0, range = 1.0..=1000.0)]
    pub start_distance: f64,
    /// Distance between vehicles that start on the same road (m).
    #[config(default = 12.0, range = 1.0..=1000.0)]
    pub start_spacing: f64,
    /// A vehicle has passed so far behind the crossing (m).
    #[config(default = 20.0, range = 0.0..=1000.0)]
    pub exit_length: f64,
    /// Largest speed (m/s).
    #[config(default = 12.0, range = 0.1..=60.0)]
    pub speed_limit: f64,
    /// Largest acceleration (m/s²).
    #[config(default = 3.0, range = 0.1..=20.0)]
    pub acceleration: f64,
    /// Comfortable deceleration, of the choice to slow down (m/s²).
    #[config(default = 3.0, range = 0.1..=20.0)]
    pub deceleration: f64,
    /// Largest deceleration (m/s²).
    #[config(default = 8.0, range = 0.1..=20.0)]
    pub max_deceleration: f64,
    /// Vehicles with crossing ways should not come nearer than this (m).
    #[config(default = 5.0, range = 0.1..=100.0)]
    pub safe_distance: f64,
    /// Weight of the speed in the reward.
    #[config(default = 0.2, range = 0.0..=1e6)]
    pub progress_weight: f64,
    /// Weight of nearness in the reward.
    #[config(default = 0.5, range = 0.0..=1e6)]
    pub safety_weight: f64,
    /// Weight of jerks in the reward.
    #[config(default = 0.1, range = 0.0..=1e6)]
    pub comfort_weight: f64,
    /// What it is worth to pass.
    #[config(default = 5.0, range = 0.0..=1e6)]
    pub arrival_reward: f64,
    /// What it is worth to each that all have passed without a collision.
    #[config(default = 10.0, range = 0.0..=1e6)]
    pub all_clear_bonus: f64,
    /// What a collision costs each vehicle in it.
    #[config(default = 20.0, range = 0.0..=1e6)]
    pub collision_penalty: f64,
    /// Length of a step (s).
    #[config(default = 0.2, range = 0.01..=1.0)]
    pub time_step: f64,
    /// Steps until truncation.
    #[config(default = 400, range = 1..)]
    pub max_episode_steps: u32,
}

impl IntersectionConfig {
    pub(super) fn engine(&self) -> Engine {
        Engine {
            time_step: self.time_step,
            acceleration: self.acceleration,
            deceleration: self.deceleration,
            max_deceleration: self.max_deceleration,
            max_speed: self.speed_limit,
        }
    }

    /// Number of vehicles that there is room for.
    pub(super) fn room(&self) -> usize {
        self.max_vehicles.unwrap_or(self.num_vehicles)
    }

    /// Least and largest reward of a vehicle in a step.
    pub(super) fn reward_range(&self) -> (f64, f64) {
        let lost = self.safety_weight + self.comfort_weight;
        let gained = self.progress_weight + self.arrival_reward + self.all_clear_bonus;
        (-lost.max(self.collision_penalty), gained)
    }
}
