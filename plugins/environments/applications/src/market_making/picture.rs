//! How a market is drawn: the mid price's way from the left, the book's queues at their prices on the right.

use palaestra_plugin_api::prelude::*;

use super::{MarketMaking, NAMES, REMEMBERED, book::Side};

/// Where the book begins: beside the present.
const BOOK: f64 = REMEMBERED as f64;
/// Room for the book, in steps of the trail.
const WIDTH: f64 = 40.0;
/// Height of an order's block, in ticks.
const BLOCK: f64 = 0.8;

pub(super) fn draw(market: &MarketMaking, canvas: &mut Canvas) {
    let (config, state) = (&market.config, &market.state);
    // The view stays where it is until the price has left its middle half.
    let half = 1.5 * config.price_scale();
    let middle = (state.mid() / half).round() * half;
    canvas.view_stretched(-6.0, middle - half, BOOK + WIDTH, middle + half);
    let label = (half / 3.0).max(1.0).round();
    let mut tick = ((middle - half) / label).ceil() * label;
    while tick <= middle + half {
        canvas.line((0.0, tick), (BOOK + WIDTH, tick), Color::LIGHT.pen(1.0));
        canvas.text((-3.0, tick), 11.0, format!("{tick}"), Color::DARK);
        tick += label;
    }
    let trail: Vec<(f64, f64)> = (0..)
        .zip(&state.mids)
        .map(|(step, &mid)| (f64::from(step) + 1.0, f64::from(mid) / 2.0))
        .collect();
    canvas.trail(&trail, Color::INK.pen(3.0));
    let value = state.value.clamp(middle - half, middle + half);
    canvas.line(
        (BOOK - 6.0, value),
        (BOOK + WIDTH, value),
        Color::ACCENT.pen(2.0),
    );
    queues(market, canvas, [middle - half, middle + half]);
    let mut legend: Vec<_> = (0..)
        .zip(NAMES)
        .map(|(group, name)| (name, Color::group(group)))
        .collect();
    legend.extend([("mid price", Color::INK), ("value", Color::ACCENT)]);
    canvas.legend(&legend);
    canvas.caption(format!(
        "{} steps left, mid {:.1}, value {:.1}, {} units traded",
        config.session_steps.saturating_sub(state.clock),
        state.mid(),
        state.value,
        state.volume
    ));
    canvas.text_frame(text(market));
}

/// Every order is a block in its owner's colour, the oldest at a price next to the present.
fn queues(market: &MarketMaking, canvas: &mut Canvas, [low, high]: [f64; 2]) {
    let config = &market.config;
    let unit = 0.25 * WIDTH / f64::from(config.max_quote_size.max(config.max_order_size));
    let (mut at, mut left) = (0, BOOK);
    for order in market.book.orders() {
        if order.price != at {
            (at, left) = (order.price, BOOK);
        }
        let (price, width) = (f64::from(at), f64::from(order.size) * unit);
        let color = Color::group(market.seats[market.owner(order.slot)].group);
        if (low..=high).contains(&price) && left < BOOK + WIDTH {
            canvas.rect(
                (left + 0.1, price - BLOCK / 2.0),
                ((left + width).min(BOOK + WIDTH), price + BLOCK / 2.0),
                color.outlined(Color::WHITE.pen(1.0)),
            );
        }
        left += width;
    }
}

/// The book from the highest price down, then what everybody owns.
fn text(market: &MarketMaking) -> String {
    let name = |agent: usize| {
        let seat = market.seats[agent];
        format!("{}{}", &NAMES[seat.group][..1], seat.agent)
    };
    let mut lines: Vec<(u32, String)> = Vec::new();
    for order in market.book.orders() {
        if lines.last().is_none_or(|(price, _)| *price != order.price) {
            let side = match order.side {
                Side::Buy => "bid",
                Side::Sell => "ask",
            };
            lines.push((order.price, format!("{side} {:6} ", order.price)));
        }
        if let Some((_, line)) = lines.last_mut() {
            line.push_str(&format!(
                " {}:{}",
                name(market.owner(order.slot)),
                order.size
            ));
        }
    }
    let book = lines.into_iter().rev().map(|(_, line)| line);
    let state = &market.state;
    let accounts = state.accounts.iter().enumerate().map(|(agent, account)| {
        let wealth = account.wealth(state.mid(), &market.config);
        format!(
            "{:4} position {:5} wealth {wealth:10.2}",
            name(agent),
            account.inventory
        )
    });
    book.chain(accounts).collect::<Vec<_>>().join("\n")
}

impl MarketMaking {
    /// Agent whose order a slot holds.
    fn owner(&self, slot: u32) -> usize {
        let (slot, makers) = (slot as usize, self.config.num_market_makers);
        if slot < 2 * makers {
            slot / 2
        } else {
            slot - makers
        }
    }
}
