//! What orders do: units walk, push each other aside, and shoot, all at once.
//!
//! A step is half a second. First all weapons that are ready and reach their target from where they are hit it
//! together: two units may kill each other in the same step. Then who lives and is not in reach walks, and bodies
//! that overlap push each other apart. So whoever has to walk shoots in the next step at the earliest, and whether an
//! attack hits follows from what was seen when it was ordered. A weapon that becomes ready within a step fires in
//! it, so that cooldowns need not be whole steps.

use palaestra_plugin_api::{
    prelude::{Deserialize, Serialize},
    serde,
};

use crate::{
    crowd::Crowd,
    scenario::Scenario,
    units::{
        CALM_STEPS, LEAST_DAMAGE, LOOPS_PER_STEP, ORDER_RANGE, RECHARGE, SECONDS_PER_STEP, UnitType,
    },
};

/// What rounding may add to a distance.
const ROUNDING: f32 = 1e-3;

/// One unit. It is alive while it has health.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "serde", deny_unknown_fields)]
pub(crate) struct Unit {
    /// Type.
    #[serde(rename = "type")]
    pub(crate) kind: UnitType,
    /// Place on the map.
    pub(crate) position: [f32; 2],
    /// What is left of health.
    pub(crate) health: f32,
    /// What is left of the shield.
    pub(crate) shield: f32,
    /// Until the weapon is ready [game loops].
    pub(crate) cooldown: i32,
    /// Steps since the last hit.
    pub(crate) calm: u32,
    /// Unit that was shot at in the last step, if any.
    pub(crate) shot: Option<u8>,
}

impl Unit {
    /// A fresh unit.
    pub(crate) const fn new(kind: UnitType, position: [f32; 2]) -> Self {
        Self {
            kind,
            position,
            health: kind.stats().health,
            shield: kind.stats().shield,
            cooldown: 0,
            calm: 0,
            shot: None,
        }
    }

    #[inline(always)]
    pub(crate) fn is_alive(&self) -> bool {
        self.health > 0.0
    }

    /// Whether the weapon fires in this step, if it is told to.
    #[inline(always)]
    pub(crate) fn is_ready(&self) -> bool {
        self.cooldown < LOOPS_PER_STEP
    }

    /// Whether the weapon reaches another unit from here.
    #[inline(always)]
    pub(crate) fn reaches(&self, other: &Self) -> bool {
        distance(self.position, other.position) <= self.kind.reach(other.kind) + ROUNDING
    }

    /// Takes an attack of a unit of type `attacker`.
    pub(crate) fn take(&mut self, attacker: UnitType) {
        let (attacker, own) = (attacker.stats(), self.kind.stats());
        let damage = attacker.damage + if own.armoured { attacker.bonus } else { 0.0 };
        for _ in 0..attacker.hits {
            let absorbed = damage.min(self.shield);
            self.shield -= absorbed;
            let rest = damage - absorbed;
            if rest > 0.0 {
                self.health = (self.health - (rest - own.armour).max(LEAST_DAMAGE)).max(0.0);
            }
        }
        self.calm = 0;
    }

    /// Lets a step pass.
    #[inline(always)]
    fn pass(&mut self) {
        self.cooldown = (self.cooldown - LOOPS_PER_STEP).max(0);
        self.calm = self.calm.saturating_add(1);
        let full = self.kind.stats().shield;
        if full > 0.0 && self.calm > CALM_STEPS && self.is_alive() {
            self.shield = (self.shield + RECHARGE).min(full);
        }
    }
}

/// What a unit is told to do for a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Order {
    /// Stand still.
    Stop,
    /// Walk towards a place.
    Walk([f32; 2]),
    /// Walk until the weapon reaches a unit, and use it.
    Attack(usize),
}

/// What a step did to the enemies.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Toll {
    /// Health and shield they lost.
    pub(crate) damage: f32,
    /// How many died.
    pub(crate) kills: u32,
}

/// The two teams on their map.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) scenario: &'static Scenario,
    /// Allies, then enemies.
    pub(crate) units: Vec<Unit>,
    /// Number of allies.
    pub(crate) allies: usize,
    crowd: Crowd,
}

