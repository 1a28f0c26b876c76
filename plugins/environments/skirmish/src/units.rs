//! What each unit type can do.
//!
//! The numbers are those of StarCraft II 4.6, the version of SMAC's published results, in units of length of its
//! maps and in seconds of its "normal" speed, of 16 game loops each.
//!
//! SMAClite (uoe-agents/smaclite) has the same health, shields, armour, damage, ranges and sizes. Its speeds and
//! cooldowns are those of the "faster" speed, 1.4 times as fast: 3.15 and 4.13 a second are 2.25 and 2.95 here, and
//! 0.61, 1.34 and 0.86 s are 14, 30 and 19 game loops.

use palaestra_plugin_api::{
    prelude::{Deserialize, Serialize},
    serde,
};

/// Game loops of one step, half a second.
pub(crate) const LOOPS_PER_STEP: i32 = 8;
/// Length of one step [s].
pub(crate) const SECONDS_PER_STEP: f32 = 0.5;
/// Distance between centres within which an agent may order an attack, for all types, as in SMAC. Who has a
/// shorter weapon walks up first.
pub(crate) const ORDER_RANGE: f32 = 6.0;
/// Steps without a hit after which a shield recharges (10 s).
pub(crate) const CALM_STEPS: u32 = 20;
/// What a shield recharges in a step (2 a second).
pub(crate) const RECHARGE: f32 = 1.0;
/// Least that a hit takes, whatever the armour.
pub(crate) const LEAST_DAMAGE: f32 = 0.5;

/// Type of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "serde", rename_all = "snake_case")]
pub(crate) enum UnitType {
    /// Light infantry with a rifle.
    Marine,
    /// Armoured walker with a shield, good against armoured units.
    Stalker,
    /// Light warrior with a shield and two blades.
    Zealot,
}

/// What units of one type have in common.
#[derive(Debug)]
pub(crate) struct Stats {
    /// Name, as in the state of `inspect`.
    pub(crate) name: &'static str,
    /// Full health.
    pub(crate) health: f32,
    /// Full shield, which is hit before health.
    pub(crate) shield: f32,
    /// What each hit on health is less by; shields have no armour.
    pub(crate) armour: f32,
    /// Whether `bonus` applies to it.
    pub(crate) armoured: bool,
    /// Damage of a hit.
    pub(crate) damage: f32,
    /// What a hit on an armoured unit does besides.
    pub(crate) bonus: f32,
    /// Hits of an attack.
    pub(crate) hits: u32,
    /// From attack to attack [game loops]; more than [`LOOPS_PER_STEP`].
    pub(crate) cooldown: i32,
    /// Range of the weapon, from edge to edge.
    pub(crate) range: f32,
    /// Speed [1/s].
    pub(crate) speed: f32,
    /// Radius of the body.
    pub(crate) radius: f32,
    /// How far it sees, between centres; SMAC takes 9 for all.
    pub(crate) sight: f32,
}

const MARINE: Stats = Stats {
    name: "marine",
    health: 45.0,
    shield: 0.0,
    armour: 0.0,
    armoured: false,
    damage: 6.0,
    bonus: 0.0,
    hits: 1,
    cooldown: 14,
    range: 5.0,
    speed: 2.25,
    radius: 0.375,
    sight: 9.0,
};

const STALKER: Stats = Stats {
    name: "stalker",
    health: 80.0,
    shield: 80.0,
    armour: 1.0,
    armoured: true,
    damage: 13.0,
    bonus: 5.0,
    hits: 1,
    cooldown: 30,
    range: 6.0,
    speed: 2.95,
    radius: 0.625,
    sight: 9.0,
};

const ZEALOT: Stats = Stats {
    name: "zealot",
    health: 100.0,
    shield: 50.0,
    armour: 1.0,
    armoured: false,
    damage: 8.0,
    bonus: 0.0,
    hits: 2,
    cooldown: 19,
    range: 0.1,
    speed: 2.25,
    radius: 0.5,
    sight: 9.0,
};

impl UnitType {
    /// What all units of this type have in common.
    #[inline(always)]
    pub(crate) const fn stats(self) -> &'static Stats {
        match self {
            Self::Marine => &MARINE,
            Self::Stalker => &STALKER,
            Self::Zealot => &ZEALOT,
        }
    }

    /// Distance between centres within which a weapon reaches a target.
    #[inline(always)]
    pub(crate) fn reach(self, target: Self) -> f32 {
        let own = self.stats();
        own.range + own.radius + target.stats().radius
    }
}
