//! What a step does, and what cars see after it.

use palaestra_plugin_api::prelude::{EnvRng, Observe};

use super::{
    BOARD, COLLISION, Car, EAST, EXITS, GAS, GATES, NO_ROUTE, NORTH, OF_CAR, Outcome, RIGHT,
    ROUTES, SOUTH, STEP_COST, STRAIGHT, TrafficJunctionMaGym, WAITING, WINDOW, start,
};
use crate::board::{Place, moved};

impl Car {
    pub(super) fn is_driving(&self) -> bool {
        self.on_road && !self.arrived
    }

    /// Turns, where the route says so and the car is at the place for it; gives the next cell.
    #[inline(always)]
    pub(super) fn ahead(&mut self) -> Place {
        if self.route != STRAIGHT
            && !self.turned
            && self.place == turning_place(self.direction, self.route)
        {
            let right = right_of(self.direction);
            self.direction = if self.route == RIGHT {
                right
            } else {
                right.map(|x| -x)
            };
            self.turned = true;
        }
        moved(self.place, self.direction)
    }
}

impl TrafficJunctionMaGym {
    /// Moves the cars on the road in turn; tells each one's reward, and whether it arrives.
    #[inline(always)]
    pub(super) fn drive(
        &mut self,
        action_of: impl Fn(usize) -> usize,
        mut tell: impl FnMut(usize, f64, bool),
    ) -> Outcome {
        let mut outcome = Outcome::default();
        for (i, car) in self.state.cars.iter_mut().enumerate() {
            if car.is_driving() {
                car.steps += 1;
                let mut reward = 0.0;
                if action_of(i) == GAS {
                    let next = car.ahead();
                    if self.cells[next] == 0 {
                        self.cells[car.place] = 0;
                        car.place = next;
                        car.arrived = EXITS.contains(&next);
                        self.cells[next] = if car.arrived { 0 } else { i as u8 + 1 };
                    } else {
                        reward = COLLISION;
                        outcome.collisions += 1;
                    }
                }
                tell(i, reward + STEP_COST * f64::from(car.steps), car.arrived);
            }
            outcome.arrived += usize::from(car.arrived);
        }
        outcome
    }

    /// Lets a car enter.
    #[inline(always)]
    pub(super) fn admit(&mut self, rng: &mut EnvRng) {
        if let Some(entries) = &mut self.state.entries {
            let now = entries
                .get_mut(self.state.step)
                .map(std::mem::take)
                .unwrap_or_default();
            now.into_iter()
                .for_each(|(car, gate, route)| self.enter(car, gate, route));
            return;
        }
        if rng.uniform() >= self.state.arrive_prob {
            return;
        }
        let Some(first) = self.state.cars.iter().position(|car| !car.on_road) else {
            return;
        };
        let free = |gate: &&(Place, Place)| self.cells[gate.0] == 0;
        let count = GATES.iter().filter(free).count();
        if count > 0 {
            let nth = rng.below(count as u64) as usize;
            let gate = GATES
                .iter()
                .filter(free)
                .nth(nth)
                .map_or(WAITING, |gate| gate.0);
            let route = 1 + rng.below(ROUTES as u64) as i32;
            self.enter(first, gate, route);
        }
    }

    fn enter(&mut self, index: usize, gate: Place, route: i32) {
        let car = &mut self.state.cars[index];
        (car.place, car.route, car.on_road, car.turned) = (gate, route, true, false);
        car.direction = start::direction_at(gate);
        // Whoever waited is still drawn at the waiting place, as in the original.
        self.cells[gate] = index as u8 + 1;
    }

    #[inline(always)]
    pub(super) fn observe(&mut self, out: &mut Observe<'_>) {
        let cars = self.config.num_cars;
        let width = cars + OF_CAR;
        let last = f64::from(BOARD.rows - 1);
        for (row, (i, car)) in self
            .features
            .chunks_exact_mut(width)
            .zip(self.state.cars.iter().enumerate())
        {
            row.fill(0.0);
            row[i] = 1.0;
            row[cars] = (f64::from(car.place[0]) / last) as f32;
            row[cars + 1] = (f64::from(car.place[1]) / last) as f32;
            let route = if car.route == NO_ROUTE {
                RIGHT
            } else {
                car.route
            };
            row[cars + 1 + route as usize] = 1.0;
        }
        for car in 0..cars {
            let seen = if self.config.full_observable {
                0..cars
            } else {
                car..car + 1
            };
            for (view, other) in out
                .observation(car)
                .chunks_exact_mut(WINDOW * width)
                .zip(seen)
            {
                let [row, column] = self.state.cars[other].place;
                for (line, row) in view.chunks_exact_mut(3 * width).zip(row - 1..) {
                    let cells = self.cells.run([row, column - 1], 3);
                    for (cell, &there) in line.chunks_exact_mut(width).zip(cells) {
                        match usize::from(there).checked_sub(1) {
                            Some(other) => cell.copy_from_slice(
                                &self.features[other * width..(other + 1) * width],
                            ),
                            None => cell.fill(0.0),
                        }
                    }
                }
            }
        }
    }
}

/// Where a car that drives in a direction turns: to the right as soon as it can, to the left one cell later.
#[inline(always)]
fn turning_place(direction: Place, route: i32) -> Place {
    let first = match direction {
        EAST => [7, 6],
        NORTH => [7, 7],
        SOUTH => [6, 6],
        _ => [6, 7],
    };
    if route == RIGHT {
        first
    } else {
        moved(first, direction)
    }
}

#[inline(always)]
fn right_of([down, right]: Place) -> Place {
    [right, -down]
}
