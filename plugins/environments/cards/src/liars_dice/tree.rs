//! The game as a tree: chance rolls every die, then the players bid.

use palaestra_plugin_api::{Result, game_tree::GameNode};

use super::bidding::{Bidding, Rules};
use crate::turns;

/// The node after `history`: faces from 0 of all dice, player by player, then the choices.
pub(super) fn node(rules: &Rules, history: &[usize]) -> Result<GameNode> {
    let all = rules.players * rules.dice;
    let (dice, choices) = history.split_at(history.len().min(all));
    if let Some(at) = dice.iter().position(|&face| face >= rules.faces) {
        return Err(turns::no_such_move(history, at));
    }
    if dice.len() < all {
        let probability = 1.0 / rules.faces as f64;
        return Ok(GameNode::Chance {
            moves: (0..rules.faces).map(|face| (face, probability)).collect(),
        });
    }
    let mut bidding = Bidding::new(rules);
    for (i, &choice) in choices.iter().enumerate() {
        if bidding.challenged() || !bidding.is_legal(rules, choice) {
            return Err(turns::no_such_move(history, all + i));
        }
        bidding.push(rules, choice);
    }
    let showing = |face| dice.iter().filter(|&&shown| shown == face).count();
    if let Some((winner, loser)) = bidding.ends(rules, showing) {
        let mut returns = vec![0.0; rules.players];
        returns[winner] = 1.0;
        returns[loser] = -1.0;
        return Ok(GameNode::Terminal { returns });
    }
    let player = bidding.player(rules);
    Ok(GameNode::Decision {
        player,
        moves: (0..rules.choices())
            .filter(|&choice| bidding.is_legal(rules, choice))
            .collect(),
        information_state: information_state(rules, &dice[player * rules.dice..], choices),
    })
}

/// What a player knows: its own dice in order, and all choices, as `3,6|1x2,2x3`.
fn information_state(rules: &Rules, own: &[usize], choices: &[usize]) -> String {
    let mut own: Vec<usize> = own[..rules.dice].iter().map(|face| face + 1).collect();
    own.sort_unstable();
    let own: Vec<String> = own.iter().map(ToString::to_string).collect();
    let bids: Vec<String> = choices.iter().map(|&choice| rules.name(choice)).collect();
    format!("{}|{}", own.join(","), bids.join(","))
}
