//! A session of the market: it opens, agents act one after another, wealth changes, it closes.

use palaestra_plugin_api::rng::EnvRng;

use super::{
    ARBITRAGEURS, Account, MAKERS, MarketMaking, MarketMakingConfig, NAMES, NOISE_TRADERS,
    REMEMBERED, Seat, State,
    book::{Book, Order, Remainder, Side, Trade},
};

/// Sides of an order as components of an action; 0 holds.
pub(super) const BUY: i32 = 1;
pub(super) const SELL: i32 = 2;
pub(super) const CANCEL: i32 = 3;
/// Kinds of an order.
pub(super) const MARKET: i32 = 0;
pub(super) const LIMIT: i32 = 1;

/// Components of the widest action.
type Action = [i32; 4];

impl Account {
    /// Books one side of a trade.
    #[inline(always)]
    fn book(&mut self, bought: i64, price: u32) {
        self.inventory += bought;
        self.cash -= bought * i64::from(price);
    }

    /// What it is worth when a unit is worth `mark`, fees paid.
    #[inline(always)]
    pub(super) fn wealth(&self, mark: f64, config: &MarketMakingConfig) -> f64 {
        let fees = config.taker_fee * self.taken as f64 - config.maker_rebate * self.made as f64;
        self.cash as f64 + self.inventory as f64 * mark - fees
    }
}

impl State {
    /// Twice the mid price.
    #[inline(always)]
    pub(super) fn doubled_mid(&self) -> u32 {
        self.mids[REMEMBERED - 1]
    }

    #[inline(always)]
    pub(super) fn mid(&self) -> f64 {
        f64::from(self.doubled_mid()) / 2.0
    }

    /// By how much the mid price changed in so many steps.
    #[inline(always)]
    pub(super) fn change(&self, steps: usize) -> f64 {
        self.mid() - f64::from(self.mids[REMEMBERED - 1 - steps]) / 2.0
    }

    /// The whole prices at or next to the mid, below and above.
    #[inline(always)]
    pub(super) fn around_mid(&self) -> (u32, u32) {
        let doubled = self.doubled_mid();
        (doubled / 2, doubled.div_ceil(2))
    }

    #[inline(always)]
    fn record(&mut self, trade: Trade) {
        let units = i64::from(trade.size);
        let bought = match trade.side {
            Side::Buy => units,
            Side::Sell => -units,
        };
        let taker = &mut self.accounts[trade.taker as usize];
        taker.book(bought, trade.price);
        taker.taken += units;
        let maker = &mut self.accounts[trade.maker as usize];
        maker.book(-bought, trade.price);
        maker.made += units;
        self.volume += units;
        self.flow += bought;
    }
}

impl MarketMaking {
    /// A market in which nothing has happened.
    pub(super) fn empty(config: &MarketMakingConfig) -> Self {
        let counts = config.groups();
        let seats: Vec<_> = (0..NAMES.len())
            .flat_map(|group| (0..counts[group]).map(move |agent| Seat { group, agent }))
            .collect();
        let owners = (0..seats.len() as u32)
            .flat_map(|agent| {
                let slots = if seats[agent as usize].group == MAKERS {
                    2
                } else {
                    1
                };
                std::iter::repeat_n(agent, slots)
            })
            .collect();
        Self {
            book: Book::new(owners, config.price_levels),
            state: State {
                clock: 0,
                value: config.middle(),
                mids: vec![config.price_levels + 1; REMEMBERED],
                volume: 0,
                flow: 0,
                accounts: vec![Account::default(); seats.len()],
                signals: vec![config.middle(); counts[ARBITRAGEURS]],
                targets: vec![0; counts[NOISE_TRADERS]],
                arrival: (0..seats.len() as u32).collect(),
            },
            earned: vec![0.0; seats.len()],
            seats,
            config: config.clone(),
        }
    }

    /// The market opens with an empty book.
    pub(super) fn open(&mut self, rng: &mut EnvRng) {
        let (config, state) = (&self.config, &mut self.state);
        self.book.clear();
        self.earned.fill(0.0);
        state.clock = 0;
        (state.volume, state.flow) = (0, 0);
        state.mids.fill(config.price_levels + 1);
        state.accounts.fill(Account::default());
        let gap = config.start_gap * rng.range(-1.0, 1.0);
        state.value = (config.middle() + gap).clamp(1.0, f64::from(config.price_levels));
        for target in &mut state.targets {
            *target = wanted(config, rng);
        }
        // What was shuffled before must not matter.
        for (agent, place) in (0..).zip(&mut state.arrival) {
            *place = agent;
        }
        self.inform(rng);
    }

    #[inline(always)]
    pub(super) fn is_closed(&self) -> bool {
        self.state.clock >= self.config.session_steps
    }

    /// Slot of an agent's order; of a market maker's bid, which is followed by that of its ask.
    #[inline(always)]
    pub(super) fn slot(&self, agent: usize) -> u32 {
        (agent + agent.min(self.config.num_market_makers)) as u32
    }

    /// Everybody acts; prices and wealth follow. `action_of` writes the action of a seat.
    #[inline(always)]
    pub(super) fn settle(&mut self, action_of: impl Fn(Seat, &mut Action)) {
        let mark = self.state.mid();
        for (earned, account) in self.earned.iter_mut().zip(&self.state.accounts) {
            *earned = account.wealth(mark, &self.config);
        }
        (self.state.volume, self.state.flow) = (0, 0);
        for turn in 0..self.state.arrival.len() {
            let agent = self.state.arrival[turn] as usize;
            let seat = self.seats[agent];
            let mut action = Action::default();
            action_of(seat, &mut action);
            if seat.group == MAKERS {
                self.quote(agent, action);
            } else {
                self.order(agent, action);
            }
        }
        let state = &mut self.state;
        let doubled = match (self.book.bid(), self.book.ask()) {
            (Some(bid), Some(ask)) => bid + ask,
            _ => state.doubled_mid(),
        };
        state.mids.copy_within(1.., 0);
        state.mids[REMEMBERED - 1] = doubled;
        state.clock += 1;
        let mark = if self.is_closed() {
            self.state.value
        } else {
            self.state.mid()
        };
        for (earned, account) in self.earned.iter_mut().zip(&self.state.accounts) {
            *earned = account.wealth(mark, &self.config) - *earned;
        }
    }

