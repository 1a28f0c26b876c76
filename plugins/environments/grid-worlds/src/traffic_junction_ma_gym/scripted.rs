//! The scripted baseline: who finds its next cell free drives on, but never fills the middle of the junction.

use super::{BRAKE, Car, GAS, TrafficJunctionMaGym, is_road};
use crate::board::Place;

/// Most cars in the four cells in the middle: with four, all of them may wait for each other for ever.
const MOST: usize = 3;

/// Whether a place is one of the four cells that both roads share.
fn is_middle([row, column]: Place) -> bool {
    is_road([row, 0]) && is_road([0, column])
}

impl TrafficJunctionMaGym {
    /// The action of every car: cars move in turn, and those before have moved when one chooses.
    pub(super) fn script(&self) -> Vec<usize> {
        let mut then = self.clone();
        let mut actions = vec![BRAKE; self.config.num_cars];
        for (car, action) in actions.iter_mut().enumerate() {
            if !then.state.cars[car].is_driving() {
                continue;
            }
            let Car { place, .. } = then.state.cars[car];
            let next = then.state.cars[car].clone().ahead();
            let inside = then.state.cars.iter();
            let inside = inside
                .filter(|other| other.is_driving() && is_middle(other.place))
                .count();
            let crowds = is_middle(next) && !is_middle(place) && inside >= MOST;
            if then.cells[next] == 0 && !crowds {
                *action = GAS;
                then.drive(|other| if other == car { GAS } else { BRAKE }, |_, _, _| {});
            }
        }
        actions
    }
}
