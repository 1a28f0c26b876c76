//! Settings of the smart grid, and the largest values that follow from them.

use super::ROUNDING;

/// Settings of SmartGrid. Energies are those of one step.
#[palaestra_plugin_api::config]
pub struct SmartGridConfig {
    /// Number of producers.
    #[config(default = 2, range = 1..=1000)]
    pub num_producers: usize,
    /// Number of consumers.
    #[config(default = 3, range = 1..=1000)]
    pub num_consumers: usize,
    /// Number of storages.
    #[config(default = 1, range = 1..=1000)]
    pub num_storages: usize,
    /// Largest output of a producer.
    #[config(default = 10.0, range = 0.001..=1e6)]
    pub producer_capacity: f64,
    /// Largest change of an output in a step, as a part of the capacity.
    #[config(default = 0.3, range = 0.0..=1.0)]
    pub ramp: f64,
    /// What a unit of output costs its producer.
    #[config(default = 0.3, range = 0.0..=1e6)]
    pub fuel_cost: f64,
    /// Largest output of all renewables.
    #[config(default = 8.0, range = 0.0..=1e6)]
    pub renewable_capacity: f64,
    /// Mean of the renewables' availability.
    #[config(default = 0.5, range = 0.0..=1.0)]
    pub renewable_mean: f64,
    /// Part of its distance to the mean that the availability loses in a step.
    #[config(default = 0.2, range = 0.0..=1.0)]
    pub renewable_reversion: f64,
    /// Standard deviation of the chance in the availability in a step.
    #[config(default = 0.15, range = 0.0..=1.0)]
    pub renewable_noise: f64,
    /// Mean demand of a consumer.
    #[config(default = 6.0, range = 0.001..=1e6)]
    pub consumer_demand: f64,
    /// How far demand swings over the day, as a part of the mean.
    #[config(default = 0.4, range = 0.0..=1.0)]
    pub demand_swing: f64,
    /// How far chance changes a demand, as a part of it.
    #[config(default = 0.1, range = 0.0..=1.0)]
    pub demand_noise: f64,
    /// Part of a demand that can be curtailed.
    #[config(default = 0.3, range = 0.0..=1.0)]
    pub flexibility: f64,
    /// What a unit of energy is worth to a consumer.
    #[config(default = 1.0, range = 0.0..=1e6)]
    pub energy_value: f64,
    /// What it costs a consumer to forgo energy: this times the square of the amount, per unit of demand.
    #[config(default = 1.0, range = 0.0..=1e6)]
    pub discomfort: f64,
    /// Energy that a storage can hold.
    #[config(default = 10.0, range = 0.001..=1e6)]
    pub storage_capacity: f64,
    /// Most that a storage draws or feeds.
    #[config(default = 3.0, range = 0.0..=1e6)]
    pub storage_power: f64,
    /// Part of what a storage draws that it keeps.
    #[config(default = 0.9, range = 0.01..=1.0)]
    pub storage_efficiency: f64,
    /// Level at the start, as a part of the capacity.
    #[config(default = 0.5, range = 0.0..=1.0)]
    pub storage_start: f64,
    /// Price in balance.
    #[config(default = 0.5, range = 0.001..=1e6)]
    pub base_price: f64,
    /// How far the price rises when all demand is missing, as a part of the price in balance.
    #[config(default = 1.0, range = 0.0..=1.0)]
    pub price_slope: f64,
    /// What a unit of imbalance costs all agents together.
    #[config(default = 0.5, range = 0.0..=1e6)]
    pub imbalance_penalty: f64,
    /// Steps of a day.
    #[config(default = 24, range = 1..=100_000)]
    pub steps_per_day: u32,
    /// Steps until truncation.
    #[config(default = 168, range = 1..)]
    pub max_episode_steps: u32,
}

impl SmartGridConfig {
    pub(super) fn agents(&self) -> usize {
        self.num_producers + self.num_consumers + self.num_storages
    }

    #[inline(always)]
    pub(super) fn largest_demand_of_one(&self) -> f64 {
        self.consumer_demand * (1.0 + self.demand_swing) * (1.0 + self.demand_noise)
    }

    #[inline(always)]
    pub(super) fn largest_demand(&self) -> f64 {
        self.largest_demand_of_one() * self.num_consumers as f64
    }

    #[inline(always)]
    pub(super) fn largest_price(&self) -> f64 {
        self.base_price * (1.0 + self.price_slope)
    }

    /// Of either sign.
    pub(super) fn largest_imbalance(&self) -> f64 {
        let storages = self.num_storages as f64 * self.storage_power;
        let producers = self.num_producers as f64 * self.producer_capacity;
        let supply = producers + self.renewable_capacity;
        (supply.max(self.largest_demand()) + storages) * (1.0 + ROUNDING)
    }

    /// Least and largest reward of an agent in a step.
    pub(super) fn reward_range(&self) -> (f64, f64) {
        let (price, demand) = (self.largest_price(), self.largest_demand_of_one());
        let penalty = self.imbalance_penalty * self.largest_imbalance() / self.agents() as f64;
        let traded = price * self.storage_power;
        let bought = (price - self.energy_value).max(0.0) * demand;
        let forgone = self.discomfort * demand * self.flexibility * self.flexibility;
        let burnt = self.fuel_cost * self.producer_capacity;
        let sold = (price - self.fuel_cost).max(0.0) * self.producer_capacity;
        let least = -(traded.max(bought + forgone).max(burnt) + penalty);
        let most = traded.max(self.energy_value * demand).max(sold);
        let slack = 1.0 + ROUNDING;
        (least * slack, most * slack)
    }
}