    /// A market maker replaces its quotes.
    #[inline(always)]
    fn quote(&mut self, agent: usize, [bid_offset, ask_offset, bid_size, ask_size]: Action) {
        let (below, above) = self.state.around_mid();
        let bid = below.saturating_sub(bid_offset as u32).max(1);
        let ask = (above + ask_offset as u32).min(self.book.highest());
        let slot = self.slot(agent);
        for (slot, side, price, wanted) in [
            (slot, Side::Buy, bid, bid_size),
            (slot + 1, Side::Sell, ask, ask_size),
        ] {
            let size = self.allowed(agent, side, wanted as u32);
            let order = Order {
                slot,
                side,
                price,
                size,
            };
            let Self { book, state, .. } = self;
            book.replace(order, |trade| state.record(trade));
        }
    }

    /// Anybody else orders.
    #[inline(always)]
    fn order(&mut self, agent: usize, [side, size, kind, _]: Action) {
        let slot = self.slot(agent);
        let side = match side {
            BUY => Side::Buy,
            SELL => Side::Sell,
            CANCEL => return self.book.cancel(slot),
            _ => return,
        };
        let size = self.allowed(agent, side, size as u32 + 1);
        let Self { book, state, .. } = self;
        let (below, above) = state.around_mid();
        let price = match (kind, side) {
            (LIMIT, Side::Buy) => book.bid().unwrap_or(below),
            (LIMIT, Side::Sell) => book.ask().unwrap_or(above),
            (_, Side::Buy) => book.highest(),
            (_, Side::Sell) => 1,
        };
        let order = Order {
            slot,
            side,
            price,
            size,
        };
        if kind == LIMIT {
            book.replace(order, |trade| state.record(trade));
        } else {
            book.cancel(slot);
            book.take(order, Remainder::Lapses, |trade| state.record(trade));
        }
    }

    /// So much of an order keeps the position within its limit, should all of it trade.
    #[inline(always)]
    fn allowed(&self, agent: usize, side: Side, size: u32) -> u32 {
        let held = self.state.accounts[agent].inventory;
        let limit = i64::from(self.config.max_inventory);
        let room = match side {
            Side::Buy => limit - held,
            Side::Sell => limit + held,
        };
        i64::from(size).min(room) as u32
    }

    /// What an agent is rewarded with for the step.
    #[inline(always)]
    pub(super) fn reward(&self, agent: usize) -> f64 {
        let held = self.state.accounts[agent].inventory;
        let others = self.seats.len() - self.state.targets.len();
        let penalty = match agent.checked_sub(others) {
            Some(noise) => {
                let missed = (held - self.state.targets[noise]) as f64;
                self.config.demand_penalty * missed * missed
            }
            None => self.config.inventory_penalty * (held * held) as f64,
        };
        self.earned[agent] - penalty
    }

    /// Tells the metrics of the step.
    #[inline(always)]
    pub(super) fn measure(&self, mut tell: impl FnMut(usize, f64)) {
        let widest = self.config.price_scale();
        tell(0, self.spread().map_or(widest, |spread| widest.min(spread)));
        tell(1, self.state.volume as f64);
        tell(2, (self.state.mid() - self.state.value).abs());
        let (mut positions, mut earned) = ([0.0; NAMES.len()], [0.0; NAMES.len()]);
        for (agent, seat) in self.seats.iter().enumerate() {
            positions[seat.group] += self.state.accounts[agent].inventory.abs() as f64;
            earned[seat.group] += self.earned[agent];
        }
        for (group, count) in self.config.groups().into_iter().enumerate() {
            tell(3 + group, positions[group] / count as f64);
            tell(3 + NAMES.len() + group, earned[group] / count as f64);
        }
    }

    /// Distance of the best prices.
    #[inline(always)]
    pub(super) fn spread(&self) -> Option<f64> {
        let (bid, ask) = (self.book.bid()?, self.book.ask()?);
        Some(f64::from(ask - bid))
    }

    /// Time passes: value, wishes and order of the coming step.
    #[inline(always)]
    pub(super) fn draw(&mut self, rng: &mut EnvRng) {
        let (config, state) = (&self.config, &mut self.state);
        let pull = config.reversion * (config.middle() - state.value);
        let moved = state.value + pull + config.volatility * rng.normal();
        state.value = moved.clamp(1.0, f64::from(config.price_levels));
        for target in &mut state.targets {
            if rng.bernoulli(config.demand_probability) {
                *target = wanted(config, rng);
            }
        }
        self.inform(rng);
    }

    /// What arbitrageurs believe, and who comes when.
    #[inline(always)]
    fn inform(&mut self, rng: &mut EnvRng) {
        let State {
            value,
            signals,
            arrival,
            ..
        } = &mut self.state;
        for signal in signals {
            *signal = *value + self.config.signal_noise * rng.normal();
        }
        rng.shuffle(arrival);
    }
}

/// A position to want, uniform from `-demand` to `demand`.
fn wanted(config: &MarketMakingConfig, rng: &mut EnvRng) -> i64 {
    let demand = i64::from(config.demand);
    rng.below(2 * u64::from(config.demand) + 1) as i64 - demand
}
