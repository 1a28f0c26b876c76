//! Who can move when many want to: robots that wait for each other form chains and rings.
//!
//! Every robot points at the cell it wants; who stays, at its own. Among robots that are so connected:
//!
//! - where somebody stays, everybody who points at it, or at one who points at it, stays too;
//! - two that want to swap stay, and all behind them;
//! - in a ring of three or more the ring moves, and nobody behind it;
//! - otherwise all point in the end at one free cell, and one longest chain moves; among equally long ones
//!   the one with the lower robot at the first fork. The original leaves ties to the order of a Python set.
//!
//! Linear in the number of robots.

use crate::board::{Board, Grid, Place};

/// Nobody, where a robot + 1 is meant.
const NOBODY: u16 = 0;

/// Wishes of one step, and scratch memory to decide on them.
#[derive(Clone, Debug)]
pub(super) struct Movement {
    places: Vec<Place>,
    targets: Vec<Place>,
    /// Robot + 1 on the cell that each wants, itself if it stays.
    ahead: Vec<u16>,
    /// How many robots point at each, not counting itself.
    followers: Vec<u16>,
    /// Length of the longest chain that ends with each.
    length: Vec<u16>,
    /// Robot + 1 behind each in that chain.
    behind: Vec<u16>,
    /// Robots all of whose followers are settled.
    settled: Vec<u16>,
    moves: Vec<bool>,
    /// Robot + 1 that gets each free cell; nobody between steps.
    claims: Grid<u16>,
}

impl Movement {
    pub(super) fn new(board: Board, robots: usize) -> Self {
        Self {
            places: vec![[0, 0]; robots],
            targets: vec![[0, 0]; robots],
            ahead: vec![NOBODY; robots],
            followers: vec![0; robots],
            length: vec![0; robots],
            behind: vec![NOBODY; robots],
            settled: Vec::with_capacity(robots),
            moves: vec![false; robots],
            claims: Grid::new(board, 0, NOBODY, NOBODY),
        }
    }

    /// Notes where a robot is and which cell it wants.
    #[inline(always)]
    pub(super) fn want(&mut self, robot: usize, place: Place, target: Place) {
        self.places[robot] = place;
        self.targets[robot] = target;
    }

    /// Where a robot is after `resolve`.
    #[inline(always)]
    pub(super) fn target(&self, robot: usize) -> Place {
        self.targets[robot]
    }

    /// Decides on all wishes; gives how many were refused. `occupants` says which robot + 1 is where.
    #[inline(always)]
    pub(super) fn resolve(&mut self, occupants: &Grid<u16>, yields: impl Fn(usize) -> bool) -> u32 {
        let wishes = self
            .places
            .iter()
            .zip(&self.targets)
            .filter(|(place, target)| place != target)
            .count();
        if wishes == 0 {
            return 0;
        }
        self.connect(occupants);
        self.settle_chains(&yields);
        self.release_chains();
        self.release_rings();
        let mut refused = 0;
        for (robot, target) in self.targets.iter_mut().enumerate() {
            if *target != self.places[robot] && !self.moves[robot] {
                *target = self.places[robot];
                refused += 1;
            }
        }
        refused
    }

    fn connect(&mut self, occupants: &Grid<u16>) {
        self.followers.fill(0);
        self.length.fill(1);
        self.behind.fill(NOBODY);
        self.moves.fill(false);
        for robot in 0..self.places.len() {
            let ahead = occupants[self.targets[robot]];
            self.ahead[robot] = ahead;
            if ahead != NOBODY && usize::from(ahead) - 1 != robot {
                self.followers[usize::from(ahead) - 1] += 1;
            }
        }
    }

    /// From the ends of all chains forward; rings are never reached.
    fn settle_chains(&mut self, yields: &impl Fn(usize) -> bool) {
        self.settled.clear();
        let last = self
            .followers
            .iter()
            .enumerate()
            .filter(|&(_, &followers)| followers == 0);
        self.settled.extend(last.map(|(robot, _)| robot as u16));
        let mut next = 0;
        while let Some(&robot) = self.settled.get(next) {
            next += 1;
            let robot = usize::from(robot);
            let ahead = self.ahead[robot];
            if ahead == NOBODY {
                let claim = self.claims[self.targets[robot]];
                self.claims[self.targets[robot]] = self.longer(claim, robot, yields);
            } else if usize::from(ahead) - 1 != robot {
                let front = usize::from(ahead) - 1;
                self.behind[front] = self.longer(self.behind[front], robot, yields);
                self.length[front] = self.length[front].max(self.length[robot] + 1);
                self.followers[front] -= 1;
                if self.followers[front] == 0 {
                    self.settled.push(front as u16);
                }
            }
        }
    }

