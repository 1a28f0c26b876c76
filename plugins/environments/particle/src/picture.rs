//! How a world looks: landmarks, trails, agents with their velocities, goals, and what is said.

use palaestra_plugin_api::canvas::{Canvas, Color};

use crate::{state::State, task::Scenario};

/// Half the side of the visible square; agents start within 1.
const VIEW: f64 = 1.2;
/// How much wider the view becomes, again and again, until it holds an agent that has left it.
const WIDENING: f64 = 1.5;
/// Seconds of motion that the line of a velocity shows.
const VELOCITY_SHOWN: f64 = 0.25;
/// Height of what is said, and of its bubble in units of the world, at the usual view.
const TEXT_SIZE: f64 = 13.0;
const BUBBLE: f64 = 0.15;
/// Width of a letter in a bubble.
const LETTER: f64 = 0.075;
/// Agents of a single group that the legend names.
const NAMED: usize = 8;
/// Symbols by name; beyond them, numbers.
const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// What the silent say.
pub(crate) const SILENCE: &str = "nothing";

/// Draws one world.
pub(crate) fn draw(scenario: &Scenario, state: &State, canvas: &mut Canvas) {
    let view = view(state);
    canvas.view(-view, -view, view, view);
    canvas.rect(
        (-1.0, -1.0),
        (1.0, 1.0),
        Color::WHITE.outlined(Color::LIGHT.pen(1.0)),
    );
    let largest = scenario.members().map(|group| group.body.size);
    let largest = largest.fold(0.0, f64::max);
    // What is larger than an agent lies below, the largest lowest; marks on the ground lie above those who cover them.
    let mut landmarks: Vec<_> = scenario.landmarks.iter().zip(&state.landmark_pos).collect();
    landmarks.sort_by(|a, b| b.0.size.total_cmp(&a.0.size));
    let (ground, marks): (Vec<_>, Vec<_>) =
        landmarks.into_iter().partition(|(l, _)| l.size > largest);
    for (landmark, &place) in ground {
        canvas.circle(place, landmark.size, landmark.color);
    }
    draw_agents(scenario, state, canvas);
    for (landmark, &place) in marks {
        let style = landmark.color.outlined(Color::WHITE.pen(1.5));
        canvas.circle(place, landmark.size, style);
    }
    draw_goals(scenario, state, canvas);
    let colors = colors(scenario);
    let said = said(scenario, state);
    for (agent, word) in said
        .iter()
        .filter_map(|(agent, word)| Some((agent, word.as_ref()?)))
    {
        let size = scenario.members().nth(*agent).map_or(0.0, |g| g.body.size);
        let scale = view / VIEW;
        bubble(
            *agent,
            state.pos[*agent],
            size,
            scale,
            word,
            colors[*agent],
            canvas,
        );
    }
    let names: Vec<_> = names(scenario).collect();
    let lines = said.iter().map(|(agent, word)| {
        let word = word.as_deref().unwrap_or(SILENCE);
        format!("{} says {word}", names[*agent])
    });
    canvas.caption(lines.collect::<Vec<_>>().join(", "));
    canvas.legend(&legend(scenario, &colors));
}

/// Half the side of the square that holds all agents.
fn view(state: &State) -> f64 {
    let far = state
        .pos
        .as_flattened()
        .iter()
        .fold(0.0_f64, |far, x| far.max(x.abs()));
    // The limit is for worlds that were put out of all bounds.
    let steps = (far / VIEW).max(1.0).log(WIDENING).ceil().min(64.0);
    VIEW * WIDENING.powf(steps)
}

fn draw_agents(scenario: &Scenario, state: &State, canvas: &mut Canvas) {
    let colors = colors(scenario);
    for (agent, (&place, &color)) in state.pos.iter().zip(&colors).enumerate() {
        canvas.track(agent, place, color.pen(3.0));
    }
    let bodies = scenario.members().zip(&colors);
    for ((group, &color), (&[x, y], velocity)) in bodies.zip(state.pos.iter().zip(&state.vel)) {
        canvas.circle([x, y], group.body.size, color.outlined(Color::INK.pen(1.0)));
        let [vx, vy] = velocity.map(|v| v * VELOCITY_SHOWN);
        if vx != 0.0 || vy != 0.0 {
            canvas.line([x, y], [x + vx, y + vy], Color::INK.pen(1.5));
        }
    }
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
        let place = state.landmark_pos[index];
        canvas.circle(place, radius, Color::WHITE.pen(5.0));
        canvas.circle(place, radius, goal_color(nth).pen(2.5));
    }
}

/// What an agent says, beside it: above those of even number, below those of odd number, so that two who meet can
/// both be read.
fn bubble(
    agent: usize,
    [x, y]: [f64; 2],
    size: f64,
    scale: f64,
    word: &str,
    color: Color,
    canvas: &mut Canvas,
) {
    let (half, width) = (
        0.5 * BUBBLE * scale,
        LETTER * scale * (word.len() + 1) as f64,
    );
    let way = size + half + 0.03 * scale;
    let inside = VIEW * scale - half;
    let above = agent.is_multiple_of(2);
    let above = if above {
        y + way <= inside
    } else {
        y - way < -inside
    };
    let y = if above { y + way } else { y - way };
    canvas.rounded_rect(
        (x - 0.5 * width, y - half),
        (x + 0.5 * width, y + half),
        0.5 * half,
        Color::WHITE.outlined(color.pen(2.0)),
    );
    canvas.text((x, y), TEXT_SIZE, word, Color::INK);
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

/// The name of every agent: its group's, and a number where it is not alone.
fn names(scenario: &Scenario) -> impl Iterator<Item = String> {
    let name = |(name, agents): (&str, usize), agent: usize| {
        if agents > 1 {
            format!("{name} {agent}")
        } else {
            name.to_owned()
        }
    };
    let groups = scenario
        .groups
        .iter()
        .map(|group| (group.name, group.agents));
    groups.flat_map(move |group| (0..group.1).map(move |agent| name(group, agent)))
}

/// Who says what: the agents that can speak, in order.
fn said(scenario: &Scenario, state: &State) -> Vec<(usize, Option<String>)> {
    let rows = scenario.members().zip(&state.comm).enumerate();
    let speakers = rows.filter(|(_, (group, _))| group.symbols > 0);
    speakers
        .map(|(agent, (_, row))| (agent, word(row)))
        .collect()
}

/// The loudest symbol, with its level unless it is 1; none in silence.
pub(crate) fn word(message: &[f64]) -> Option<String> {
    let (symbol, &level) = message
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(b.1))?;
    let name = letter(symbol);
    if level == 1.0 {
        return Some(name);
    }
    (level > 0.0).then(|| format!("{name} {level:.2}"))
}

/// The name of a symbol.
pub(crate) fn letter(symbol: usize) -> String {
    let letter = ALPHABET.get(symbol).map(|&letter| char::from(letter));
    letter.map_or_else(|| symbol.to_string(), String::from)
}

fn legend(scenario: &Scenario, colors: &[Color]) -> Vec<(String, Color)> {
    let mut entries: Vec<(String, Color)> = Vec::new();
    if scenario.groups.len() == 1 {
        entries.extend(names(scenario).zip(colors.iter().copied()).take(NAMED));
    } else {
        let groups = scenario.groups.iter().enumerate();
        entries.extend(groups.map(|(g, group)| (group.name.to_owned(), Color::group(g))));
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
