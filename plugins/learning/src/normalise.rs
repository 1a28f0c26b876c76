//! Running statistics, standardised advantages, normalised values.
//!
//! Statistics are f64 and merge: each rank makes its own over a batch, and all merge them in rank order, so that the
//! result depends on neither threads nor shards.

use palaestra_plugin_api::{Error, Result};
use serde::{Deserialize, Serialize};

/// Count, mean and summed squared deviation of each of several features.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    count: f64,
    mean: Vec<f64>,
    deviation: Vec<f64>,
}

impl Moments {
    /// Of nothing yet, for rows of `width` features.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self {
            count: 0.0,
            mean: vec![0.0; width],
            deviation: vec![0.0; width],
        }
    }

    /// Of the rows of a batch, `[n, width]`, in row order; rows whose flag in `active` is 0 are left out.
    ///
    /// # Errors
    /// When sizes do not fit.
    pub fn of(width: usize, rows: &[f32], active: Option<&[u8]>) -> Result<Self> {
        let count = rows.len().checked_div(width).unwrap_or(0);
        if rows.len() != count * width || active.is_some_and(|active| active.len() != count) {
            return Err(Error::plugin(format!(
                "moments: expected whole rows of {width} features with a flag each, found {} numbers and {} flags",
                rows.len(),
                active.map_or(count, <[u8]>::len)
            )));
        }
        let mut all = Self::new(width);
        let chosen = |row: &usize| active.is_none_or(|active| active[*row] != 0);
        for row in (0..count).filter(chosen) {
            all.count += 1.0;
            for (mean, &x) in all
                .mean
                .iter_mut()
                .zip(&rows[row * width..(row + 1) * width])
            {
                *mean += f64::from(x);
            }
        }
        if all.count > 0.0 {
            all.mean.iter_mut().for_each(|mean| *mean /= all.count);
        }
        for row in (0..count).filter(chosen) {
            let rows = &rows[row * width..(row + 1) * width];
            for ((deviation, mean), &x) in all.deviation.iter_mut().zip(&all.mean).zip(rows) {
                *deviation += (f64::from(x) - mean).powi(2);
            }
        }
        Ok(all)
    }

    /// Adds another's rows (Chan, Golub and LeVeque 1979): with n = n₁ + n₂ and d = m₂ - m₁,
    /// m = m₁ + d·n₂/n and S = S₁ + S₂ + d²·n₁n₂/n.
    ///
    /// # Errors
    /// When the widths differ.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.mean.len() != other.mean.len() {
            return Err(Error::plugin(format!(
                "moments: expected {} features, found {}",
                self.mean.len(),
                other.mean.len()
            )));
        }
        let count = self.count + other.count;
        if other.count == 0.0 {
            return Ok(());
        }
        for j in 0..self.mean.len() {
            let difference = other.mean[j] - self.mean[j];
            self.mean[j] += difference * other.count / count;
            self.deviation[j] +=
                other.deviation[j] + difference * difference * self.count * other.count / count;
        }
        self.count = count;
        Ok(())
    }

    /// How many rows.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.count
    }

    /// The mean of each feature.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The population variance of each feature; 1 before the first row.
    pub fn variance(&self) -> impl Iterator<Item = f64> + '_ {
        let count = self.count;
        self.deviation
            .iter()
            .map(move |deviation| if count > 0.0 { deviation / count } else { 1.0 })
    }

    /// As numbers, for an all-reduce by gathering: count, means, deviations. [`from_flat`](Self::from_flat) reads it.
    #[must_use]
    pub fn to_flat(&self) -> Vec<f64> {
        [&[self.count], &self.mean[..], &self.deviation[..]].concat()
    }

    /// What [`to_flat`](Self::to_flat) wrote.
    ///
    /// # Errors
    /// When the count of numbers is not odd.
    pub fn from_flat(flat: &[f64]) -> Result<Self> {
        if flat.len().is_multiple_of(2) {
            return Err(Error::plugin(format!(
                "moments: expected 1 + 2·width numbers, found {}",
                flat.len()
            )));
        }
        let width = flat.len() / 2;
        Ok(Self {
            count: flat[0],
            mean: flat[1..=width].to_vec(),
            deviation: flat[width + 1..].to_vec(),
        })
    }

    /// Rows ← (row - mean)/√(variance + 10⁻⁸), within ±`limit`.
    pub fn normalise(&self, rows: &mut [f32], limit: f32) {
        let scale: Vec<f64> = self
            .variance()
            .map(|variance| 1.0 / (variance + 1e-8).sqrt())
            .collect();
        for row in rows.chunks_exact_mut(self.mean.len().max(1)) {
            for ((x, mean), scale) in row.iter_mut().zip(&self.mean).zip(&scale) {
                let y = ((f64::from(*x) - mean) * scale) as f32;
                // Not `clamp` alone: a NaN must stay one.
                *x = if y.is_nan() {
                    y
                } else {
                    y.clamp(-limit, limit)
                };
            }
        }
    }
}

