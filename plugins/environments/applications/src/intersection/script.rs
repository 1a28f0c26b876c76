//! The scripted baseline: first come, first served.
//!
//! Everybody follows the vehicle ahead carefully. Who is nearer to its stop line goes first; who has to wait for a
//! vehicle whose way meets its own stops at the line, until that one is through. Who can no longer stop goes.

use super::{Control, Intersection, Status, Vehicle};
use crate::driving::{Engine, Leader, Wish};

/// Where a vehicle stops before its line [m].
const MARGIN: f64 = 1.0;
/// Part of the largest deceleration that a driver counts on.
const CERTAIN: f64 = 0.9;
/// Room behind another vehicle that it keeps [m], and time [s].
const MIN_GAP: f64 = 2.5;
const HEADWAY: f64 = 1.0;

/// The joint action.
pub(super) fn actions(world: &Intersection) -> Vec<Vec<f64>> {
    let wanted = |index: usize| match world.state.vehicles[index].status {
        Status::Driving => accelerate(world, index),
        _ => 0.0,
    };
    let encode = |wanted: f64| match world.config.control {
        Control::Discrete => world.engine.choice(wanted) as f64,
        Control::Continuous => world.engine.action(wanted),
    };
    let vehicles = 0..world.state.vehicles.len();
    vehicles.map(|v| vec![encode(wanted(v))]).collect()
}

fn accelerate(world: &Intersection, index: usize) -> f64 {
    let own = &world.state.vehicles[index];
    let wish = Wish {
        speed: world.config.speed_limit,
        headway: HEADWAY,
        min_gap: MIN_GAP,
    };
    let mut wanted = world.engine.careful(own.speed, wish, leader(world, index));
    if must_wait(world, index) {
        let line = Leader {
            gap: -own.way,
            speed: 0.0,
        };
        let stop = Wish {
            headway: 0.0,
            min_gap: MARGIN,
            ..wish
        };
        wanted = wanted.min(world.engine.careful(own.speed, stop, Some(line)));
    }
    wanted
}

/// Whether a vehicle is in the crossing or can no longer stop before it.
fn is_in(world: &Intersection, vehicle: &Vehicle) -> bool {
    let hardest = CERTAIN * world.config.max_deceleration;
    vehicle.way + Engine::stopping_distance(vehicle.speed, hardest) > 0.0
}

fn must_wait(world: &Intersection, index: usize) -> bool {
    let own = &world.state.vehicles[index];
    if is_in(world, own) {
        return false;
    }
    let through = |v: &Vehicle| v.way > world.crossing.length(v.route) + world.config.vehicle_size;
    let others = world.state.vehicles.iter().enumerate();
    others
        .filter(|(_, other)| other.drives() && other.arm != own.arm)
        .filter(|(_, other)| world.crossing.meet(own.path(), other.path()))
        .any(|(nth, other)| {
            if is_in(world, other) {
                !through(other)
            } else {
                (-other.way, nth) < (-own.way, index)
            }
        })
}

/// The nearest ahead on the own way: on the own arm, or on the way out.
fn leader(world: &Intersection, index: usize) -> Option<Leader> {
    let own = &world.state.vehicles[index];
    let size = world.config.vehicle_size;
    let beyond = |v: &Vehicle| v.way - world.crossing.length(v.route);
    let room = |other: &Vehicle| {
        let same_arm = other.arm == own.arm;
        if same_arm && (other.route == own.route || other.way < 2.0 * size) {
            Some(other.way - own.way)
        } else if other.route.exit(other.arm) == own.route.exit(own.arm) && beyond(other) > -size {
            Some(beyond(other) - beyond(own))
        } else {
            None
        }
    };
    let others = world.state.vehicles.iter().enumerate();
    others
        .filter(|(nth, other)| *nth != index && other.drives())
        .filter_map(|(nth, other)| room(other).map(|room| (room, nth, other)))
        .filter(|(room, nth, _)| (*room, *nth) > (0.0, index))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(room, _, other)| Leader {
            gap: room - size,
            speed: other.speed,
        })
}
