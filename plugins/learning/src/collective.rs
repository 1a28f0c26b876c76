//! What several learners of one run decide together: sums, means and yes-or-no questions over all ranks.
//!
//! Whatever changes how often the learners meet (a skipped update, an early stop) must be decided on such values, or
//! they wait for each other for ever. A learner alone meets nobody: nothing is called.

use palaestra_plugin_api::{Result, abi::ReduceOp, host::Host};

/// The learners of one run.
#[derive(Clone, Copy, Debug)]
pub struct Collective {
    host: Option<Host>,
    world: usize,
}

impl Collective {
    /// Those that the host knows of.
    #[must_use]
    pub fn new(host: Host) -> Self {
        let (_, world) = host.rank_and_world();
        Self {
            host: (world > 1).then_some(host),
            world,
        }
    }

    /// A learner alone.
    #[must_use]
    pub const fn alone() -> Self {
        Self {
            host: None,
            world: 1,
        }
    }

    /// How many learners there are.
    #[must_use]
    pub fn world(&self) -> usize {
        self.world
    }

    /// Sums over all ranks, in rank order.
    ///
    /// # Errors
    /// Whatever the host's transport meets.
    pub fn sum(&self, values: &mut [f64]) -> Result<()> {
        match &self.host {
            Some(host) => host.all_reduce_f64(ReduceOp::Sum, values),
            None => Ok(()),
        }
    }

    /// Means over all ranks: what gradients go through.
    ///
    /// # Errors
    /// As for [`sum`](Self::sum).
    pub fn mean(&self, values: &mut [f32]) -> Result<()> {
        let Some(host) = &self.host else {
            return Ok(());
        };
        host.all_reduce_f32(ReduceOp::Sum, values)?;
        let scale = 1.0 / self.world as f32;
        values.iter_mut().for_each(|x| *x *= scale);
        Ok(())
    }

    /// Whether the answer is yes on any rank.
    ///
    /// # Errors
    /// As for [`sum`](Self::sum).
    pub fn any(&self, here: bool) -> Result<bool> {
        let mut count = [f64::from(u8::from(here))];
        self.sum(&mut count)?;
        Ok(count[0] > 0.0)
    }

    /// The least of a number over all ranks.
    ///
    /// # Errors
    /// As for [`sum`](Self::sum).
    pub fn least(&self, here: usize) -> Result<usize> {
        let mut least = [here as f64];
        if let Some(host) = &self.host {
            host.all_reduce_f64(ReduceOp::Min, &mut least)?;
        }
        Ok(least[0] as usize)
    }

    /// Count, mean and population variance of the chosen numbers of all ranks; `active` as in
    /// [`losses`](crate::losses). Mean 0 and variance 0 of nothing.
    ///
    /// # Errors
    /// As for [`sum`](Self::sum).
    pub fn moments(&self, values: &[f32], active: Option<&[u8]>) -> Result<(f64, f64, f64)> {
        let chosen = || {
            let flags = values
                .iter()
                .enumerate()
                .filter(|(i, _)| active.is_none_or(|a| a[*i] != 0));
            flags.map(|(_, &x)| f64::from(x))
        };
        let mut first = [chosen().count() as f64, chosen().sum::<f64>()];
        self.sum(&mut first)?;
        let count = first[0].max(1.0);
        let mean = first[1] / count;
        let mut second = [chosen().map(|x| (x - mean).powi(2)).sum::<f64>()];
        self.sum(&mut second)?;
        Ok((first[0], mean, second[0] / count))
    }

    /// As [`standardise`](crate::normalise::standardise), with mean and deviation over all ranks.
    ///
    /// # Errors
    /// As for [`sum`](Self::sum).
    pub fn standardise(&self, values: &[f32], active: Option<&[u8]>) -> Result<Vec<f32>> {
        let (_, mean, variance) = self.moments(values, active)?;
        let scale = 1.0 / (variance.sqrt() + 1e-8);
        let all = values.iter().enumerate().map(|(i, &x)| {
            let is_active = active.is_none_or(|a| a[i] != 0);
            if is_active {
                ((f64::from(x) - mean) * scale) as f32
            } else {
                0.0
            }
        });
        Ok(all.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_learner_alone_has_its_own_values() {
        let all = Collective::alone();
        let (mut sums, mut means) = ([1.5, 2.0], [1.0, 3.0]);
        all.sum(&mut sums).unwrap();
        all.mean(&mut means).unwrap();
        assert_eq!((sums, means, all.world()), ([1.5, 2.0], [1.0, 3.0], 1));
        assert!(all.any(true).unwrap() && !all.any(false).unwrap());
        let found = all.moments(&[1.0, 9.0, 3.0], Some(&[1, 0, 1])).unwrap();
        assert_eq!(found, (2.0, 2.0, 1.0));
        let values = [0.3, -2.0, 7.5, 1.0];
        assert_eq!(
            all.standardise(&values, Some(&[1, 1, 0, 1])).unwrap(),
            crate::normalise::standardise(&values, Some(&[1, 1, 0, 1]))
        );
        assert_eq!(all.moments(&[1.0], Some(&[0])).unwrap(), (0.0, 0.0, 0.0));
    }
}
