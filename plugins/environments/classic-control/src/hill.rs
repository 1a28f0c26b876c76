//! The valley of both mountain cars: its ends, its shape and its picture.

use palaestra_plugin_api::prelude::*;

/// Left end of the track, where the car stops dead.
pub(crate) const MIN_POSITION: f64 = -1.2;
/// Right end of the track.
pub(crate) const MAX_POSITION: f64 = 0.6;
/// Largest speed per step, either way.
pub(crate) const MAX_SPEED: f64 = 0.07;
/// Lowest and highest start position; the car starts at rest.
pub(crate) const START: (f64, f64) = (-0.6, -0.4);

/// Position and velocity: `init` of the reset options.
#[derive(Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
pub(crate) struct Init {
    pub(crate) state: [f64; 2],
}

/// What an agent sees: position and velocity.
pub(crate) fn observation() -> Space {
    Space::bounds(&[MIN_POSITION, -MAX_SPEED], &[MAX_POSITION, MAX_SPEED])
}

/// The start of `init`, or a drawn one.
pub(crate) fn start(rng: &mut EnvRng, options: &ResetOptions<'_>) -> Result<[f64; 2]> {
    match options.init()? {
        Some(Init { state }) => Ok(state),
        None => Ok([rng.range(START.0, START.1), 0.0]),
    }
}

/// Height of the track.
pub(crate) fn height(position: f64) -> f64 {
    0.45 * (3.0 * position).sin() + 0.55
}

/// Draws hill, flag and car; `push` in ±1 is an arrow.
pub(crate) fn draw(position: f64, goal: f64, push: f64, canvas: &mut Canvas) {
    canvas.view(MIN_POSITION, -0.1, MAX_POSITION, 1.25);
    let x = |i: usize| MIN_POSITION + (MAX_POSITION - MIN_POSITION) * i as f64 / 60.0;
    let mut ground: Vec<(f64, f64)> = (0..=60).map(|i| (x(i), height(x(i)))).collect();
    canvas.polyline(&ground, Color::DARK.pen(3.0));
    ground.extend([(MAX_POSITION, -0.1), (MIN_POSITION, -0.1)]);
    canvas.polygon(&ground, Color::LIGHT);

    let (foot, top) = ((goal, height(goal)), (goal, height(goal) + 0.2));
    canvas.line(foot, top, Color::INK);
    canvas.polygon(
        &[top, (goal + 0.08, top.1 - 0.035), (goal, top.1 - 0.07)],
        Color::ACCENT,
    );

    let slope = (1.35 * (3.0 * position).cos()).atan();
    let on_hill = |along: f64, above: f64| {
        let (sin, cos) = slope.sin_cos();
        (
            position + along * cos - above * sin,
            height(position) + along * sin + above * cos,
        )
    };
    let body = [
        (-0.06, 0.02),
        (0.06, 0.02),
        (0.06, 0.055),
        (0.025, 0.085),
        (-0.03, 0.085),
        (-0.06, 0.055),
    ];
    canvas.polygon(
        &body.map(|(along, above)| on_hill(along, above)),
        Color::group(0),
    );
    for along in [-0.035, 0.035] {
        canvas.circle(on_hill(along, 0.018), 0.018, Color::INK);
    }
    if push != 0.0 {
        canvas.arrow(
            on_hill(0.0, 0.12),
            on_hill(0.15 * push, 0.12),
            Color::ACCENT,
        );
    }
}
