//! Rules by hand, and the value of the game by its whole tree.

use super::*;

fn all_deals() -> impl Iterator<Item = Deal> {
    (0..9).filter_map(|i| {
        Deal::try_from(Dealt {
            cards: [i / 3, i % 3],
        })
        .ok()
    })
}

/// Expected chips of player 0 when both bet with `probability(player, card, history)`.
fn value(deal: Deal, betting: Betting, probability: &impl Fn(usize, usize, &str) -> f64) -> f64 {
    if let Some(outcome) = betting.outcome() {
        return returns(&KuhnPokerConfig::default(), deal, outcome)[0];
    }
    let player = betting.player();
    let bets = probability(player, deal.cards[player], &betting.letters());
    let after = |action: u8| {
        let mut next = betting;
        next.push(action);
        value(deal, next, probability)
    };
    bets * after(BET) + (1.0 - bets) * after(PASS)
}

fn game_value(probability: impl Fn(usize, usize, &str) -> f64) -> f64 {
    all_deals()
        .map(|deal| DEAL_PROBABILITY * value(deal, Betting::default(), &probability))
        .sum()
}

/// Kuhn's equilibria, one for each α in [0, 1/3]: all are worth -1/18 to player 0.
#[test]
fn golden_value_of_the_equilibria_is_minus_one_eighteenth() {
    let equilibrium = |alpha: f64| {
        move |player: usize, card: usize, history: &str| match (player, card, history) {
            (0, 0, "") => alpha,
            (0, 2, "") => 3.0 * alpha,
            (0, 1, "pb") => alpha + 1.0 / 3.0,
            (1, 0, "p") | (1, 1, "b") => 1.0 / 3.0,
            (_, 2, "pb" | "p" | "b") => 1.0,
            _ => 0.0,
        }
    };
    for alpha in [0.0, 0.1, 1.0 / 3.0] {
        let found = game_value(equilibrium(alpha));
        assert!((found + 1.0 / 18.0).abs() < 1e-15, "α {alpha}: {found}");
    }
    // The equilibrium strategy of player 1 holds player 0 to it: always betting does no better.
    let alone = game_value(|player, card, history| {
        if player == 0 {
            1.0
        } else {
            equilibrium(0.0)(player, card, history)
        }
    });
    assert!(alone <= -1.0 / 18.0 + 1e-15, "{alone}");
}

/// By hand: player 0 has Q, player 1 has J; pass, bet (a bluff), fold loses the ante, a call wins two.
#[test]
fn a_bluff_wins_the_ante_and_loses_two_when_called() {
    let deal = Deal { cards: [1, 0] };
    let config = KuhnPokerConfig::default();
    let outcome = |actions: &[u8]| {
        let mut betting = Betting::default();
        actions.iter().for_each(|&action| betting.push(action));
        betting.outcome()
    };
    assert_eq!(outcome(&[PASS, BET]), None);
    let folded = outcome(&[PASS, BET, PASS]).unwrap();
    assert_eq!(folded, Outcome::Fold { player: 0 });
    assert_eq!(returns(&config, deal, folded), [-1.0, 1.0]);
    let called = outcome(&[PASS, BET, BET]).unwrap();
    assert_eq!(called, Outcome::Showdown { called: true });
    assert_eq!(returns(&config, deal, called), [2.0, -2.0]);
    assert_eq!(outcome(&[BET, PASS]), Some(Outcome::Fold { player: 1 }));
}

#[test]
fn every_deal_is_drawn_equally_often() {
    let mut rng = EnvRng::new(0, 0, 0, 0);
    let mut counts = [[0_u32; RANKS]; RANKS];
    for _ in 0..60_000 {
        let [a, b] = Deal::draw(&mut rng).cards;
        counts[a][b] += 1;
    }
    for deal in all_deals() {
        let count = counts[deal.cards[0]][deal.cards[1]];
        // Five standard deviations of a binomial: √(60000·5/36) = 91.
        assert!(count.abs_diff(10_000) < 460, "{counts:?}");
    }
    assert!((0..RANKS).all(|card| counts[card][card] == 0), "{counts:?}");
}

#[test]
fn an_impossible_deal_or_history_is_refused() {
    let deal = |cards| Deal::try_from(Dealt { cards }).unwrap_err();
    assert_eq!(
        deal([1, 1]),
        "cards: expected two different ones of 0, 1 and 2, found 1 and 1"
    );
    assert!(deal([0, 3]).contains("found 0 and 3"));
    for history in [vec![0, 0, 1], vec![2], vec![0, 1, 1, 0], vec![1, 1, 0, 0]] {
        assert!(Betting::try_from(history).is_err());
    }
    assert_eq!(Betting::try_from(vec![0, 1]).unwrap().letters(), "pb");
}
