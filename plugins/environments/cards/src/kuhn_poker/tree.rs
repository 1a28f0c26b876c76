//! The game as a tree: chance deals a card to each player, then they bet.

use palaestra_plugin_api::{Result, game_tree::GameNode};

use super::{BET, Betting, Deal, KuhnPokerConfig, PLAYERS, RANKS, returns};
use crate::turns;

/// The node after `history`: card of player 0, card of player 1, actions.
pub(super) fn node(config: &KuhnPokerConfig, history: &[usize]) -> Result<GameNode> {
    let (cards, actions) = history.split_at(history.len().min(PLAYERS));
    turns::require_dealt(RANKS, cards)?;
    let &[first, second] = cards else {
        return Ok(turns::next_card(RANKS, cards));
    };
    let deal = Deal {
        cards: [first, second],
    };
    let mut betting = Betting::default();
    for (i, &action) in actions.iter().enumerate() {
        if action > usize::from(BET) || betting.outcome().is_some() {
            return Err(turns::no_such_move(history, PLAYERS + i));
        }
        betting.push(action as u8);
    }
    Ok(match betting.outcome() {
        Some(outcome) => GameNode::Terminal {
            returns: returns(config, deal, outcome).to_vec(),
        },
        None => GameNode::Decision {
            player: betting.player(),
            moves: vec![0, 1],
            information_state: format!("{}{}", deal.cards[betting.player()], betting.letters()),
        },
    })
}
