//! The mean over the others of one row: a linear map of agents to agents that is its own transpose.

/// For each agent that takes part, the mean of `values` over the other agents that do; 0 for an agent alone,
/// and for those that do not take part.
///
/// `values` and `means` are `[agents, width]`; `mask` is 1 where an agent takes part. Sums are f64: taking an
/// agent's own value out of a sum of f32 would blur the rest of it.
pub(crate) fn mean_of_others(values: &[f32], mask: Option<&[u8]>, width: usize, means: &mut [f32]) {
    let takes_part = |agent: usize| mask.is_none_or(|m| m[agent] != 0);
    let rows = || values.chunks_exact(width).enumerate();
    let heard = || rows().filter(|(agent, _)| takes_part(*agent));
    let others = heard().count().saturating_sub(1);
    means.fill(0.0);
    if others == 0 {
        return;
    }
    let mut sum = vec![0.0; width];
    for (_, value) in heard() {
        add(&mut sum, value);
    }
    for (agent, value) in heard() {
        let mean = &mut means[agent * width..][..width];
        for ((mean, sum), own) in mean.iter_mut().zip(&sum).zip(value) {
            *mean = ((sum - f64::from(*own)) / others as f64) as f32;
        }
    }
}

fn add(sum: &mut [f64], value: &[f32]) {
    let both = sum.iter_mut().zip(value);
    both.for_each(|(sum, x)| *sum += f64::from(*x));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let values = [1.0, 10.0, 2.0, 20.0, 6.0, 60.0];
        let mut means = [f32::NAN; 6];
        mean_of_others(&values, None, 2, &mut means);
        assert_eq!(means, [4.0, 40.0, 3.5, 35.0, 1.5, 15.0]);
        mean_of_others(&values, Some(&[1, 0, 1]), 2, &mut means);
        assert_eq!(means, [6.0, 60.0, 0.0, 0.0, 1.0, 10.0]);
        mean_of_others(&values, Some(&[0, 1, 0]), 2, &mut means);
        assert_eq!(means, [0.0; 6]);
        mean_of_others(&values, Some(&[0, 0, 0]), 2, &mut means);
        assert_eq!(means, [0.0; 6]);
    }

    #[test]
    fn a_large_own_value_blurs_nothing() {
        let mut means = [0.0; 2];
        mean_of_others(&[1e5, 0.1], None, 1, &mut means);
        assert_eq!(means, [0.1, 1e5]);
    }
}
