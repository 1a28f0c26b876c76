//! The payoff table with the last joint action marked; for many players, what each did and got.

use palaestra_plugin_api::prelude::*;

use crate::batch::MatrixGame;

/// Actions of a player up to which the table is drawn.
const LARGEST_TABLE: usize = 8;
/// Players up to which all are listed.
const LONGEST_LIST: usize = 24;

/// Draws one instance.
pub(crate) fn draw<P>(games: &MatrixGame<P>, instance: usize, canvas: &mut Canvas) {
    let tables = &games.tables;
    let last = tables.joint_action(games.cells(instance, 0));
    let stage = last
        .as_ref()
        .map_or(games.stage_of(instance), |(stage, _)| *stage);
    let joint = last.map(|(_, joint)| joint);
    canvas.caption(caption(games, stage, joint.as_deref()));
    if tables.players == 2 && !games.game.is_anonymous() && tables.choices <= LARGEST_TABLE {
        table(games, stage, joint.as_deref(), canvas);
    } else {
        list(games, stage, joint.as_deref(), canvas);
    }
}

/// A number without needless digits.
fn number(x: f64) -> String {
    let text = format!("{x:.2}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" {
        "0".to_owned()
    } else {
        short.to_owned()
    }
}

fn caption<P>(games: &MatrixGame<P>, stage: usize, joint: Option<&[usize]>) -> String {
    let name = games
        .game
        .stages()
        .get(stage)
        .map_or("", |stage| stage.name.as_str());
    let place = if name.is_empty() {
        String::new()
    } else {
        format!("{name}: ")
    };
    let Some(joint) = joint else {
        return format!("{place}no round played yet");
    };
    let payoffs = games.tables.payoffs(&games.tables.cells(joint, stage));
    format!("{place}welfare {}", number(payoffs.iter().sum()))
}

fn table<P>(games: &MatrixGame<P>, stage: usize, joint: Option<&[usize]>, canvas: &mut Canvas) {
    let (tables, actions) = (&games.tables, &games.game.actions);
    let (rows, columns) = (actions[0].len(), actions[1].len());
    let (width, height) = (2.0 * columns as f64, rows as f64);
    canvas.view(-2.2, -0.3, width + 0.3, height + 1.1);
    canvas.text(
        (width / 2.0, height + 0.85),
        14.0,
        "player 1",
        Color::group(1),
    );
    canvas.text((-1.2, height + 0.4), 14.0, "player 0", Color::group(0));
    let mut text = format!("{:>12} |", "");
    for (c, label) in actions[1].iter().enumerate() {
        let chosen = joint.is_some_and(|joint| joint[1] == c);
        let color = if chosen { Color::group(1) } else { Color::DARK };
        canvas.text(
            (2.0 * c as f64 + 1.0, height + 0.4),
            15.0,
            label.as_str(),
            color,
        );
        text.push_str(&format!("{label:>15} "));
    }
    for (r, label) in actions[0].iter().enumerate() {
        let y = height - r as f64 - 0.5;
        let chosen = joint.is_some_and(|joint| joint[0] == r);
        let color = if chosen { Color::group(0) } else { Color::DARK };
        canvas.text((-1.2, y), 15.0, label.as_str(), color);
        text.push_str(&format!("\n{label:>12} |"));
        for c in 0..columns {
            let marked = joint.is_some_and(|joint| joint == [r, c]);
            let payoffs = tables.payoffs(&tables.cells(&[r, c], stage));
            let x = 2.0 * c as f64;
            let style = if marked {
                Color::ACCENT
                    .mix(Color::WHITE, 0.75)
                    .outlined(Color::ACCENT.pen(4.0))
            } else {
                Color::WHITE.outlined(Color::LIGHT.pen(1.0))
            };
            canvas.rounded_rect((x + 0.05, y - 0.45), (x + 1.95, y + 0.45), 0.08, style);
            canvas.text((x + 0.5, y), 18.0, number(payoffs[0]), Color::group(0));
            canvas.text((x + 1.0, y), 18.0, ",", Color::GREY);
            canvas.text((x + 1.5, y), 18.0, number(payoffs[1]), Color::group(1));
            let cell = format!("{}, {}", number(payoffs[0]), number(payoffs[1]));
            let cell = if marked {
                format!("[{cell}]")
            } else {
                format!("{cell} ")
            };
            text.push_str(&format!("{cell:>15} "));
        }
    }
    canvas.text_frame(text);
}

/// One line a player: its action and its payoff.
fn list<P>(games: &MatrixGame<P>, stage: usize, joint: Option<&[usize]>, canvas: &mut Canvas) {
    let (tables, actions) = (&games.tables, &games.game.actions);
    let shown = tables.players.min(LONGEST_LIST);
    let payoffs = joint.map(|joint| tables.payoffs(&tables.cells(joint, stage)));
    let scale = games.game.range();
    let scale = scale.0.abs().max(scale.1.abs()).max(f64::MIN_POSITIVE);
    canvas.view(-0.2, -0.2, 10.2, shown as f64 + 0.2);
    canvas.line((7.0, 0.0), (7.0, shown as f64), Color::LIGHT.pen(1.0));
    let mut lines = Vec::new();
    for player in 0..shown {
        let y = (shown - player) as f64 - 0.5;
        canvas.text(
            (1.0, y),
            13.0,
            format!("player {player}"),
            Color::group(player),
        );
        let (Some(joint), Some(payoffs)) = (joint, &payoffs) else {
            lines.push(format!("player {player:<3} -"));
            continue;
        };
        let (label, payoff) = (&actions[player][joint[player]], payoffs[player]);
        canvas.text((3.2, y), 13.0, label.as_str(), Color::INK);
        let color = if payoff < 0.0 {
            Color::ACCENT
        } else {
            Color::group(player)
        };
        canvas.rect((7.0, y - 0.3), (7.0 + 2.0 * payoff / scale, y + 0.3), color);
        canvas.text((9.6, y), 13.0, number(payoff), Color::INK);
        lines.push(format!(
            "player {player:<3} {label:<14} {:>8}",
            number(payoff)
        ));
    }
    if tables.players > shown {
        lines.push(format!("and {} more", tables.players - shown));
    }
    canvas.text_frame(lines.join("\n"));
}
