//! Settings of the market, and what follows from them.

use palaestra_plugin_api::Result;

use crate::state::invalid;

/// Settings of MarketMaking. Prices are in ticks.
#[palaestra_plugin_api::config]
pub struct MarketMakingConfig {
    /// Number of market makers.
    #[config(default = 2, range = 1..=1000)]
    pub num_market_makers: usize,
    /// Number of arbitrageurs.
    #[config(default = 2, range = 1..=1000)]
    pub num_arbitrageurs: usize,
    /// Number of trend followers.
    #[config(default = 2, range = 1..=1000)]
    pub num_trend_followers: usize,
    /// Number of noise traders.
    #[config(default = 4, range = 1..=1000)]
    pub num_noise_traders: usize,
    /// Prices go from 1 to this.
    #[config(default = 200, range = 10..=10_000)]
    pub price_levels: u32,
    /// Standard deviation of the value's change in a step.
    #[config(default = 1.0, range = 0.0..=1000.0)]
    pub volatility: f64,
    /// Part of its distance to the middle of the prices that the value loses in a step; 0 makes it a random walk.
    #[config(default = 0.01, range = 0.0..=1.0)]
    pub reversion: f64,
    /// The value starts uniformly within this of the middle of the prices.
    #[config(default = 5.0, range = 0.0..=1000.0)]
    pub start_gap: f64,
    /// Standard deviation of an arbitrageur's error about the value.
    #[config(default = 1.0, range = 0.0..=1000.0)]
    pub signal_noise: f64,
    /// Largest distance of a market maker's quote from the mid price.
    #[config(default = 5, range = 1..=100)]
    pub max_offset: u32,
    /// Largest size of a market maker's quote.
    #[config(default = 5, range = 1..=1000)]
    pub max_quote_size: u32,
    /// Largest order of everybody else.
    #[config(default = 5, range = 1..=1000)]
    pub max_order_size: u32,
    /// Prices on each side of the mid whose volume a market maker sees.
    #[config(default = 5, range = 1..=20)]
    pub depth: u32,
    /// Steps over which a trend follower sees the price's change.
    #[config(default = 8, range = 1..=63)]
    pub window: usize,
    /// Largest position, long or short.
    #[config(default = 50, range = 1..=100_000)]
    pub max_inventory: u32,
    /// What a unit costs who takes it from the book.
    #[config(default = 0.05, range = 0.0..=100.0)]
    pub taker_fee: f64,
    /// What the exchange pays, of that, to whose order rested.
    #[config(default = 0.0, range = 0.0..=100.0)]
    pub maker_rebate: f64,
    /// What the square of a position costs in a step.
    #[config(default = 0.002, range = 0.0..=100.0)]
    pub inventory_penalty: f64,
    /// What the square of its distance to the wanted position costs a noise trader in a step.
    #[config(default = 0.05, range = 0.0..=100.0)]
    pub demand_penalty: f64,
    /// Probability that a noise trader wants another position after a step.
    #[config(default = 0.05, range = 0.0..=1.0)]
    pub demand_probability: f64,
    /// Largest position that a noise trader wants.
    #[config(default = 10, range = 0..=100_000)]
    pub demand: u32,
    /// Steps until the market closes.
    #[config(default = 200, range = 1..=1_000_000)]
    pub session_steps: u32,
}

impl MarketMakingConfig {
    /// Refuses what cannot be traded.
    pub(super) fn validate(&self) -> Result<()> {
        if self.demand > self.max_inventory {
            let expected = format!("at most max_inventory = {}", self.max_inventory);
            return Err(invalid("/demand", expected, self.demand));
        }
        if self.maker_rebate > self.taker_fee {
            let expected = format!("at most taker_fee = {}", self.taker_fee);
            return Err(invalid("/maker_rebate", expected, self.maker_rebate));
        }
        Ok(())
    }

    /// Agents of each group.
    #[inline(always)]
    pub(super) fn groups(&self) -> [usize; 4] {
        [
            self.num_market_makers,
            self.num_arbitrageurs,
            self.num_trend_followers,
            self.num_noise_traders,
        ]
    }

    #[inline(always)]
    pub(super) fn agents(&self) -> usize {
        self.groups().iter().sum()
    }

    /// Choices of each component of a market maker's action.
    pub(super) fn quote_choices(&self) -> Vec<usize> {
        let (offsets, sizes) = (
            self.max_offset as usize + 1,
            self.max_quote_size as usize + 1,
        );
        vec![offsets, offsets, sizes, sizes]
    }

    /// Choices of each component of everybody else's action.
    pub(super) fn order_choices(&self) -> Vec<usize> {
        vec![4, self.max_order_size as usize, 2]
    }

    /// The middle of the prices.
    #[inline(always)]
    pub(super) fn middle(&self) -> f64 {
        f64::from(self.price_levels + 1) / 2.0
    }

    /// Differences of prices are observed in units of this.
    #[inline(always)]
    pub(super) fn price_scale(&self) -> f64 {
        f64::from(4 * self.max_offset)
    }

    /// What all but the market makers can order in a step: the scale of what is taken from the book.
    #[inline(always)]
    pub(super) fn flow_scale(&self) -> f64 {
        f64::from(self.max_order_size) * (self.agents() - self.num_market_makers) as f64
    }

    /// No reward is larger or smaller than plus and minus this.
    pub(super) fn largest_reward(&self) -> f64 {
        // In a step what rests and what replaces it can trade, on both sides of a market maker's quotes.
        let traded = f64::from(4 * self.max_quote_size.max(self.max_order_size));
        let held = f64::from(self.max_inventory);
        let missed = held + f64::from(self.demand);
        let moved = (traded + held) * f64::from(self.price_levels - 1);
        let idle =
            (self.inventory_penalty * held * held).max(self.demand_penalty * missed * missed);
        moved + traded * self.taker_fee + idle
    }
}
