//! Two players: rows are player 0's actions, columns player 1's.

use palaestra_plugin_api::{canvas::Align, prelude::*};

use super::{Round, common_size, fit, fitting, number, pixels};
use crate::batch::MatrixGame;

/// Width of a cell, of the names of the rows, and of the remembered rounds; a cell is 1 high.
const CELL: f64 = 2.0;
const NAMES: f64 = 2.4;
const HISTORY: f64 = 2.6;
/// Height of names, of payoffs, and of remembered rounds.
const NAME: f64 = 15.0;
const PAYOFF: f64 = 18.0;
const PAST: f64 = 12.0;
/// Heights of letters on a line of remembered rounds.
const LINE: f64 = 1.7;

/// Draws the table of a stage.
pub(super) fn draw<P>(games: &MatrixGame<P>, stage: usize, rounds: &[Round], canvas: &mut Canvas) {
    let (tables, actions) = (&games.tables, &games.game.actions);
    let (rows, columns) = (actions[0].len(), actions[1].len());
    let (width, height) = (CELL * columns as f64, rows as f64);
    // The view is the same before anything is remembered.
    let beside = if games.kept() > 1 { HISTORY } else { 0.3 };
    // Room for two lines of text, which are of one height however small the cells are.
    let head = 0.2 * (rows.max(columns) as f64).max(5.5);
    canvas.view(-NAMES, -0.3, width + beside, height + head);
    let scale = pixels(width + NAMES + beside, height + head + 0.3);
    let last = rounds.first().map(|round| round.joint.as_slice());
    let chosen = |player: usize, action: usize| last.is_some_and(|joint| joint[player] == action);
    let room = [NAMES - 0.2, CELL - 0.1].map(|room| room * scale);
    let sizes = [0, 1].map(|player| common_size(&actions[player], room[player], NAME));
    let name = |player: usize, action: usize, at: (f64, f64), canvas: &mut Canvas| {
        let (label, size) = fit(&actions[player][action], room[player], sizes[player]);
        let color = if chosen(player, action) {
            Color::group(player)
        } else {
            Color::DARK
        };
        canvas.text(at, size, label, color);
    };

    let (upper, lower) = (height + 0.8 * head, height + 0.35 * head);
    canvas.text((width / 2.0, upper), 14.0, "player 1", Color::group(1));
    canvas.text((-0.5 * NAMES, lower), 14.0, "player 0", Color::group(0));
    for c in 0..columns {
        name(1, c, (CELL * (c as f64 + 0.5), lower), canvas);
    }
    for r in 0..rows {
        let y = height - r as f64 - 0.5;
        name(0, r, (-0.5 * NAMES, y), canvas);
        for c in 0..columns {
            let payoffs = tables.payoffs(&tables.cells(&[r, c], stage));
            let marked = last.is_some_and(|joint| joint == [r, c]);
            cell(CELL * c as f64, y, scale, &payoffs, marked, canvas);
        }
    }
    if games.kept() > 1 {
        let x = width + 0.25;
        canvas.text_aligned((x, lower), 14.0, "last rounds", Color::GREY, Align::Left);
        history(games, rounds, (x, height), scale, canvas);
    }
    canvas.text_frame(text(games, stage, rounds));
}

fn cell(x: f64, y: f64, scale: f64, payoffs: &[f64], marked: bool, canvas: &mut Canvas) {
    let style = if marked {
        Color::ACCENT
            .mix(Color::WHITE, 0.75)
            .outlined(Color::ACCENT.pen(4.0))
    } else {
        Color::WHITE.outlined(Color::LIGHT.pen(1.0))
    };
    canvas.rounded_rect((x + 0.05, y - 0.45), (x + 1.95, y + 0.45), 0.08, style);
    let [first, second] = [number(payoffs[0]), number(payoffs[1])];
    let size = fitting(&first, 0.8 * scale, PAYOFF).min(fitting(&second, 0.8 * scale, PAYOFF));
    let middle = x + 0.5 * CELL;
    let ends = [
        (first, 0, -0.1, Align::Right),
        (second, 1, 0.1, Align::Left),
    ];
    for (payoff, player, way, align) in ends {
        canvas.text_aligned((middle + way, y), size, payoff, Color::group(player), align);
    }
    canvas.text((middle, y), size, ",", Color::GREY);
}

/// The remembered rounds, the last one on top: what each did.
fn history<P>(
    games: &MatrixGame<P>,
    rounds: &[Round],
    (x, top): (f64, f64),
    scale: f64,
    canvas: &mut Canvas,
) {
    let line = LINE * PAST / scale;
    let room = 0.5 * (HISTORY - 0.4);
    for (age, round) in rounds.iter().enumerate() {
        let y = top - (age as f64 + 0.5) * line;
        for (player, &action) in round.joint.iter().enumerate() {
            let (name, size) = fit(&games.game.actions[player][action], room * scale, PAST);
            let at = (x + player as f64 * (room + 0.1), y);
            canvas.text_aligned(at, size, name, Color::group(player), Align::Left);
        }
    }
}

/// The table as text, the last joint action in brackets, and the remembered rounds under it.
fn text<P>(games: &MatrixGame<P>, stage: usize, rounds: &[Round]) -> String {
    let (tables, actions) = (&games.tables, &games.game.actions);
    let last = rounds.first().map(|round| round.joint.as_slice());
    let rows = actions[0].iter().map(|name| name.chars().count()).max();
    let rows = rows.unwrap_or_default().max(12);
    let columns = actions[1].iter().map(|name| name.chars().count()).max();
    let columns = columns.unwrap_or_default().max(15);
    let mut text = format!("{:>rows$} |", "");
    for label in &actions[1] {
        text.push_str(&format!("{label:>columns$} "));
    }
    for (r, label) in actions[0].iter().enumerate() {
        text.push_str(&format!("\n{label:>rows$} |"));
        for c in 0..actions[1].len() {
            let payoffs = tables.payoffs(&tables.cells(&[r, c], stage));
            let cell = format!("{}, {}", number(payoffs[0]), number(payoffs[1]));
            let cell = if last.is_some_and(|joint| joint == [r, c]) {
                format!("[{cell}]")
            } else {
                format!("{cell} ")
            };
            text.push_str(&format!("{cell:>columns$} "));
        }
    }
    for round in rounds.iter().skip(1) {
        let [row, column] = [0, 1].map(|player| &actions[player][round.joint[player]]);
        text.push_str(&format!("\nbefore: {row}, {column}"));
    }
    text
}
