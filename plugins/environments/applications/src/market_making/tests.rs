use palaestra_plugin_api::serde_json::{from_value, json, to_value};

use super::{
    book::Side,
    session::{BUY, CANCEL, LIMIT, MARKET, SELL},
    *,
};

/// One of each kind, who act in this order; mid 50, value 60.
fn market(extra: Value) -> MarketMaking {
    let mut config = json!({
        "num_market_makers": 1, "num_arbitrageurs": 1, "num_trend_followers": 1, "num_noise_traders": 1,
        "price_levels": 99, "taker_fee": 0.5, "maker_rebate": 0.25, "inventory_penalty": 0.0, "demand_penalty": 0.0,
    });
    for (name, value) in extra.as_object().unwrap() {
        config[name] = value.clone();
    }
    let mut market = MarketMaking::new(&from_value(config).unwrap()).unwrap();
    let mut session = market.session();
    session.market.value = 60.0;
    market.place(session).unwrap();
    market
}

/// Actions of the maker, the arbitrageur, the trend follower and the noise trader.
type Joint = [[i32; 4]; 4];

const HOLD: [i32; 4] = [0; 4];

fn play(market: &mut MarketMaking, joint: Joint) -> Vec<f64> {
    let given = joint.map(|a| vec![a.map(f64::from).to_vec()]);
    let fitting: Vec<_> = (given.into_iter().enumerate())
        .map(|(group, mut rows)| {
            rows[0].truncate(if group == MAKERS { 4 } else { 3 });
            rows
        })
        .collect();
    let counterfactual = market.counterfactual(&fitting).unwrap().concat();
    market.settle(|seat, action| *action = joint[seat.group]);
    let rewards: Vec<f64> = (0..4).map(|agent| market.reward(agent)).collect();
    assert_eq!(counterfactual, rewards);
    rewards
}

fn cash_and_inventory(market: &MarketMaking) -> Vec<(i64, i64)> {
    let accounts = market.state.accounts.iter();
    accounts.map(|a| (a.cash, a.inventory)).collect()
}

/// The maker quotes 48 for 2 and 51 for 5; the arbitrageur buys 4 at 51, the noise trader sells 3, of which 2 find
/// the bid. The mid stays at 50 when a side is empty.
#[test]
fn a_step_by_hand() {
    let mut market = market(json!({}));
    let joint = [
        [2, 1, 2, 5],
        [BUY, 3, MARKET, 0],
        HOLD,
        [SELL, 2, MARKET, 0],
    ];
    let rewards = play(&mut market, joint);
    assert_eq!(
        cash_and_inventory(&market),
        [(4 * 51 - 2 * 48, -2), (-4 * 51, 4), (0, 0), (2 * 48, -2)]
    );
    assert_eq!((market.state.volume, market.state.flow), (6, 2));
    assert_eq!((market.book.bid(), market.book.ask()), (None, Some(51)));
    assert_eq!(market.state.mid(), 50.0);
    // A tick for each of 4 and two for each of 2, the rebate on 6; fees of half a tick each.
    assert_eq!(rewards, [4.0 + 4.0 + 1.5, -4.0 - 2.0, 0.0, -4.0 - 1.0]);
    // One of its asks rests. It bids 50 and asks 50: its own bid gives way.
    let rewards = play(&mut market, [[0, 0, 1, 3], HOLD, HOLD, HOLD]);
    assert_eq!(rewards, [0.0; 4]);
    assert_eq!((market.book.bid(), market.book.ask()), (None, Some(50)));
    // The trend follower bids at the mid, for there is no bid, and trades; then it joins the maker's bid.
    play(&mut market, [[3, 2, 4, 3], HOLD, [BUY, 1, LIMIT, 0], HOLD]);
    assert_eq!(market.state.doubled_mid(), 47 + 52);
    let queue: Vec<_> = market
        .book
        .orders()
        .iter()
        .map(|o| (o.slot, o.price, o.size))
        .collect();
    assert_eq!(queue, [(0, 47, 4), (3, 47, 2), (1, 52, 3)]);
    // Around a mid of 49.5 the same bid keeps its place, an order of the other side replaces one, a cancel removes it.
    play(&mut market, [[2, 2, 2, 3], HOLD, [SELL, 0, LIMIT, 0], HOLD]);
    let queue: Vec<_> = market
        .book
        .orders()
        .iter()
        .map(|o| (o.slot, o.price, o.size))
        .collect();
    assert_eq!(queue, [(0, 47, 2), (1, 52, 3), (3, 52, 1)]);
    play(
        &mut market,
        [[2, 2, 2, 3], HOLD, [CANCEL, 0, LIMIT, 0], HOLD],
    );
    assert_eq!(market.book.volume(52), 3);
}

