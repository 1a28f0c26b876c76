//! What a step does, and what cars see after it.

use palaestra_plugin_api::prelude::{EnvRng, Observe};

use super::{BRAKE, CRASH, OWN, PARKED, TrafficJunction, WAITING};

impl TrafficJunction {
    /// Number of cells that a car sees.
    pub(super) fn window(&self) -> usize {
        let side = 2 * self.config.vision as usize + 1;
        side * side
    }

    /// Moves the cars on the road.
    #[inline(always)]
    pub(super) fn drive(
        &mut self,
        action_of: impl Fn(usize) -> usize,
        mut leaves: impl FnMut(usize),
    ) {
        for (i, car) in self.state.cars.iter_mut().enumerate() {
            car.completed = false;
            if !car.alive {
                continue;
            }
            car.wait += 1;
            if action_of(i) == BRAKE {
                car.last_action = BRAKE as u8;
                continue;
            }
            self.counts[car.place] -= 1;
            car.progress += 1;
            match self.roads.route(car.route as usize).get(car.progress) {
                Some(&place) => {
                    car.place = place;
                    car.last_action = 0;
                }
                None => {
                    // Route and last action stay as they are, as in the original.
                    (car.alive, car.place, car.wait, car.completed) = (false, PARKED, 0, true);
                    self.on_road -= 1;
                    leaves(i);
                }
            }
            self.counts[car.place] += 1;
        }
    }

    /// Lets cars enter.
    #[inline(always)]
    pub(super) fn admit(&mut self, rng: &mut EnvRng, mut enters: impl FnMut(usize)) {
        let cars = self.state.cars.len();
        if let Some(additions) = &mut self.state.additions {
            let now = additions
                .get_mut(self.state.step)
                .map(std::mem::take)
                .unwrap_or_default();
            for (car, route) in now {
                self.enter(car, route);
                enters(car);
            }
            return;
        }
        for arrival in 0..self.roads.arrivals() {
            if self.on_road == cars {
                return;
            }
            if rng.uniform() <= self.state.add_rate {
                let nth = rng.below((cars - self.on_road) as u64) as usize;
                let parked = self
                    .state
                    .cars
                    .iter()
                    .enumerate()
                    .filter(|(_, car)| !car.alive)
                    .nth(nth);
                let route = arrival * self.roads.per_arrival()
                    + rng.below(self.roads.per_arrival() as u64) as usize;
                if let Some((car, _)) = parked {
                    self.enter(car, route);
                    enters(car);
                }
            }
        }
    }

    pub(super) fn enter(&mut self, car: usize, route: usize) {
        let entering = &mut self.state.cars[car];
        self.counts[entering.place] -= 1;
        self.on_road += usize::from(!entering.alive);
        (entering.alive, entering.route, entering.progress) = (true, route as i32, 0);
        entering.place = self.roads.route(route)[0];
        self.counts[entering.place] += 1;
    }

    /// Pays the cars on the road; gives how many share a cell.
    #[inline(always)]
    pub(super) fn pay(&self, mut pay: impl FnMut(usize, f64)) -> u32 {
        let mut crashed = 0;
        for (i, car) in self
            .state
            .cars
            .iter()
            .enumerate()
            .filter(|(_, car)| car.alive)
        {
            let mut reward = WAITING * f64::from(car.wait);
            if self.counts[car.place] > 1 && car.place != PARKED {
                reward += CRASH;
                crashed += 1;
            }
            pay(i, reward);
        }
        crashed
    }

    #[inline(always)]
    pub(super) fn observe(&self, out: &mut Observe<'_>) {
        let vision = self.config.vision as i32;
        let side = 2 * vision as usize + 1;
        let vocabulary = self.roads.vocabulary();
        let last_route = (self.roads.routes() - 1) as f64;
        for (i, car) in self.state.cars.iter().enumerate() {
            let observation = out.observation(i);
            observation.fill(0.0);
            if !car.alive {
                continue;
            }
            let (own, window) = observation.split_at_mut(OWN);
            own[0] = f32::from(car.last_action);
            own[1] = (f64::from(car.route) / last_route) as f32;
            let [row, column] = car.place;
            for (line, row) in window
                .chunks_exact_mut(side * vocabulary)
                .zip(row - vision..)
            {
                let classes = self.roads.classes(row, column - vision, side);
                let counts = self.counts.run([row, column - vision], side);
                for ((cell, &class), &count) in
                    line.chunks_exact_mut(vocabulary).zip(classes).zip(counts)
                {
                    cell[usize::from(class)] = 1.0;
                    cell[vocabulary - 1] = f32::from(count);
                }
            }
        }
    }
}
