//! How particles move: point masses with damping, controlled by forces, softly repelled where they touch.
//!
//! Both generations share every formula and constant and differ in their order within a step of dt = 0.1
//! (damping 0.25, mass 1):
//!
//! | [`Physics::Mpe2`] (PettingZoo ≥ 1.23, MPE2) | [`Physics::Openai`] (2017, MAPPO, EPyMARL) |
//! |---|---|
//! | p += v·dt with the old v | |
//! | v = 0.75·v + F·dt, clamped to the largest speed | v = 0.75·v + F·dt, clamped to the largest speed |
//! | | p += v·dt with the new v |
//!
//! So an action moves an agent one step later in MPE2. Forces come from the positions before the step. Two
//! bodies whose centres are d apart and whose sizes sum to m repel each other with
//! F = 100 · (Δ/d) · k·ln(1 + e^(−(d − m)/k)), k = 10⁻³.
//!
//! The reference divides by zero where two centres coincide. Here such a pair exerts no force: there is no
//! direction to push in.

use palaestra_plugin_api::{config, math};

use crate::world::Layout;

/// Length of a step.
const TIME_STEP: f64 = 0.1;
/// Share of the velocity that a step takes away.
const DAMPING: f64 = 0.25;
/// Strength of contacts.
const CONTACT_FORCE: f64 = 1e2;
/// Softness of contacts: the k of the module's formula, and 1/k.
const CONTACT_MARGIN: f64 = 1e-3;
const CONTACT_STEEPNESS: f64 = 1e3;

/// Which generation of the particle environments.
///
/// Their returns must not be compared: positions, and in several tasks rewards, differ.
#[config]
pub enum Physics {
    /// PettingZoo from 1.23 on and MPE2: positions move by the old velocity.
    #[config(default)]
    Mpe2,
    /// OpenAI 2017 (also MAPPO's and EPyMARL's copies): positions move by the new velocity.
    Openai,
}

/// What an agent is made of. Every mass is 1.
#[derive(Clone, Copy, Debug)]
pub struct Body {
    /// Radius.
    pub size: f64,
    /// Force of a unit move.
    pub accel: f64,
    /// Largest speed, if there is one.
    pub max_speed: Option<f64>,
    /// Whether it touches others.
    pub collides: bool,
    /// Whether it moves.
    pub movable: bool,
}

impl Body {
    /// A body that moves, touches nothing and has no largest speed; the usual force is 5.
    pub const fn new(size: f64) -> Self {
        Self {
            size,
            accel: 5.0,
            max_speed: None,
            collides: false,
            movable: true,
        }
    }
}

/// Two bodies that may touch, the second perhaps a landmark.
#[derive(Clone, Debug)]
struct Contact {
    /// Columns of x.
    first: usize,
    second: usize,
    /// Columns of the forces; none for what does not move.
    first_force: Option<usize>,
    second_force: Option<usize>,
    /// Sum of the sizes.
    reach: f64,
}

/// The laws of motion of one kind of world.
#[derive(Clone, Debug)]
pub struct Dynamics {
    physics: Physics,
    contacts: Vec<Contact>,
    /// Column of x and largest speed of every agent; none of those that do not move.
    movers: Vec<Option<(usize, f64)>>,
}

impl Dynamics {
    /// Laws for these agents, and landmarks of these sizes (none: nothing touches it).
    pub fn new(
        physics: Physics,
        layout: &Layout,
        agents: &[Body],
        landmarks: &[Option<f64>],
    ) -> Self {
        let moving = |body: &Body, agent: usize| body.movable.then_some(2 * agent);
        let mut contacts = Vec::new();
        // In the order of the reference: sums of forces keep their rounding.
        for (a, first) in agents.iter().enumerate().filter(|(_, body)| body.collides) {
            let (column, force) = (layout.agent(a), moving(first, a));
            for (b, second) in agents
                .iter()
                .enumerate()
                .skip(a + 1)
                .filter(|(_, body)| body.collides)
            {
                contacts.push(Contact {
                    first: column,
                    second: layout.agent(b),
                    first_force: force,
                    second_force: moving(second, b),
                    reach: first.size + second.size,
                });
            }
            for (m, size) in landmarks.iter().enumerate() {
                contacts.extend(size.map(|size| Contact {
                    first: column,
                    second: layout.landmark(m),
                    first_force: force,
                    second_force: None,
                    reach: first.size + size,
                }));
            }
        }
        contacts.retain(|c| c.first_force.is_some() || c.second_force.is_some());
        let mover = |(a, body): (usize, &Body)| {
            body.movable
                .then(|| (layout.agent(a), body.max_speed.unwrap_or(f64::INFINITY)))
        };
        Self {
            physics,
            contacts,
            movers: agents.iter().enumerate().map(mover).collect(),
        }
    }

