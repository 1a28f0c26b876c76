//! What users request who know everybody's needs and think of all.
//!
//! Where more is always worth more to someone, the capacity is shared so that another unit would be worth the same to
//! each: with ln(1 + x / need) all need + x are equal (water-filling); with x / need the least need gets all. Else, and
//! where the least or the product counts, everybody gets the same part of its need.

use super::{Objective, ResourceAllocation, Utility};

/// Halvings of the interval in which the water's level is searched.
const HALVINGS: u32 = 50;

/// Actions of all users.
pub(super) fn actions(world: &ResourceAllocation) -> Vec<Vec<f64>> {
    let (config, needs) = (&world.config, &world.state.needs);
    let (capacity, largest) = (world.state.capacity, config.max_request);
    let sums = matches!(
        config.reward,
        Objective::Individual | Objective::Utilitarian
    );
    let shares = match config.utility {
        Utility::Logarithmic if sums => filled(needs, capacity, largest),
        Utility::Linear if sums => to_the_least(needs, capacity, largest),
        Utility::Satisfaction => in_proportion(needs, capacity, 1.0),
        _ => in_proportion(needs, capacity, f64::INFINITY),
    };
    shares
        .into_iter()
        .map(|x| vec![(x / largest).min(1.0)])
        .collect()
}

/// Levels all needs up with the capacity.
fn filled(needs: &[f64], capacity: f64, largest: f64) -> Vec<f64> {
    let share = |level: f64| {
        needs
            .iter()
            .map(move |need| (level - need).clamp(0.0, largest))
    };
    let (mut low, mut high) = (0.0, needs.iter().copied().fold(0.0, f64::max) + largest);
    for _ in 0..HALVINGS {
        let level = 0.5 * (low + high);
        if share(level).sum::<f64>() > capacity {
            high = level;
        } else {
            low = level;
        }
    }
    share(low).collect()
}

/// The least need first, each as much as it can request.
fn to_the_least(needs: &[f64], capacity: f64, largest: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..needs.len()).collect();
    order.sort_by(|&a, &b| needs[a].total_cmp(&needs[b]));
    let (mut left, mut shares) = (capacity, vec![0.0; needs.len()]);
    for user in order {
        shares[user] = largest.min(left);
        left -= shares[user];
    }
    shares
}

/// The same part of everybody's need, `most` at most.
fn in_proportion(needs: &[f64], capacity: f64, most: f64) -> Vec<f64> {
    let part = (capacity / needs.iter().sum::<f64>()).min(most);
    needs.iter().map(|need| part * need).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_by_hand() {
        let near = |found: Vec<f64>, expected: [f64; 3]| {
            assert!(
                (0..3).all(|i| (found[i] - expected[i]).abs() < 1e-9),
                "{found:?}"
            );
        };
        let needs = [1.0, 4.0, 9.0];
        // Levels of 6.5 for the first two; the third has more already.
        near(filled(&needs, 8.0, 10.0), [5.5, 2.5, 0.0]);
        near(filled(&needs, 8.0, 3.0), [3.0, 3.0, 2.0]);
        near(to_the_least(&needs, 8.0, 5.0), [5.0, 3.0, 0.0]);
        near(in_proportion(&needs, 7.0, 1.0), [0.5, 2.0, 4.5]);
        near(in_proportion(&needs, 28.0, 1.0), needs);
    }
}