/// Positions are marked at the mid until the market closes, then at the value: the change is paid once.
#[test]
fn at_the_close_a_unit_is_worth_the_value() {
    let mut market = market(json!({"session_steps": 2, "taker_fee": 0.0, "maker_rebate": 0.0}));
    let quotes = [1, 1, 2, 2];
    let first = play(&mut market, [quotes, [BUY, 0, MARKET, 0], HOLD, HOLD]);
    assert_eq!(first, [1.0, -1.0, 0.0, 0.0]);
    let last = play(&mut market, [quotes, HOLD, HOLD, HOLD]);
    assert_eq!(last, [-10.0, 10.0, 0.0, 0.0]);
    assert!(market.is_closed());
}

#[test]
fn positions_cost_their_square_and_wishes_their_distance() {
    let settings = json!({"inventory_penalty": 0.5, "demand_penalty": 2.0, "taker_fee": 0.0, "maker_rebate": 0.0});
    let mut market = market(settings);
    market.state.targets[0] = -3;
    let rewards = play(
        &mut market,
        [[1, 1, 2, 2], HOLD, HOLD, [SELL, 1, MARKET, 0]],
    );
    assert_eq!(rewards, [2.0 - 0.5 * 4.0, 0.0, 0.0, -2.0 - 2.0]);
}

/// Ten thousand steps of random traders: cash and units only change hands, the rewards of all are minus fees and
/// penalties, bids stay below asks and positions within their limits.
#[test]
fn nothing_is_made_or_lost() {
    let config = json!({
        "num_market_makers": 3, "max_inventory": 12, "demand": 12, "session_steps": 100, "volatility": 5.0,
        "taker_fee": 0.5, "maker_rebate": 0.125, "inventory_penalty": 0.25, "demand_penalty": 0.5,
    });
    let mut market = MarketMaking::new(&from_value(config).unwrap()).unwrap();
    let mut rng = EnvRng::new(5, 0, 0, 0);
    let mut volume = 0;
    for step in 0..10_000 {
        if step % 100 == 0 {
            market.open(&mut rng);
        }
        let actions: Vec<_> = (market.seats.iter())
            .map(|seat| {
                let choices = match seat.group {
                    MAKERS => market.config.quote_choices(),
                    _ => market.config.order_choices(),
                };
                let mut action = [0; 4];
                (0..choices.len()).for_each(|i| action[i] = rng.below(choices[i] as u64) as i32);
                action
            })
            .collect();
        let counts = market.config.groups();
        let first = |group: usize| counts[..group].iter().sum::<usize>();
        market.settle(|seat, action| *action = actions[first(seat.group) + seat.agent]);
        volume += market.state.volume;
        let totals = market
            .state
            .accounts
            .iter()
            .fold([0; 4], |[c, i, t, m], a| {
                [c + a.cash, i + a.inventory, t + a.taken, m + a.made]
            });
        assert_eq!(totals[..2], [0, 0]);
        assert_eq!(totals[2], totals[3]);
        let penalties: f64 = (market.state.accounts.iter().enumerate())
            .map(
                |(agent, account)| match agent.checked_sub(first(NOISE_TRADERS)) {
                    Some(noise) => {
                        0.5 * ((account.inventory - market.state.targets[noise]) as f64).powi(2)
                    }
                    None => 0.25 * (account.inventory as f64).powi(2),
                },
            )
            .sum();
        let fees = 0.375 * market.state.volume as f64;
        let rewards: f64 = (0..market.seats.len())
            .map(|agent| market.reward(agent))
            .sum();
        assert!(
            (rewards + fees + penalties).abs() < 1e-6,
            "{rewards} {fees} {penalties}"
        );
        assert!(market.book.bid().unwrap_or(0) < market.book.ask().unwrap_or(u32::MAX));
        assert!(market.within_limits());
        market.draw(&mut rng);
    }
    assert!(volume > 20_000, "{volume}");
}

