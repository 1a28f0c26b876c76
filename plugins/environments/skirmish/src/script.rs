//! What enemies order: attack whoever is nearest in sight, else go to where the allies started, else hunt.

use crate::{
    combat::{Field, Order, difference},
    lanes::{
        LANES, Lanes, Mask, NOWHERE, TEAM_BLOCKS, bits, differences, less, numbers, select, squares,
    },
};

/// Distance from the attack point at which it counts as reached.
const ARRIVED: f32 = 1.0;
/// No ally.
const NOBODY: u32 = u32::MAX;

/// Who commands the enemies. It remembers nothing.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    blocks: [Block; TEAM_BLOCKS],
}

/// Some enemies, lane by lane.
#[derive(Clone, Copy, Debug)]
struct Block {
    x: Lanes,
    y: Lanes,
    /// The ally that is nearest, of several the first, and the square of its distance.
    nearest: Mask,
    square: Lanes,
}

impl Script {
    pub(crate) const fn new() -> Self {
        let nobody = Block {
            x: [NOWHERE; LANES],
            y: [NOWHERE; LANES],
            nearest: [NOBODY; LANES],
            square: [f32::INFINITY; LANES],
        };
        Self {
            blocks: [nobody; TEAM_BLOCKS],
        }
    }

    /// Writes the orders of all enemies; those of the dead mean nothing.
    #[inline(always)]
    pub(crate) fn command(&mut self, field: &Field, orders: &mut [Order]) {
        self.seek(field);
        let orders = orders[field.allies..].iter_mut();
        for (index, (enemy, order)) in field.enemies().zip(orders).enumerate() {
            let (block, lane) = (&self.blocks[index / LANES], index % LANES);
            *order = decide(field, enemy, block.nearest[lane], block.square[lane]);
        }
    }

    /// Finds the nearest ally of each enemy.
    #[inline(always)]
    fn seek(&mut self, field: &Field) {
        let (allies, enemies) = field.units.split_at(field.allies);
        let blocks = &mut self.blocks[..enemies.len().div_ceil(LANES)];
        for (block, enemies) in blocks.iter_mut().zip(enemies.chunks(LANES)) {
            for (lane, enemy) in (0..LANES).zip(enemies) {
                [block.x[lane], block.y[lane]] = enemy.position;
            }
            (block.nearest, block.square) = ([NOBODY; LANES], [f32::INFINITY; LANES]);
        }
        for (ally, unit) in allies.iter().enumerate().filter(|(_, u)| u.is_alive()) {
            for block in blocks.iter_mut() {
                let square = squares(&differences(unit.position, &block.x, &block.y));
                let nearer = less(&square, &block.square);
                block.nearest = select(&nearer, &[ally as u32; LANES], &block.nearest);
                block.square = numbers(&select(&nearer, &bits(&square), &bits(&block.square)));
            }
        }
    }
}

/// The order of an enemy, given the nearest ally and the square of its distance.
#[inline(always)]
fn decide(field: &Field, enemy: usize, ally: u32, square: f32) -> Order {
    if ally == NOBODY {
        return Order::Stop;
    }
    let own = &field.units[enemy];
    let sight = own.kind.stats().sight;
    let goal = field.scenario.centers[0];
    let [dx, dy] = difference(goal, own.position);
    if square < sight * sight || dx * dx + dy * dy <= ARRIVED * ARRIVED {
        Order::Attack(ally as usize)
    } else {
        Order::Walk(goal)
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::rng::EnvRng;

    use super::*;
    use crate::scenario::SCENARIOS;

    #[test]
    fn the_nearest_ally_is_that_of_a_look_at_each() {
        let mut rng = EnvRng::new(6, 0, 0, 0);
        for scenario in SCENARIOS.iter().cycle().take(100) {
            let (mut field, mut script) = (Field::new(scenario), Script::new());
            for unit in &mut field.units {
                unit.position = [rng.below(20) as f32, rng.below(20) as f32];
                unit.health *= rng.below(3).min(1) as f32;
            }
            script.seek(&field);
            let allies = || field.units[..field.allies].iter().enumerate();
            for enemy in field.enemies().filter(|&e| field.units[e].is_alive()) {
                let square = |to: [f32; 2]| {
                    let [dx, dy] = difference(to, field.units[enemy].position);
                    dx * dx + dy * dy
                };
                let living = allies().filter(|(_, unit)| unit.is_alive());
                let way = |&(_, unit): &(usize, &crate::combat::Unit)| square(unit.position);
                let first = living.min_by(|a, b| way(a).total_cmp(&way(b)));
                let expected =
                    first.map_or((NOBODY, f32::INFINITY), |near| (near.0 as u32, way(&near)));
                let at = enemy - field.allies;
                let block = &script.blocks[at / LANES];
                let found = (block.nearest[at % LANES], block.square[at % LANES]);
                assert_eq!(found, expected);
            }
        }
    }
}
