//! Who knows, says and hears what. Nobody moves, so the picture is not a map: Alice is on the left, Bob on the right,
//! Eve between and below them.

use palaestra_plugin_api::canvas::{Canvas, Color};

use super::{ALICE, BOB, EVE, KEY, MESSAGE};
use crate::{
    picture::{SILENCE, letter, word},
    state::State,
};

/// Radius of a player, and places of the three.
const RADIUS: f64 = 0.3;
const PLACES: [[f64; 2]; 3] = [[0.0, -0.95], [1.6, 0.35], [-1.6, 0.35]];
/// Height of names, and of words.
const NAME: f64 = 15.0;
const WORD: f64 = 18.0;
/// Colour of a guess that is right.
const RIGHT: Color = Color::rgb(0x2e, 0x7d, 0x32);

/// Draws one world.
pub(super) fn draw(state: &State, canvas: &mut Canvas) {
    canvas.view(-2.2, -1.7, 2.2, 1.2);
    let [message, key] = [MESSAGE, KEY].map(|goal| letter(state.goals[goal]));
    let said = [EVE, BOB, ALICE].map(|agent| word(&state.comm[agent]));
    let said = said.map(|word| word.unwrap_or_else(|| SILENCE.to_owned()));

    let [[ex, ey], [bx, y], [ax, _]] = PLACES;
    let gap = RADIUS + 0.08;
    canvas.arrow((ax + gap, y), (bx - gap, y), Color::DARK.pen(2.5));
    canvas.arrow((ex, y - 0.08), (ex, ey + gap), Color::GREY.pen(1.5));
    canvas.text(
        (ex, y + 0.2),
        WORD,
        format!("alice says {}", said[ALICE]),
        Color::INK,
    );
    canvas.text(
        (ex - 0.55, 0.5 * (y + ey)),
        NAME,
        "eve hears it too",
        Color::GREY,
    );

    for (agent, name) in [(EVE, "eve"), (BOB, "bob"), (ALICE, "alice")] {
        let style = Color::group(agent).outlined(Color::INK.pen(1.0));
        canvas.circle(PLACES[agent], RADIUS, style);
        canvas.text(PLACES[agent], NAME, name, Color::WHITE);
    }
    canvas.text(
        (ax, y + 0.5),
        WORD,
        format!("message {message}"),
        Color::ACCENT,
    );
    canvas.text((ax, y - 0.5), WORD, format!("key {key}"), Color::INK);
    canvas.text((bx, y + 0.5), WORD, format!("key {key}"), Color::INK);
    for (agent, at) in [(BOB, (bx, y - 0.5)), (EVE, (ex, ey - 0.5))] {
        let guess = &said[agent];
        let right = guess.starts_with(&message);
        let color = match guess.as_str() {
            SILENCE => Color::GREY,
            _ if right => RIGHT,
            _ => Color::ACCENT,
        };
        let verdict = if right { ", right" } else { ", wrong" };
        let verdict = if guess == SILENCE { "" } else { verdict };
        canvas.text(at, WORD, format!("guesses {guess}{verdict}"), color);
    }
    canvas.text_frame(format!(
        "alice   message {message}, key {key}, says {}\nbob     key {key}, guesses {}\neve     guesses {}",
        said[ALICE], said[BOB], said[EVE]
    ));
    canvas.caption(format!(
        "message {message}, key {key}: alice says {}, bob guesses {}, eve {}",
        said[ALICE], said[BOB], said[EVE]
    ));
}
