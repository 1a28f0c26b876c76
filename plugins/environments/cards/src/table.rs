//! A table seen from above: felt, cards, and who is to act.

use palaestra_plugin_api::{canvas::Style, prelude::*};

/// Half the width and height of the view, in table units.
const HALF: (f64, f64) = (3.0, 2.0);

/// The felt, and the view on it: x from -3 to 3, y from -2 to 2.
pub(crate) fn felt(canvas: &mut Canvas) {
    let (x, y) = (HALF.0 - 0.1, HALF.1 - 0.1);
    canvas.view(-HALF.0, -HALF.1, HALF.0, HALF.1);
    canvas.background(Color::group(2).mix(Color::INK, 0.55));
    canvas.rounded_rect((-x, -y), (x, y), 0.9, Color::group(2).mix(Color::INK, 0.25));
}

/// White with an edge, of cards and dice: a strong one for what is marked.
pub(crate) fn face(marked: bool) -> Style {
    Color::WHITE.outlined(if marked {
        Color::ACCENT.pen(4.0)
    } else {
        Color::GREY.pen(1.0)
    })
}

/// An open card with its label, `width` wide; marked when its owner is to act.
pub(crate) fn card(
    canvas: &mut Canvas,
    (x, y): (f64, f64),
    width: f64,
    label: impl Into<String>,
    color: Color,
    marked: bool,
) {
    let (half_width, half_height) = (0.5 * width, 0.7 * width);
    canvas.rounded_rect(
        (x - half_width, y - half_height),
        (x + half_width, y + half_height),
        0.1 * width,
        face(marked),
    );
    let label = label.into();
    // Two letters must fit where one does.
    let share = if label.chars().count() > 1 { 0.7 } else { 1.0 };
    canvas.text((x, y), 56.0 * share * width, label, color);
}
