//! A player of few rules: raises what is likely best, folds what is likely beaten, and bluffs at times.

use palaestra_plugin_api::prelude::EnvRng;

use super::{
    Betting, Deal, PLAYERS,
    betting::{CALL, FOLD, RAISE},
};

const JACK: usize = 0;
const KING: usize = 2;
/// How often a Jack is raised before the public card as if it were a King.
const BLUFF: f64 = 0.2;

/// The action of whose turn it is, from what that player knows.
pub(super) fn choose(deal: Deal, betting: &Betting, rng: &mut EnvRng) -> u8 {
    let own = deal.cards[betting.player()] / 2;
    let raised = betting.is_legal(FOLD);
    let wanted = if betting.round() == 0 {
        before_the_public_card(own, raised, rng)
    } else {
        after_it(own, deal.cards[PLAYERS] / 2, raised)
    };
    if betting.is_legal(wanted) {
        wanted
    } else {
        CALL
    }
}

/// A King is ahead of three of the other five cards, a Jack of none.
fn before_the_public_card(own: usize, raised: bool, rng: &mut EnvRng) -> u8 {
    match (own, raised) {
        (KING, _) => RAISE,
        (JACK, true) => FOLD,
        (JACK, false) if rng.bernoulli(BLUFF) => RAISE,
        _ => CALL,
    }
}

/// A pair cannot lose; a King without one is ahead unless the other has it.
fn after_it(own: usize, public: usize, raised: bool) -> u8 {
    match (own == public, own, raised) {
        (true, _, _) => RAISE,
        (false, KING, _) => CALL,
        (false, _, true) => FOLD,
        (false, _, false) => CALL,
    }
}