/// (x - mean)/(σ + 10⁻⁸) with the population σ of the active elements; inactive ones become 0. Once a batch, not once
/// a minibatch.
#[must_use]
pub fn standardise(values: &[f32], active: Option<&[u8]>) -> Vec<f32> {
    let is_active = |i: usize| active.is_none_or(|active| active[i] != 0);
    let chosen = || {
        values
            .iter()
            .enumerate()
            .filter(|(i, _)| is_active(*i))
            .map(|(_, &x)| f64::from(x))
    };
    let count = chosen().count().max(1) as f64;
    let mean = chosen().sum::<f64>() / count;
    let deviation = (chosen().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
    let scale = 1.0 / (deviation + 1e-8);
    values
        .iter()
        .enumerate()
        .map(|(i, &x)| {
            if is_active(i) {
                ((f64::from(x) - mean) * scale) as f32
            } else {
                0.0
            }
        })
        .collect()
}

/// Statistics of value targets, so that a critic may learn normalised ones (PopArt's statistics, van Hasselt et al.
/// 2016; without its rescaling as in MAPPO, Yu et al. 2022).
///
/// Exponential averages m of x and s of x² with weight β for the old, both divided by 1 - βᵏ after k updates:
/// μ = m/(1 - βᵏ), σ² = max(s/(1 - βᵏ) - μ², 10⁻²).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueNormaliser {
    beta: f64,
    mean: f64,
    square: f64,
    /// 1 - βᵏ.
    weight: f64,
}

/// σ² never falls below this.
const LEAST_VARIANCE: f64 = 1e-2;

impl ValueNormaliser {
    /// With weight 0 ≤ `beta` < 1 for the past, usually 0.99999.
    ///
    /// # Errors
    /// When `beta` is outside.
    pub fn new(beta: f64) -> Result<Self> {
        if !(0.0..1.0).contains(&beta) {
            return Err(Error::config(format!(
                "value normaliser: expected 0 ≤ beta < 1, found {beta}"
            )));
        }
        Ok(Self {
            beta,
            mean: 0.0,
            square: 0.0,
            weight: 0.0,
        })
    }

    /// Takes in a batch of targets through its mean and mean square (reduced over all ranks).
    pub fn update(&mut self, mean: f64, mean_square: f64) {
        let share = 1.0 - self.beta;
        self.mean = self.beta * self.mean + share * mean;
        self.square = self.beta * self.square + share * mean_square;
        self.weight = self.beta * self.weight + share;
    }

    /// Goes on from known statistics, such as those that came with a critic's weights; 0 and 1 mean none yet.
    pub fn start_from(&mut self, mean: f64, std: f64) {
        let known = f64::from(u8::from((mean, std) != (0.0, 1.0)));
        self.weight = known;
        self.mean = known * mean;
        self.square = known * (std * std + mean * mean);
    }

    /// μ and σ; 0 and 1 before the first update.
    #[must_use]
    pub fn mean_and_std(&self) -> (f64, f64) {
        if self.weight == 0.0 {
            return (0.0, 1.0);
        }
        let mean = self.mean / self.weight;
        (
            mean,
            (self.square / self.weight - mean * mean)
                .max(LEAST_VARIANCE)
                .sqrt(),
        )
    }

    /// Targets ← (target - μ)/σ.
    pub fn normalise(&self, targets: &mut [f32]) {
        let (mean, std) = self.mean_and_std();
        targets
            .iter_mut()
            .for_each(|x| *x = ((f64::from(*x) - mean) / std) as f32);
    }

    /// Values ← value·σ + μ: what the critic says, in units of reward.
    pub fn denormalise(&self, values: &mut [f32]) {
        let (mean, std) = self.mean_and_std();
        values
            .iter_mut()
            .for_each(|x| *x = (f64::from(*x) * std + mean) as f32);
    }
}

