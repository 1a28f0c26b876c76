use palaestra_plugin_api::rng::EnvRng;

use super::*;

/// Slots 0 and 1 are agent 0's, slots 2 to 9 those of agents 1 to 8.
fn book() -> Book {
    Book::new(vec![0, 0, 1, 2, 3, 4, 5, 6, 7, 8], 100)
}

fn order(slot: u32, side: Side, price: u32, size: u32) -> Order {
    Order {
        slot,
        side,
        price,
        size,
    }
}

/// Maker, price and size of the trades that an order makes.
fn trades(book: &mut Book, order: Order, remainder: Remainder) -> Vec<(u32, u32, u32)> {
    let mut trades = Vec::new();
    book.take(order, remainder, |t| {
        assert_eq!((t.taker, t.side), (book_owner(order.slot), order.side));
        trades.push((t.maker, t.price, t.size));
    });
    trades
}

fn book_owner(slot: u32) -> u32 {
    slot.saturating_sub(1)
}

/// By hand: of asks at 51, 50, 50 and 52 a bid for 8 up to 51 takes the older at 50, the younger, and part of that at
/// 51; the next takes the rest of it, and what it lacks then rests as the best bid.
#[test]
fn the_best_price_trades_first_and_at_a_price_the_oldest() {
    let mut book = book();
    for (slot, price, size) in [(2, 51, 3), (3, 50, 2), (4, 50, 4), (5, 52, 9)] {
        assert_eq!(
            trades(
                &mut book,
                order(slot, Side::Sell, price, size),
                Remainder::Rests
            ),
            []
        );
    }
    assert_eq!((book.bid(), book.ask()), (None, Some(50)));
    let found = trades(&mut book, order(6, Side::Buy, 51, 8), Remainder::Rests);
    assert_eq!(found, [(2, 50, 2), (3, 50, 4), (1, 51, 2)]);
    assert_eq!(book.order(2), Some(order(2, Side::Sell, 51, 1)));
    assert_eq!(book.order(6), None);
    let found = trades(&mut book, order(7, Side::Buy, 51, 3), Remainder::Rests);
    assert_eq!(found, [(1, 51, 1)]);
    assert_eq!((book.bid(), book.ask()), (Some(51), Some(52)));
    assert_eq!(book.order(7), Some(order(7, Side::Buy, 51, 2)));
}

#[test]
fn what_a_market_order_does_not_find_lapses() {
    let mut book = book();
    trades(&mut book, order(2, Side::Buy, 40, 2), Remainder::Rests);
    trades(&mut book, order(3, Side::Buy, 41, 1), Remainder::Rests);
    let found = trades(&mut book, order(4, Side::Sell, 1, 5), Remainder::Lapses);
    assert_eq!(found, [(2, 41, 1), (1, 40, 2)]);
    assert!(book.orders().is_empty());
    assert_eq!((book.bid(), book.ask()), (None, None));
}

/// Agent 0 has the oldest ask: its own bid removes it and trades with the next.
#[test]
fn nobody_trades_with_itself() {
    let mut book = book();
    trades(&mut book, order(1, Side::Sell, 50, 5), Remainder::Rests);
    trades(&mut book, order(2, Side::Sell, 50, 5), Remainder::Rests);
    let found = trades(&mut book, order(0, Side::Buy, 50, 2), Remainder::Rests);
    assert_eq!(found, [(1, 50, 2)]);
    assert_eq!(book.order(1), None);
    assert_eq!(book.volume(50), 3);
}

#[test]
fn an_order_keeps_its_place_unless_it_grows_or_moves() {
    let mut book = book();
    for slot in [2, 3, 4] {
        trades(&mut book, order(slot, Side::Sell, 50, 3), Remainder::Rests);
    }
    let queue =
        |book: &Book| -> Vec<_> { book.orders().iter().map(|o| (o.slot, o.size)).collect() };
    let none = |_| panic!("nobody to trade with");
    book.replace(order(2, Side::Sell, 50, 1), none);
    assert_eq!(queue(&book), [(2, 1), (3, 3), (4, 3)]);
    book.replace(order(2, Side::Sell, 50, 2), none);
    assert_eq!(queue(&book), [(3, 3), (4, 3), (2, 2)]);
    book.replace(order(4, Side::Sell, 51, 3), none);
    assert_eq!(queue(&book), [(3, 3), (2, 2), (4, 3)]);
    book.cancel(3);
    book.cancel(3);
    assert_eq!(queue(&book), [(2, 2), (4, 3)]);
    book.replace(order(2, Side::Sell, 50, 0), none);
    assert_eq!((book.ask(), book.volume(50)), (Some(51), 0));
}

/// A book as slow and plain as can be: a list of orders, the oldest first.
#[derive(Default)]
struct Plain(Vec<Order>);

impl Plain {
    fn take(&mut self, mut order: Order, remainder: Remainder) -> Vec<(u32, u32, u32)> {
        let mut trades = Vec::new();
        while order.size > 0 {
            let meets = |o: &&Order| match order.side {
                Side::Buy => o.side == Side::Sell && o.price <= order.price,
                Side::Sell => o.side == Side::Buy && o.price >= order.price,
            };
            let meeting = self.0.iter().filter(meets);
            let best = match order.side {
                Side::Buy => meeting.min_by_key(|o| o.price),
                // Of equals `max_by_key` gives the last.
                Side::Sell => meeting.rev().max_by_key(|o| o.price),
            };
            let Some(best) = best.copied() else { break };
            let at = self.0.iter().position(|o| o.slot == best.slot).unwrap();
            if book_owner(best.slot) == book_owner(order.slot) {
                self.0.remove(at);
                continue;
            }
            let size = order.size.min(best.size);
            trades.push((book_owner(best.slot), best.price, size));
            order.size -= size;
            self.0[at].size -= size;
            self.0.retain(|o| o.size > 0);
        }
        if order.size > 0 && remainder == Remainder::Rests {
            self.0.push(order);
        }
        trades
    }
}

/// Twenty thousand random orders give the trades and the queues of the plain book, and bids stay below asks.
#[test]
fn trades_are_those_of_a_plain_book() {
    let (mut book, mut plain) = (book(), Plain::default());
    let mut rng = EnvRng::new(3, 0, 0, 0);
    for _ in 0..20_000 {
        let slot = rng.below(10) as u32;
        let side = [Side::Buy, Side::Sell][rng.below(2) as usize];
        let price = 45 + rng.below(11) as u32;
        let new = order(slot, side, price, 1 + rng.below(6) as u32);
        book.cancel(slot);
        plain.0.retain(|o| o.slot != slot);
        let remainder =
            [Remainder::Rests, Remainder::Rests, Remainder::Lapses][rng.below(3) as usize];
        assert_eq!(
            trades(&mut book, new, remainder),
            plain.take(new, remainder)
        );
        let mut queues = plain.0.clone();
        queues.sort_by_key(|o| o.price);
        assert_eq!(book.orders(), queues);
        assert!(book.bid().unwrap_or(0) < book.ask().unwrap_or(u32::MAX));
        let volume: u32 = queues
            .iter()
            .filter(|o| o.price == 50)
            .map(|o| o.size)
            .sum();
        assert_eq!(book.volume(50), volume);
    }
    book.clear();
    assert!(book.orders().is_empty() && book.bid().is_none() && book.ask().is_none());
}
