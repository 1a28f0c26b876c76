//! Corrections for experience of another policy: V-trace and the Retrace family.

use palaestra_plugin_api::{Error, Result};

use super::Fragment;

/// V-trace's settings (Espeholt et al. 2018): truncation levels may be infinite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OffPolicy {
    /// γ.
    pub gamma: f32,
    /// λ, in front of the trace-cutting coefficients c.
    pub lambda: f32,
    /// ρ̄, which decides what value function is the fixed point.
    pub rho_bar: f32,
    /// c̄, which decides how far a correction reaches.
    pub c_bar: f32,
    /// The truncation level of the policy gradient's own ρ.
    pub policy_rho_bar: f32,
}

/// What [`v_trace`] returns, `[steps, columns]` each; constants in all losses.
#[derive(Clone, Debug, PartialEq)]
pub struct VTrace {
    /// v_t: targets of the value function.
    pub targets: Vec<f32>,
    /// ρ_t·(r_t + γ_t·v_{t+1} - V(s_t)): weights of ∇ log π.
    pub policy_advantages: Vec<f32>,
}

/// V-trace (Espeholt et al. 2018, equation 1 in its recursive form): with `ratio` π/μ, ρ = min(ρ̄, ratio),
/// c = λ·min(c̄, ratio) and γ_t = 0 at terminal transitions
///
/// ```text
/// δ_t = ρ_t·(r_t + γ_t·V(s_{t+1}) - V(s_t))
/// v_t - V(s_t) = δ_t + γ_t·c_t·(v_{t+1} - V(s_{t+1}))
/// ```
///
/// so the product of the c runs over t..s-1. Behind a truncation and behind the fragment v_{t+1} is V(s_{t+1}).
///
/// # Errors
/// When sizes do not fit.
pub fn v_trace(fragment: &Fragment<'_>, ratios: &[f32], settings: OffPolicy) -> Result<VTrace> {
    let steps = fragment.steps()?;
    let columns = fragment.columns;
    if ratios.len() != fragment.rewards.len() {
        return Err(Error::plugin(format!(
            "v-trace: expected {} ratios, found {}",
            fragment.rewards.len(),
            ratios.len()
        )));
    }
    let mut targets = vec![0.0; ratios.len()];
    let mut policy_advantages = vec![0.0; ratios.len()];
    for t in (0..steps).rev() {
        for column in 0..columns {
            let i = t * columns + column;
            let (value, next) = (fragment.values[i], fragment.next_values[i]);
            let discount = fragment.discount(i, settings.gamma);
            let goes_on = t + 1 < steps && fragment.continues(i);
            let target_next = if goes_on { targets[i + columns] } else { next };

            let delta =
                ratios[i].min(settings.rho_bar) * (fragment.rewards[i] + discount * next - value);
            let trace = settings.lambda * ratios[i].min(settings.c_bar);
            targets[i] = value + delta + discount * trace * (target_next - next);
            let surprise = fragment.rewards[i] + discount * target_next - value;
            policy_advantages[i] = ratios[i].min(settings.policy_rho_bar) * surprise;
        }
    }
    Ok(VTrace {
        targets,
        policy_advantages,
    })
}

/// The Retrace family (Munos et al. 2016, equation 4 in its recursive form): targets for Q(s_t, a_t),
///
/// ```text
/// G_t - Q_t = r_t + γ_t·E_π Q(s_{t+1}, ·) - Q_t + γ_t·c_{t+1}·(G_{t+1} - Q_{t+1})
/// ```
///
/// The correction begins with the *next* action: the product of the c runs over t+1..s. In `fragment`, `values` are
/// Q(s_t, a_t) and `next_values` E_π Q(s_{t+1}, ·); `traces` are c_t `[steps, columns]` by one of the functions below.
///
/// # Errors
/// When sizes do not fit.
pub fn retrace(fragment: &Fragment<'_>, traces: &[f32], gamma: f32) -> Result<Vec<f32>> {
    let steps = fragment.steps()?;
    let columns = fragment.columns;
    if traces.len() != fragment.rewards.len() {
        return Err(Error::plugin(format!(
            "retrace: expected {} traces, found {}",
            fragment.rewards.len(),
            traces.len()
        )));
    }
    let mut targets = vec![0.0; traces.len()];
    for t in (0..steps).rev() {
        for column in 0..columns {
            let i = t * columns + column;
            let discount = fragment.discount(i, gamma);
            targets[i] = fragment.rewards[i] + discount * fragment.next_values[i];
            if t + 1 < steps && fragment.continues(i) {
                let next = i + columns;
                targets[i] += discount * traces[next] * (targets[next] - fragment.values[next]);
            }
        }
    }
    Ok(targets)
}

/// Retrace(λ): c = λ·min(1, π/μ).
#[must_use]
pub fn retrace_trace(pi: f32, mu: f32, lambda: f32) -> f32 {
    lambda * (pi / mu).min(1.0)
}

/// Tree backup (Precup et al. 2000): c = λ·π.
#[must_use]
pub fn tree_backup_trace(pi: f32, lambda: f32) -> f32 {
    lambda * pi
}

/// Q^π(λ) (Harutyunyan et al. 2016): c = λ.
#[must_use]
pub fn q_pi_lambda_trace(lambda: f32) -> f32 {
    lambda
}

/// Importance sampling: c = π/μ.
#[must_use]
pub fn importance_trace(pi: f32, mu: f32) -> f32 {
    pi / mu
}
