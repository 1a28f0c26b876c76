//! The scripted baselines of the tasks: every agent has a wish, and takes the action that serves it best.
//!
//! An action is judged by where the agent would come to rest if it did nothing afterwards: with damping γ = 0.25 a
//! velocity v carries a body on by v·dt·(1 + 0.75 + 0.75² + …) = 0.4·v. So agents brake in time.

use std::ops::Range;

use crate::{
    assignment::assign,
    physics::{Physics, coasting},
    world::View,
};

/// Unit moves, in the order of the discrete actions: stay, −x, +x, −y, +y.
const MOVES: [[f64; 2]; 5] = [[0.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]];
/// Directions and strengths that are tried where actions are real.
const DIRECTIONS: usize = 16;
const STRENGTHS: [f64; 3] = [1.0, 0.5, 0.2];

/// What the cost of leaving the square weighs beside danger, to prey: pursuers must not chase it away for good.
pub const INSIDE: f64 = 10.0;

/// What a place costs an agent.
pub type Cost<'a> = Box<dyn Fn([f64; 2]) -> f64 + 'a>;

/// What one agent wants; by default nothing.
#[derive(Default)]
pub struct Wish<'a> {
    /// What it costs to rest at a place; an agent without costs stays.
    pub cost: Option<Cost<'a>>,
    /// The symbol it says, if it can speak.
    pub say: usize,
}

impl<'a> Wish<'a> {
    /// To be at a place.
    pub fn go(place: [f64; 2]) -> Self {
        Self::least(move |at| apart(at, place))
    }

    /// To be where something costs least.
    pub fn least(cost: impl Fn([f64; 2]) -> f64 + 'a) -> Self {
        Self {
            cost: Some(Box::new(cost)),
            say: 0,
        }
    }

    /// To say a symbol, and nothing else.
    pub fn say(symbol: usize) -> Self {
        Self {
            cost: None,
            say: symbol,
        }
    }

    /// To say a symbol as well.
    #[must_use]
    pub fn saying(self, symbol: usize) -> Self {
        Self {
            say: symbol,
            ..self
        }
    }
}

/// How a body answers to its controls.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    /// Which generation of dynamics.
    pub physics: Physics,
    /// Force of a unit move.
    pub accel: f64,
    /// Largest speed.
    pub max_speed: f64,
}

/// The unit move that leads to the cheapest place of rest; the first of equals.
pub fn best_move(body: Body, agent: [[f64; 2]; 2], continuous: bool, cost: &Cost<'_>) -> [f64; 2] {
    let cheapest = |moves: &mut dyn Iterator<Item = [f64; 2]>| {
        let rated = moves.map(|unit| (cost(coasting(body, agent, unit)), unit));
        rated.reduce(|best, other| if other.0 < best.0 { other } else { best })
    };
    let found = if continuous {
        let round = |i: usize| {
            let angle = std::f64::consts::TAU * i as f64 / DIRECTIONS as f64;
            let (sine, cosine) = palaestra_plugin_api::math::sin_cos(angle);
            STRENGTHS.map(|strength| [strength * cosine, strength * sine])
        };
        let moves = (0..DIRECTIONS).flat_map(round);
        cheapest(&mut std::iter::once([0.0; 2]).chain(moves))
    } else {
        cheapest(&mut MOVES.into_iter())
    };
    found.map_or([0.0; 2], |(_, unit)| unit)
}

/// Number of a discrete move.
pub fn move_number(unit: [f64; 2]) -> usize {
    MOVES.iter().position(|&m| m == unit).unwrap_or(0)
}

/// Every one of some agents goes to a landmark of its own, so that they walk least in all; those left over stay.
pub fn cover<'a>(world: View<'a, 1>, agents: Range<usize>) -> Vec<Wish<'a>> {
    let row = |agent| {
        let way = |l| apart(place(world, agent), landmark(world, l));
        (0..world.landmarks()).map(way).collect()
    };
    let ways: Vec<Vec<f64>> = agents.map(row).collect();
    let wish =
        |chosen: Option<usize>| chosen.map_or_else(Wish::default, |l| Wish::go(landmark(world, l)));
    assign(&ways).into_iter().map(wish).collect()
}

/// Where an agent of a single world is.
pub fn place(world: View<'_, 1>, agent: usize) -> [f64; 2] {
    world.position(agent).map(|axis| axis[0])
}

/// Where an agent of a single world will be soon if it goes on as it does: for those who chase it.
pub fn ahead(world: View<'_, 1>, agent: usize) -> [f64; 2] {
    const SOON: f64 = 0.2;
    let velocity = world.velocity(agent).map(|axis| axis[0]);
    let at = place(world, agent);
    [at[0] + SOON * velocity[0], at[1] + SOON * velocity[1]]
}

/// Where a landmark of a single world is.
pub fn landmark(world: View<'_, 1>, index: usize) -> [f64; 2] {
    world.landmark(index).map(|axis| axis[0])
}

/// Distance of two places.
pub fn apart(a: [f64; 2], b: [f64; 2]) -> f64 {
    let [dx, dy] = [a[0] - b[0], a[1] - b[1]];
    (dx * dx + dy * dy).sqrt()
}

/// The nearest of some places; none of none.
pub fn nearest_of(from: [f64; 2], places: impl Iterator<Item = [f64; 2]>) -> Option<[f64; 2]> {
    places.reduce(|best, other| {
        if apart(from, other) < apart(from, best) {
            other
        } else {
            best
        }
    })
}

/// What it costs prey to rest at a place: being near pursuers, most of all the nearest ones.
pub fn danger(at: [f64; 2], pursuers: &[[f64; 2]]) -> f64 {
    pursuers.iter().map(|&p| 1.0 / (apart(at, p) + 0.05)).sum()
}
