//! What agents see, laid out as SMAC documents it.

use palaestra_plugin_api::spec::Space;

use crate::{
    combat::{Field, Unit, difference, distance},
    scenario::Scenario,
    units::UnitType,
};

/// Actions before the attacks: no-op, stop, and the four directions.
pub(crate) const BASIC_ACTIONS: usize = 6;
/// The action of the dead, and theirs alone.
pub(crate) const NO_OP: usize = 0;
/// Standing still.
pub(crate) const STOP: usize = 1;
/// The first of the directions.
pub(crate) const MOVE: usize = 2;
/// North, south, east, west.
pub(crate) const DIRECTIONS: [[f32; 2]; 4] = [[0.0, 1.0], [0.0, -1.0], [1.0, 0.0], [-1.0, 0.0]];

/// Which features the units of a scenario have.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    allies: usize,
    enemies: usize,
    /// Whether any ally, any enemy has a shield.
    shields: [bool; 2],
    /// Types that are told apart; none if all units are alike.
    types: Vec<UnitType>,
}

impl Layout {
    /// The features of a scenario.
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let types = scenario.types();
        let shielded = |kind: UnitType| kind.stats().shield > 0.0;
        Self {
            allies: scenario.allies().count(),
            enemies: scenario.enemies().count(),
            shields: [
                scenario.allies().any(shielded),
                scenario.enemies().any(shielded),
            ],
            types: if types.len() > 1 { types } else { Vec::new() },
        }
    }

    /// Choices of an agent.
    pub(crate) fn actions(&self) -> usize {
        BASIC_ACTIONS + self.enemies
    }

    /// Features of one unit: some basic ones, the shield of its team, its type.
    fn unit(&self, basic: usize, team: usize) -> usize {
        basic + usize::from(self.shields[team]) + self.types.len()
    }

    /// The space of an agent's observation.
    pub(crate) fn observation(&self) -> Space {
        named(
            &[
                ("move", DIRECTIONS.len()),
                ("enemies", self.enemies * self.unit(5, 1)),
                ("allies", (self.allies - 1) * self.unit(5, 0)),
                ("own", self.unit(1, 0)),
            ],
            -1.0,
        )
    }

    /// The space of the state.
    pub(crate) fn state(&self) -> Space {
        named(
            &[
                ("allies", self.allies * self.unit(4, 0)),
                ("enemies", self.enemies * self.unit(3, 1)),
                ("last_actions", self.allies * self.actions()),
            ],
            -0.5,
        )
    }

    /// Writes what ally `own` sees; gives what it may do next, one bit for each action.
    #[inline(always)]
    pub(crate) fn observe(&self, field: &Field, own: usize, row: &mut [f32]) -> u64 {
        row.fill(0.0);
        let unit = &field.units[own];
        if !unit.is_alive() {
            return 1 << NO_OP;
        }
        let mut allowed = 1 << STOP;
        let (moves, rest) = row.split_at_mut(DIRECTIONS.len());
        for (index, (to, &direction)) in moves.iter_mut().zip(&DIRECTIONS).enumerate() {
            let can = field.can_walk(unit.position, direction);
            allowed |= u64::from(can) << (MOVE + index);
            *to = f32::from(u8::from(can));
        }
        let width = self.unit(5, 1);
        let (enemies, rest) = rest.split_at_mut(self.enemies * width);
        let seen = enemies
            .chunks_exact_mut(width)
            .zip(&field.units[field.allies..]);
        for (index, (row, enemy)) in seen.enumerate() {
            if enemy.is_alive() {
                let way = distance(unit.position, enemy.position);
                let can = Field::may_attack(way);
                allowed |= u64::from(can) << (BASIC_ACTIONS + index);
                self.write_seen(row, unit, enemy, way, can, 1);
            }
        }
        let width = self.unit(5, 0);
        let (allies, of_own) = rest.split_at_mut((self.allies - 1) * width);
        let others = field.units[..field.allies].iter().enumerate();
        let others = others.filter(|&(index, _)| index != own);
        for (row, (_, ally)) in allies.chunks_exact_mut(width).zip(others) {
            if ally.is_alive() {
                let way = distance(unit.position, ally.position);
                self.write_seen(row, unit, ally, way, true, 0);
            }
        }
        of_own[0] = unit.health / unit.kind.stats().health;
        self.write_kind(&mut of_own[1..], unit, 0);
        allowed
    }

    /// One unit as another sees it: a flag, distance, direction, health, shield, type; nothing out of sight.
    #[inline(always)]
    fn write_seen(
        &self,
        row: &mut [f32],
        own: &Unit,
        seen: &Unit,
        way: f32,
        flag: bool,
        team: usize,
    ) {
        let sight = own.kind.stats().sight;
        if way >= sight {
            return;
        }
        let [dx, dy] = difference(seen.position, own.position);
        let basic = [
            f32::from(u8::from(flag)),
            way / sight,
            dx / sight,
            dy / sight,
            seen.health / seen.kind.stats().health,
        ];
        row[..5].copy_from_slice(&basic);
        self.write_kind(&mut row[5..], seen, team);
    }

    /// Shield, where the team has any, and type, where there are several.
    #[inline(always)]
    fn write_kind(&self, mut row: &mut [f32], unit: &Unit, team: usize) {
        if self.shields[team] {
            let full = unit.kind.stats().shield;
            row[0] = if full > 0.0 { unit.shield / full } else { 0.0 };
            row = &mut row[1..];
        }
        for (to, &kind) in row.iter_mut().zip(&self.types) {
            *to = f32::from(u8::from(kind == unit.kind));
        }
    }

    /// Writes the state; `last_actions` are of the allies, none at the start.
    #[inline(always)]
    pub(crate) fn write_state(&self, field: &Field, last_actions: &[Option<u8>], row: &mut [f32]) {
        row.fill(0.0);
        let (allies, rest) = row.split_at_mut(self.allies * self.unit(4, 0));
        let (enemies, last) = rest.split_at_mut(self.enemies * self.unit(3, 1));
        let [width, height] = field.scenario.size;
        let place = |unit: &Unit| {
            let [x, y] = unit.position;
            [x / width - 0.5, y / height - 0.5]
        };
        let (ours, theirs) = field.units.split_at(field.allies);
        for (row, unit) in allies.chunks_exact_mut(self.unit(4, 0)).zip(ours) {
            if unit.is_alive() {
                let stats = unit.kind.stats();
                let [x, y] = place(unit);
                let cooldown = unit.cooldown as f32 / stats.cooldown as f32;
                row[..4].copy_from_slice(&[unit.health / stats.health, cooldown, x, y]);
                self.write_kind(&mut row[4..], unit, 0);
            }
        }
        for (row, unit) in enemies.chunks_exact_mut(self.unit(3, 1)).zip(theirs) {
            if unit.is_alive() {
                let [x, y] = place(unit);
                row[..3].copy_from_slice(&[unit.health / unit.kind.stats().health, x, y]);
                self.write_kind(&mut row[3..], unit, 1);
            }
        }
        for (row, action) in last.chunks_exact_mut(self.actions()).zip(last_actions) {
            if let Some(action) = action {
                row[usize::from(*action)] = 1.0;
            }
        }
    }
}

/// A box of named parts, between `low` and 1.
fn named(parts: &[(&str, usize)], low: f64) -> Space {
    let width = parts.iter().map(|part| part.1).sum();
    Space::Box {
        shape: vec![width],
        low: vec![Some(low)],
        high: vec![Some(1.0)],
        element: Default::default(),
        parts: parts
            .iter()
            .map(|&(name, width)| (name.to_owned(), width))
            .collect(),
    }
}
