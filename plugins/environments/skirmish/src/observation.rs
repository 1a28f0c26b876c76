//! What agents see, laid out as SMAC documents it.

use palaestra_plugin_api::spec::Space;

use crate::{
    combat::{Field, Unit},
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
    pub(crate) allies: usize,
    pub(crate) enemies: usize,
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
    pub(crate) fn unit(&self, basic: usize, team: usize) -> usize {
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

    /// Features by which everybody knows a unit of a team: health, shield, type.
    pub(crate) fn look(&self, team: usize) -> usize {
        self.unit(1, team)
    }

    /// Tells them, with their numbers.
    #[inline(always)]
    pub(crate) fn write_look(&self, unit: &Unit, team: usize, mut tell: impl FnMut(usize, f32)) {
        let stats = unit.kind.stats();
        tell(0, unit.health / stats.health);
        let mut next = 1;
        if self.shields[team] {
            let full = stats.shield;
            tell(1, if full > 0.0 { unit.shield / full } else { 0.0 });
            next = 2;
        }
        for (index, &kind) in self.types.iter().enumerate() {
            tell(next + index, f32::from(u8::from(kind == unit.kind)));
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
                let [x, y] = place(unit);
                let cooldown = unit.cooldown as f32 / unit.kind.stats().cooldown as f32;
                row[1..4].copy_from_slice(&[cooldown, x, y]);
                self.write_look(unit, 0, |at, value| {
                    row[if at > 0 { at + 3 } else { 0 }] = value
                });
            }
        }
        for (row, unit) in enemies.chunks_exact_mut(self.unit(3, 1)).zip(theirs) {
            if unit.is_alive() {
                let [x, y] = place(unit);
                row[1..3].copy_from_slice(&[x, y]);
                self.write_look(unit, 1, |at, value| {
                    row[if at > 0 { at + 2 } else { 0 }] = value
                });
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
