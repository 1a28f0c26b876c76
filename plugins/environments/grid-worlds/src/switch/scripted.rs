//! The scripted baseline: a plan for all at once, in which some wait at the ends of the corridor.

use super::{BOARD, GOALS, Switch, is_wall};
use crate::{
    ma_gym::{MOVES, NOOP},
    paths::{Journey, Streets, move_to},
};

impl Switch {
    /// The action of every agent; that of one that has arrived does not count.
    pub(super) fn script(&self) -> Vec<usize> {
        let state = &self.state;
        let agents = 0..self.config.num_agents;
        let there: Vec<usize> = agents.filter(|&agent| !state.arrived[agent]).collect();
        let journey = |&agent: &usize| Journey {
            from: state.places[agent],
            to: GOALS[agent],
        };
        let journeys: Vec<Journey> = there.iter().map(journey).collect();
        // Whoever has arrived stays in the way.
        let open = |place| {
            let holds = |agent: usize| state.arrived[agent] && state.places[agent] == place;
            !is_wall(place) && !(0..self.config.num_agents).any(holds)
        };
        let mut actions = vec![NOOP; self.config.num_agents];
        // Agents move in turn, and those who have not arrived keep their order.
        let streets = Streets {
            board: BOARD,
            open: &open,
            vanish: false,
            follows: |own, other| own > other,
        };
        let plan = streets.travel(&journeys).unwrap_or_default();
        for (&agent, next) in there.iter().zip(plan) {
            actions[agent] = move_to(state.places[agent], next, &MOVES).unwrap_or(NOOP);
        }
        actions
    }
}
