//! How a swarm is drawn: the arena from above.

use palaestra_plugin_api::prelude::*;

use super::Swarm;

/// Characters a side of the text frame.
const TEXT: usize = 20;

pub(super) fn draw(swarm: &Swarm, canvas: &mut Canvas) {
    let (config, state) = (&swarm.config, &swarm.state);
    let size = config.size;
    let (works, failed) = (Color::group(0), Color::GREY);
    let margin = 0.03 * size;
    canvas.view(-margin, -margin, size + margin, size + margin);
    let ground = Color::WHITE.outlined(Color::GREY.pen(2.0));
    canvas.rect((0.0, 0.0), (size, size), ground);
    let mut text = vec![['.'; TEXT]; TEXT];
    let mut write = |[x, y]: [f64; 2], character| {
        let line = |x: f64| ((x / size * TEXT as f64) as usize).min(TEXT - 1);
        text[TEXT - 1 - line(y)][line(x)] = character;
    };
    for (&place, _) in state
        .positions
        .iter()
        .zip(&state.working)
        .filter(|(_, w)| **w)
    {
        canvas.circle(place, config.sensing_range, works.alpha(0.12));
    }
    for (&place, &found) in state.targets.iter().zip(&state.found) {
        let color = if found { Color::LIGHT } else { Color::ACCENT };
        canvas.circle(place, 0.015 * size, color);
        write(place, if found { '+' } else { '*' });
    }
    for (robot, &place) in state.positions.iter().enumerate() {
        let color = if state.working[robot] { works } else { failed };
        canvas.track(robot, place, color.pen(2.0));
    }
    for (&place, &working) in state.positions.iter().zip(&state.working) {
        let color = if working { works } else { failed };
        canvas.circle(place, 0.012 * size, color.outlined(Color::INK.pen(1.0)));
        write(place, if working { 'o' } else { 'x' });
    }
    let mut legend = vec![("working", works), ("failed", failed)];
    if !state.targets.is_empty() {
        legend.push(("target", Color::ACCENT));
    }
    canvas.legend(&legend);
    let count = state.working.iter().filter(|works| **works).count();
    canvas.caption(format!("{count} of {} robots work", config.num_robots));
    let lines: Vec<String> = text.iter().map(|line| line.iter().collect()).collect();
    canvas.text_frame(lines.join("\n"));
}
