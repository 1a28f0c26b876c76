//! The game as a tree: chance deals the cards when they are needed, the players bet in between.

use palaestra_plugin_api::{Result, game_tree::GameNode};

use super::{Betting, CARDS, CHOICES, Deal, LeducPokerConfig, PLAYERS, information_state, returns};
use crate::turns;

/// The node after `history`: two cards, actions of the first round, the public card, actions of the second.
pub(super) fn node(config: &LeducPokerConfig, history: &[usize]) -> Result<GameNode> {
    let (cards, rest) = history.split_at(history.len().min(PLAYERS));
    turns::require_dealt(CARDS, cards)?;
    let &[first, second] = cards else {
        return Ok(turns::next_card(CARDS, cards));
    };
    let mut betting = Betting::default();
    let mut public = None;
    for (i, &taken) in rest.iter().enumerate() {
        let illegal = || turns::no_such_move(history, PLAYERS + i);
        if turns_public_card(&betting, public) {
            turns::require_dealt(CARDS, &[first, second, taken]).map_err(|_| illegal())?;
            public = Some(taken);
        } else if taken < CHOICES && betting.is_legal(taken as u8) {
            betting.push(taken as u8);
        } else {
            return Err(illegal());
        }
    }
    if turns_public_card(&betting, public) {
        return Ok(turns::next_card(CARDS, cards));
    }
    // A game that ends in the first round needs no public card.
    let deal = Deal {
        cards: [first, second, public.unwrap_or(CARDS)],
    };
    Ok(match betting.outcome() {
        Some(outcome) => GameNode::Terminal {
            returns: returns(config, deal, &betting, outcome).to_vec(),
        },
        None => GameNode::Decision {
            player: betting.player(),
            moves: (0..CHOICES)
                .filter(|&choice| betting.is_legal(choice as u8))
                .collect(),
            information_state: information_state(deal, &betting, betting.player()),
        },
    })
}

/// Whether chance moves next: the first round is over and no public card lies on the table.
fn turns_public_card(betting: &Betting, public: Option<usize>) -> bool {
    betting.round() == 1 && public.is_none()
}
