//! The payoff table with the last joint action marked; for many players, what each did and got. Beside it the rounds
//! that are remembered, and under it what they paid.

mod list;
mod table;

use palaestra_plugin_api::prelude::*;

use crate::batch::MatrixGame;

/// Actions of a player up to which the table is drawn.
const LARGEST_TABLE: usize = 8;
/// Remembered rounds that are shown, the last one included.
const ROUNDS_SHOWN: usize = 8;
/// Width and height of the frame's inside, and the width of a letter as a share of its height.
const FRAME: [f64; 2] = [570.0, 320.0];
const LETTER: f64 = 0.6;
/// Smallest letters that can be read.
const SMALLEST: f64 = 9.0;
/// Numbers from here on are shown without digits after the point.
const LONG: f64 = 1000.0;
/// Actions that have colours of their own; of more, the later the darker.
const COLOURED: usize = 5;

/// A round that was played.
struct Round {
    stage: usize,
    joint: Vec<usize>,
    payoffs: Vec<f64>,
}

/// Draws one instance.
pub(crate) fn draw<P>(games: &MatrixGame<P>, instance: usize, canvas: &mut Canvas) {
    let tables = &games.tables;
    let ages = 0..games.kept().min(ROUNDS_SHOWN);
    // The last round first.
    let rounds: Vec<Round> = ages
        .map_while(|age| {
            let cells = games.cells(instance, age);
            let (stage, joint) = tables.joint_action(cells)?;
            let payoffs = tables.payoffs(cells);
            Some(Round {
                stage,
                joint,
                payoffs,
            })
        })
        .collect();
    let coming = games.stage_of(instance);
    let stage = rounds.first().map_or(coming, |round| round.stage);
    canvas.caption(caption(games, stage, &rounds));
    if tables.players == 2 && !games.game.is_anonymous() && tables.choices <= LARGEST_TABLE {
        table::draw(games, stage, &rounds, canvas);
    } else {
        list::draw(games, &rounds, canvas);
    }
}

/// A number without needless digits.
fn number(x: f64) -> String {
    if x.abs() >= LONG {
        return format!("{x:.0}");
    }
    let text = format!("{x:.2}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" {
        "0".to_owned()
    } else {
        short.to_owned()
    }
}

/// Where the game is, what the last round paid, and what those that are remembered did.
fn caption<P>(games: &MatrixGame<P>, stage: usize, rounds: &[Round]) -> String {
    let stages = games.game.stages();
    let name = stages.get(stage).map_or("", |stage| stage.name.as_str());
    let place = if name.is_empty() {
        String::new()
    } else {
        format!("{name}: ")
    };
    let Some(last) = rounds.first() else {
        return format!("{place}no round played yet");
    };
    let mut text = format!("{place}welfare {}", number(last.payoffs.iter().sum()));
    if games.tables.players > 2 {
        text = format!("{}; {text}", tally(games, last));
    }
    if rounds.len() > 1 {
        let total = |player: usize| rounds.iter().map(|r| r.payoffs[player]).sum();
        let all: Vec<f64> = (0..games.tables.players).map(total).collect();
        let paid = if let [first, second] = all[..] {
            format!("{} and {}", number(first), number(second))
        } else {
            format!("welfare {}", number(all.iter().sum()))
        };
        text.push_str(&format!("; last {} rounds: {paid}", rounds.len()));
    }
    text
}

/// How many did what, of the first player's actions; nothing where there are too many actions to say so.
fn tally<P>(games: &MatrixGame<P>, round: &Round) -> String {
    let names = &games.game.actions[0];
    if names.len() > COLOURED || !games.tables.alike() {
        return format!("{} players", round.joint.len());
    }
    let count = |action: usize| round.joint.iter().filter(|&&own| own == action).count();
    let counts = names.iter().enumerate();
    let counts = counts.map(|(action, name)| format!("{} {name}", count(action)));
    counts.collect::<Vec<_>>().join(", ")
}

/// Height of letters, `size` at most, at which a text is no wider than so many pixels.
fn fitting(text: &str, width: f64, size: f64) -> f64 {
    let letters = text.chars().count().max(1) as f64;
    (width / (LETTER * letters)).min(size)
}

/// A name that fits into a width in pixels: as large as asked, else smaller, else shortened.
fn fit(text: &str, width: f64, size: f64) -> (String, f64) {
    let fitting = fitting(text, width, size);
    let size = fitting.max(SMALLEST.min(size));
    if size == fitting {
        return (text.to_owned(), size);
    }
    let kept = ((width / (LETTER * size)) as usize)
        .saturating_sub(1)
        .max(1);
    let short: String = text.chars().take(kept).collect();
    (format!("{short}…"), size)
}

/// The height at which all these names fit, or the smallest that can be read.
fn common_size(names: &[String], width: f64, size: f64) -> f64 {
    let sizes = names.iter().map(|name| fit(name, width, size).1);
    sizes.fold(size, f64::min)
}

/// Pixels of a unit of the world, in a view of this size.
fn pixels(width: f64, height: f64) -> f64 {
    (FRAME[0] / width).min(FRAME[1] / height)
}

/// The colour of an action out of so many.
fn action_color(action: usize, choices: usize) -> Color {
    if choices <= COLOURED {
        return Color::group(action);
    }
    let share = action as f32 / (choices - 1) as f32;
    Color::LIGHT.mix(Color::group(0), share)
}

#[cfg(test)]
mod tests {
    use super::{common_size, fit, number};

    #[test]
    fn numbers_have_no_needless_digits() {
        for (x, text) in [
            (-30.0, "-30"),
            (0.5, "0.5"),
            (1.0 / 3.0, "0.33"),
            (-0.001, "0"),
            (-1234.567, "-1235"),
        ] {
            assert_eq!(number(x), text);
        }
    }

    #[test]
    fn long_names_become_smaller_and_then_shorter() {
        assert_eq!(fit("stag", 100.0, 15.0), ("stag".to_owned(), 15.0));
        let (text, size) = fit("cooperate", 60.0, 15.0);
        assert!(
            text == "cooperate" && (9.0..15.0).contains(&size),
            "{text} {size}"
        );
        let (text, size) = fit("unconditionally cooperate", 60.0, 15.0);
        assert_eq!((text.as_str(), size), ("unconditio…", 9.0));
        let names = ["stag", "cooperate"].map(str::to_owned);
        assert_eq!(common_size(&names, 60.0, 15.0), 60.0 / (0.6 * 9.0));
    }
}
