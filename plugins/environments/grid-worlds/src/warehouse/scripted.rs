//! The scripted baseline: every robot fetches a requested shelf of its own, brings it to a goal, and puts it down at the
//! nearest free place. Robots go around each other where they can, and now and then do something else, so that they do
//! not wait for each other for ever.

use palaestra_plugin_api::rng::EnvRng;

use super::{FORWARD, LEFT, LEFT_OF, MOVES, RIGHT, Robot, TOGGLE, Warehouse};
use crate::{
    board::{Grid, Place, moved},
    paths::{FAR, ways},
};

/// Probability of a random action.
const NOISE: f64 = 0.05;

impl Warehouse {
    /// The action of every robot.
    pub(super) fn script(&self, rng: &mut EnvRng) -> Vec<usize> {
        let goals = self.errands();
        let robots = self.state.robots.iter().zip(&goals);
        robots
            .map(|(robot, goals)| {
                if rng.bernoulli(NOISE) {
                    return 1 + rng.below(RIGHT as u64) as usize;
                }
                self.errand(robot, goals)
            })
            .collect()
    }

    /// Where every robot wants to.
    fn errands(&self) -> Vec<Vec<Place>> {
        let robots = &self.state.robots;
        let carried = |shelf: u16| robots.iter().any(|robot| robot.carried == shelf);
        let wanted = self.state.requests.iter().filter(|&&shelf| !carried(shelf));
        let mut wanted: Vec<Place> = wanted
            .map(|&shelf| self.state.shelves[usize::from(shelf) - 1])
            .collect();
        let mut errands: Vec<Vec<Place>> =
            robots.iter().map(|robot| self.with_shelf(robot)).collect();
        // The shortest way to a requested shelf is taken first.
        let mut idle: Vec<usize> = (0..robots.len())
            .filter(|&r| robots[r].carried == 0)
            .collect();
        let way = |robot: usize, to: Place| {
            let [y, x] = robots[robot].place;
            (y - to[0]).abs() + (x - to[1]).abs()
        };
        loop {
            let pairs = idle
                .iter()
                .flat_map(|&r| wanted.iter().map(move |&to| (way(r, to), r, to)));
            let Some((_, robot, to)) = pairs.min() else {
                return errands;
            };
            idle.retain(|&other| other != robot);
            wanted.retain(|&other| other != to);
            errands[robot] = vec![to];
        }
    }

    /// Where a robot with a shelf may bring it.
    fn with_shelf(&self, robot: &Robot) -> Vec<Place> {
        match robot.carried {
            0 => Vec::new(),
            shelf if self.requested[usize::from(shelf) - 1] => self.layout.goals.to_vec(),
            _ => {
                let free = |place: &Place| {
                    !self.layout.is_highway(*place)
                        && (self.shelf_at[*place] == 0 || *place == robot.place)
                };
                self.layout.board.places().filter(free).collect()
            }
        }
    }

    /// What brings a robot to one of its goals, and what it does there.
    fn errand(&self, robot: &Robot, goals: &[Place]) -> usize {
        if goals.contains(&robot.place) {
            let delivers = robot.carried > 0 && self.requested[usize::from(robot.carried) - 1];
            return if delivers { 0 } else { TOGGLE };
        }
        let open =
            |place: Place| robot.carried == 0 || self.shelf_at[place] == 0 || place == robot.place;
        let alone = |place: Place| self.robot_at[place] == 0 || place == robot.place;
        let board = self.layout.board;
        let around = ways(board, goals.iter().copied().filter(|&g| alone(g)), |p| {
            open(p) && alone(p)
        });
        let through = || ways(board, goals.iter().copied(), open);
        let ways = if around[robot.place] == FAR {
            through()
        } else {
            around
        };
        self.turn_or_go(robot, &ways)
    }

    /// The next action along the shortest way: forward where that leads nearer, else a turn.
    fn turn_or_go(&self, robot: &Robot, ways: &Grid<u32>) -> usize {
        let leads = |direction: u8| {
            let to = moved(robot.place, MOVES[usize::from(direction)]);
            ways[to] < ways[robot.place]
        };
        let left = LEFT_OF[usize::from(robot.direction)];
        if leads(robot.direction) {
            FORWARD
        } else if leads(left) {
            LEFT
        } else if ways[robot.place] == FAR {
            0
        } else {
            RIGHT
        }
    }
}
