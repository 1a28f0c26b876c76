//! Losses, each with its derivative: pure functions over slices, and their form on the tape.
//!
//! Every mean runs over the active rows (`active`\[i\] ≠ 0: agents that are alive, own turns, unpadded steps), all
//! agents together.

use palaestra_plugin_api::{Error, Result};

use crate::device::Backend;
use crate::kernels::elementwise;
use crate::tensor::{self, Scalar, Tape, Vector, values};

/// A loss at a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss {
    /// Its value.
    pub value: f32,
    /// Its derivative with respect to each input; 0 for inactive rows.
    pub gradient: Vec<f32>,
}

/// What a policy update shows about itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PolicyStatistics {
    /// Share of rows with |ratio - 1| > clip.
    pub clip_fraction: f32,
    /// Mean of (ratio - 1) - log ratio: an estimate of KL(old‖new) that is never negative (Schulman 2020).
    pub approximate_kl: f32,
}

/// PPO's clipped policy loss (Schulman et al. 2017, equation 7), to be minimised:
///
/// ```text
/// L = -mean min(ρ·A, clip(ρ, 1 - ε, 1 + ε)·A),   ρ = exp(log π - log π_old)
/// ```
///
/// with ∂L/∂ log π = -ρ·A/n where the unclipped term is the smaller one, else 0.
///
/// # Errors
/// When sizes do not fit.
pub fn clipped_policy(
    log_prob: &[f32],
    old_log_prob: &[f32],
    advantages: &[f32],
    active: Option<&[u8]>,
    clip: f32,
) -> Result<(Loss, PolicyStatistics)> {
    let n = check(
        "policy loss",
        &[log_prob.len(), old_log_prob.len(), advantages.len()],
        active,
    )?;
    let mut ratios: Vec<f32> = log_prob
        .iter()
        .zip(old_log_prob)
        .map(|(new, old)| new - old)
        .collect();
    elementwise::exp(&mut ratios);
    let scale = 1.0 / n;
    let (mut sum, mut clipped, mut kl) = (0.0f64, 0u32, 0.0f64);
    let mut gradient = vec![0.0; ratios.len()];
    for (i, &ratio) in ratios.iter().enumerate() {
        if is_inactive(active, i) {
            continue;
        }
        let plain = ratio * advantages[i];
        let bounded = ratio.clamp(1.0 - clip, 1.0 + clip) * advantages[i];
        // A NaN ratio or advantage must reach the loss: `min` would drop it.
        if plain <= bounded || plain.is_nan() {
            sum += f64::from(plain);
            gradient[i] = -scale * plain;
        } else {
            sum += f64::from(bounded);
        }
        clipped += u32::from((ratio - 1.0).abs() > clip);
        kl += f64::from(ratio - 1.0) - f64::from(log_prob[i] - old_log_prob[i]);
    }
    let statistics = PolicyStatistics {
        clip_fraction: clipped as f32 * scale,
        approximate_kl: (kl * f64::from(scale)) as f32,
    };
    Ok((
        Loss {
            value: (-sum * f64::from(scale)) as f32,
            gradient,
        },
        statistics,
    ))
}

/// How a value is compared with its target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueError {
    /// ½(V - R)².
    Square,
    /// Huber's: ½e² for |e| ≤ δ, else δ(|e| - δ/2).
    Huber {
        /// δ > 0.
        delta: f32,
    },
}

impl ValueError {
    /// Loss and derivative at an error e = V - R.
    fn at(self, error: f32) -> (f32, f32) {
        match self {
            Self::Huber { delta } if error.abs() > delta => {
                (delta * (error.abs() - 0.5 * delta), delta * error.signum())
            }
            _ => (0.5 * error * error, error),
        }
    }
}

/// The value loss, mean of ½(V - R)² or Huber's.
///
/// With `clip` (ε and the rollout's values) the larger of the losses at V and at V_old + clip(V - V_old, -ε, ε)
/// (Schulman et al.'s implementation): no gradient where the clipped one is larger.
///
/// # Errors
/// When sizes do not fit.
pub fn value(
    predicted: &[f32],
    targets: &[f32],
    active: Option<&[u8]>,
    error: ValueError,
    clip: Option<(f32, &[f32])>,
) -> Result<Loss> {
    let old = clip.map_or(predicted.len(), |(_, old)| old.len());
    let n = check("value loss", &[predicted.len(), targets.len(), old], active)?;
    let scale = 1.0 / n;
    let mut sum = 0.0f64;
    let mut gradient = vec![0.0; predicted.len()];
    for (i, (&v, &target)) in predicted.iter().zip(targets).enumerate() {
        if is_inactive(active, i) {
            continue;
        }
        let (mut loss, mut slope) = error.at(v - target);
        if let Some((limit, old)) = clip {
            let (bounded, bounded_slope) =
                error.at(old[i] + (v - old[i]).clamp(-limit, limit) - target);
            if bounded > loss {
                // Inside the limits both are one and the gradient flows.
                slope = if (v - old[i]).abs() < limit {
                    bounded_slope
                } else {
                    0.0
                };
                loss = bounded;
            }
        }
        sum += f64::from(loss);
        gradient[i] = scale * slope;
    }
    Ok(Loss {
        value: (sum * f64::from(scale)) as f32,
        gradient,
    })
}

/// The mean of the active rows, such as of entropies.
///
/// # Errors
/// When sizes do not fit.
pub fn mean(x: &[f32], active: Option<&[u8]>) -> Result<Loss> {
    let scale = 1.0 / check("mean", &[x.len()], active)?;
    let mut sum = 0.0f64;
    let mut gradient = vec![0.0; x.len()];
    for (i, &x) in x.iter().enumerate() {
        if !is_inactive(active, i) {
            sum += f64::from(x);
            gradient[i] = scale;
        }
    }
    Ok(Loss {
        value: (sum * f64::from(scale)) as f32,
        gradient,
    })
}