impl Field {
    /// All units in formation.
    pub(crate) fn new(scenario: &'static Scenario) -> Self {
        let counts = [scenario.allies().count(), scenario.enemies().count()];
        let team = |team: usize, kinds: Vec<UnitType>| {
            kinds.into_iter().enumerate().map(move |(index, kind)| {
                Unit::new(kind, scenario.start(team, index, counts[team]))
            })
        };
        let units: Vec<Unit> = team(0, scenario.allies().collect())
            .chain(team(1, scenario.enemies().collect()))
            .collect();
        Self {
            scenario,
            crowd: Crowd::new(),
            units,
            allies: counts[0],
        }
    }

    /// Indices of the enemies.
    pub(crate) fn enemies(&self) -> std::ops::Range<usize> {
        self.allies..self.units.len()
    }

    /// How many of these units are alive.
    pub(crate) fn living(&self, units: std::ops::Range<usize>) -> usize {
        self.units[units].iter().filter(|u| u.is_alive()).count()
    }

    /// Whether a step of length 1 in this direction stays on the map, which is what lets an agent walk there.
    #[inline(always)]
    pub(crate) fn can_walk(&self, from: [f32; 2], direction: [f32; 2]) -> bool {
        let [x, y] = [from[0] + direction[0], from[1] + direction[1]];
        let [width, height] = self.scenario.size;
        x >= 0.0 && x <= width && y >= 0.0 && y <= height
    }

    /// Whether an agent may order an attack, given the distance to a living target.
    #[inline(always)]
    pub(crate) fn may_attack(distance: f32) -> bool {
        distance <= ORDER_RANGE
    }

    /// Carries out the orders of all units; those of the dead are ignored.
    pub(crate) fn advance(&mut self, orders: &[Order]) -> Toll {
        self.aim(orders);
        let toll = self.fire();
        self.walk(orders);
        self.crowd.push_apart(&mut self.units, self.scenario.size);
        self.units.iter_mut().for_each(Unit::pass);
        toll
    }

    /// Walks in order of index; who follows a unit goes towards where it is by then.
    fn walk(&mut self, orders: &[Order]) {
        let [width, height] = self.scenario.size;
        for (unit, &order) in orders.iter().enumerate() {
            let Unit { kind, position, .. } = self.units[unit];
            if !self.units[unit].is_alive() || order == Order::Stop {
                continue;
            }
            let (to, keep) = match order {
                Order::Attack(target) => {
                    let target = &self.units[target];
                    (target.position, kind.reach(target.kind))
                }
                Order::Walk(to) => (to, 0.0),
                Order::Stop => continue,
            };
            let way = distance(position, to);
            let length = (way - keep).min(kind.stats().speed * SECONDS_PER_STEP);
            if length > 0.0 {
                let part = length / way;
                let [x, y] = position;
                self.units[unit].position = [
                    (x + part * (to[0] - x)).clamp(0.0, width),
                    (y + part * (to[1] - y)).clamp(0.0, height),
                ];
            }
        }
    }

    /// Notes who shoots at whom.
    fn aim(&mut self, orders: &[Order]) {
        for (unit, &order) in orders.iter().enumerate() {
            let kind = self.units[unit].kind;
            self.units[unit].shot = None;
            if let Order::Attack(target) = order {
                let own = &self.units[unit];
                if own.is_ready() && own.reaches(&self.units[target]) && own.is_alive() {
                    self.units[unit].shot = Some(target as u8);
                    self.units[unit].cooldown += kind.stats().cooldown;
                }
            }
        }
    }

    /// All shots hit together: who dies of one has shot too.
    fn fire(&mut self) -> Toll {
        let mut toll = Toll::default();
        for unit in 0..self.units.len() {
            let Unit { kind, shot, .. } = self.units[unit];
            let Some(target) = shot.map(usize::from) else {
                continue;
            };
            let hit = &mut self.units[target];
            let before = hit.health + hit.shield;
            let was_alive = hit.is_alive();
            if was_alive {
                hit.take(kind);
            }
            if target >= self.allies {
                toll.damage += before - hit.health - hit.shield;
                toll.kills += u32::from(was_alive && !hit.is_alive());
            }
        }
        toll
    }
}

/// From `b` to `a`.
#[inline(always)]
pub(crate) fn difference(a: [f32; 2], b: [f32; 2]) -> [f32; 2] {
    [a[0] - b[0], a[1] - b[1]]
}

/// Distance between two places.
#[inline(always)]
pub(crate) fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    let [dx, dy] = difference(a, b);
    (dx * dx + dy * dy).sqrt()
}

#[cfg(test)]
mod tests;
