//! A player that believes in dice: it says what is most likely true, or challenges if that is.

use super::bidding::{Bidding, Rules};

/// The choice of whose turn it is, given its own dice by face.
pub(super) fn choose(rules: &Rules, bidding: &Bidding, own: &[usize]) -> usize {
    let doubt = bidding.highest().map(|bid| 1.0 - holds(rules, own, bid));
    let bids = (0..rules.bids()).filter(|&bid| bidding.is_legal(rules, bid));
    // Of bids that are as likely the first: the lowest.
    let mut best = (rules.challenge(), doubt.unwrap_or(-1.0));
    for bid in bids {
        let likely = holds(rules, own, bid);
        if likely > best.1 {
            best = (bid, likely);
        }
    }
    best.0
}

/// Probability that a bid is true, given one's own dice: the others' show its face independently.
fn holds(rules: &Rules, own: &[usize], bid: usize) -> f64 {
    let (quantity, face, wild) = (bid / rules.faces + 1, bid % rules.faces, rules.faces - 1);
    let counts_twice = rules.wild && face != wild;
    let shown = own[face] + if counts_twice { own[wild] } else { 0 };
    let chance = f64::from(1 + u8::from(counts_twice)) / rules.faces as f64;
    let others = (rules.players - 1) * rules.dice;
    at_least(quantity.saturating_sub(shown), others, chance)
}

/// Probability of at least `least` successes in `trials`, each with probability `chance` > 0.
fn at_least(least: usize, trials: usize, chance: f64) -> f64 {
    // Probability of exactly k successes, from all successes down: P(k) = P(k + 1)·(k + 1)·(1 - p) / ((n - k)·p).
    let mut exactly = chance.powi(trials as i32);
    let mut sum = 0.0;
    for successes in (least..=trials).rev() {
        sum += exactly;
        let failures = trials - successes;
        exactly *= successes as f64 * (1.0 - chance) / ((failures + 1) as f64 * chance);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: of two dice, P(at least one 6) = 11/36, P(two) = 1/36; of three with p = 1/3, P(≥ 2) = 7/27.
    #[test]
    fn tails_of_the_binomial_distribution() {
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found}");
        near(at_least(1, 2, 1.0 / 6.0), 11.0 / 36.0);
        near(at_least(2, 2, 1.0 / 6.0), 1.0 / 36.0);
        near(at_least(2, 3, 1.0 / 3.0), 7.0 / 27.0);
        near(at_least(0, 5, 0.3), 1.0);
        near(at_least(3, 2, 0.3), 0.0);
    }

    /// By hand, one die each, sixes wild: with a 3 the bid 1x3 is certain; against 2x1 a challenge is right with
    /// probability 1, for nothing of mine is a 1.
    #[test]
    fn it_bids_what_it_has_and_challenges_what_cannot_be() {
        let rules = Rules {
            players: 2,
            dice: 1,
            faces: 6,
            wild: true,
        };
        let own = [0, 0, 1, 0, 0, 0];
        let mut bidding = Bidding::new(&rules);
        assert_eq!(choose(&rules, &bidding, &own), 2);
        bidding.push(&rules, 6);
        assert_eq!(choose(&rules, &bidding, &own), rules.challenge());
    }
}
