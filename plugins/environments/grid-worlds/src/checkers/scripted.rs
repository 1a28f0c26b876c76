//! The scripted baseline: the first agent goes to apples over cells without lemons, the second clears lemons and leaves
//! the apples alone; who finds no way takes a harmless step at random.

use palaestra_plugin_api::rng::EnvRng;

use super::{AGENTS, APPLE, BOARD, Checkers, EMPTY, LEMON};
use crate::{
    board::{Place, moved},
    ma_gym::{MOVES, NOOP},
    paths::{nearer, ways},
};

impl Checkers {
    /// The action of both agents.
    pub(super) fn script(&self, rng: &mut EnvRng) -> Vec<usize> {
        let places = self.state.places;
        let food = |place: Place| self.state.food[(place[0] * BOARD.columns + place[1]) as usize];
        let mut action = |agent: usize| {
            let (wanted, shunned) = [(APPLE, LEMON), (LEMON, APPLE)][agent];
            let other = places[1 - agent];
            let free = |place: Place| place != other && food(place) != shunned;
            let goals = BOARD
                .places()
                .filter(|&place| food(place) == wanted && place != other);
            let ways = ways(BOARD, goals, free);
            nearer(&ways, places[agent], &MOVES, free).unwrap_or_else(|| {
                let step = rng.below(MOVES.len() as u64) as usize;
                let to = moved(places[agent], MOVES[step]);
                let harmless = BOARD.contains(to) && food(to) == EMPTY;
                if harmless { step } else { NOOP }
            })
        };
        (0..AGENTS).map(&mut action).collect()
    }
}
