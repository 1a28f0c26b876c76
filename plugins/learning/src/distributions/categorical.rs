//! Categorical and multi-discrete actions.

use palaestra_plugin_api::{Error, Result, math};

use crate::device::Backend;
use crate::kernels::{elementwise, scratch};
use crate::keys;
use crate::tensor::{self, Matrix, Tape, Vector, device_error};

/// What stands for -∞ among logits: its probability is exactly 0, but 0·log 0 stays a number.
const UNAVAILABLE: f32 = -1e9;

/// One independent choice or several ("multi-discrete"), each over its own slice of the logits.
///
/// With logits x and the available actions M of a choice, p_a = e^{x_a}/Σ_{b∈M} e^{x_b} for a ∈ M, else 0. The
/// log-probability and entropy of several choices are the sums of theirs. A choice without any available action (an
/// agent that is not alive) is treated as if all were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Categorical {
    heads: Vec<usize>,
    width: usize,
}

/// Values and derivatives for a batch of n rows with logits of width w.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// log π(a), `[n]`.
    pub log_prob: Vec<f32>,
    /// -Σ p log p, `[n]`.
    pub entropy: Vec<f32>,
    /// ∂ log π(a)/∂x_j = 1\[j = a\] - p_j, `[n, w]`.
    pub log_prob_gradient: Vec<f32>,
    /// ∂H/∂x_j = -p_j (log p_j + H), `[n, w]`.
    pub entropy_gradient: Vec<f32>,
}

