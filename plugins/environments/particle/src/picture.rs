//! How a world looks: landmarks, trails, agents with their velocities, messages and goals.

use palaestra_plugin_api::canvas::{Canvas, Color};

use crate::{state::State, task::Scenario};

/// Half the side of the visible square; agents start within 1.
const VIEW: f64 = 1.3;
/// Seconds of motion that the line of a velocity shows.
const VELOCITY_SHOWN: f64 = 0.25;
/// Height of what is said.
const TEXT_SIZE: f64 = 13.0;
/// Symbols by name; beyond them, numbers.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Draws one world.
pub(crate) fn draw(scenario: &Scenario, state: &State, canvas: &mut Canvas) {
    canvas.view(-VIEW, -VIEW, VIEW, VIEW);
    canvas.rect(
        (-1.0, -1.0),
        (1.0, 1.0),
        Color::WHITE.outlined(Color::LIGHT.pen(1.0)),
    );
    for (landmark, &place) in scenario.landmarks.iter().zip(&state.landmark_pos) {
        canvas.circle(place, landmark.size, landmark.color);
    }
    draw_goals(scenario, state, canvas);
    let colors = colors(scenario);
    for (agent, (&place, &color)) in state.pos.iter().zip(&colors).enumerate() {
        canvas.track(agent, place, color.pen(3.0));
    }
    for ((group, &color), (agent, &[x, y])) in scenario
        .members()
        .zip(&colors)
        .zip(state.pos.iter().enumerate())
    {
        canvas.circle([x, y], group.body.size, color.outlined(Color::INK.pen(1.0)));
        let [vx, vy] = state.vel[agent].map(|v| v * VELOCITY_SHOWN);
        if vx != 0.0 || vy != 0.0 {
            canvas.line([x, y], [x + vx, y + vy], Color::INK.pen(1.5));
        }
        if let Some(said) = state
            .comm
            .get(agent)
            .filter(|_| group.symbols > 0)
            .and_then(|row| spoken(row))
        {
            canvas.text((x, y + group.body.size + 0.07), TEXT_SIZE, said, Color::INK);
        }
    }
    canvas.legend(&legend(scenario, &colors));
}

/// A ring around every goal that is a landmark.
fn draw_goals(scenario: &Scenario, state: &State, canvas: &mut Canvas) {
    let marked = scenario
        .goals
        .iter()
        .zip(&state.goals)
        .filter(|(goal, _)| goal.label.is_some());
    for (nth, (_, &index)) in marked.enumerate() {
        let radius = scenario.landmarks[index].size + 0.04 * (nth + 1) as f64;
        canvas.circle(state.landmark_pos[index], radius, goal_color(nth).pen(2.5));
    }
}

fn goal_color(nth: usize) -> Color {
    if nth == 0 {
        Color::ACCENT
    } else {
        Color::group(3 + nth)
    }
}

/// One colour a group; where there is only one group, one an agent.
fn colors(scenario: &Scenario) -> Vec<Color> {
    if let [group] = scenario.groups.as_slice() {
        return (0..group.agents).map(Color::group).collect();
    }
    let sizes = scenario.groups.iter().map(|group| group.agents).enumerate();
    sizes
        .flat_map(|(g, agents)| vec![Color::group(g); agents])
        .collect()
}

/// The loudest symbol; none in silence.
fn spoken(message: &[f64]) -> Option<String> {
    let (symbol, &level) = message
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(b.1))?;
    let name = ALPHABET.get(symbol).map_or_else(
        || symbol.to_string(),
        |&letter| char::from(letter).to_string(),
    );
    (level > 0.0).then_some(name)
}

fn legend(scenario: &Scenario, colors: &[Color]) -> Vec<(String, Color)> {
    let mut entries: Vec<(String, Color)> = Vec::new();
    let mut first = 0;
    for group in &scenario.groups {
        if let [only] = scenario.groups.as_slice() {
            entries.extend(
                (0..only.agents.min(8))
                    .map(|agent| (format!("{} {agent}", only.name), colors[agent])),
            );
        } else {
            entries.push((group.name.to_owned(), colors[first]));
        }
        first += group.agents;
    }
    for landmark in &scenario.landmarks {
        if !entries.iter().any(|(label, _)| label == landmark.label) {
            entries.push((landmark.label.to_owned(), landmark.color));
        }
    }
    let labels = scenario.goals.iter().filter_map(|goal| goal.label);
    entries.extend(
        labels
            .enumerate()
            .map(|(nth, label)| (label.to_owned(), goal_color(nth))),
    );
    entries
}
