//! A limit order book: whole ticks, price priority, then time priority.
//!
//! Every order has a slot of its own for as long as the book exists, and every slot an owner. A price holds a queue of
//! slots, the oldest first, linked through the orders themselves: to rest, to trade and to cancel take constant time
//! and no memory. Prices go from 1 to the number of levels, all bids are below all asks, so a price holds one side.
//!
//! Self-trades are prevented by cancelling what rests: an order that meets one of its own owner removes it, without a
//! trade, and goes on.

use palaestra_plugin_api::{
    prelude::{Deserialize, Serialize},
    serde,
};

use super::levels::Occupied;

/// No order.
const NONE: u32 = u32::MAX;

/// What an order wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "serde", rename_all = "snake_case")]
pub(super) enum Side {
    Buy,
    Sell,
}

/// An order that wants to trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
pub(super) struct Order {
    /// Where it rests, and thereby whose it is.
    pub(super) slot: u32,
    pub(super) side: Side,
    /// The worst price that it accepts.
    pub(super) price: u32,
    /// Units.
    pub(super) size: u32,
}

/// What happens to the part of an order that finds nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remainder {
    /// It rests in the book.
    Rests,
    /// It lapses.
    Lapses,
}

/// A trade, at the price of the order that rested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trade {
    /// Owner of the order that rested.
    pub(super) maker: u32,
    /// Owner of the order that came.
    pub(super) taker: u32,
    /// Side of the order that came.
    pub(super) side: Side,
    pub(super) price: u32,
    pub(super) size: u32,
}

/// What rests in a slot, and its neighbours in the queue.
#[derive(Clone, Copy, Debug)]
struct Resting {
    price: u32,
    /// Units left; 0 when the slot is empty.
    size: u32,
    older: u32,
    younger: u32,
}

/// The queue at a price.
#[derive(Clone, Copy, Debug)]
struct Level {
    oldest: u32,
    youngest: u32,
    /// Units of all its orders.
    volume: u32,
}

const EMPTY_SLOT: Resting = Resting {
    price: 0,
    size: 0,
    older: NONE,
    younger: NONE,
};
const EMPTY_LEVEL: Level = Level {
    oldest: NONE,
    youngest: NONE,
    volume: 0,
};

/// The book.
#[derive(Clone, Debug)]
pub(super) struct Book {
    /// Owner of each slot.
    owners: Vec<u32>,
    slots: Vec<Resting>,
    /// By price; the first is not used.
    levels: Vec<Level>,
    occupied: Occupied,
    /// Highest bid; 0 without one.
    bid: u32,
    /// Lowest ask; the number of prices, 0 included, without one.
    ask: u32,
}

impl Book {
    /// An empty book with prices from 1 to `levels` and one slot per element of `owners`.
    pub(super) fn new(owners: Vec<u32>, levels: u32) -> Self {
        Self {
            slots: vec![EMPTY_SLOT; owners.len()],
            owners,
            levels: vec![EMPTY_LEVEL; levels as usize + 1],
            occupied: Occupied::new(levels),
            bid: 0,
            ask: levels + 1,
        }
    }

    /// Removes all orders.
    pub(super) fn clear(&mut self) {
        self.slots.fill(EMPTY_SLOT);
        self.levels.fill(EMPTY_LEVEL);
        self.occupied.clear();
        (self.bid, self.ask) = (0, self.levels.len() as u32);
    }

    /// Highest price that somebody bids.
    #[inline(always)]
    pub(super) fn bid(&self) -> Option<u32> {
        (self.bid > 0).then_some(self.bid)
    }

    /// Lowest price that somebody asks.
    #[inline(always)]
    pub(super) fn ask(&self) -> Option<u32> {
        ((self.ask as usize) < self.levels.len()).then_some(self.ask)
    }

    /// Highest price there can be.
    #[inline(always)]
    pub(super) fn highest(&self) -> u32 {
        self.levels.len() as u32 - 1
    }

    /// Units at a price; 0 where there is no such price.
    #[inline(always)]
    pub(super) fn volume(&self, price: u32) -> u32 {
        self.levels.get(price as usize).map_or(0, |l| l.volume)
    }

    /// What rests in a slot.
    #[inline(always)]
    pub(super) fn order(&self, slot: u32) -> Option<Order> {
        let Resting { price, size, .. } = self.slots[slot as usize];
        let side = if price <= self.bid {
            Side::Buy
        } else {
            Side::Sell
        };
        (size > 0).then_some(Order {
            slot,
            side,
            price,
            size,
        })
    }