/// What is read back goes on as what was written: queues too.
#[test]
fn a_snapshot_keeps_the_queues() {
    let mut market = market(json!({}));
    play(
        &mut market,
        [[2, 2, 4, 4], HOLD, [BUY, 1, LIMIT, 0], [BUY, 2, LIMIT, 0]],
    );
    market.book.replace(
        Order {
            slot: 0,
            side: Side::Buy,
            price: 48,
            size: 5,
        },
        |_| panic!("nobody sells"),
    );
    let queue: Vec<_> = market.book.orders().iter().map(|o| o.slot).collect();
    assert_eq!(queue, [3, 4, 0, 1]);
    let mut other: MarketMaking = from_value(to_value(&market).unwrap()).unwrap();
    assert_eq!(other.book.orders(), market.book.orders());
    let next = [[2, 2, 4, 4], [SELL, 4, MARKET, 0], HOLD, HOLD];
    assert_eq!(play(&mut other, next), play(&mut market, next));
    assert_eq!(other.state, market.state);
}

#[test]
fn a_start_that_cannot_be_is_refused() {
    let start = |change: &dyn Fn(&mut Session)| {
        let mut market = market(json!({}));
        let mut session = market.session();
        change(&mut session);
        market.place(session).unwrap_err().to_string()
    };
    let order = |slot, side, price, size| Order {
        slot,
        side,
        price,
        size,
    };
    let crossed = start(&|s| {
        s.orders = vec![order(0, Side::Buy, 50, 1), order(2, Side::Sell, 50, 1)];
    });
    assert!(
        crossed.starts_with("start orders: expected bids below asks"),
        "{crossed}"
    );
    for wrong in [
        order(0, Side::Sell, 50, 1),
        order(9, Side::Buy, 50, 1),
        order(2, Side::Buy, 100, 1),
    ] {
        let error = start(&|s| s.orders = vec![wrong]);
        assert!(
            error.starts_with("start orders: expected one order a slot"),
            "{error}"
        );
    }
    assert_eq!(
        start(&|s| s.market.arrival[0] = 2),
        "config /arrival: expected every agent from 0 to 3 once, found [2, 1, 2, 3]"
    );
    assert_eq!(
        start(&|s| s.market.value = 0.0),
        "start value: expected 1 ≤ x ≤ 99, found 0"
    );
}

#[test]
fn wishes_beyond_the_limit_are_refused() {
    let config = from_value(json!({"demand": 51})).unwrap();
    let error = MarketMaking::new(&config).unwrap_err().to_string();
    assert_eq!(
        error,
        "config /demand: expected at most max_inventory = 50, found 51"
    );
}

/// The picture names who is there, and the text shows the queue at a price.
#[test]
fn the_picture_shows_the_book() {
    let mut market = market(json!({}));
    play(&mut market, [[2, 2, 4, 3], HOLD, [BUY, 1, LIMIT, 0], HOLD]);
    let mut canvas = Canvas::new();
    market.render(&mut canvas);
    let scene = canvas.into_scene();
    assert!(scene.check().is_ok() && scene.skipped == 0);
    let text = scene.text.unwrap();
    assert!(
        text.contains("ask     52  m0:3\nbid     48  m0:4 t0:2\n"),
        "{text}"
    );
}
