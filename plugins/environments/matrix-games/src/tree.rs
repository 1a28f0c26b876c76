//! A game played once as a tree: players move one after another and do not see each other's moves of the round.

use palaestra_plugin_api::{game_tree::GameNode, prelude::Result};

use crate::{
    game::{Game, refused},
    tables::{END, Tables},
};

/// The node that the moves lead to: player 0's, player 1's, …, stage by stage.
pub(crate) fn node(game: &Game, tables: &Tables, history: &[usize]) -> Result<GameNode> {
    let players = tables.players;
    let (mut stage, mut returns) = (0, vec![0.0; players]);
    for (i, &action) in history.iter().enumerate() {
        if action >= tables.counts[i % players] {
            let expected = format!("a move below {}", tables.counts[i % players]);
            return Err(refused(&format!("history /{i}"), &expected, action));
        }
    }
    let mut rounds = history.chunks_exact(players);
    let open = rounds.remainder();
    while let Some(joint) = rounds.next() {
        let cells = tables.cells(joint, stage);
        for (sum, payoff) in returns.iter_mut().zip(tables.payoffs(&cells)) {
            *sum += payoff;
        }
        match tables.next.get(cells[0] as usize) {
            Some(&next) if next != END => stage = next as usize,
            _ if rounds.len() == 0 && open.is_empty() => return Ok(GameNode::Terminal { returns }),
            _ => {
                return Err(refused(
                    "history",
                    "no move after the end",
                    format!("{history:?}"),
                ));
            }
        }
    }
    let player = open.len();
    let own: Vec<usize> = history
        .iter()
        .copied()
        .skip(player)
        .step_by(players)
        .collect();
    let place = game
        .stages()
        .get(stage)
        .map_or("", |stage| stage.name.as_str());
    Ok(GameNode::Decision {
        player,
        moves: (0..tables.counts[player]).collect(),
        information_state: format!("player {player} at {place:?} after {own:?}"),
    })
}
