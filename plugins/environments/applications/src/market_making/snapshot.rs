//! Snapshots and given starts: a session is read back only if it can be one of this market.

use palaestra_plugin_api::prelude::*;

use super::{
    MAKERS, MarketMaking, MarketMakingConfig, REMEMBERED, Session,
    book::{Order, Remainder, Side},
};
use crate::state::{invalid, require};

impl From<MarketMaking> for Saved<MarketMakingConfig, Session> {
    fn from(market: MarketMaking) -> Self {
        Self {
            state: market.session(),
            config: market.config,
        }
    }
}

impl TryFrom<Saved<MarketMakingConfig, Session>> for MarketMaking {
    type Error = Error;

    fn try_from(saved: Saved<MarketMakingConfig, Session>) -> Result<Self> {
        let mut market = Self::new(&saved.config)?;
        market.place(saved.state)?;
        Ok(market)
    }
}

impl MarketMaking {
    pub(super) fn session(&self) -> Session {
        Session {
            orders: self.book.orders(),
            market: self.state.clone(),
        }
    }

    /// Starts from a given session, after checking that it can be one.
    pub(super) fn place(&mut self, session: Session) -> Result<()> {
        self.check(&session)?;
        let Session { orders, market } = session;
        self.book.clear();
        let mut traded = false;
        for order in orders {
            self.book.take(order, Remainder::Rests, |_| traded = true);
        }
        self.state = market;
        self.earned.fill(0.0);
        let complete = !traded && self.within_limits();
        if !complete {
            self.book.clear();
            return Err(Error::config(
                "start orders: expected bids below asks, within the limits of positions, found others",
            ));
        }
        Ok(())
    }

    fn check(&self, Session { orders, market }: &Session) -> Result<()> {
        let (config, agents) = (&self.config, self.seats.len());
        let levels = f64::from(config.price_levels);
        let clock = [0.0, f64::from(config.session_steps)];
        require("clock", &[f64::from(market.clock)], 1, clock)?;
        require("value", &[market.value], 1, [1.0, levels])?;
        let mids: Vec<f64> = market.mids.iter().map(|&mid| f64::from(mid)).collect();
        require("mids", &mids, REMEMBERED, [2.0, 2.0 * levels])?;
        let held = f64::from(config.max_inventory);
        let positions: Vec<f64> = (market.accounts.iter())
            .map(|account| account.inventory as f64)
            .collect();
        require("accounts", &positions, agents, [-held, held])?;
        let signals = [f64::MIN, f64::MAX];
        require("signals", &market.signals, config.num_arbitrageurs, signals)?;
        let targets: Vec<f64> = market.targets.iter().map(|&target| target as f64).collect();
        let demand = f64::from(config.demand);
        let noise = config.num_noise_traders;
        require("targets", &targets, noise, [-demand, demand])?;
        let mut arrival = market.arrival.clone();
        arrival.sort_unstable();
        if !arrival.iter().copied().eq(0..agents as u32) {
            let expected = format!("every agent from 0 to {} once", agents - 1);
            return Err(invalid(
                "/arrival",
                expected,
                format!("{:?}", market.arrival),
            ));
        }
        let mut seen = vec![false; agents + config.num_market_makers];
        for order in orders {
            let free = seen.get_mut(order.slot as usize);
            if !self.fits(order) || free.is_none_or(|seen| std::mem::replace(seen, true)) {
                return Err(Error::config(format!(
                    "start orders: expected one order a slot, its side and size allowed there, found {order:?}"
                )));
            }
        }
        Ok(())
    }

    /// Whether an order may be in its slot.
    fn fits(&self, order: &Order) -> bool {
        let quotes = 2 * self.config.groups()[MAKERS] as u32;
        let (side, largest) = match order.slot {
            slot if slot >= quotes => (order.side, self.config.max_order_size),
            slot if slot % 2 == 0 => (Side::Buy, self.config.max_quote_size),
            _ => (Side::Sell, self.config.max_quote_size),
        };
        order.side == side
            && (1..=largest).contains(&order.size)
            && (1..=self.config.price_levels).contains(&order.price)
    }

    /// Whether no position can leave its limits, should everything trade that rests.
    pub(super) fn within_limits(&self) -> bool {
        let limit = i64::from(self.config.max_inventory);
        (self.seats.iter().enumerate()).all(|(agent, seat)| {
            let held = self.state.accounts[agent].inventory;
            let slots = if seat.group == MAKERS { 2 } else { 1 };
            (self.slot(agent)..self.slot(agent) + slots)
                .filter_map(|slot| self.book.order(slot))
                .all(|order| match order.side {
                    Side::Buy => held + i64::from(order.size) <= limit,
                    Side::Sell => held - i64::from(order.size) >= -limit,
                })
        })
    }
}
