//! Continuous actions: a normal distribution for each dimension, optionally squashed into (-1, 1).

use palaestra_plugin_api::{Error, Result, math};

use super::categorical::contiguous;
use crate::device::Backend;
use crate::keys;
use crate::networks::Parameter;
use crate::tensor::{self, Matrix, Tape, Vector, device_error};
use dfdx::prelude::{HasShape, TryAdd};

/// log √(2π).
const LOG_SQRT_TAU: f32 = 0.918_938_5;

/// Independent normal distributions, one for each dimension.
///
/// With mean μ, log-standard-deviation λ and z = (u - μ)·e^{-λ}:
///
/// ```text
/// log π(u) = Σ_j [-z_j²/2 - λ_j - log √(2π)]          H = Σ_j [λ_j + 1/2 + log √(2π)]
/// ```
///
/// Where actions are squashed, a = tanh u is what is executed and u what is kept for learning; log π(a) is then
/// log π(u) - [`squash_correction`]. The correction has no gradient at a fixed u, so a likelihood ratio (PPO) may
/// leave it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiagonalGaussian {
    width: usize,
}

/// Values and derivatives for a batch of n rows of width w.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GaussianEvaluation {
    /// log π(u), `[n]`.
    pub log_prob: Vec<f32>,
    /// H, `[n]`.
    pub entropy: Vec<f32>,
    /// ∂ log π/∂μ_j = z_j·e^{-λ_j}, `[n, w]`.
    pub mean_gradient: Vec<f32>,
    /// ∂ log π/∂λ_j = z_j² - 1, `[n, w]`; ∂H/∂λ_j is 1.
    pub log_std_gradient: Vec<f32>,
}