    /// All orders by price, at a price the oldest first: what [`take`](Self::take) needs to make the book again.
    pub(super) fn orders(&self) -> Vec<Order> {
        let mut orders = Vec::new();
        for level in &self.levels {
            let mut slot = level.oldest;
            while slot != NONE {
                orders.extend(self.order(slot));
                slot = self.slots[slot as usize].younger;
            }
        }
        orders
    }

    /// Puts an order into its slot instead of what is there. It keeps its place in the queue if it is for the same
    /// price and no larger; otherwise it is treated as new.
    #[inline(always)]
    pub(super) fn replace(&mut self, order: Order, tell: impl FnMut(Trade)) {
        match self.order(order.slot) {
            Some(old)
                if (old.side, old.price) == (order.side, order.price)
                    && (1..=old.size).contains(&order.size) =>
            {
                self.reduce(order.slot, old.size - order.size);
            }
            _ => {
                self.cancel(order.slot);
                self.take(order, Remainder::Rests, tell);
            }
        }
    }

    /// Trades an order with what rests at its price or a better one, the best price first and the oldest first at a
    /// price. To rest, its slot must be empty.
    #[inline(always)]
    pub(super) fn take(&mut self, order: Order, remainder: Remainder, mut tell: impl FnMut(Trade)) {
        let Order {
            slot,
            side,
            price: limit,
            size: mut left,
        } = order;
        let taker = self.owners[slot as usize];
        while left > 0 {
            let price = match side {
                Side::Buy => self.ask,
                Side::Sell => self.bid,
            };
            let meets = match side {
                Side::Buy => price <= limit && (price as usize) < self.levels.len(),
                Side::Sell => price >= limit && price > 0,
            };
            if !meets {
                break;
            }
            let oldest = self.levels[price as usize].oldest;
            let maker = self.owners[oldest as usize];
            if maker == taker {
                self.cancel(oldest);
                continue;
            }
            let size = left.min(self.slots[oldest as usize].size);
            left -= size;
            self.reduce(oldest, size);
            tell(Trade {
                maker,
                taker,
                side,
                price,
                size,
            });
        }
        if left > 0 && remainder == Remainder::Rests {
            self.rest(Order {
                size: left,
                ..order
            });
        }
    }

    /// Removes what rests in a slot, if anything does.
    #[inline(always)]
    pub(super) fn cancel(&mut self, slot: u32) {
        let size = self.slots[slot as usize].size;
        if size > 0 {
            self.reduce(slot, size);
        }
    }

    /// Takes units from an order; one without any is unlinked.
    #[inline(always)]
    fn reduce(&mut self, slot: u32, by: u32) {
        let order = &mut self.slots[slot as usize];
        order.size -= by;
        let Resting {
            price,
            size,
            older,
            younger,
        } = *order;
        let level = &mut self.levels[price as usize];
        level.volume -= by;
        if size > 0 {
            return;
        }
        *order = EMPTY_SLOT;
        match older {
            NONE => level.oldest = younger,
            older => self.slots[older as usize].younger = younger,
        }
        match younger {
            NONE => level.youngest = older,
            younger => self.slots[younger as usize].older = older,
        }
        if level.oldest == NONE {
            self.occupied.remove(price);
            if price == self.bid {
                self.bid = self.occupied.below(price).unwrap_or(0);
            } else if price == self.ask {
                let none = self.levels.len() as u32;
                self.ask = self.occupied.above(price).unwrap_or(none);
            }
        }
    }

    /// Joins the queue at a price.
    #[inline(always)]
    fn rest(&mut self, order: Order) {
        let Order {
            slot,
            side,
            price,
            size,
        } = order;
        debug_assert_eq!(self.slots[slot as usize].size, 0, "an empty slot");
        let level = &mut self.levels[price as usize];
        let older = level.youngest;
        level.youngest = slot;
        level.volume += size;
        match older {
            NONE => level.oldest = slot,
            older => self.slots[older as usize].younger = slot,
        }
        self.slots[slot as usize] = Resting {
            price,
            size,
            older,
            younger: NONE,
        };
        self.occupied.insert(price);
        match side {
            Side::Buy => self.bid = self.bid.max(price),
            Side::Sell => self.ask = self.ask.min(price),
        }
    }
}

#[cfg(test)]
mod tests;
