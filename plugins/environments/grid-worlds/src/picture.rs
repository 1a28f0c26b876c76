//! Pictures of grid worlds: boards, agents as numbered discs, and the same as text.

use std::f64::consts::TAU;

use palaestra_plugin_api::prelude::{Canvas, Color};

use crate::board::{Board, Place};

/// Radius of the disc of an agent that has its cell for itself, in cells.
const RADIUS: f64 = 0.36;
/// The same of agents that share a cell, and how far they stand from its middle.
const SHARED: (f64, f64) = (0.2, 0.22);
/// What the board may take of a 600 × 400 frame, in pixels.
const ROOM: (f64, f64) = (460.0, 340.0);
/// Most agents that a legend lists.
const LISTED: usize = 8;

/// A board on a canvas.
pub(crate) struct Picture<'a> {
    canvas: &'a mut Canvas,
    /// Side of a cell in pixels of a 600 × 400 frame.
    pixels: f64,
}

impl<'a> Picture<'a> {
    /// An empty board.
    pub(crate) fn new(canvas: &'a mut Canvas, board: Board) -> Self {
        canvas.grid(board.rows as usize, board.columns as usize);
        let pixels = (ROOM.0 / f64::from(board.columns)).min(ROOM.1 / f64::from(board.rows));
        Self { canvas, pixels }
    }

    /// Paints a cell.
    pub(crate) fn cell(&mut self, [row, column]: Place, color: Color) {
        self.canvas.cell(row as usize, column as usize, color);
    }

    /// The middle of a cell.
    fn center(&self, [row, column]: Place) -> (f64, f64) {
        let point = self.canvas.cell_center(row as usize, column as usize);
        (f64::from(point.x), f64::from(point.y))
    }

    /// A disc in the middle of a cell with a word on it.
    pub(crate) fn token(&mut self, place: Place, radius: f64, text: &str, color: Color) {
        self.disc(self.center(place), radius, text, color);
    }

    /// A line from the middle of a cell to the edge on one side.
    pub(crate) fn pointer(&mut self, place: Place, [down, right]: Place) {
        let (x, y) = self.center(place);
        let tip = (x + 0.48 * f64::from(right), y - 0.48 * f64::from(down));
        let from = (x + RADIUS * f64::from(right), y - RADIUS * f64::from(down));
        self.canvas.line(from, tip, Color::INK.pen(3.0));
    }

    /// A disc per agent with its number, and its way; those that share a cell stand in a ring, so that all are seen.
    pub(crate) fn agents(&mut self, places: &[Place]) {
        self.trails(places, |agent| agent);
        self.named_agents(places, |agent| agent);
    }

    /// The ways of some agents: `number` says which one is the nth.
    pub(crate) fn trails(&mut self, places: &[Place], number: impl Fn(usize) -> usize) {
        for (nth, &place) in places.iter().enumerate() {
            let agent = number(nth);
            let middle = self.center(place);
            self.canvas
                .track(agent, middle, Color::group(agent).pen(4.0));
        }
    }

    /// The discs of some agents: `number` says which one is the nth.
    pub(crate) fn named_agents(&mut self, places: &[Place], number: impl Fn(usize) -> usize) {
        for (nth, &place) in places.iter().enumerate() {
            let at = |agents: &[Place]| agents.iter().filter(|&&other| other == place).count();
            let (here, before) = (at(places), at(&places[..nth]));
            let (mut x, mut y) = self.center(place);
            let mut radius = RADIUS;
            if here > 1 {
                let angle = TAU * before as f64 / here as f64;
                (x, y) = (x + SHARED.1 * angle.cos(), y + SHARED.1 * angle.sin());
                radius = SHARED.0;
            }
            let agent = number(nth);
            self.disc((x, y), radius, &agent.to_string(), Color::group(agent));
        }
    }

    fn disc(&mut self, at: (f64, f64), radius: f64, text: &str, color: Color) {
        self.canvas
            .circle(at, radius, color.outlined(Color::INK.pen(1.0)));
        if !text.is_empty() {
            let ink = if color.lightness() > 0.55 {
                Color::INK
            } else {
                Color::WHITE
            };
            self.canvas.text(at, 1.1 * radius * self.pixels, text, ink);
        }
    }

    /// A legend of agents, the first few of them, and of other things.
    pub(crate) fn legend(&mut self, agents: usize, others: &[(&str, Color)]) {
        let named =
            (0..agents.min(LISTED)).map(|agent| (format!("agent {agent}"), Color::group(agent)));
        let others = others.iter().map(|&(name, color)| (name.to_owned(), color));
        self.canvas.legend(&named.chain(others).collect::<Vec<_>>());
    }
}

/// The board as lines of text, one letter a cell.
pub(crate) fn text(board: Board, letter: impl Fn(Place) -> char) -> String {
    let line = |row: i32| {
        (0..board.columns)
            .map(|column| letter([row, column]))
            .collect::<String>()
    };
    (0..board.rows).map(line).collect::<Vec<_>>().join("\n")
}

/// The letter of an agent in text: a to z, then `?`.
pub(crate) fn letter(agent: usize) -> char {
    u8::try_from(agent)
        .ok()
        .filter(|&a| a < 26)
        .map_or('?', |a| char::from(b'a' + a))
}

/// The letter of whoever stands on a cell; `&` for several.
pub(crate) fn occupant(places: &[Place], place: Place) -> Option<char> {
    let mut here = places
        .iter()
        .enumerate()
        .filter(|&(_, &other)| other == place);
    let first = here.next()?.0;
    Some(if here.next().is_some() {
        '&'
    } else {
        letter(first)
    })
}
