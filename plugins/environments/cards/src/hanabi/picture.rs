//! The table, as a picture and as text.

use palaestra_plugin_api::{canvas::Align, prelude::*};

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

/// The hands lie between these heights; cards begin at the left, what is known of them further to the right.
const HANDS: (f64, f64) = (-1.3, 1.0);
const CARDS_AT: f64 = -1.85;
const KNOWN_AT: f64 = 0.6;
/// Room for a hand.
const HAND: f64 = 2.0;

/// Fireworks, everybody's cards with what hints say of them beside, tokens and discards; for the onlooker, not for the
/// players.
pub(super) fn draw(rules: &Rules, position: &Position, canvas: &mut Canvas) {
    table::felt(canvas);
    draw_fireworks(rules, position, canvas);
    let end = position.end(rules);
    for player in 0..rules.players {
        let turn = end.is_none() && position.player == player;
        draw_hand(rules, position, player, turn, canvas);
    }
    let middle = |from: f64| from + 0.5 * HAND;
    for (at, heading) in [(CARDS_AT, "cards"), (KNOWN_AT, "what hints say")] {
        canvas.text((middle(at), 1.07), 11.0, heading, Color::LIGHT);
    }
    let (tokens, discards) = (tokens(rules, position), discards(rules, position));
    canvas.text((0.0, -1.47), 14.0, tokens, Color::WHITE);
    canvas.text((0.0, -1.74), 12.0, discards, Color::LIGHT);
    canvas.caption(status(rules, position));
    canvas.text_frame(text(rules, position));
}

fn draw_fireworks(rules: &Rules, position: &Position, canvas: &mut Canvas) {
    for (color, &paint) in COLORS.iter().enumerate().take(rules.colors) {
        let x = 0.6 * (color as f64 - 0.5 * (rules.colors as f64 - 1.0));
        let label = format!("{}{}", rules.letter(color), position.firework(color));
        table::card(canvas, (x, 1.5), 0.36, label, paint, false);
    }
}

fn draw_hand(rules: &Rules, position: &Position, player: usize, turn: bool, canvas: &mut Canvas) {
    let height = (HANDS.1 - HANDS.0) / rules.players as f64;
    let y = HANDS.1 - height * (player as f64 + 0.5);
    let name = format!("player {player}");
    canvas.text_aligned((-2.75, y), 14.0, name, Color::WHITE, Align::Left);
    let gap = (HAND / rules.hand_size as f64).min(0.42);
    let width = (0.8 * gap).min(0.6 * height).min(0.36);
    let hand = position.hand(player);
    for (slot, (kind, known)) in hand.kinds().zip(hand.knowledge()).enumerate() {
        let x = 0.5 * gap + gap * slot as f64;
        let color = COLORS[rules.color(kind)];
        let card = (CARDS_AT + x, y);
        table::card(canvas, card, width, rules.name(kind), color, turn);
        let named = match known.color() {
            Some(color) => COLORS[color],
            None if known.is_named() => Color::INK,
            None => Color::GREY,
        };
        let card = (KNOWN_AT + x, y);
        table::card(canvas, card, width, known.text(rules), named, false);
    }
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

/// The ranks that were discarded of each colour, as `R113 B5`.
fn discards(rules: &Rules, position: &Position) -> String {
    let mut discards = "discards ".to_owned();
    for color in 0..rules.colors {
        let ranks = (0..rules.ranks).flat_map(|rank| {
            let count = position.discarded(rules.kind(color, rank));
            std::iter::repeat_n((rank + 1).to_string(), count)
        });
        let ranks: String = ranks.collect();
        if !ranks.is_empty() {
            discards.push_str(&format!(" {}{ranks}", rules.letter(color)));
        }
    }
    discards
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
    lines.push(discards(rules, position));
    lines.push(status(rules, position));
    lines.join("\n")
}
