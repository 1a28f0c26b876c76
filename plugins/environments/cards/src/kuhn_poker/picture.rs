//! The table, as a picture and as text.

use palaestra_plugin_api::prelude::*;

use super::{BET, KuhnPoker, PLAYERS, RANKS, returns};
use crate::table;

const NAMES: [char; RANKS] = ['J', 'Q', 'K'];

/// A table with both cards open, and what each player said; for the onlooker, not for the players.
pub(super) fn draw(game: &KuhnPoker, canvas: &mut Canvas) {
    let outcome = game.betting.outcome();
    let won = outcome.map(|outcome| returns(&game.config, game.deal, outcome));
    table::felt(canvas);
    let mut lines = Vec::new();
    for player in 0..PLAYERS {
        let x = if player == 0 { -1.6 } else { 1.6 };
        let turn = outcome.is_none() && game.betting.player() == player;
        let card = NAMES[game.deal.cards[player]];
        let color = Color::group(player);
        table::card(canvas, (x, 0.0), 1.0, card, color, turn);
        canvas.text((x, 1.1), 18.0, format!("player {player}"), Color::WHITE);
        let said = words(game.betting.actions(), player);
        canvas.text((x, -1.1), 18.0, said.clone(), Color::WHITE);
        let mark = if turn { '>' } else { ' ' };
        let chips = won.map_or(String::new(), |won| format!("  {:+} chips", won[player]));
        lines.push(format!("{mark} player {player}  [{card}]  {said}{chips}"));
    }
    let status = match won {
        Some(won) => format!(
            "player {} wins {} chips",
            usize::from(won[1] > 0.0),
            won[0].abs()
        ),
        None => format!("player {} to act", game.betting.player()),
    };
    let bets = game.betting.actions().iter().filter(|&&a| a == BET).count();
    let pot = 2.0 * game.config.ante + bets as f64 * game.config.bet;
    canvas.text((0.0, 0.0), 18.0, format!("pot {pot}"), Color::WHITE);
    canvas.caption(status);
    canvas.text_frame(lines.join("\n"));
}

/// What one player did, in a poker player's words.
fn words(actions: &[u8], player: usize) -> String {
    let word = |i: usize| match (actions[i], i > 0 && actions[i - 1] == BET) {
        (BET, false) => "bets",
        (BET, true) => "calls",
        (_, false) => "checks",
        (_, true) => "folds",
    };
    (player..actions.len())
        .step_by(PLAYERS)
        .map(word)
        .collect::<Vec<_>>()
        .join(", ")
}
