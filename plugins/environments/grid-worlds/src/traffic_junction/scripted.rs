//! The scripted baseline: everybody goes, but for those who must not for others who have more cars behind them.

use super::{BRAKE, TrafficJunction};
use crate::board::Place;

impl TrafficJunction {
    /// The action of every car.
    pub(super) fn script(&self) -> Vec<usize> {
        let cars = &self.state.cars;
        let next = |car: usize| {
            let route = self.roads.route(cars[car].route as usize);
            route.get(cars[car].progress + 1).copied()
        };
        let driving: Vec<usize> = (0..cars.len()).filter(|&car| cars[car].alive).collect();
        let urgency = |car: usize| (self.column_behind(car), cars[car].wait, cars.len() - car);
        let mut brakes = vec![false; cars.len()];
        // Whoever brakes stands in somebody's way, who must brake then: until nobody is in anybody's.
        loop {
            let place = |car: usize, brakes: &[bool]| -> Option<Place> {
                if brakes[car] {
                    Some(cars[car].place)
                } else {
                    next(car)
                }
            };
            let must_brake = |&car: &usize| {
                let in_the_way = |&other: &usize| {
                    other != car
                        && place(other, &brakes).is_some()
                        && place(other, &brakes) == next(car)
                        && (brakes[other] || urgency(other) > urgency(car))
                };
                !brakes[car] && driving.iter().any(in_the_way)
            };
            match driving.iter().copied().find(|car| must_brake(car)) {
                Some(car) => brakes[car] = true,
                None => break,
            }
        }
        brakes
            .into_iter()
            .map(|brake| if brake { BRAKE } else { 0 })
            .collect()
    }

    /// How many cars follow a car without a gap.
    fn column_behind(&self, car: usize) -> usize {
        let cars = &self.state.cars;
        let route = self.roads.route(cars[car].route as usize);
        let behind = route[..cars[car].progress].iter().rev();
        let taken = |place: &&Place| {
            cars.iter()
                .any(|other| other.alive && other.place == **place)
        };
        behind.take_while(taken).count()
    }
}
