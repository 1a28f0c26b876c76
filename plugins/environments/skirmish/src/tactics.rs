//! What the scripted baseline orders its team: stand together, and shoot together.
//!
//! Nobody walks before the fight: who comes to the other is shot at first, and enemies do come. Then allies attack the
//! enemy in reach that has least left, so that guns fall silent early; what is going to be shot dead in this step anyway
//! is left alone. Who reaches nobody walks to the nearest. While its weapon is not ready, who has less left than the
//! others steps back, so that enemies, which attack whoever is nearest, turn to somebody else.

use crate::{
    combat::{Field, Unit, difference, distance},
    observation::{BASIC_ACTIONS, DIRECTIONS, MOVE, NO_OP, STOP},
};

/// The action of every ally.
pub(crate) fn orders(field: &Field) -> Vec<usize> {
    let enemies: Vec<usize> = field
        .enemies()
        .filter(|&e| field.units[e].is_alive())
        .collect();
    let allies = &field.units[..field.allies];
    let meets = |a: &Unit| {
        let meets = |e: &Unit| a.reaches(e) || e.reaches(a);
        enemies.iter().any(|&e| meets(&field.units[e]))
    };
    let fighting = allies.iter().any(|a| a.is_alive() && meets(a));
    let living = || allies.iter().filter(|a| a.is_alive());
    let mean = living().map(|a| a.health + a.shield).sum::<f32>() / living().count().max(1) as f32;
    let hunted = |own: &Unit| enemies.iter().any(|&e| field.units[e].reaches(own));
    // What will be left of each unit once those who chose before have hit it.
    let mut left = field.units.clone();
    let order = |own: &Unit| {
        if !own.is_alive() {
            return NO_OP;
        }
        if !fighting {
            return STOP;
        }
        if !own.is_ready() && own.health + own.shield < mean && hunted(own) {
            return retreat(field, own, &enemies);
        }
        if let Some(target) = target(field, own, &enemies, &left) {
            left[target].take(own.kind);
            return BASIC_ACTIONS + target - field.allies;
        }
        let way = |e: &usize| distance(own.position, field.units[*e].position);
        let nearest = enemies.iter().min_by(|a, b| way(a).total_cmp(&way(b)));
        nearest.map_or(STOP, |&e| walk(field, own, field.units[e].position))
    };
    allies.iter().map(order).collect()
}

/// Whom to attack: of those in the weapon's reach the one with least left, else whoever is nearest of those that may be
/// attacked at all.
fn target(field: &Field, own: &Unit, enemies: &[usize], left: &[Unit]) -> Option<usize> {
    let way = |e: usize| distance(own.position, field.units[e].position);
    let allowed = || {
        enemies
            .iter()
            .copied()
            .filter(|&e| Field::may_attack(way(e)))
    };
    let strength = |e: usize| left[e].health + left[e].shield;
    let reached = allowed().filter(|&e| own.reaches(&field.units[e]));
    let weakest = |candidates: Vec<usize>| {
        candidates
            .into_iter()
            .min_by(|&a, &b| strength(a).total_cmp(&strength(b)))
    };
    let (alive, doomed): (Vec<usize>, Vec<usize>) = reached.partition(|&e| left[e].is_alive());
    weakest(alive)
        .or_else(|| weakest(doomed))
        .or_else(|| allowed().min_by(|&a, &b| way(a).total_cmp(&way(b))))
}

/// The way back from all enemies.
fn retreat(field: &Field, own: &Unit, enemies: &[usize]) -> usize {
    let [x, y] = own.position;
    let away = enemies.iter().fold([x, y], |at, &e| {
        let [dx, dy] = difference(own.position, field.units[e].position);
        [at[0] + dx, at[1] + dy]
    });
    walk(field, own, away)
}

/// The allowed direction that leads nearest to a place; stop when none is allowed.
fn walk(field: &Field, own: &Unit, to: [f32; 2]) -> usize {
    let [dx, dy] = difference(to, own.position);
    let along = |direction: [f32; 2]| direction[0] * dx + direction[1] * dy;
    let ways = DIRECTIONS.into_iter().enumerate();
    let ways = ways.filter(|&(_, direction)| field.can_walk(own.position, direction));
    ways.max_by(|a, b| along(a.1).total_cmp(&along(b.1)))
        .map_or(STOP, |(index, _)| MOVE + index)
}