/// Keeps σ·(w·h + b) + μ unchanged while the statistics move from `old` to `new` (each μ, σ): w ← w·σ/σ',
/// b ← (σ·b + μ - μ')/σ' (van Hasselt et al. 2016, equation 9).
pub fn preserve_outputs(weight: &mut [f32], bias: &mut [f32], old: (f64, f64), new: (f64, f64)) {
    for w in weight.iter_mut() {
        *w = (f64::from(*w) * old.1 / new.1) as f32;
    }
    for b in bias.iter_mut() {
        *b = ((old.1 * f64::from(*b) + old.0 - new.0) / new.1) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{agree, cases, expect, number, numbers, read};

    #[test]
    fn golden_running_moments() {
        let file = read("policy_learning.json");
        let case = &file["running_mean_var"];
        let mut all = Moments::new(1);
        for batch in cases(&case["batches"]) {
            all.merge(&Moments::of(1, &numbers(batch), None).unwrap())
                .unwrap();
        }
        expect("mean", &[all.mean()[0] as f32], &case["mean"]);
        expect(
            "variance",
            &[all.variance().next().unwrap() as f32],
            &case["var_population"],
        );
    }

    #[test]
    fn a_normaliser_goes_on_from_known_statistics() {
        let mut normaliser = ValueNormaliser::new(0.5).unwrap();
        normaliser.start_from(3.0, 2.0);
        assert_eq!(normaliser.mean_and_std(), (3.0, 2.0));
        normaliser.update(5.0, 29.0);
        assert_eq!(normaliser.mean_and_std(), (4.0, (21.0f64 - 16.0).sqrt()));
        normaliser.start_from(0.0, 1.0);
        assert_eq!(normaliser, ValueNormaliser::new(0.5).unwrap());
    }

    #[test]
    fn golden_popart() {
        let file = read("policy_learning.json");
        let case = &file["popart"];
        let (mut weight, mut bias) = (numbers(&case["w"]), numbers(&case["b"]));
        let pair = |mu: &str, sigma: &str| {
            (
                f64::from(number(&case[mu])),
                f64::from(number(&case[sigma])),
            )
        };
        preserve_outputs(
            &mut weight,
            &mut bias,
            pair("mu_old", "sigma_old"),
            pair("mu_new", "sigma_new"),
        );
        expect("weight", &weight, &case["w_new"]);
        expect("bias", &bias, &case["b_new"]);
    }

    #[test]
    fn merging_in_order_equals_one_batch() {
        let rows: Vec<f32> = (0..60).map(|i| (i * 37 % 23) as f32 * 0.3 - 2.0).collect();
        let flags: Vec<u8> = (0..20).map(|i| u8::from(i % 3 != 0)).collect();
        let whole = Moments::of(3, &rows, Some(&flags)).unwrap();
        let mut parts = Moments::new(3);
        for (rows, flags) in rows.chunks(15).zip(flags.chunks(5)) {
            let part = Moments::of(3, rows, Some(flags)).unwrap();
            parts
                .merge(&Moments::from_flat(&part.to_flat()).unwrap())
                .unwrap();
        }
        assert_eq!(parts.count(), 13.0);
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(
            parts
                .mean()
                .iter()
                .zip(whole.mean())
                .all(|(a, b)| close(*a, *b))
        );
        assert!(
            parts
                .variance()
                .zip(whole.variance())
                .all(|(a, b)| close(a, b))
        );
        let (mut normal, mut nan) = (rows.clone(), [f32::NAN, 1e9, -1e9]);
        whole.normalise(&mut normal, 10.0);
        let active: Vec<f32> = (0..20)
            .filter(|i| i % 3 != 0)
            .map(|i| normal[i * 3])
            .collect();
        assert!(active.iter().sum::<f32>().abs() < 1e-4);
        whole.normalise(&mut nan, 10.0);
        assert!(nan[0].is_nan() && nan[1..] == [10.0, -10.0]);
    }

    #[test]
    fn advantages_are_standardised_over_active_elements() {
        let values = standardise(&[1.0, 99.0, 3.0, 5.0], Some(&[1, 0, 1, 1]));
        assert!(agree(&values, &[-1.224_745, 0.0, 0.0, 1.224_745]));
        assert_eq!(standardise(&[2.0, 2.0], None), [0.0, 0.0]);
    }

    #[test]
    fn value_normaliser_is_unbiased_from_the_first_batch() {
        let mut normaliser = ValueNormaliser::new(0.99999).unwrap();
        assert_eq!(normaliser.mean_and_std(), (0.0, 1.0));
        normaliser.update(3.0, 13.0);
        let (mean, std) = normaliser.mean_and_std();
        assert!((mean - 3.0).abs() < 1e-9 && (std - 2.0).abs() < 1e-9);
        let mut values = [5.0, -1.0];
        normaliser.normalise(&mut values);
        assert!(agree(&values, &[1.0, -2.0]));
        normaliser.denormalise(&mut values);
        assert!(agree(&values, &[5.0, -1.0]));
        assert!(ValueNormaliser::new(1.0).is_err());
    }
}
