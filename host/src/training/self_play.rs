//! Self-play: earlier versions of the learner as frozen opponents.

use serde::{Deserialize, Serialize};

use super::policy_state::PolicyState;

/// When the learner is frozen as an opponent, and how often it meets one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelfPlayPlan {
    /// Share of the episodes with a frozen opponent in all seats but one.
    pub share: f64,
    /// Env steps between two opponents.
    pub refresh: u64,
    /// Opponents that are kept; the oldest leaves first.
    pub keep: usize,
}

/// The opponents so far.
pub struct SelfPlay {
    plan: SelfPlayPlan,
    opponents: Vec<PolicyState>,
    /// Opponents that were ever invited.
    invited: u64,
    /// Env steps at which the next one is invited.
    next: u64,
}

/// What is saved beside the opponents themselves.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct SelfPlayCounters {
    pub(super) invited: u64,
    pub(super) next: u64,
}

impl SelfPlay {
    /// Without opponents; the first is the untrained learner.
    pub fn new(plan: SelfPlayPlan) -> Self {
        Self {
            plan,
            opponents: Vec::new(),
            invited: 0,
            next: 0,
        }
    }

    /// Whether it is time for another opponent.
    pub fn is_due(&self, steps: u64) -> bool {
        steps >= self.next
    }

    /// Takes an opponent in, and tells its seat (1, 2, …).
    pub fn invite(&mut self, state: PolicyState, steps: u64) -> u32 {
        let place = (self.invited % self.plan.keep as u64) as usize;
        if place < self.opponents.len() {
            self.opponents[place] = state;
        } else {
            self.opponents.push(state);
        }
        self.invited += 1;
        self.next = steps + self.plan.refresh;
        place as u32 + 1
    }

    /// Share of the episodes with an opponent.
    pub fn share(&self) -> f64 {
        self.plan.share
    }

    /// All opponents, by seat.
    pub fn all(&self) -> &[PolicyState] {
        &self.opponents
    }

    /// Number of opponents.
    pub fn opponents(&self) -> usize {
        self.opponents.len()
    }

    /// The opponent of a seat.
    ///
    /// # Panics
    /// When nobody sits there.
    pub fn opponent(&self, seat: u32) -> &PolicyState {
        &self.opponents[seat as usize - 1]
    }

    pub(super) fn counters(&self) -> SelfPlayCounters {
        SelfPlayCounters {
            invited: self.invited,
            next: self.next,
        }
    }

    pub(super) fn load(&mut self, counters: SelfPlayCounters, opponents: Vec<PolicyState>) {
        self.invited = counters.invited;
        self.next = counters.next;
        self.opponents = opponents;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_opponent_gives_its_seat_to_the_newest() {
        let mut play = SelfPlay::new(SelfPlayPlan {
            share: 0.5,
            refresh: 100,
            keep: 2,
        });
        let state = |n| PolicyState {
            weights: vec![n],
            statistics: serde_json::Value::Null,
        };
        assert!(play.is_due(0));
        assert_eq!(play.invite(state(0), 0), 1);
        assert!(!play.is_due(99) && play.is_due(100));
        assert_eq!(play.invite(state(1), 100), 2);
        assert_eq!(play.invite(state(2), 200), 1);
        assert_eq!(play.opponents(), 2);
        assert_eq!(
            (play.opponent(1).weights[0], play.opponent(2).weights[0]),
            (2, 1)
        );
    }
}
