//! Writes what agents see and may do, and the state.

use std::array::from_fn;

use crate::{
    combat::{Field, Unit},
    lanes::{LANES, Lanes, NOWHERE, TEAM_BLOCKS, differences, less, masked, squares},
    observation::{BASIC_ACTIONS, DIRECTIONS, Layout, MOVE, NO_OP, STOP},
    units::ORDER_RANGE,
};

/// Features of somebody in sight before its look: a flag, the distance, the direction.
const RELATIVE: usize = 4;
/// Most features of a look: health, shield, two types.
const LOOK: usize = 4;

/// Everybody as agents see them.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    layout: Layout,
    enemies: Others,
    /// The allies but for the one that looks: who has looked stands in for the one that looks next.
    allies: Others,
    /// Whether the one that looks lives, and where it may walk.
    alive: bool,
    moves: [bool; DIRECTIONS.len()],
}

/// Those whom an agent may see.
#[derive(Clone, Debug)]
struct Others {
    blocks: [Block; TEAM_BLOCKS],
    count: usize,
}

/// Some of them, lane by lane.
#[derive(Clone, Copy, Debug)]
struct Block {
    x: Lanes,
    y: Lanes,
    /// What everybody sees alike: health, shield, type; zeros of the dead.
    looks: [Lanes; LOOK],
    /// The features that the one that looks sees: zeros where one is out of sight.
    features: [Lanes; RELATIVE + LOOK],
}

/// Whose flag is set.
#[derive(Clone, Copy, Debug)]
enum Flag {
    /// Everybody's in sight.
    Seen,
    /// Of those that may be attacked.
    WithinReach,
}

impl Sight {
    pub(crate) fn new(layout: Layout) -> Self {
        Self {
            enemies: Others::new(layout.enemies),
            allies: Others::new(layout.allies - 1),
            alive: false,
            moves: [false; DIRECTIONS.len()],
            layout,
        }
    }

    /// Before anybody looks: everybody is where the field says.
    #[inline(always)]
    pub(crate) fn read(&mut self, field: &Field) {
        let (allies, enemies) = field.units.split_at(field.allies);
        for (index, unit) in enemies.iter().enumerate() {
            self.enemies.put(&self.layout, 1, index, unit);
        }
        for (index, unit) in allies[1..].iter().enumerate() {
            self.allies.put(&self.layout, 0, index, unit);
        }
    }

    /// Writes what ally `own` sees, after all those before it; the dead see nothing.
    #[inline(always)]
    pub(crate) fn look(&mut self, field: &Field, own: usize, row: &mut [f32]) {
        let unit = &field.units[own];
        self.alive = unit.is_alive();
        if self.alive {
            let (moves, rest) = row.split_at_mut(DIRECTIONS.len());
            for (index, to) in moves.iter_mut().enumerate() {
                let can = field.can_walk(unit.position, DIRECTIONS[index]);
                self.moves[index] = can;
                *to = if can { 1.0 } else { 0.0 };
            }
            let layout = &self.layout;
            let (enemies, rest) = rest.split_at_mut(layout.enemies * layout.unit(RELATIVE + 1, 1));
            let (allies, look) =
                rest.split_at_mut(self.allies.count * layout.unit(RELATIVE + 1, 0));
            self.enemies
                .look(unit, layout.look(1), Flag::WithinReach, enemies);
            self.allies.look(unit, layout.look(0), Flag::Seen, allies);
            layout.write_look(unit, 0, |feature, value| look[feature] = value);
        } else {
            row.fill(0.0);
        }
        if own < self.allies.count {
            self.allies.put(&self.layout, 0, own, unit);
        }
    }

    /// Writes what may be done by the one that has just looked: by the dead nothing, which others may not do.
    #[inline(always)]
    pub(crate) fn write_mask(&self, mask: &mut [u8]) {
        mask[NO_OP] = u8::from(!self.alive);
        if !self.alive {
            return mask[NO_OP + 1..].fill(0);
        }
        let (basic, attacks) = mask.split_at_mut(BASIC_ACTIONS);
        basic[STOP] = 1;
        for (to, &can) in basic[MOVE..].iter_mut().zip(&self.moves) {
            *to = u8::from(can);
        }
        for (attacks, block) in attacks.chunks_mut(LANES).zip(&self.enemies.blocks) {
            for (to, flag) in attacks.iter_mut().zip(block.features[0]) {
                *to = u8::from(flag > 0.0);
            }
        }
    }
}

impl Others {
    fn new(count: usize) -> Self {
        let nobody = Block {
            x: [NOWHERE; LANES],
            y: [NOWHERE; LANES],
            looks: [[0.0; LANES]; LOOK],
            features: [[0.0; LANES]; RELATIVE + LOOK],
        };
        Self {
            blocks: [nobody; TEAM_BLOCKS],
            count,
        }
    }

