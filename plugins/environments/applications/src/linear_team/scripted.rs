//! Best responses that look one step ahead.
//!
//! In turn each input becomes the one that is best for its agent, the others as they are: a parabola's lowest point, or
//! an end of the range. In a team that finds the joint optimum of the next step; against each other, an equilibrium if
//! the turns settle.

use super::{LinearTeam, Relation};

/// Turns of all inputs.
const ROUNDS: usize = 20;

/// Actions of all controllers.
pub(super) fn actions(world: &LinearTeam) -> Vec<Vec<f64>> {
    let config = &world.config;
    let (size, width) = (config.state_size, world.given.len());
    let largest = config.max_action;
    let mut given = [world.state.x.as_slice(), &vec![0.0; width - size]].concat();
    // The next state as it is now expected.
    let mut next: Vec<f64> = (world.rows.chunks_exact(width))
        .map(|row| row.iter().zip(&given).map(|(a, b)| a * b).sum())
        .collect();
    for input in (0..ROUNDS).flat_map(|_| size..width) {
        let agent = (input - size) / config.action_size;
        let gain = |k: usize| world.rows[k * width + input];
        let mut square = config.action_cost;
        let mut linear = 0.0;
        for (k, &x) in next.iter().enumerate() {
            let weight = config.state_cost * weight(world, agent, k);
            square += weight * gain(k) * gain(k);
            linear += 2.0 * weight * gain(k) * (x - gain(k) * given[input]);
        }
        let best = lowest(square, linear, largest);
        for (k, x) in next.iter_mut().enumerate() {
            *x += gain(k) * (best - given[input]);
        }
        given[input] = best;
    }
    let scale = if largest > 0.0 { 1.0 / largest } else { 0.0 };
    (given[size..].chunks_exact(config.action_size))
        .map(|inputs| inputs.iter().map(|u| u * scale).collect())
        .collect()
}

/// What an agent would pay for a component's square, in units of its cost: the others' cost is its reward.
fn weight(world: &LinearTeam, agent: usize, component: usize) -> f64 {
    let agents = world.config.num_agents;
    match world.config.reward {
        Relation::Cooperative => 1.0,
        Relation::Competitive if component % agents == agent => 1.0,
        Relation::Competitive => -1.0 / (agents - 1) as f64,
    }
}

/// Where `square`·u² + `linear`·u is lowest, with |u| at most `largest`.
fn lowest(square: f64, linear: f64, largest: f64) -> f64 {
    if square > 0.0 {
        (-linear / (2.0 * square)).clamp(-largest, largest)
    } else if linear > 0.0 {
        -largest
    } else {
        largest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parabolas_have_a_lowest_point_or_end() {
        assert_eq!(lowest(2.0, -4.0, 5.0), 1.0);
        assert_eq!(lowest(2.0, -4.0, 0.5), 0.5);
        assert_eq!(lowest(-1.0, 0.5, 3.0), -3.0);
        assert_eq!(lowest(0.0, -0.5, 3.0), 3.0);
    }
}
