//! What actions mean: a force on the body, and a message that the others hear.
//!
//! | agent | discrete | continuous (clipped to \[0, 1\]) |
//! |---|---|---|
//! | moves | 0 stay, 1 −x, 2 +x, 3 −y, 4 +y | \[unused, −x, +x, −y, +y\] |
//! | speaks (K symbols) | the symbol | the message, K numbers |
//! | moves and speaks | move + 5 · symbol | the five of the move, then the message |
//!
//! A force is the unit move times the body's `accel`. A message sent in a step is heard in the observation
//! that the step returns. The 2017 environments number the moves +x, −x, +y, −y; here both generations share
//! one table.

use palaestra_plugin_api::prelude::Space;

use crate::{
    physics::Body,
    scripted::move_number,
    world::{LANES, Layout},
};

/// Ways to move, staying included.
const MOVES: usize = 5;

/// The controls of one agent.
#[derive(Clone, Copy, Debug)]
pub struct Control {
    movable: bool,
    accel: f64,
    symbols: usize,
}

impl Control {
    /// Controls of a body that can say this many symbols.
    pub fn new(body: &Body, symbols: usize) -> Self {
        Self {
            movable: body.movable,
            accel: body.accel,
            symbols,
        }
    }

    /// The action space.
    pub fn space(&self, continuous: bool) -> Space {
        let moves = if self.movable { MOVES } else { 0 };
        if continuous {
            Space::bounded(moves + self.symbols, 0.0, 1.0)
        } else {
            Space::discrete(moves.max(1) * self.symbols.max(1))
        }
    }

    /// The action of an agent that does nothing. There is none for one that can only choose what to say.
    pub fn no_op(&self, continuous: bool) -> Option<Vec<f64>> {
        let space = self.space(continuous);
        (continuous || self.movable).then(|| vec![0.0; space.width()])
    }

    /// The action of an agent that makes a unit move and says a symbol.
    pub fn action(&self, unit: [f64; 2], symbol: usize, continuous: bool) -> Vec<f64> {
        if continuous {
            let way = |x: f64| [(-x).max(0.0), x.max(0.0)];
            let mut action = if self.movable {
                [&[0.0][..], &way(unit[0]), &way(unit[1])].concat()
            } else {
                Vec::new()
            };
            action.extend((0..self.symbols).map(|s| f64::from(u8::from(s == symbol))));
            return action;
        }
        let moves = if self.movable { MOVES } else { 1 };
        let symbol = if self.symbols > 0 { symbol } else { 0 };
        vec![(move_number(unit) + moves * symbol) as f64]
    }

    /// Applies the choices of a block: forces, and messages into the agent's columns.
    #[inline(always)]
    pub fn choose(
        &self,
        agent: usize,
        choices: &[i32; LANES],
        layout: &Layout,
        columns: &mut [[f64; LANES]],
        forces: &mut [[f64; LANES]],
    ) {
        if self.movable {
            let [fx, fy] = &mut forces[2 * agent..2 * agent + 2] else {
                unreachable!("two axes")
            };
            for lane in 0..LANES {
                let choice = choices[lane];
                let choice = if self.symbols > 0 {
                    choice % MOVES as i32
                } else {
                    choice
                };
                fx[lane] = self.accel * f64::from(i32::from(choice == 2) - i32::from(choice == 1));
                fy[lane] = self.accel * f64::from(i32::from(choice == 4) - i32::from(choice == 3));
            }
        }
        for (symbol, column) in columns[layout.message(agent)].iter_mut().enumerate() {
            for lane in 0..LANES {
                let said = if self.movable {
                    choices[lane] / MOVES as i32
                } else {
                    choices[lane]
                };
                column[lane] = f64::from(u8::from(said == symbol as i32));
            }
        }
    }

    /// Applies real actions of one instance, the agent's components in `action`.
    #[inline(always)]
    pub fn steer(
        &self,
        agent: usize,
        action: &[f64],
        lane: usize,
        layout: &Layout,
        columns: &mut [[f64; LANES]],
        forces: &mut [[f64; LANES]],
    ) {
        let component = |i: usize| action[i].clamp(0.0, 1.0);
        let mut spoken = 0;
        if self.movable {
            forces[2 * agent][lane] = self.accel * (component(2) - component(1));
            forces[2 * agent + 1][lane] = self.accel * (component(4) - component(3));
            spoken = MOVES;
        }
        for (symbol, column) in columns[layout.message(agent)].iter_mut().enumerate() {
            column[lane] = component(spoken + symbol);
        }
    }
}