    /// Notes where a unit is, and what it looks like.
    #[inline(always)]
    fn put(&mut self, layout: &Layout, team: usize, index: usize, unit: &Unit) {
        let (block, lane) = (&mut self.blocks[index / LANES], index % LANES);
        if unit.is_alive() {
            [block.x[lane], block.y[lane]] = unit.position;
            layout.write_look(unit, team, |feature, value| {
                block.looks[feature][lane] = value
            });
        } else {
            (block.x[lane], block.y[lane]) = (NOWHERE, NOWHERE);
            for look in &mut block.looks {
                look[lane] = 0.0;
            }
        }
    }

    /// Writes how a unit sees everybody, whose looks have `width` features.
    #[inline(always)]
    fn look(&mut self, unit: &Unit, width: usize, flag: Flag, rows: &mut [f32]) {
        match width {
            1 => {
                self.see::<1>(unit, flag);
                self.write::<{ RELATIVE + 1 }>(rows);
            }
            2 => {
                self.see::<2>(unit, flag);
                self.write::<{ RELATIVE + 2 }>(rows);
            }
            3 => {
                self.see::<3>(unit, flag);
                self.write::<{ RELATIVE + 3 }>(rows);
            }
            _ => {
                self.see::<LOOK>(unit, flag);
                self.write::<{ RELATIVE + LOOK }>(rows);
            }
        }
    }

    /// Notes the features of everybody.
    #[inline(always)]
    fn see<const WIDTH: usize>(&mut self, unit: &Unit, flag: Flag) {
        let sight = unit.kind.stats().sight;
        for block in &mut self.blocks[..self.count.div_ceil(LANES)] {
            let way = differences(unit.position, &block.x, &block.y);
            let squares = squares(&way);
            let length: Lanes = from_fn(|lane| squares[lane].sqrt());
            let seen = less(&length, &[sight; LANES]);
            let flags = match flag {
                Flag::Seen => seen,
                Flag::WithinReach => {
                    let beyond = less(&[ORDER_RANGE; LANES], &length);
                    from_fn(|lane| !beyond[lane])
                }
            };
            // Masked before it is divided: else the compiler divides each on its own.
            let part = |length: &Lanes| -> Lanes {
                let length = masked(length, &seen);
                from_fn(|lane| length[lane] / sight)
            };
            block.features[0] = masked(&[1.0; LANES], &flags);
            block.features[1] = part(&length);
            block.features[2] = part(&way[0]);
            block.features[3] = part(&way[1]);
            for feature in 0..WIDTH {
                block.features[RELATIVE + feature] = masked(&block.looks[feature], &seen);
            }
        }
    }

    /// Writes the features, one unit after the other.
    #[inline(always)]
    fn write<const WIDTH: usize>(&self, rows: &mut [f32]) {
        for (block, rows) in self.blocks.iter().zip(rows.chunks_mut(LANES * WIDTH)) {
            let (rows, _) = rows.as_chunks_mut::<WIDTH>();
            for (lane, row) in (0..LANES).zip(rows) {
                *row = from_fn(|feature| block.features[feature][lane]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::rng::EnvRng;

    use super::*;
    use crate::scenario::SCENARIOS;

    /// One unit as another sees it, by itself.
    fn row(layout: &Layout, own: &Unit, other: &Unit, team: usize) -> Vec<f32> {
        let [dx, dy] = [0, 1].map(|axis| other.position[axis] - own.position[axis]);
        let way = (dx * dx + dy * dy).sqrt();
        let mut row = vec![0.0; layout.unit(RELATIVE + 1, team)];
        let sight = own.kind.stats().sight;
        if other.is_alive() && way < sight {
            let flag = team == 0 || way <= ORDER_RANGE;
            let flag = if flag { 1.0 } else { 0.0 };
            row[..4].copy_from_slice(&[flag, way / sight, dx / sight, dy / sight]);
            layout.write_look(other, team, |at, value| row[RELATIVE + at] = value);
        }
        row
    }

    #[test]
    fn everybody_sees_what_a_look_at_each_shows() {
        let mut rng = EnvRng::new(7, 0, 0, 0);
        for scenario in SCENARIOS.iter().cycle().take(50) {
            let layout = Layout::of(scenario);
            let (mut field, mut sight) = (Field::new(scenario), Sight::new(layout.clone()));
            for unit in &mut field.units {
                unit.position = [0, 1].map(|_| rng.range(0.0, 20.0) as f32);
                unit.health *= rng.uniform() as f32 * rng.below(4).min(1) as f32;
                unit.shield *= rng.uniform() as f32;
            }
            sight.read(&field);
            let (allies, enemies) = field.units.split_at(field.allies);
            for (own, unit) in allies.iter().enumerate() {
                let mut seen = vec![f32::NAN; layout.observation().width()];
                sight.look(&field, own, &mut seen);
                let others = [&allies[..own], &allies[own + 1..]].concat();
                let mut expected = Vec::new();
                for (team, units) in [(1, enemies), (0, &others[..])] {
                    expected.extend(units.iter().flat_map(|u| row(&layout, unit, u, team)));
                }
                if !unit.is_alive() {
                    expected.fill(0.0);
                }
                assert_eq!(seen[DIRECTIONS.len()..][..expected.len()], expected);
            }
        }
    }
}
