//! The scripted baseline: everybody goes straight to the goal and waits there.

use super::CooperativeMeeting;
use crate::{
    board::WALK,
    paths::{nearer, ways},
};

impl CooperativeMeeting {
    /// The action of every agent.
    pub(super) fn script(&self) -> Vec<usize> {
        let ways = ways(self.board, [self.state.goal], |_| true);
        let action = |&place| nearer(&ways, place, &WALK, |_| true).unwrap_or(0);
        self.state.places.iter().map(action).collect()
    }
}
