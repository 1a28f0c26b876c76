//! Many players, or many actions: one line a player, with what it did, also in the rounds before, and what it got.

use palaestra_plugin_api::{canvas::Align, prelude::*};

use super::{COLOURED, ROUNDS_SHOWN, Round, action_color, fit, number, pixels};
use crate::batch::MatrixGame;

/// Players up to which all are listed.
const LONGEST_LIST: usize = 24;
/// Width of the picture, whatever is in it.
const WIDTH: f64 = 10.0;
/// Least height, which a few players do not fill.
const HEIGHT: f64 = 5.0;
/// Where the columns begin: the square of the action, its name, the squares of the rounds before, the payoff's bar.
const SQUARE: f64 = 1.9;
const NAME: f64 = 2.3;
const BEFORE: f64 = 4.6;
const BARS: [f64; 2] = [6.4, 8.8];
/// From one square to the next.
const STEP: f64 = (BARS[0] - BEFORE - 0.2) / (ROUNDS_SHOWN - 1) as f64;
/// Height of letters.
const TEXT: f64 = 13.0;

/// Draws what each player did and got.
pub(super) fn draw<P>(games: &MatrixGame<P>, rounds: &[Round], canvas: &mut Canvas) {
    let (tables, actions) = (&games.tables, &games.game.actions);
    let shown = tables.players.min(LONGEST_LIST);
    // Lines of one height whatever their number, up to what the frame holds.
    let line = (6.0 / shown as f64).min(0.8);
    let height = line * (shown + 1) as f64;
    let around = 0.5 * (HEIGHT - height).max(0.2);
    canvas.view(0.0, -around, WIDTH, height + around);
    let scale = pixels(WIDTH, height + 2.0 * around);
    let size = (0.8 * line * scale).min(TEXT);
    let (low, high) = games.game.range();
    let (low, high) = (low.min(0.0), high.max(0.0));
    let unit = (BARS[1] - BARS[0]) / (high - low).max(f64::MIN_POSITIVE);
    let zero = BARS[0] - low * unit;
    let top = height - 0.5 * line;
    for (x, text) in [(0.1, "player"), (SQUARE, "action"), (BARS[0], "payoff")] {
        canvas.text_aligned((x, top), size, text, Color::GREY, Align::Left);
    }
    if games.kept() > 1 {
        canvas.text_aligned((BEFORE, top), size, "before", Color::GREY, Align::Left);
    }
    let mut lines = Vec::new();
    for player in 0..shown {
        let y = top - (player + 1) as f64 * line;
        let at = (0.1, y);
        canvas.text_aligned(
            at,
            size,
            format!("player {player}"),
            Color::INK,
            Align::Left,
        );
        let Some(last) = rounds.first() else {
            lines.push(format!("player {player:<3} -"));
            continue;
        };
        let square = |x: f64, action: usize, canvas: &mut Canvas| {
            let half = (0.3 * line).min(0.45 * STEP);
            let color = action_color(action, actions[player].len());
            canvas.rounded_rect((x, y - half), (x + 2.0 * half, y + half), 0.03, color);
        };
        let (label, payoff) = (&actions[player][last.joint[player]], last.payoffs[player]);
        square(SQUARE, last.joint[player], canvas);
        let (name, small) = fit(label, (BEFORE - NAME - 0.1) * scale, size);
        canvas.text_aligned((NAME, y), small, name, Color::INK, Align::Left);
        for (age, round) in rounds.iter().skip(1).enumerate() {
            square(BEFORE + STEP * age as f64, round.joint[player], canvas);
        }
        let color = if payoff < 0.0 {
            Color::ACCENT
        } else {
            Color::GREY
        };
        let (from, to) = (
            (zero, y - 0.3 * line),
            (zero + payoff * unit, y + 0.3 * line),
        );
        canvas.rect(from, to, color);
        let (paid, small) = fit(&number(payoff), (WIDTH - BARS[1] - 0.2) * scale, size);
        canvas.text_aligned((WIDTH - 0.1, y), small, paid, Color::INK, Align::Right);
        let paid = number(payoff);
        lines.push(format!("player {player:<3} {label:<14} {paid:>8}"));
    }
    let bottom = top - (shown as f64 + 0.5) * line;
    canvas.line(
        (zero, bottom),
        (zero, top - 0.5 * line),
        Color::LIGHT.pen(1.0),
    );
    if tables.players > shown {
        lines.push(format!("and {} more", tables.players - shown));
    }
    let names = actions[0].iter().enumerate();
    if tables.alike() && actions[0].len() <= COLOURED {
        let entry = |(action, name)| (name, action_color(action, actions[0].len()));
        canvas.legend(&names.map(entry).collect::<Vec<(&String, Color)>>());
    }
    canvas.text_frame(lines.join("\n"));
}
