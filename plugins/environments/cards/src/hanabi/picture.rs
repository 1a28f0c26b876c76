//! The table, as a picture and as text.

use palaestra_plugin_api::prelude::*;

use super::{
    position::{End, Last, Position},
    rules::{Move, Rules},
};
use crate::table;

/// Red, yellow, green, white, blue: what the cards are called, not the palette of groups.
const COLORS: [Color; 5] = [
    Color::rgb(0xc6, 0x28, 0x28),
    Color::rgb(0xb8, 0x86, 0x0b),
    Color::rgb(0x2e, 0x7d, 0x32),
    Color::rgb(0x75, 0x75, 0x75),
    Color::rgb(0x15, 0x65, 0xc0),
];

/// Fireworks, everybody's cards with what hints say of them beside, and tokens; for the onlooker, not for the players.
pub(super) fn draw(rules: &Rules, position: &Position, canvas: &mut Canvas) {
    table::felt(canvas);
    draw_fireworks(rules, position, canvas);
    let end = position.end(rules);
    for player in 0..rules.players {
        let turn = end.is_none() && position.player == player;
        draw_hand(rules, position, player, turn, canvas);
    }
    let tokens = tokens(rules, position);
    canvas.text((0.0, -1.72), 14.0, tokens, Color::WHITE);
    canvas.caption(status(rules, position));
    canvas.text_frame(text(rules, position));
}

fn draw_fireworks(rules: &Rules, position: &Position, canvas: &mut Canvas) {
    for (color, &paint) in COLORS.iter().enumerate().take(rules.colors) {
        let x = 0.6 * (color as f64 - 0.5 * (rules.colors as f64 - 1.0));
        let label = format!("{}{}", rules.letter(color), position.firework(color));
        table::card(canvas, (x, 1.45), 0.36, label, paint, false);
    }
}

fn draw_hand(rules: &Rules, position: &Position, player: usize, turn: bool, canvas: &mut Canvas) {
    let height = 2.5 / rules.players as f64;
    let y = 1.05 - height * (player as f64 + 0.5);
    canvas.text((-2.3, y), 14.0, format!("player {player}"), Color::WHITE);
    let hand = position.hand(player);
    let width = (0.55 * height).min(0.36);
    for (slot, kind) in hand.kinds().enumerate() {
        let x = -1.65 + 0.42 * slot as f64;
        let color = COLORS[rules.color(kind)];
        table::card(canvas, (x, y), width, rules.name(kind), color, turn);
    }
    canvas.text(
        (1.95, y),
        12.0,
        hints(rules, position, player),
        Color::LIGHT,
    );
}

/// What hints say of a hand, card by card.
fn hints(rules: &Rules, position: &Position, player: usize) -> String {
    let known = position.hand(player).knowledge().iter();
    let hints: Vec<String> = known.map(|known| known.text(rules)).collect();
    hints.join(" ")
}

fn tokens(rules: &Rules, position: &Position) -> String {
    format!(
        "information {}/{}   lives {}/{}   deck {}",
        position.information,
        rules.information,
        position.lives,
        rules.lives,
        position.undealt(rules)
    )
}

fn status(rules: &Rules, position: &Position) -> String {
    let score = position.score(rules);
    let last = position.last.map(|last| said(rules, &last));
    let last = last.map_or(String::new(), |said| format!("{said}; "));
    match position.end(rules) {
        Some(End::LivesLost) => format!("{last}no lives left, score {score}"),
        Some(_) => format!("{last}the end, score {score}"),
        None => format!("{last}player {} to act, score {score}", position.player),
    }
}

/// What a player did, in words.
fn said(rules: &Rules, last: &Last) -> String {
    let player = last.player;
    let to = |offset: usize| (player + offset) % rules.players;
    match last.taken {
        Move::Play(_) if last.scored => format!("player {player} played {}", rules.name(last.kind)),
        Move::Play(_) => format!("player {player} failed with {}", rules.name(last.kind)),
        Move::Discard(_) => format!("player {player} discarded {}", rules.name(last.kind)),
        Move::Color { offset, color } => {
            let letter = rules.letter(color);
            format!("player {player} named {letter} to player {}", to(offset))
        }
        Move::Rank { offset, rank } => {
            let (rank, to) = (rank + 1, to(offset));
            format!("player {player} named rank {rank} to player {to}")
        }
    }
}

fn text(rules: &Rules, position: &Position) -> String {
    let fireworks: Vec<String> = (0..rules.colors)
        .map(|color| format!("{}{}", rules.letter(color), position.firework(color)))
        .collect();
    let mut lines = vec![
        tokens(rules, position),
        format!("fireworks  {}", fireworks.join(" ")),
    ];
    let acting = position.end(rules).is_none();
    for player in 0..rules.players {
        let hand = position.hand(player);
        let cards: Vec<String> = hand.kinds().map(|kind| rules.name(kind)).collect();
        let mark = if acting && position.player == player {
            '>'
        } else {
            ' '
        };
        let (cards, hints) = (cards.join(" "), hints(rules, position, player));
        lines.push(format!("{mark} player {player}  {cards}  hints {hints}"));
    }
    let discards: Vec<String> = (0..rules.kinds())
        .flat_map(|kind| std::iter::repeat_n(rules.name(kind), position.discarded(kind)))
        .collect();
    lines.push(format!("discards  {}", discards.join(" ")));
    lines.push(status(rules, position));
    lines.join("\n")
}