/// Puts a loss onto the tape: `loss` is a function of the numbers of `x`.
///
/// # Errors
/// When `loss` fails.
pub fn on_tape<D: Backend, T: Tape<f32, D>>(
    x: Vector<D, T>,
    loss: impl FnOnce(&[f32]) -> Result<Loss>,
) -> Result<Scalar<D, T>> {
    let Loss { value, gradient } = loss(&values(&x))?;
    tensor::mean_with_gradient(x, value, gradient)
}

fn is_inactive(active: Option<&[u8]>, i: usize) -> bool {
    active.is_some_and(|active| active[i] == 0)
}

/// The number of active rows, at least 1.
fn check(what: &str, lens: &[usize], active: Option<&[u8]>) -> Result<f32> {
    let n = lens[0];
    if lens.iter().any(|&len| len != n) || active.is_some_and(|active| active.len() != n) {
        return Err(Error::plugin(format!(
            "{what}: expected inputs of one length, found {lens:?} and {} flags",
            active.map_or(n, <[u8]>::len)
        )));
    }
    let count = active.map_or(n, |active| active.iter().filter(|&&flag| flag != 0).count());
    Ok(count.max(1) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::{cases, expect, number, numbers, read};
    use crate::gradient_check::finite_differences;

    #[test]
    fn golden_ppo() {
        let file = read("policy_learning.json");
        for case in cases(&file["ppo"]) {
            let get = |name: &str| numbers(&case[name]);
            let clip = number(&case["clip"]);
            let (loss, statistics) = clipped_policy(
                &get("new_logp"),
                &get("old_logp"),
                &get("advantage"),
                None,
                clip,
            )
            .unwrap();
            expect("policy loss", &[loss.value], &case["policy_loss"]);
            expect(
                "policy gradient",
                &loss.gradient,
                &case["grad_wrt_new_logp"],
            );
            expect(
                "clip fraction",
                &[statistics.clip_fraction],
                &case["clip_fraction"],
            );
            expect(
                "approximate KL",
                &[statistics.approximate_kl],
                &case["approx_kl_k3"],
            );

            let (v, old, targets) = (get("value"), get("old_value"), get("returns"));
            let clipped =
                value(&v, &targets, None, ValueError::Square, Some((clip, &old))).unwrap();
            expect(
                "clipped value loss",
                &[clipped.value],
                &case["value_loss_clipped_half_mean"],
            );
            let plain = value(&v, &targets, None, ValueError::Square, None).unwrap();
            expect(
                "value loss",
                &[plain.value],
                &case["value_loss_unclipped_half_mean"],
            );
        }
    }

    #[test]
    fn golden_huber() {
        let file = read("value_learning.json");
        for case in cases(&file["dqn_targets"]) {
            // Error and loss as there: V - R is minus the TD error, mean over all.
            let errors = numbers(&case["td_error_dqn"]);
            let zeros = vec![0.0; errors.len()];
            let huber = ValueError::Huber { delta: 1.0 };
            let found = value(&errors, &zeros, None, huber, None).unwrap();
            expect("huber", &[found.value], &case["huber_delta1_loss"]);
        }
    }

    const NEW: [f32; 6] = [-0.5, -1.1, -0.3, -2.0, -0.9, -1.4];
    const OLD: [f32; 6] = [-0.6, -0.6, -0.9, -1.8, -1.3, -1.4];
    const X: [f32; 6] = [1.0, -0.5, 2.0, -1.5, -0.7, 0.3];
    const ACTIVE: [u8; 6] = [1, 1, 1, 0, 1, 1];

    #[test]
    fn gradients_equal_finite_differences_and_inactive_rows_count_nothing() {
        let policy = |at: &[f32]| clipped_policy(at, &OLD, &X, Some(&ACTIVE), 0.2).unwrap().0;
        let found = policy(&NEW).gradient;
        finite_differences("policy", &NEW, &found, &mut |at| {
            f64::from(policy(at).value)
        });
        assert_eq!(found[3], 0.0);
        for error in [ValueError::Square, ValueError::Huber { delta: 0.8 }] {
            for clip in [None, Some((0.3, &OLD[..]))] {
                let loss = |at: &[f32]| value(at, &X, Some(&ACTIVE), error, clip).unwrap();
                finite_differences("value", &NEW, &loss(&NEW).gradient, &mut |at| {
                    f64::from(loss(at).value)
                });
            }
        }
        let without: Vec<f32> = [0, 1, 2, 4, 5].map(|i| NEW[i]).to_vec();
        assert_eq!(
            mean(&NEW, Some(&ACTIVE)).unwrap().value,
            mean(&without, None).unwrap().value
        );
    }

    #[test]
    fn a_nan_reaches_the_loss() {
        let mut bad = NEW;
        bad[2] = f32::NAN;
        assert!(
            clipped_policy(&bad, &OLD, &X, None, 0.2)
                .unwrap()
                .0
                .value
                .is_nan()
        );
        assert!(
            clipped_policy(&NEW, &OLD, &bad, None, 0.2)
                .unwrap()
                .0
                .value
                .is_nan()
        );
        assert!(
            value(&bad, &X, None, ValueError::Square, None)
                .unwrap()
                .value
                .is_nan()
        );
        assert!(value(&NEW, &X[..5], None, ValueError::Square, None).is_err());
    }
}