impl Categorical {
    /// One choice among `actions`.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(actions: usize) -> Result<Self> {
        Self::multi(&[actions])
    }

    /// Several choices, one among each of `actions`.
    ///
    /// # Errors
    /// When there is no choice, or one without actions.
    pub fn multi(actions: &[usize]) -> Result<Self> {
        if actions.is_empty() || actions.contains(&0) {
            return Err(Error::plugin(format!(
                "categorical: expected choices among ≥ 1 actions, found {actions:?}"
            )));
        }
        Ok(Self {
            heads: actions.to_vec(),
            width: actions.iter().sum(),
        })
    }

    /// Width of the logits.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Choices in an action.
    pub fn choices(&self) -> usize {
        self.heads.len()
    }

    /// Values and derivatives. `logits` and `mask` (1 = available) are `[n, width]`, `actions` `[n, choices]`.
    ///
    /// # Errors
    /// When sizes do not fit or an action is out of range.
    pub fn evaluate(
        &self,
        logits: &[f32],
        mask: Option<&[u8]>,
        actions: &[i32],
    ) -> Result<Evaluation> {
        let rows = self.check(logits, mask)?;
        self.check_actions(rows, actions)?;
        let (log_probs, probs) = self.log_softmax(logits, mask);
        let mut all = Evaluation {
            log_prob: vec![0.0; rows],
            entropy: vec![0.0; rows],
            log_prob_gradient: scratch::take(rows * self.width),
            entropy_gradient: scratch::take(rows * self.width),
        };
        for row in 0..rows {
            let mut start = row * self.width;
            for (head, &count) in self.heads.iter().enumerate() {
                let (log_p, p) = (
                    &log_probs[start..start + count],
                    &probs[start..start + count],
                );
                let action = actions[row * self.heads.len() + head] as usize;
                let entropy = -log_p.iter().zip(p).map(|(log_p, p)| p * log_p).sum::<f32>();
                let slope = &mut all.log_prob_gradient[start..start + count];
                let entropy_slope = &mut all.entropy_gradient[start..start + count];
                for j in 0..count {
                    slope[j] = -p[j];
                    entropy_slope[j] = -p[j] * (log_p[j] + entropy);
                }
                slope[action] += 1.0;
                all.log_prob[row] += log_p[action];
                all.entropy[row] += entropy;
                start += count;
            }
        }
        scratch::give_all([log_probs, probs]);
        Ok(all)
    }

    /// log π(a) and H as functions of the logits on the tape.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn on_tape<D: Backend, T: Tape<f32, D>>(
        &self,
        logits: Matrix<D, T>,
        mask: Option<&[u8]>,
        actions: &[i32],
    ) -> Result<(Vector<D, T>, Vector<D, T>)> {
        let mut numbers = scratch::take(dfdx::prelude::HasShape::shape(&logits).0 * self.width);
        let (logits, second) = tensor::fork(contiguous(logits)?);
        tensor::read(&second, &mut numbers);
        let all = self.evaluate(&numbers, mask, actions)?;
        scratch::give(numbers);
        let log_prob = tensor::rows_with_gradient(logits, all.log_prob, all.log_prob_gradient)?;
        let entropy = tensor::rows_with_gradient(second, all.entropy, all.entropy_gradient)?;
        Ok((log_prob, entropy))
    }

    /// Samples one action a row by its key and writes it, `[n, choices]`, and its log-probability, `[n]`.
    ///
    /// Choice i takes word i of the key: the first action whose cumulative probability exceeds the uniform number.
    ///
    /// # Errors
    /// When sizes do not fit.
    pub fn sample(
        &self,
        logits: &[f32],
        mask: Option<&[u8]>,
        row_keys: &[u64],
        actions: &mut [i32],
        log_prob: &mut [f32],
    ) -> Result<()> {
        self.choose(
            logits,
            mask,
            actions,
            log_prob,
            row_keys.len(),
            |row, head, probs| {
                let threshold = keys::uniform(row_keys[row], head as u64);
                let mut sum = 0.0;
                let mut chosen = 0;
                for (action, &p) in probs.iter().enumerate().filter(|(_, p)| **p > 0.0) {
                    sum += f64::from(p);
                    chosen = action;
                    if threshold < sum {
                        break;
                    }
                }
                // Rounding may leave the threshold at the sum: then it is the last available action.
                chosen
            },
        )
    }

    /// The most probable action of each row (the first of equals), as [`sample`](Self::sample) writes it.
    ///
    /// # Errors
    /// When sizes do not fit.
    pub fn greedy(
        &self,
        logits: &[f32],
        mask: Option<&[u8]>,
        actions: &mut [i32],
        log_prob: &mut [f32],
    ) -> Result<()> {
        let rows = log_prob.len();
        self.choose(logits, mask, actions, log_prob, rows, |_, _, probs| {
            let mut best = 0;
            for (action, &p) in probs.iter().enumerate() {
                if p > probs[best] {
                    best = action;
                }
            }
            best
        })
    }

    fn choose(
        &self,
        logits: &[f32],
        mask: Option<&[u8]>,
        actions: &mut [i32],
        log_prob: &mut [f32],
        expected_rows: usize,
        pick: impl Fn(usize, usize, &[f32]) -> usize,
    ) -> Result<()> {
        let rows = self.check(logits, mask)?;
        if rows != expected_rows
            || actions.len() != rows * self.heads.len()
            || log_prob.len() != rows
        {
            return Err(Error::plugin(format!(
                "categorical: expected {rows} keys, {} actions and {rows} log-probabilities, found {expected_rows}, {} and {}",
                rows * self.heads.len(),
                actions.len(),
                log_prob.len()
            )));
        }
        let (log_probs, probs) = self.log_softmax(logits, mask);
        for row in 0..rows {
            let mut start = row * self.width;
            log_prob[row] = 0.0;
            for (head, &count) in self.heads.iter().enumerate() {
                let action = pick(row, head, &probs[start..start + count]);
                actions[row * self.heads.len() + head] = action as i32;
                log_prob[row] += log_probs[start + action];
                start += count;
            }
        }
        scratch::give_all([log_probs, probs]);
        Ok(())
    }

    /// log p and p, `[n, width]`.
    fn log_softmax(&self, logits: &[f32], mask: Option<&[u8]>) -> (Vec<f32>, Vec<f32>) {
        let mut log_probs = scratch::take(logits.len());
        log_probs.copy_from_slice(logits);
        for (row, x) in log_probs.chunks_exact_mut(self.width).enumerate() {
            let mut start = 0;
            for &count in &self.heads {
                let x = &mut x[start..start + count];
                if let Some(mask) = mask {
                    hide(x, &mask[row * self.width + start..][..count]);
                }
                // Not `f32::max`: a NaN must pass.
                let most = x.iter().fold(f32::NEG_INFINITY, |most, &x| {
                    if x > most || x.is_nan() { x } else { most }
                });
                x.iter_mut().for_each(|x| *x -= most);
                start += count;
            }
        }
        let mut probs = scratch::take(logits.len());
        probs.copy_from_slice(&log_probs);
        elementwise::exp(&mut probs);
        for (log_p, p) in log_probs
            .chunks_exact_mut(self.width)
            .zip(probs.chunks_exact_mut(self.width))
        {
            let mut start = 0;
            for &count in &self.heads {
                let (log_p, p) = (
                    &mut log_p[start..start + count],
                    &mut p[start..start + count],
                );
                let sum: f32 = p.iter().sum();
                let log_sum = math::ln(f64::from(sum)) as f32;
                let scale = 1.0 / sum;
                for (log_p, p) in log_p.iter_mut().zip(p) {
                    *log_p -= log_sum;
                    *p *= scale;
                }
                start += count;
            }
        }
        (log_probs, probs)
    }

    fn check(&self, logits: &[f32], mask: Option<&[u8]>) -> Result<usize> {
        let rows = logits.len() / self.width;
        let fits =
            logits.len() == rows * self.width && mask.is_none_or(|mask| mask.len() == logits.len());
        if fits {
            return Ok(rows);
        }
        Err(Error::plugin(format!(
            "categorical: expected rows of {} logits and as many mask flags, found {} and {}",
            self.width,
            logits.len(),
            mask.map_or(logits.len(), <[u8]>::len)
        )))
    }

    fn check_actions(&self, rows: usize, actions: &[i32]) -> Result<()> {
        if actions.len() != rows * self.heads.len() {
            return Err(Error::plugin(format!(
                "categorical: expected {} actions, found {}",
                rows * self.heads.len(),
                actions.len()
            )));
        }
        for action in actions.chunks_exact(self.heads.len()) {
            for (&action, &count) in action.iter().zip(&self.heads) {
                if !(0..count as i64).contains(&i64::from(action)) {
                    return Err(Error::plugin(format!(
                        "categorical: expected action 0 ≤ a < {count}, found {action}"
                    )));
                }
            }
        }
        Ok(())
    }
}

/// Replaces the logits of unavailable actions, unless none is available.
fn hide(x: &mut [f32], mask: &[u8]) {
    if mask.iter().all(|&available| available == 0) {
        return;
    }
    for (x, &available) in x.iter_mut().zip(mask) {
        if available == 0 {
            *x = UNAVAILABLE;
        }
    }
}

/// dfdx hands out the numbers of contiguous tensors only.
pub(super) fn contiguous<D: Backend, T: Tape<f32, D>>(x: Matrix<D, T>) -> Result<Matrix<D, T>> {
    dfdx::prelude::ReshapeTo::try_contiguous(x).map_err(device_error)
}

#[cfg(test)]
mod tests;
