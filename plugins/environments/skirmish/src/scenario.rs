//! Who fights where, and for how long.

use palaestra_plugin_api::{Error, Result};

use crate::units::UnitType::{self, Marine, Stalker, Zealot};

/// Units in a column of the formation in which a team starts.
const COLUMN: usize = 6;
/// Distance between neighbours of a formation: no two bodies touch.
const SPACING: f32 = 1.25;

/// A map with two teams.
#[derive(Debug, PartialEq)]
pub(crate) struct Scenario {
    /// Name, as in SMAC.
    pub(crate) name: &'static str,
    /// Allied units, in the order of the agents: types and how many of each.
    allies: &'static [(UnitType, usize)],
    /// Enemy units.
    enemies: &'static [(UnitType, usize)],
    /// Width and height of the map; its corner is at (0, 0), north is up.
    pub(crate) size: [f32; 2],
    /// Middles of the formations of allies and enemies.
    pub(crate) centers: [[f32; 2]; 2],
    /// Steps until truncation.
    pub(crate) time_limit: u32,
}

/// Map of the small scenarios.
const SMALL: ([f32; 2], [[f32; 2]; 2]) = ([32.0, 32.0], [[9.0, 16.0], [23.0, 16.0]]);
/// Map of the large one.
const LARGE: ([f32; 2], [[f32; 2]; 2]) = ([64.0, 32.0], [[22.0, 16.0], [42.0, 16.0]]);

const fn scenario(
    name: &'static str,
    allies: &'static [(UnitType, usize)],
    enemies: &'static [(UnitType, usize)],
    (size, centers): ([f32; 2], [[f32; 2]; 2]),
    time_limit: u32,
) -> Scenario {
    Scenario {
        name,
        allies,
        enemies,
        size,
        centers,
        time_limit,
    }
}

/// All scenarios.
pub(crate) const SCENARIOS: [Scenario; 5] = [
    scenario("3m", &[(Marine, 3)], &[(Marine, 3)], SMALL, 60),
    scenario("8m", &[(Marine, 8)], &[(Marine, 8)], SMALL, 120),
    scenario("5m_vs_6m", &[(Marine, 5)], &[(Marine, 6)], SMALL, 70),
    scenario(
        "2s3z",
        &[(Stalker, 2), (Zealot, 3)],
        &[(Stalker, 2), (Zealot, 3)],
        SMALL,
        120,
    ),
    scenario("27m_vs_30m", &[(Marine, 27)], &[(Marine, 30)], LARGE, 180),
];

impl Scenario {
    /// The scenario of this name.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn named(name: &str) -> Result<&'static Self> {
        SCENARIOS
            .iter()
            .find(|scenario| scenario.name == name)
            .ok_or_else(|| {
                let known = SCENARIOS.map(|scenario| scenario.name).join(", ");
                Error::config(format!(
                    "config /scenario: expected one of {known}, found {name:?}"
                ))
            })
    }

    /// Types of the allied units, in order.
    pub(crate) fn allies(&self) -> impl Iterator<Item = UnitType> + use<> {
        each(self.allies)
    }

    /// Types of the enemy units, in order.
    pub(crate) fn enemies(&self) -> impl Iterator<Item = UnitType> + use<> {
        each(self.enemies)
    }

    /// Unit types that take part, allied or enemy, in order of appearance.
    pub(crate) fn types(&self) -> Vec<UnitType> {
        let mut types = Vec::new();
        for kind in self.allies().chain(self.enemies()) {
            if !types.contains(&kind) {
                types.push(kind);
            }
        }
        types
    }

    /// Where unit `index` of `count` of a team starts: columns behind each other, the first to the front.
    pub(crate) fn start(&self, team: usize, index: usize, count: usize) -> [f32; 2] {
        let [x, y] = self.centers[team];
        let (column, row) = (index / COLUMN, index % COLUMN);
        let rows = COLUMN.min(count - column * COLUMN);
        let backwards = if team == 0 { -SPACING } else { SPACING };
        [
            x + backwards * column as f32,
            y + SPACING * (row as f32 - (rows - 1) as f32 / 2.0),
        ]
    }
}

/// Every unit of a team.
fn each(team: &'static [(UnitType, usize)]) -> impl Iterator<Item = UnitType> {
    team.iter()
        .flat_map(|&(kind, count)| std::iter::repeat_n(kind, count))
}
