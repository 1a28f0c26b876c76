//! What enemies order: attack whoever is nearest in sight, else go to where the allies started, else hunt.

use crate::combat::{Field, Order, difference};

/// Distance from the attack point at which it counts as reached.
const ARRIVED: f32 = 1.0;

/// The order of enemy `unit`.
pub(crate) fn order(field: &Field, unit: usize) -> Order {
    let own = &field.units[unit];
    let square = |to: [f32; 2]| {
        let [dx, dy] = difference(to, own.position);
        dx * dx + dy * dy
    };
    let mut nearest = (f32::INFINITY, None);
    for (index, ally) in field.units[..field.allies].iter().enumerate() {
        let way = square(ally.position);
        if ally.is_alive() && way < nearest.0 {
            nearest = (way, Some(index));
        }
    }
    let (way, Some(target)) = nearest else {
        return Order::Stop;
    };
    let sight = own.kind.stats().sight;
    let goal = field.scenario.centers[0];
    if way < sight * sight || square(goal) <= ARRIVED * ARRIVED {
        Order::Attack(target)
    } else {
        Order::Walk(goal)
    }
}
