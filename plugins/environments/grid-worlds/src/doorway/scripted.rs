//! The scripted baseline: a plan for both robots at once, in which one waits for the other at the door.

use super::{Doorway, ROBOTS};
use crate::{
    board::WALK,
    paths::{Journey, Streets, move_to},
};

impl Doorway {
    /// The action of every robot; that of one that has arrived does not count.
    pub(super) fn script(&self) -> Vec<usize> {
        let state = &self.state;
        let there: Vec<usize> = (0..ROBOTS).filter(|&robot| !state.arrived[robot]).collect();
        let journey = |&robot: &usize| Journey {
            from: state.robots[robot],
            to: state.goals[robot],
        };
        let journeys: Vec<Journey> = there.iter().map(journey).collect();
        let open = |place| !self.is_wall(place);
        let streets = Streets {
            board: self.board,
            open: &open,
            vanish: true,
            follows: |_, _| true,
        };
        let plan = streets.travel(&journeys).unwrap_or_default();
        let mut actions = vec![0; ROBOTS];
        for (&robot, next) in there.iter().zip(plan) {
            actions[robot] = move_to(state.robots[robot], next, &WALK).unwrap_or(0);
        }
        actions
    }
}