impl DiagonalGaussian {
    /// For actions of `width` dimensions.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(width: usize) -> Result<Self> {
        if width == 0 {
            return Err(Error::plugin(
                "gaussian: expected actions of ≥ 1 dimensions, found 0",
            ));
        }
        Ok(Self { width })
    }

    /// Dimensions of an action.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Values and derivatives at the unsquashed actions `u`; `mean` and `u` are `[n, w]`, `log_std` is too, or
    /// `[w]` for all rows.
    ///
    /// # Errors
    /// When sizes do not fit.
    pub fn evaluate(&self, mean: &[f32], log_std: &[f32], u: &[f32]) -> Result<GaussianEvaluation> {
        let rows = self.check(mean, log_std, u.len())?;
        let width = self.width;
        let mut all = GaussianEvaluation {
            log_prob: vec![0.0; rows],
            entropy: vec![0.0; rows],
            mean_gradient: vec![0.0; mean.len()],
            log_std_gradient: vec![0.0; mean.len()],
        };
        for row in 0..rows {
            for j in 0..width {
                let i = row * width + j;
                let log_std = log_std[i % log_std.len()];
                let precision = math::exp(-f64::from(log_std)) as f32;
                let z = (u[i] - mean[i]) * precision;
                all.log_prob[row] += -0.5 * z * z - log_std - LOG_SQRT_TAU;
                all.entropy[row] += log_std + 0.5 + LOG_SQRT_TAU;
                all.mean_gradient[i] = z * precision;
                all.log_std_gradient[i] = z * z - 1.0;
            }
        }
        Ok(all)
    }

    /// log π(u) and H on the tape, with a log-standard-deviation that is a parameter `[w]` for all rows.
    ///
    /// # Errors
    /// When sizes do not fit.
    pub fn on_tape<D: Backend, T: Tape<f32, D> + dfdx::prelude::Merge<T>>(
        &self,
        mean: Matrix<D, T>,
        log_std: &Parameter<D>,
        u: &[f32],
    ) -> Result<(Vector<D, T>, Vector<D, T>)> {
        let wide = tensor::repeated(log_std.as_vector::<T>(), mean.shape().0)?;
        self.on_tape_wide(mean, wide, u)
    }

    /// log π(u) and H on the tape, with a log-standard-deviation `[n, w]` that the network gives.
    ///
    /// # Errors
    /// When sizes do not fit.
    pub fn on_tape_wide<D: Backend, T: Tape<f32, D> + dfdx::prelude::Merge<T>>(
        &self,
        mean: Matrix<D, T>,
        log_std: Matrix<D, T>,
        u: &[f32],
    ) -> Result<(Vector<D, T>, Vector<D, T>)> {
        let (mean, log_std) = (contiguous(mean)?, contiguous(log_std)?);
        let all = self.evaluate(&tensor::values(&mean), &tensor::values(&log_std), u)?;
        let (log_std, for_entropy) = tensor::fork(log_std);
        let from_mean = tensor::rows_with_gradient(mean, all.log_prob, all.mean_gradient)?;
        let rows = all.entropy.len();
        let from_std = tensor::rows_with_gradient(log_std, vec![0.0; rows], all.log_std_gradient)?;
        let ones = vec![1.0; rows * self.width];
        let entropy = tensor::rows_with_gradient(for_entropy, all.entropy, ones)?;
        Ok((from_mean.try_add(from_std).map_err(device_error)?, entropy))
    }

    /// Samples one action a row: u = μ + e^λ·ε, ε by number j of the row's key. Writes u `[n, w]` and log π(u) `[n]`.
    ///
    /// # Errors
    /// When sizes do not fit.
    pub fn sample(
        &self,
        mean: &[f32],
        log_std: &[f32],
        row_keys: &[u64],
        u: &mut [f32],
        log_prob: &mut [f32],
    ) -> Result<()> {
        let rows = self.check(mean, log_std, u.len())?;
        if row_keys.len() != rows || log_prob.len() != rows {
            return Err(Error::plugin(format!(
                "gaussian: expected {rows} keys and log-probabilities, found {} and {}",
                row_keys.len(),
                log_prob.len()
            )));
        }
        for (i, u) in u.iter_mut().enumerate() {
            let noise = keys::normal(row_keys[i / self.width], (i % self.width) as u64);
            let std = math::exp(f64::from(log_std[i % log_std.len()]));
            *u = (f64::from(mean[i]) + std * noise) as f32;
        }
        self.log_prob(mean, log_std, u, log_prob)
    }

    /// log π(u) alone, `[n]`, without allocation.
    ///
    /// # Errors
    /// When sizes do not fit.
    pub fn log_prob(
        &self,
        mean: &[f32],
        log_std: &[f32],
        u: &[f32],
        log_prob: &mut [f32],
    ) -> Result<()> {
        let rows = self.check(mean, log_std, u.len())?;
        if log_prob.len() != rows {
            return Err(Error::plugin(format!(
                "gaussian: expected {rows} log-probabilities, found {}",
                log_prob.len()
            )));
        }
        log_prob.fill(0.0);
        for (i, (u, mean)) in u.iter().zip(mean).enumerate() {
            let log_std = log_std[i % log_std.len()];
            // As `evaluate`, to the bit.
            let z = (u - mean) * math::exp(-f64::from(log_std)) as f32;
            log_prob[i / self.width] += -0.5 * z * z - log_std - LOG_SQRT_TAU;
        }
        Ok(())
    }

    /// A reparameterised, squashed sample with given noise: a = tanh(μ + e^λ·ε), its log-probability, and how both
    /// follow μ and λ (Haarnoja et al. 2018).
    ///
    /// # Errors
    /// When sizes do not fit.
    pub fn squashed(&self, mean: &[f32], log_std: &[f32], noise: &[f32]) -> Result<Squashed> {
        let rows = self.check(mean, log_std, noise.len())?;
        let count = mean.len();
        let mut all = Squashed {
            action: vec![0.0; count],
            log_prob: vec![0.0; rows],
            action_mean_gradient: vec![0.0; count],
            action_log_std_gradient: vec![0.0; count],
            log_prob_mean_gradient: vec![0.0; count],
            log_prob_log_std_gradient: vec![0.0; count],
        };
        for i in 0..count {
            let log_std = log_std[i % log_std.len()];
            let spread = math::exp(f64::from(log_std)) as f32 * noise[i];
            let u = mean[i] + spread;
            let action = math::tanh(f64::from(u)) as f32;
            let slope = 1.0 - action * action;
            all.action[i] = action;
            all.action_mean_gradient[i] = slope;
            all.action_log_std_gradient[i] = slope * spread;
            all.log_prob[i / self.width] +=
                -0.5 * noise[i] * noise[i] - log_std - LOG_SQRT_TAU - squash_correction(u);
            // At fixed noise the normal's own part moves only by -λ; d correction/du = -2 tanh u.
            all.log_prob_mean_gradient[i] = 2.0 * action;
            all.log_prob_log_std_gradient[i] = -1.0 + 2.0 * action * spread;
        }
        Ok(all)
    }

    fn check(&self, mean: &[f32], log_std: &[f32], actions: usize) -> Result<usize> {
        let rows = mean.len() / self.width;
        let fits = mean.len() == rows * self.width
            && actions == mean.len()
            && (log_std.len() == mean.len() || log_std.len() == self.width);
        if fits {
            return Ok(rows);
        }
        Err(Error::plugin(format!(
            "gaussian: expected rows of {} means with as many actions and log-standard-deviations, found {}, {actions} and {}",
            self.width,
            mean.len(),
            log_std.len()
        )))
    }
}

/// A batch of squashed samples: values, and derivatives at fixed noise, each `[n, w]` unless said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Squashed {
    /// a = tanh u.
    pub action: Vec<f32>,
    /// log π(a), `[n]`.
    pub log_prob: Vec<f32>,
    /// ∂a/∂μ.
    pub action_mean_gradient: Vec<f32>,
    /// ∂a/∂λ.
    pub action_log_std_gradient: Vec<f32>,
    /// ∂ log π(a)/∂μ.
    pub log_prob_mean_gradient: Vec<f32>,
    /// ∂ log π(a)/∂λ.
    pub log_prob_log_std_gradient: Vec<f32>,
}

/// log(1 - tanh²u) = 2·(log 2 - u - softplus(-2u)), without cancellation for large |u|.
#[must_use]
pub fn squash_correction(u: f32) -> f32 {
    let u = f64::from(u);
    (2.0 * (std::f64::consts::LN_2 - u - math::softplus(-2.0 * u))) as f32
}

#[cfg(test)]
mod tests;
