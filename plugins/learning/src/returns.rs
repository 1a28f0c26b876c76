//! Returns and advantages from fragments of experience.
//!
//! All slices are time-major, `[steps, columns]`: element (t, i) at t·columns + i, a column being one agent of one
//! instance. A transition t leads from state t to state t + 1; `terminated` and `truncated` belong to the transition.
//! In front of a reset, state t + 1 is the *final observation*: [`next_values`] puts its value in place, so that a
//! time limit is never treated as the end of the task and nothing leaks from one episode into the next.

use palaestra_plugin_api::{Error, Result};

mod off_policy;

pub use off_policy::{
    OffPolicy, VTrace, importance_trace, q_pi_lambda_trace, retrace, retrace_trace,
    tree_backup_trace, v_trace,
};

/// A fragment as on-policy estimators see it.
#[derive(Clone, Copy, Debug)]
pub struct Fragment<'a> {
    /// Columns: agents times instances.
    pub columns: usize,
    /// r_t, `[steps, columns]`.
    pub rewards: &'a [f32],
    /// V(s_t), `[steps, columns]`, by the critic of the rollout.
    pub values: &'a [f32],
    /// V(s_{t+1}), `[steps, columns]`: see [`next_values`].
    pub next_values: &'a [f32],
    /// Whether transition t ended the task: nothing follows.
    pub terminated: &'a [u8],
    /// Whether transition t was cut off: the next state's value counts, what was recorded next does not.
    pub truncated: &'a [u8],
}

/// The value of a final observation, in front of the reset that followed transition `step` of `column`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FinalValue {
    /// t.
    pub step: usize,
    /// Which agent of which instance.
    pub column: usize,
    /// V of the final observation.
    pub value: f32,
}

/// V(s_{t+1}) of every transition: `values` one step later, `last` (`[columns]`) behind the fragment, and the values
/// of final observations where episodes ended.
///
/// # Errors
/// When sizes do not fit or a final value lies outside.
pub fn next_values(values: &[f32], last: &[f32], finals: &[FinalValue]) -> Result<Vec<f32>> {
    let columns = last.len();
    if columns == 0 || values.is_empty() || !values.len().is_multiple_of(columns) {
        return Err(Error::plugin(format!(
            "next values: expected whole steps of {columns} columns, found {} values",
            values.len()
        )));
    }
    let mut next = Vec::with_capacity(values.len());
    next.extend_from_slice(&values[columns..]);
    next.extend_from_slice(last);
    for last in finals {
        let index = last.step * columns + last.column;
        if last.column >= columns || index >= next.len() {
            return Err(Error::plugin(format!(
                "next values: expected a final value inside the fragment, found step {} column {}",
                last.step, last.column
            )));
        }
        next[index] = last.value;
    }
    Ok(next)
}

impl Fragment<'_> {
    /// The number of steps, after a check of all sizes.
    fn steps(&self) -> Result<usize> {
        let len = self.rewards.len();
        let others = [
            self.values.len(),
            self.next_values.len(),
            self.terminated.len(),
            self.truncated.len(),
        ];
        if self.columns == 0
            || !len.is_multiple_of(self.columns)
            || others.iter().any(|&other| other != len)
        {
            return Err(Error::plugin(format!(
                "fragment: expected slabs of one size in whole steps of {} columns, found {len} and {others:?}",
                self.columns
            )));
        }
        Ok(len / self.columns)
    }

    /// γ where the task goes on after transition i, else 0.
    fn discount(&self, i: usize, gamma: f32) -> f32 {
        if self.terminated[i] != 0 { 0.0 } else { gamma }
    }

    /// Whether the recorded step t + 1 continues transition i's episode.
    fn continues(&self, i: usize) -> bool {
        self.terminated[i] == 0 && self.truncated[i] == 0
    }
}

/// Generalised advantage estimation (Schulman et al. 2016), `[steps, columns]`:
///
/// ```text
/// δ_t = r_t + γ(1 - terminated_t)·V(s_{t+1}) - V(s_t)
/// A_t = δ_t + γλ·(1 - terminated_t)(1 - truncated_t)·A_{t+1}
/// ```
///
/// The value target is A_t + V(s_t): see [`value_targets`].
///
/// # Errors
/// When sizes do not fit.
pub fn gae(fragment: &Fragment<'_>, gamma: f32, lambda: f32) -> Result<Vec<f32>> {
    let steps = fragment.steps()?;
    let columns = fragment.columns;
    let mut advantages = vec![0.0; fragment.rewards.len()];
    let mut following = vec![0.0; columns];
    for t in (0..steps).rev() {
        for (column, following) in following.iter_mut().enumerate() {
            let i = t * columns + column;
            let delta = fragment.rewards[i] + fragment.discount(i, gamma) * fragment.next_values[i]
                - fragment.values[i];
            let trace = if fragment.continues(i) {
                gamma * lambda
            } else {
                0.0
            };
            *following = delta + trace * *following;
            advantages[i] = *following;
        }
    }
    Ok(advantages)
}

/// A + V: what the critic is regressed on.
#[must_use]
pub fn value_targets(advantages: &[f32], values: &[f32]) -> Vec<f32> {
    advantages
        .iter()
        .zip(values)
        .map(|(advantage, value)| advantage + value)
        .collect()
}

/// λ-return (Sutton and Barto 2018, equation 12.2 as a recursion), `[steps, columns]`:
///
/// ```text
/// G_t = r_t + γ(1 - terminated_t)·[(1 - λ)·V(s_{t+1}) + λ·G_{t+1}]
/// ```
///
/// with V(s_{t+1}) in the place of G_{t+1} behind a truncation and behind the fragment.
///
/// # Errors
/// When sizes do not fit.
pub fn lambda_return(fragment: &Fragment<'_>, gamma: f32, lambda: f32) -> Result<Vec<f32>> {
    let steps = fragment.steps()?;
    let columns = fragment.columns;
    let mut returns = vec![0.0; fragment.rewards.len()];
    for t in (0..steps).rev() {
        for column in 0..columns {
            let i = t * columns + column;
            let next = fragment.next_values[i];
            let goes_on = t + 1 < steps && fragment.continues(i);
            let following = if goes_on { returns[i + columns] } else { next };
            returns[i] = fragment.rewards[i]
                + fragment.discount(i, gamma) * ((1.0 - lambda) * next + lambda * following);
        }
    }
    Ok(returns)
}

/// n-step return (Watkins 1989), `[steps, columns]`:
///
/// ```text
/// G_t = Σ_{k<m} γ^k·r_{t+k} + γ^m·V(s_{t+m})
/// ```
///
/// where m is n, or fewer up to the end of the episode or fragment; no value is added behind a terminal transition.
///
/// # Errors
/// When sizes do not fit or n is 0.
pub fn n_step(fragment: &Fragment<'_>, gamma: f32, n: usize) -> Result<Vec<f32>> {
    let steps = fragment.steps()?;
    if n == 0 {
        return Err(Error::plugin("n-step return: expected n ≥ 1, found 0"));
    }
    let columns = fragment.columns;
    let mut returns = vec![0.0; fragment.rewards.len()];
    for (start, target) in returns.iter_mut().enumerate() {
        let mut factor = 1.0;
        let mut i = start;
        for k in 1..=n {
            *target += factor * fragment.rewards[i];
            factor *= gamma;
            let at_end = k == n || i + columns >= steps * columns || !fragment.continues(i);
            if at_end {
                if fragment.terminated[i] == 0 {
                    *target += factor * fragment.next_values[i];
                }
                break;
            }
            i += columns;
        }
    }
    Ok(returns)
}

#[cfg(test)]
mod tests;
