//! The scripted baseline: predators go where the prey would flee to, the prey flees.

use super::{PredatorPrey, square};
use crate::board::{Place, WALK, moved};

impl PredatorPrey {
    /// The actions of predators and prey.
    pub(super) fn script(&self) -> [Vec<usize>; 2] {
        let flight = self.escape();
        let prey = self.board.clamp(moved(self.state.prey, WALK[flight]));
        let chase = |&predator: &Place| {
            let left =
                |&action: &usize| square(self.board.clamp(moved(predator, WALK[action])), prey);
            (0..WALK.len()).min_by_key(left).unwrap_or(0)
        };
        [
            self.state.predators.iter().map(chase).collect(),
            vec![flight],
        ]
    }
}
