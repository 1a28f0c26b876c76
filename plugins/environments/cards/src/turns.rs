//! What games share in which players act one after another and chance deals from a deck.

use palaestra_plugin_api::{Error, Result, game_tree::GameNode, prelude::*};

/// Marks `player` as the one of `players` to act, with the choices that are `legal`. The others may only choose
/// `wait`, which is ignored.
#[inline(always)]
pub(crate) fn give_turn(
    out: &mut Observe<'_>,
    players: usize,
    player: usize,
    wait: usize,
    legal: impl Fn(usize) -> bool,
) {
    for other in 0..players {
        for (choice, allowed) in out.action_mask(other).iter_mut().enumerate() {
            *allowed = u8::from(if other == player {
                legal(choice)
            } else {
                choice == wait
            });
        }
    }
    out.set_acting(player);
}

/// The joint action in which `player` chooses `choice` and the others `wait`: `[group][agent][component]`.
pub(crate) fn joint(
    players: usize,
    player: usize,
    choice: usize,
    wait: usize,
) -> Vec<Vec<Vec<f64>>> {
    let of = |other| if other == player { choice } else { wait };
    vec![(0..players).map(|other| vec![of(other) as f64]).collect()]
}

/// A move that nobody can make there.
pub(crate) fn no_such_move(history: &[usize], at: usize) -> Error {
    Error::config(format!(
        "game history: expected a legal move at index {at}, found {} of {history:?}",
        history[at]
    ))
}

/// The chance node at which one more card of `0..deck` is dealt, each of the others as likely.
pub(crate) fn next_card(deck: usize, dealt: &[usize]) -> GameNode {
    let left: Vec<usize> = (0..deck).filter(|card| !dealt.contains(card)).collect();
    let probability = 1.0 / left.len() as f64;
    GameNode::Chance {
        moves: left.into_iter().map(|card| (card, probability)).collect(),
    }
}

/// Refuses cards that are not different ones of `0..deck`.
pub(crate) fn require_dealt(deck: usize, cards: &[usize]) -> Result<()> {
    let wrong = |at: &usize| cards[*at] >= deck || cards[..*at].contains(&cards[*at]);
    match (0..cards.len()).find(wrong) {
        Some(at) => Err(no_such_move(cards, at)),
        None => Ok(()),
    }
}
