//! The table, as a picture and as text.

use palaestra_plugin_api::{canvas::Align, prelude::*};

use super::LiarsDice;
use crate::table;

/// Choices that are told beside the dice.
const TOLD: usize = 6;
/// The dice lie between these heights, and as far to the right.
const ROWS: (f64, f64) = (-1.6, 1.6);
const DICE: (f64, f64) = (-1.45, 0.85);
/// Where bids are told.
const BIDS: (f64, f64) = (1.15, 1.15);

/// Everybody's dice and the last bids; for the onlooker, not for the players.
pub(super) fn draw(game: &LiarsDice, canvas: &mut Canvas) {
    let (rules, bidding) = (&game.rules, &game.bidding);
    let over = bidding.challenged();
    let height = (ROWS.1 - ROWS.0) / rules.players as f64;
    let gap = (DICE.1 - DICE.0) / rules.dice as f64;
    let size = (0.8 * gap).min(0.8 * height).min(0.6);
    table::felt(canvas);
    let mut lines = Vec::new();
    for (player, own) in game.dice().iter().enumerate() {
        let turn = !over && bidding.player(rules) == player;
        let y = ROWS.1 - height * (player as f64 + 0.5);
        let name = format!("player {player}");
        canvas.text_aligned((-2.6, y), 16.0, name, Color::WHITE, Align::Left);
        for (i, &face) in own.iter().enumerate() {
            let x = DICE.0 + 0.5 * size + (1.25 * size) * i as f64;
            // At the end those that make the bid true, before it those of whose turn it is.
            let marked = turn || over && game.counts_for_the_bid(face - 1);
            die(canvas, (x, y), size, face, Color::group(player), marked);
        }
        let mark = if turn { '>' } else { ' ' };
        lines.push(format!("{mark} player {player}  {own:?}"));
    }
    tell(game, canvas);
    let choices = bidding.choices();
    let names: Vec<String> = choices.iter().map(|&choice| rules.name(choice)).collect();
    lines.push(format!("  bids  {}", names.join(" ")));
    canvas.caption(match game.ends() {
        Some((winner, loser)) => format!("player {winner} wins, player {loser} loses"),
        None => format!("player {} to act", bidding.player(rules)),
    });
    canvas.text_frame(lines.join("\n"));
}

/// A die with its pips.
fn die(
    canvas: &mut Canvas,
    (x, y): (f64, f64),
    size: f64,
    face: usize,
    color: Color,
    marked: bool,
) {
    let half = 0.5 * size;
    let style = table::face(marked);
    canvas.rounded_rect(
        (x - half, y - half),
        (x + half, y + half),
        0.2 * size,
        style,
    );
    // Pips of a face: in the middle, on one diagonal, on the other, at the sides.
    let pips = [
        (face % 2 == 1, [(0, 0), (0, 0)]),
        (face > 1, [(-1, 1), (1, -1)]),
        (face > 3, [(-1, -1), (1, 1)]),
        (face > 5, [(-1, 0), (1, 0)]),
    ];
    for (column, row) in pips.iter().filter(|pips| pips.0).flat_map(|pips| pips.1) {
        let at = |step: i32| 0.27 * size * f64::from(step);
        canvas.circle((x + at(column), y + at(row)), 0.1 * size, color);
    }
}

/// The last choices in words, the newest below.
fn tell(game: &LiarsDice, canvas: &mut Canvas) {
    let (rules, choices) = (&game.rules, game.bidding.choices());
    let first = choices.len().saturating_sub(TOLD);
    for (line, (at, &choice)) in choices.iter().enumerate().skip(first).enumerate() {
        let player = at % rules.players;
        let said = if choice == rules.challenge() {
            format!("player {player} challenges")
        } else {
            format!("player {player} bids {}", rules.name(choice))
        };
        let newest = at + 1 == choices.len();
        let color = if newest { Color::WHITE } else { Color::LIGHT };
        let place = (BIDS.0, BIDS.1 - 0.4 * line as f64);
        canvas.text_aligned(place, 14.0, said, color, Align::Left);
    }
}