    /// One step of `L` worlds. `forces` are those of the actions, x and y of every agent.
    #[inline(always)]
    pub fn advance<const L: usize>(&self, columns: &mut [[f64; L]], forces: &mut [[f64; L]]) {
        for contact in &self.contacts {
            contact.push(columns, forces);
        }
        let old_velocity = self.physics == Physics::Mpe2;
        for (agent, &mover) in self.movers.iter().enumerate() {
            if let Some((at, max_speed)) = mover {
                let [x, y, vx, vy] = &mut columns[at..at + 4] else {
                    unreachable!("an agent has four columns")
                };
                if old_velocity {
                    drift(x, vx);
                    drift(y, vy);
                }
                accelerate(vx, &forces[2 * agent]);
                accelerate(vy, &forces[2 * agent + 1]);
                if max_speed.is_finite() {
                    limit(vx, vy, max_speed);
                }
                if !old_velocity {
                    drift(x, vx);
                    drift(y, vy);
                }
            }
        }
    }
}

impl Contact {
    /// Adds the forces of the pair.
    #[inline(always)]
    fn push<const L: usize>(&self, columns: &[[f64; L]], forces: &mut [[f64; L]]) {
        let [ax, ay] = [columns[self.first], columns[self.first + 1]];
        let [bx, by] = [columns[self.second], columns[self.second + 1]];
        let (mut fx, mut fy) = ([0.0; L], [0.0; L]);
        for lane in 0..L {
            let (dx, dy) = (ax[lane] - bx[lane], ay[lane] - by[lane]);
            let strength = repulsion((dx * dx + dy * dy).sqrt(), self.reach);
            fx[lane] = strength * dx;
            fy[lane] = strength * dy;
        }
        if let Some(at) = self.first_force {
            for lane in 0..L {
                forces[at][lane] += fx[lane];
                forces[at + 1][lane] += fy[lane];
            }
        }
        if let Some(at) = self.second_force {
            for lane in 0..L {
                forces[at][lane] -= fx[lane];
                forces[at + 1][lane] -= fy[lane];
            }
        }
    }
}

/// Where a body comes to rest that makes one more move and touches nothing. `agent` is its position and velocity.
pub(crate) fn coasting(
    body: crate::scripted::Body,
    [position, velocity]: [[f64; 2]; 2],
    unit: [f64; 2],
) -> [f64; 2] {
    let mut next =
        [0, 1].map(|axis| velocity[axis] * (1.0 - DAMPING) + body.accel * unit[axis] * TIME_STEP);
    let speed = (next[0] * next[0] + next[1] * next[1]).sqrt();
    if speed > body.max_speed {
        next = next.map(|v| v / speed * body.max_speed);
    }
    let drift = if body.physics == Physics::Mpe2 {
        velocity
    } else {
        [0.0; 2]
    };
    [0, 1].map(|axis| position[axis] + TIME_STEP * (drift[axis] + next[axis] / DAMPING))
}

/// Force of a contact divided by the distance of the centres; 0 where they coincide.
#[inline(always)]
fn repulsion(distance: f64, reach: f64) -> f64 {
    let penetration = CONTACT_MARGIN * math::softplus((reach - distance) * CONTACT_STEEPNESS);
    let strength = CONTACT_FORCE * penetration / distance;
    if distance > 0.0 { strength } else { 0.0 }
}

#[inline(always)]
fn drift<const L: usize>(position: &mut [f64; L], velocity: &[f64; L]) {
    for lane in 0..L {
        position[lane] += velocity[lane] * TIME_STEP;
    }
}

#[inline(always)]
fn accelerate<const L: usize>(velocity: &mut [f64; L], force: &[f64; L]) {
    for lane in 0..L {
        velocity[lane] = velocity[lane] * (1.0 - DAMPING) + force[lane] * TIME_STEP;
    }
}

#[inline(always)]
fn limit<const L: usize>(vx: &mut [f64; L], vy: &mut [f64; L], max_speed: f64) {
    for lane in 0..L {
        let speed = (vx[lane] * vx[lane] + vy[lane] * vy[lane]).sqrt();
        let fast = speed > max_speed;
        vx[lane] = if fast {
            vx[lane] / speed * max_speed
        } else {
            vx[lane]
        };
        vy[lane] = if fast {
            vy[lane] / speed * max_speed
        } else {
            vy[lane]
        };
    }
}