    /// Which of two robots (+ 1) ends the longer chain.
    fn longer(&self, current: u16, robot: usize, yields: &impl Fn(usize) -> bool) -> u16 {
        let Some(rival) = usize::from(current).checked_sub(1) else {
            return robot as u16 + 1;
        };
        let rank = |robot: usize| (self.length[robot], !yields(robot), std::cmp::Reverse(robot));
        if rank(robot) > rank(rival) {
            robot as u16 + 1
        } else {
            current
        }
    }

    /// Moves the chain that gets each free cell.
    fn release_chains(&mut self) {
        for robot in 0..self.places.len() {
            if self.ahead[robot] != NOBODY {
                continue;
            }
            let mut claim = std::mem::replace(&mut self.claims[self.targets[robot]], NOBODY);
            while claim != NOBODY {
                let mover = usize::from(claim) - 1;
                self.moves[mover] = true;
                claim = self.behind[mover];
            }
        }
    }

    /// Moves rings of three or more: what has followers left is in a ring.
    fn release_rings(&mut self) {
        if self.settled.len() == self.places.len() {
            return;
        }
        for first in 0..self.places.len() {
            if self.followers[first] == 0 || self.moves[first] {
                continue;
            }
            let (mut robot, mut length) = (first, 0);
            while self.followers[robot] != 0 {
                self.followers[robot] = 0;
                length += 1;
                robot = usize::from(self.ahead[robot]) - 1;
            }
            if length < 3 {
                continue;
            }
            for _ in 0..length {
                self.moves[robot] = true;
                robot = usize::from(self.ahead[robot]) - 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOARD: Board = Board {
        rows: 5,
        columns: 6,
    };

    /// Who moves when robots at the first places want the second ones.
    fn movers(wishes: &[(Place, Place)], yields: &[usize]) -> Vec<usize> {
        let mut occupants = Grid::new(BOARD, 0, 0, 0);
        let mut movement = Movement::new(BOARD, wishes.len());
        for (robot, &(place, target)) in wishes.iter().enumerate() {
            occupants[place] = robot as u16 + 1;
            movement.want(robot, place, target);
        }
        let refused = movement.resolve(&occupants, |robot| yields.contains(&robot));
        assert_eq!(
            movement.claims,
            Grid::new(BOARD, 0, 0, 0),
            "claims are cleared"
        );
        let moved: Vec<usize> = (0..wishes.len())
            .filter(|&robot| movement.target(robot) != wishes[robot].0)
            .collect();
        let wanted = wishes
            .iter()
            .filter(|(place, target)| place != target)
            .count();
        assert_eq!(refused as usize, wanted - moved.len());
        moved
    }

    #[test]
    fn a_chain_moves_together_unless_its_head_stays() {
        let chain = [([0, 0], [0, 1]), ([0, 1], [0, 2]), ([0, 2], [0, 3])];
        assert_eq!(movers(&chain, &[]), [0, 1, 2]);
        let stopped = [([0, 0], [0, 1]), ([0, 1], [0, 2]), ([0, 2], [0, 2])];
        assert_eq!(movers(&stopped, &[]), Vec::<usize>::new());
    }

    #[test]
    fn robots_do_not_swap_and_rings_turn() {
        let swap = [([0, 0], [0, 1]), ([0, 1], [0, 0]), ([1, 1], [0, 1])];
        assert_eq!(movers(&swap, &[]), Vec::<usize>::new());
        let ring = [
            ([1, 1], [1, 2]),
            ([1, 2], [2, 2]),
            ([2, 2], [2, 1]),
            ([2, 1], [1, 1]),
            ([0, 1], [1, 1]),
        ];
        assert_eq!(
            movers(&ring, &[]),
            [0, 1, 2, 3],
            "who is behind the ring waits"
        );
    }

    #[test]
    fn the_longest_chain_gets_a_free_cell() {
        let fork = [([0, 2], [1, 2]), ([1, 1], [1, 2]), ([1, 0], [1, 1])];
        assert_eq!(movers(&fork, &[]), [1, 2]);
        let tie = [([0, 2], [1, 2]), ([1, 1], [1, 2])];
        assert_eq!(movers(&tie, &[]), [0], "the lower robot");
        assert_eq!(movers(&tie, &[0]), [1], "unless it yields");
        let inner = [
            ([2, 2], [1, 2]),
            ([1, 1], [2, 1]),
            ([2, 0], [2, 1]),
            ([2, 1], [2, 2]),
        ];
        assert_eq!(movers(&inner, &[]), [0, 1, 3], "a fork behind the head");
    }
}
