//! What a step does.

use palaestra_plugin_api::prelude::EnvRng;

use super::{
    FORWARD, LEFT, LEFT_OF, MOVES, Outcome, RIGHT, RIGHT_OF, RewardType, State, TOGGLE, Warehouse,
};
use crate::board::moved;

impl Warehouse {
    /// Moves, turns, picks up, puts down, delivers; pays each robot.
    #[inline(always)]
    pub(super) fn advance(
        &mut self,
        rng: &mut EnvRng,
        action_of: impl Fn(usize) -> usize,
        mut pay: impl FnMut(usize, f64),
    ) -> Outcome {
        let blocked = self.decide(&action_of);
        for robot in &self.state.robots {
            self.robot_at[robot.place] = 0;
            self.seen_robots[robot.place] = 0;
        }
        let mut carriers_moved = false;
        for (i, robot) in self.state.robots.iter_mut().enumerate() {
            match action_of(i) {
                FORWARD => {
                    let target = self.movement.target(i);
                    if robot.carried > 0 && target != robot.place {
                        self.shelf_at[robot.place] = 0;
                        self.seen_shelves[robot.place] = 0;
                        self.state.shelves[usize::from(robot.carried) - 1] = target;
                        carriers_moved = true;
                    }
                    robot.place = target;
                }
                LEFT => robot.direction = LEFT_OF[usize::from(robot.direction)],
                RIGHT => robot.direction = RIGHT_OF[usize::from(robot.direction)],
                TOGGLE if robot.carried == 0 => robot.carried = self.shelf_at[robot.place],
                TOGGLE if !self.layout.is_highway(robot.place) => {
                    robot.carried = 0;
                    if std::mem::take(&mut robot.has_delivered) {
                        pay(i, 0.5);
                    }
                }
                _ => {}
            }
        }
        for (i, robot) in self.state.robots.iter().enumerate() {
            self.robot_at[robot.place] = i as u16 + 1;
            self.seen_robots[robot.place] = robot.direction + 1;
            if carriers_moved && robot.carried > 0 {
                self.shelf_at[robot.place] = robot.carried;
                self.seen_shelves[robot.place] =
                    1 + u8::from(self.requested[usize::from(robot.carried) - 1]);
            }
        }
        let deliveries = self.deliver(rng, pay);
        self.state.idle = if deliveries > 0 {
            0
        } else {
            self.state.idle + 1
        };
        self.state.step += 1;
        Outcome {
            deliveries,
            blocked,
        }
    }

    /// Finds out where each robot goes; gives how many wanted to move and could not.
    #[inline(always)]
    fn decide(&mut self, action_of: &impl Fn(usize) -> usize) -> u32 {
        for (i, robot) in self.state.robots.iter().enumerate() {
            let mut target = robot.place;
            if action_of(i) == FORWARD {
                let ahead = self
                    .layout
                    .board
                    .clamp(moved(robot.place, MOVES[usize::from(robot.direction)]));
                // With a shelf there is no way past one that stands.
                let standing =
                    robot.carried > 0 && ahead != robot.place && self.shelf_at[ahead] != 0 && {
                        let there = self.robot_at[ahead];
                        there == 0 || self.state.robots[usize::from(there) - 1].carried == 0
                    };
                if !standing {
                    target = ahead;
                }
            }
            self.movement.want(i, robot.place, target);
        }
        let State { script, step, .. } = &self.state;
        self.movement.resolve(&self.robot_at, |robot| {
            script.yields.contains(&(*step, robot))
        })
    }

    /// Takes requested shelves that are on a goal; gives how many.
    #[inline(always)]
    fn deliver(&mut self, rng: &mut EnvRng, mut pay: impl FnMut(usize, f64)) -> u32 {
        let mut deliveries = 0;
        for goal in self.layout.goals {
            let shelf = self.shelf_at[goal];
            if shelf == 0 || !self.requested[usize::from(shelf) - 1] {
                continue;
            }
            self.request_another(shelf, rng);
            deliveries += 1;
            let deliverer = usize::from(self.robot_at[goal]).checked_sub(1);
            match (self.config.reward_type, deliverer) {
                (RewardType::Global, _) => {
                    (0..self.config.num_agents).for_each(|robot| pay(robot, 1.0))
                }
                (RewardType::Individual, Some(robot)) => pay(robot, 1.0),
                (RewardType::TwoStage, Some(robot)) => {
                    self.state.robots[robot].has_delivered = true;
                    pay(robot, 0.5);
                }
                (_, None) => {}
            }
        }
        deliveries
    }

    /// Replaces a delivered shelf by one that is not requested.
    #[inline(never)]
    fn request_another(&mut self, delivered: u16, rng: &mut EnvRng) {
        let Some(slot) = self
            .state
            .requests
            .iter()
            .position(|&shelf| shelf == delivered)
        else {
            return;
        };
        let step = self.state.step;
        let prescribed = self
            .state
            .script
            .replacements
            .iter()
            .find(|&&(at, s, _)| (at, s) == (step, slot));
        let others = self.requested.len() - self.state.requests.len();
        let nth = prescribed
            .is_none()
            .then(|| rng.below(others as u64) as usize);
        let drawn = |nth: usize| {
            (1_u16..)
                .zip(&self.requested)
                .filter(|(_, requested)| !**requested)
                .nth(nth)
        };
        let new = prescribed
            .map(|&(_, _, new)| new)
            .or_else(|| Some(drawn(nth?)?.0))
            .unwrap_or(delivered);
        self.state.requests[slot] = new;
        self.set_requested(delivered, false);
        self.set_requested(new, true);
    }

    fn set_requested(&mut self, shelf: u16, requested: bool) {
        let index = usize::from(shelf) - 1;
        self.requested[index] = requested;
        self.seen_shelves[self.state.shelves[index]] = 1 + u8::from(requested);
    }
}
