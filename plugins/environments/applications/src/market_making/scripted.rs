//! How traders act who have read the textbooks.
//!
//! Makers quote around the mid and lean against their position (Avellaneda and Stoikov); arbitrageurs take what is
//! mispriced by more than their error and what a position costs; trend followers hold what rose; noise traders go where they want to be.

use super::{
    MarketMaking, TREND_FOLLOWERS,
    session::{BUY, LIMIT, MARKET, SELL},
};

/// What a maker quotes without a position, in ticks from the mid.
const HALF_SPREAD: f64 = 3.0;
/// Ticks by which a full position shifts both of a maker's quotes.
const LEAN: f64 = 5.0;
/// A trend is a change by more than this.
const TREND: f64 = 2.0;

/// The joint action `[group][agent][component]`.
pub(super) fn joint(market: &MarketMaking) -> Vec<Vec<Vec<f64>>> {
    let mut joint = vec![Vec::new(); 4];
    for (agent, seat) in market.seats.iter().enumerate() {
        let action = match seat.group {
            super::MAKERS => quotes(market, agent),
            super::ARBITRAGEURS => arbitrage(market, seat.agent, agent),
            TREND_FOLLOWERS => follow(market, agent),
            _ => fulfil(market, seat.agent, agent),
        };
        joint[seat.group].push(action);
    }
    joint
}

fn quotes(market: &MarketMaking, agent: usize) -> Vec<f64> {
    let config = &market.config;
    let held = market.state.accounts[agent].inventory as f64 / f64::from(config.max_inventory);
    let widest = f64::from(config.max_offset);
    let offset = |lean: f64| (HALF_SPREAD + lean).round().clamp(0.0, widest);
    let size = f64::from(config.max_quote_size);
    vec![offset(LEAN * held), offset(-LEAN * held), size, size]
}

fn arbitrage(market: &MarketMaking, own: usize, agent: usize) -> Vec<f64> {
    let (config, state, book) = (&market.config, &market.state, &market.book);
    // Another unit costs this much more to hold until the close.
    let left = f64::from(config.session_steps.saturating_sub(state.clock));
    let held = state.accounts[agent].inventory as f64;
    let worth = state.signals[own] - 2.0 * config.inventory_penalty * held * left;
    let margin = config.taker_fee + config.signal_noise;
    let (bid, ask) = (book.bid().map(f64::from), book.ask().map(f64::from));
    let size = config.max_order_size;
    match (bid, ask) {
        (_, Some(ask)) if worth - ask > margin => order(BUY, size, MARKET),
        (Some(bid), _) if bid - worth > margin => order(SELL, size, MARKET),
        _ => hold(),
    }
}

fn follow(market: &MarketMaking, agent: usize) -> Vec<f64> {
    let (config, state) = (&market.config, &market.state);
    let held = state.accounts[agent].inventory;
    let change = state.change(config.window);
    let wanted = match change {
        change if change > TREND => i64::from(config.max_order_size),
        change if change < -TREND => -i64::from(config.max_order_size),
        _ => 0,
    };
    towards(market, wanted - held, LIMIT)
}

fn fulfil(market: &MarketMaking, own: usize, agent: usize) -> Vec<f64> {
    let missing = market.state.targets[own] - market.state.accounts[agent].inventory;
    towards(market, missing, MARKET)
}

/// Trades as much of a difference as one order can.
fn towards(market: &MarketMaking, missing: i64, kind: i32) -> Vec<f64> {
    let side = match missing {
        0 => return hold(),
        1.. => BUY,
        _ => SELL,
    };
    let size = missing
        .unsigned_abs()
        .min(market.config.max_order_size.into());
    order(side, size as u32, kind)
}

fn order(side: i32, size: u32, kind: i32) -> Vec<f64> {
    vec![f64::from(side), f64::from(size - 1), f64::from(kind)]
}

fn hold() -> Vec<f64> {
    vec![0.0; 3]
}
