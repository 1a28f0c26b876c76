//! What each kind of trader sees.

use palaestra_plugin_api::prelude::*;

use super::{
    ARBITRAGEURS, MAKERS, MarketMaking, MarketMakingConfig, NOISE_TRADERS, Seat, TREND_FOLLOWERS,
    book::Side,
};

/// What all see alike, after the own position.
const COMMON: usize = 5;
/// What is each agent's own: its position before, its orders and knowledge behind what is common.
const BEFORE: usize = 1;
const OWN: usize = BEFORE + COMMON;

/// Observations of a group.
pub(super) fn space(config: &MarketMakingConfig, group: usize) -> Space {
    let mut low = vec![-1.0, 0.0, 0.0, -1.0, -1.0, -1.0];
    match group {
        MAKERS => low.extend(vec![0.0; 2 + 2 * config.depth as usize]),
        _ => low.extend([-1.0; 2]),
    }
    Space::bounds(&low, &vec![1.0; low.len()])
}

impl MarketMaking {
    #[inline(always)]
    pub(super) fn observe(&self, out: &mut Observe<'_>) {
        let common = self.common();
        let position = 1.0 / f64::from(self.config.max_inventory);
        for (agent, &Seat { group, agent: own }) in self.seats.iter().enumerate() {
            let mut writer = out.group(group);
            let row = writer.observation(own);
            row[0] = (self.state.accounts[agent].inventory as f64 * position) as f32;
            row[BEFORE..OWN].copy_from_slice(&common);
            let row = &mut row[OWN..];
            if group == MAKERS {
                self.observe_book(agent, row);
            } else {
                row[0] = self.resting(agent);
                row[1] = cut(self.knowledge(group, own, agent));
            }
        }
    }

    /// Time left, spread, imbalance at the best prices, last change and flow.
    #[inline(always)]
    fn common(&self) -> [f32; COMMON] {
        let (config, state, book) = (&self.config, &self.state, &self.book);
        let left = config.session_steps.saturating_sub(state.clock);
        let volume = |price: Option<u32>| price.map_or(0, |price| book.volume(price));
        let [bids, asks] = [book.bid(), book.ask()].map(|price| f64::from(volume(price)));
        [
            f64::from(left) / f64::from(config.session_steps),
            self.spread().map_or(1.0, |s| s / config.price_scale()),
            (bids - asks) / (bids + asks).max(1.0),
            state.change(1) / config.price_scale(),
            state.flow as f64 / config.flow_scale(),
        ]
        .map(cut)
    }

    /// A market maker's quotes and the book around the mid.
    #[inline(always)]
    fn observe_book(&self, agent: usize, row: &mut [f32]) {
        let (config, book) = (&self.config, &self.book);
        let slot = self.slot(agent);
        let size = |slot| book.order(slot).map_or(0, |order| order.size);
        let largest = 1.0 / f64::from(config.max_quote_size);
        row[0] = (f64::from(size(slot)) * largest) as f32;
        row[1] = (f64::from(size(slot + 1)) * largest) as f32;
        let all = largest / config.num_market_makers as f64;
        let (below, above) = self.state.around_mid();
        let (bids, asks) = row[2..].split_at_mut(config.depth as usize);
        for (away, (bid, ask)) in (0..).zip(bids.iter_mut().zip(asks)) {
            // At a price of its own the mid is on neither side; what rests there shows on its own side.
            let volume = |price: Option<u32>, side| {
                let price = price.filter(|&price| self.side_at(price) == side);
                cut(price.map_or(0.0, |price| f64::from(book.volume(price)) * all))
            };
            *bid = volume(below.checked_sub(away), Side::Buy);
            *ask = volume(Some(above + away), Side::Sell);
        }
    }

    /// Side of what rests at a price, if anything does.
    #[inline(always)]
    fn side_at(&self, price: u32) -> Side {
        match self.book.bid() {
            Some(bid) if price <= bid => Side::Buy,
            _ => Side::Sell,
        }
    }

    /// What rests of an agent's only order, negative for a sell.
    #[inline(always)]
    fn resting(&self, agent: usize) -> f32 {
        let part = |size: u32| f64::from(size) / f64::from(self.config.max_order_size);
        match self.book.order(self.slot(agent)) {
            None => 0.0,
            Some(order) if order.side == Side::Buy => part(order.size) as f32,
            Some(order) => -part(order.size) as f32,
        }
    }

    /// What only this kind of trader knows.
    #[inline(always)]
    fn knowledge(&self, group: usize, own: usize, agent: usize) -> f64 {
        let (config, state) = (&self.config, &self.state);
        match group {
            ARBITRAGEURS => (state.signals[own] - state.mid()) / config.price_scale(),
            TREND_FOLLOWERS => state.change(config.window) / config.price_scale(),
            NOISE_TRADERS => {
                let missing = state.targets[own] - state.accounts[agent].inventory;
                missing as f64 / f64::from(config.max_inventory + config.demand)
            }
            _ => 0.0,
        }
    }
}

#[inline(always)]
fn cut(x: f64) -> f32 {
    x.clamp(-1.0, 1.0) as f32
}
