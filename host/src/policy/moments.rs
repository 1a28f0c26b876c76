//! Running means and variances.

use palaestra_plugin_api::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::exact;

/// Weight of what stands before the first values: mean 0 and variance 1, as in Gymnasium.
const PRIOR: f64 = 1e-4;

/// Mean and (population) variance of everything that was ever merged, per feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Running {
    /// Number of rows, and a little more for the prior.
    count: f64,
    mean: Vec<f64>,
    variance: Vec<f64>,
}

impl Running {
    pub(super) fn new(width: usize) -> Self {
        Self {
            count: PRIOR,
            mean: vec![0.0; width],
            variance: vec![1.0; width],
        }
    }

    pub(super) fn mean(&self) -> &[f64] {
        &self.mean
    }

    pub(super) fn variance(&self) -> &[f64] {
        &self.variance
    }

    /// Adds a batch: with n and m rows, δ the difference of the means and M₂ sums of squared deviations,
    /// mean += δ·m/(n+m) and M₂ = M₂ₙ + M₂ₘ + δ²·n·m/(n+m) (Chan, Golub and LeVeque, 1979).
    pub(super) fn merge(&mut self, batch: &Batch) {
        if batch.count == 0 {
            return;
        }
        let (mine, theirs) = (self.count, batch.count as f64);
        let total = mine + theirs;
        let features = self.mean.iter_mut().zip(&mut self.variance);
        for ((mean, variance), (other, deviations)) in
            features.zip(batch.mean.iter().zip(&batch.deviations))
        {
            let delta = other - *mean;
            *mean += delta * theirs / total;
            *variance =
                (*variance * mine + deviations + delta * delta * mine * theirs / total) / total;
        }
        self.count = total;
    }

    /// As people and bundles read it. JSON keeps every finite f64 exactly.
    pub(super) fn to_json(&self) -> Value {
        json!(self)
    }

    /// Reads what [`to_json`](Self::to_json) gave.
    ///
    /// # Errors
    /// Kind `Config` for something else, or another number of features.
    pub(super) fn read(&mut self, value: &Value) -> Result<()> {
        let read: Self = serde_json::from_value(value.clone())
            .map_err(|e| Error::config(format!("expected count, mean and variance, found {e}")))?;
        let width = self.mean.len();
        for (name, list) in [("mean", &read.mean), ("variance", &read.variance)] {
            if list.len() != width {
                return Err(Error::config(format!(
                    "/{name}: expected {width} numbers, found {}",
                    list.len()
                )));
            }
        }
        if !(read.count > 0.0 && read.variance.iter().all(|&v| v >= 0.0)) {
            return Err(Error::config(
                "expected a positive count and no negative variance, found others",
            ));
        }
        *self = read;
        Ok(())
    }
}

/// Moments of the rows of one fragment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Batch {
    count: u64,
    mean: Vec<f64>,
    /// Sums of squared deviations from the mean.
    deviations: Vec<f64>,
}

impl Batch {
    pub(super) fn new(width: usize) -> Self {
        Self {
            count: 0,
            mean: vec![0.0; width],
            deviations: vec![0.0; width],
        }
    }

    /// Adds a row (Welford, 1962).
    pub(super) fn push<T: Copy + Into<f64>>(&mut self, row: &[T]) {
        self.count += 1;
        let share = 1.0 / self.count as f64;
        let features = self.mean.iter_mut().zip(&mut self.deviations);
        for ((mean, deviations), &value) in features.zip(row) {
            let value = value.into();
            let delta = value - *mean;
            *mean += delta * share;
            *deviations += delta * (value - *mean);
        }
    }

    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.mean.fill(0.0);
        self.deviations.fill(0.0);
    }

    pub(super) fn save(&self) -> Value {
        json!({
            "count": exact::save(&[self.count]),
            "mean": exact::save(&self.mean),
            "deviations": exact::save(&self.deviations),
        })
    }

    pub(super) fn load(&mut self, saved: &Value) -> Result<()> {
        exact::load(saved, "count", std::slice::from_mut(&mut self.count))?;
        exact::load(saved, "mean", &mut self.mean)?;
        exact::load(saved, "deviations", &mut self.deviations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows 1, 2, 3, 4 and then 10, 20: what `RunningMeanStd` of Gymnasium 1.0 computes from the moments of
    /// these two batches, from mean 0, variance 1 and count 1e-4, worked out with 50 digits.
    #[test]
    fn two_batches_merge_as_gymnasiums_do_golden() {
        let mut running = Running::new(1);
        for rows in [&[1.0, 2.0, 3.0, 4.0][..], &[10.0, 20.0]] {
            let mut batch = Batch::new(1);
            rows.iter().for_each(|row| batch.push(&[*row]));
            running.merge(&batch);
        }
        let (count, mean, variance) = (6.0001, 6.666555557407377, 43.888914802037455);
        assert!((running.count - count).abs() < 1e-12);
        assert!((running.mean[0] / mean - 1.0).abs() < 1e-15, "{running:?}");
        assert!(
            (running.variance[0] / variance - 1.0).abs() < 1e-14,
            "{running:?}"
        );
    }

    #[test]
    fn a_large_offset_costs_no_digits() {
        let mut batch = Batch::new(1);
        let values = || (0..1000).map(|i| 1e8 + f64::from(i % 2));
        values().for_each(|x| batch.push(&[x]));
        let mut running = Running::new(1);
        running.count = 1e-300;
        running.merge(&batch);
        assert!((running.variance[0] - 0.25).abs() < 1e-9, "{running:?}");
    }

    #[test]
    fn statistics_come_back_from_text_to_the_bit() {
        let mut running = Running::new(2);
        let mut batch = Batch::new(2);
        (1..50).for_each(|i| batch.push(&[1.0 / f64::from(i), f64::from(i).sqrt()]));
        running.merge(&batch);
        let text = running.to_json().to_string();
        let mut back = Running::new(2);
        back.read(&serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(back, running);
        let mut other = Running::new(3);
        let error = other.read(&running.to_json()).unwrap_err();
        assert_eq!(error.message, "/mean: expected 3 numbers, found 2");
    }
}
