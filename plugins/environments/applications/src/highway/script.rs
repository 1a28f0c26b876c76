//! The scripted baseline: everybody drives carefully, changes lanes where that is safe and helps, and keeps its place
//! in a platoon.
//!
//! Changes of lane follow MOBIL (Kesting, Treiber and Helbing, "General Lane-Changing Model MOBIL", 2007) without its
//! politeness. To the left they are made in even steps and to the right in odd ones, so that nobody meets another one
//! in the lane between.

use super::{
    Command, Control, Highway, LEFT, RIGHT, STEER, Status,
    road::{NOBODY, OWN},
};
use crate::driving::{Leader, Wish};

/// What a change of lane must gain [m/s²].
const GAIN: f64 = 0.3;
/// Deceleration that a change of lane may force on anybody, as a part of the comfortable one.
const FORCED: f64 = 0.7;
/// How hard who follows in a platoon corrects its gap [1/s²] and its speed [1/s].
const CORRECTION: [f64; 2] = [0.25, 1.2];

/// The joint action.
pub(super) fn actions(world: &Highway) -> Vec<Vec<f64>> {
    let idle = Command {
        acceleration: 0.0,
        turn: 0,
    };
    let discrete = world.config.control == Control::Discrete;
    let encode = |Command { acceleration, turn }: Command| match (discrete, turn) {
        (true, 0) => vec![world.engine.choice(acceleration) as f64],
        (true, turn) => vec![if turn > 0 { LEFT } else { RIGHT } as f64],
        (false, turn) => vec![
            world.engine.action(acceleration),
            turn as f64 * (0.5 + 0.5 * STEER),
        ],
    };
    let vehicles = world.state.vehicles.iter().enumerate();
    vehicles
        .map(|(index, vehicle)| {
            encode(match vehicle.status {
                Status::Driving => command(world, index),
                _ => idle,
            })
        })
        .collect()
}

fn command(world: &Highway, index: usize) -> Command {
    let vehicle = &world.state.vehicles[index];
    if let Some(ahead) = world.predecessor(index) {
        let error = world.gap(index, ahead) - world.config.wanted_gap(vehicle.speed);
        let closing = vehicle.speed - world.state.vehicles[ahead].speed;
        return Command {
            acceleration: CORRECTION[0] * error - CORRECTION[1] * closing,
            turn: 0,
        };
    }
    let here = follow(world, index, leader(world, index, OWN));
    let turn = if world.state.clock.is_multiple_of(2) {
        1
    } else {
        -1
    };
    let there = if world.may_change(index, turn) {
        after_change(world, index, turn)
    } else {
        None
    };
    let must = vehicle.lane == 0 && !world.road.ring;
    match there {
        Some(there) if must || there > here + GAIN => Command {
            acceleration: there,
            turn,
        },
        _ => Command {
            acceleration: here,
            turn: 0,
        },
    }
}

/// The own acceleration after a change of lane, if that is safe for all.
fn after_change(world: &Highway, index: usize, turn: i64) -> Option<f64> {
    let look = (OWN as i64 + turn) as usize;
    let behind = world.traffic.around[index].behind[look];
    let ahead = leader(world, index, look);
    let least = -FORCED * world.config.deceleration;
    let own = follow(world, index, ahead);
    let room = |gap: f64| gap > world.config.min_gap;
    if own < least || !ahead.is_none_or(|ahead| room(ahead.gap)) {
        return None;
    }
    if behind != NOBODY {
        let gap = world.gap(behind, index);
        let speed = world.state.vehicles[index].speed;
        if !room(gap) || follow(world, behind, Some(Leader { gap, speed })) < least {
            return None;
        }
    }
    Some(own)
}

/// Whom a vehicle would follow in a lane: another one, or in its own the end of the ramp.
fn leader(world: &Highway, index: usize, look: usize) -> Option<Leader> {
    let ahead = world.traffic.around[index].ahead[look];
    let vehicle = (ahead != NOBODY).then(|| Leader {
        gap: world.gap(index, ahead),
        speed: world.state.vehicles[ahead].speed,
    });
    let ramp = if look == OWN {
        world.ramp_ahead(&world.state.vehicles[index])
    } else {
        f64::INFINITY
    };
    let nearest = vehicle.map_or(f64::INFINITY, |leader| leader.gap);
    if ramp < nearest {
        Some(Leader {
            gap: ramp,
            speed: 0.0,
        })
    } else {
        vehicle
    }
}

fn follow(world: &Highway, index: usize, leader: Option<Leader>) -> f64 {
    let (config, vehicle) = (&world.config, &world.state.vehicles[index]);
    let wish = Wish {
        speed: vehicle.wish,
        headway: config.headway,
        min_gap: config.min_gap,
    };
    world.engine.careful(vehicle.speed, wish, leader)
}
