//! How a swarm acts that sees everything.
//!
//! To cover, each robot goes to the middle of the ground that is nearer to it than to others (Lloyd's algorithm, as in
//! Cortés et al.); in a formation springs of length `spacing` pull and push; in a search each goes to the nearest
//! target that is not found.

use super::{Swarm, Task, sensing::square};

/// Points a side of the ground that robots divide.
const POINTS: usize = 24;

/// Actions of all robots.
pub(super) fn actions(swarm: &Swarm) -> Vec<Vec<f64>> {
    let wanted = match swarm.config.task {
        Task::Coverage => middles(swarm),
        Task::Formation => springs(swarm),
        Task::Search => targets(swarm),
    };
    let speed = swarm.config.speed.max(f64::MIN_POSITIVE);
    let way = |(place, wanted): (&[f64; 2], &[f64; 2])| {
        let [x, y] = [0, 1].map(|axis| (wanted[axis] - place[axis]) / speed);
        let length = x.hypot(y).max(1.0);
        vec![x / length, y / length]
    };
    swarm.state.positions.iter().zip(&wanted).map(way).collect()
}

/// Whom or what is nearest to a place, of those that count.
fn nearest<'a>(place: [f64; 2], all: impl Iterator<Item = (usize, &'a [f64; 2])>) -> Option<usize> {
    all.min_by(|a, b| square(*a.1, place).total_cmp(&square(*b.1, place)))
        .map(|(index, _)| index)
}

/// Middle of the ground that is nearest to each robot.
fn middles(swarm: &Swarm) -> Vec<[f64; 2]> {
    let state = &swarm.state;
    let gap = swarm.config.size / POINTS as f64;
    let mut sums = vec![([0.0; 2], 0.0); state.positions.len()];
    for point in 0..POINTS * POINTS {
        let [x, y] = [point % POINTS, point / POINTS].map(|i| (i as f64 + 0.5) * gap);
        let robots = state.positions.iter().enumerate();
        if let Some(owner) = nearest([x, y], robots.filter(|(robot, _)| state.working[*robot])) {
            let (sum, count) = &mut sums[owner];
            *sum = [sum[0] + x, sum[1] + y];
            *count += 1.0;
        }
    }
    (sums.iter().zip(&state.positions))
        .map(|((sum, count), &place)| match *count > 0.0 {
            true => sum.map(|x| x / count),
            false => place,
        })
        .collect()
}

/// Where springs to the neighbours that work take each robot; who senses nobody goes to the nearest.
fn springs(swarm: &Swarm) -> Vec<[f64; 2]> {
    let state = &swarm.state;
    let spring = |(robot, &place): (usize, &[f64; 2])| {
        let sensed: Vec<_> = (swarm.neighbors_of(robot).iter())
            .filter(|(distance, other)| distance.is_finite() && state.working[*other])
            .collect();
        if sensed.is_empty() {
            let others = state.positions.iter().enumerate();
            let others = others.filter(|(other, _)| *other != robot && state.working[*other]);
            return nearest(place, others).map_or(place, |other| state.positions[other]);
        }
        let mut pulled = place;
        for &&(distance, other) in &sensed {
            let (length, other) = (distance.sqrt().max(1e-9), state.positions[other]);
            let pull = 0.5 * (length - swarm.config.spacing) / (length * sensed.len() as f64);
            for axis in 0..2 {
                pulled[axis] += pull * (other[axis] - place[axis]);
            }
        }
        pulled
    };
    state.positions.iter().enumerate().map(spring).collect()
}

/// The nearest target of each robot that is not found.
fn targets(swarm: &Swarm) -> Vec<[f64; 2]> {
    let state = &swarm.state;
    let of = |&place: &[f64; 2]| {
        let missing = state.targets.iter().enumerate();
        let missing = missing.filter(|(target, _)| !state.found[*target]);
        nearest(place, missing).map_or(place, |target| state.targets[target])
    };
    state.positions.iter().map(of).collect()
}
