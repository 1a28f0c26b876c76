//! The table, as a picture and as text.

use palaestra_plugin_api::prelude::*;

use super::LiarsDice;
use crate::table;

/// Everybody's dice and the last bids; for the onlooker, not for the players.
pub(super) fn draw(game: &LiarsDice, canvas: &mut Canvas) {
    let (rules, bidding) = (&game.rules, &game.bidding);
    let over = bidding.challenged();
    let names: Vec<String> = bidding
        .choices()
        .iter()
        .map(|&choice| rules.name(choice))
        .collect();
    table::felt(canvas);
    let mut lines = Vec::new();
    for (player, own) in game.dice().iter().enumerate() {
        let turn = !over && bidding.player(rules) == player;
        let y = 1.4 - 2.8 * (player as f64 + 0.5) / rules.players as f64;
        let color = Color::group(player);
        canvas.text((-2.0, y), 16.0, format!("player {player}"), Color::WHITE);
        for (i, face) in own.iter().enumerate() {
            let x = -1.0 + 0.6 * i as f64;
            table::card(canvas, (x, y), 0.33, face.to_string(), color, turn);
        }
        let mark = if turn { '>' } else { ' ' };
        lines.push(format!("{mark} player {player}  {own:?}"));
    }
    let last = names.len().saturating_sub(5);
    canvas.text((0.0, -1.6), 16.0, names[last..].join("  "), Color::WHITE);
    lines.push(format!("  bids  {}", names.join(" ")));
    canvas.caption(match game.ends() {
        Some((winner, loser)) => format!("player {winner} wins, player {loser} loses"),
        None => format!("player {} to act", bidding.player(rules)),
    });
    canvas.text_frame(lines.join("\n"));
}
