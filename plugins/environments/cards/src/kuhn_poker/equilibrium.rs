//! Kuhn's equilibria, for any stakes.
//!
//! With ante a and bet b < 2a the players make each other indifferent: player 0 bets the King with a probability s, the
//! Jack with α = s·b / (2a + b), never the Queen, with which it calls with (2a - b + b·s) / (2a + b); player 1 bluffs
//! with the Jack with b / (2a + b), calls with the Queen with (2a - b) / (2a + b), and bets and calls with the King.
//! With a = b any s from 0 to 1 will do, which makes 3α, α + 1/3, 1/3 and 1/3 (Kuhn 1950); with b < a the Queen calls
//! so often that the King must bet, with b > a so seldom that it waits for a bluff. A bet from 2a on is not worth a
//! bluff, nor a call with the Queen.

use super::{BET, KuhnPokerConfig, PASS};

/// s where any is an equilibrium.
const KING_BETS: f64 = 0.5;
const JACK: usize = 0;
const QUEEN: usize = 1;

/// How often player 0 bets the King.
fn king_bets(ante: f64, bet: f64) -> f64 {
    match bet.total_cmp(&ante) {
        std::cmp::Ordering::Less => 1.0,
        std::cmp::Ordering::Equal => KING_BETS,
        std::cmp::Ordering::Greater => 0.0,
    }
}

/// Probability of a bet or call with `card` (J, Q, K: 0, 1, 2) after these actions, in equilibrium.
pub fn bet_probability(config: &KuhnPokerConfig, card: usize, actions: &[u8]) -> f64 {
    let (ante, bet) = (config.ante, config.bet);
    let king = king_bets(ante, bet);
    let bluffs = bet < 2.0 * ante;
    let share = |of: f64| if bluffs { of / (2.0 * ante + bet) } else { 0.0 };
    match (card, actions) {
        (JACK, []) => king * share(bet),
        (JACK, [PASS]) => share(bet),
        (JACK, _) => 0.0,
        (QUEEN, [BET]) => share(2.0 * ante - bet),
        (QUEEN, [PASS, BET]) => share(2.0 * ante - bet + king * bet),
        (QUEEN, _) => 0.0,
        (_, []) => king,
        _ => 1.0,
    }
}
