//! One face for all action spaces: what a policy network gives, and the actions that come of it.

use palaestra_plugin_api::{
    Error, Result,
    spec::{GroupSpec, Space},
};

use crate::device::Backend;
use crate::distributions::{Categorical, DiagonalGaussian};
use crate::networks::Parameter;
use crate::tensor::{Matrix, Merge, Tape, Vector};

/// A distribution over the actions of a space, given a network's output.
///
/// | space | output of the network | distribution |
/// |---|---|---|
/// | discrete, multi-discrete, bits | logits | independent categorical choices |
/// | box | means | independent normal; the log-standard-deviations do not depend on the state |
#[derive(Clone, Debug, PartialEq)]
pub enum ActionHead {
    /// Choices.
    Choices(Categorical),
    /// Real numbers, unbounded: a wrapper or the environment clips them.
    Real(DiagonalGaussian),
}

/// Actions of several rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Actions {
    /// `[rows, choices]`.
    Choices(Vec<i32>),
    /// `[rows, width]`.
    Real(Vec<f32>),
}

impl Actions {
    /// Room for that many components, zero.
    pub fn resize(&mut self, len: usize) {
        match self {
            Self::Choices(all) => all.resize(len, 0),
            Self::Real(all) => all.resize(len, 0.0),
        }
    }

    /// Rows `rows` (of `width` components) into another.
    ///
    /// # Errors
    /// A row is outside.
    pub fn gather(&self, width: usize, rows: &[usize]) -> Result<Self> {
        use crate::buffers::gather;
        Ok(match self {
            Self::Choices(all) => Self::Choices(gather(all, width, rows)?),
            Self::Real(all) => Self::Real(gather(all, width, rows)?),
        })
    }
}

impl ActionHead {
    /// For a space.
    ///
    /// # Errors
    /// The space has no component.
    pub fn of(space: &Space) -> Result<Self> {
        Ok(if space.is_box() {
            Self::Real(DiagonalGaussian::new(space.width())?)
        } else {
            Self::Choices(Categorical::multi(&space.choices())?)
        })
    }

    /// Width of the network's output.
    #[must_use]
    pub fn outputs(&self) -> usize {
        match self {
            Self::Choices(choices) => choices.width(),
            Self::Real(real) => real.width(),
        }
    }

    /// Components of an action.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Self::Choices(choices) => choices.choices(),
            Self::Real(real) => real.width(),
        }
    }

    /// Log-standard-deviations that it needs: the width of a box, 0 for choices.
    #[must_use]
    pub fn log_stds(&self) -> usize {
        match self {
            Self::Choices(_) => 0,
            Self::Real(real) => real.width(),
        }
    }

    /// No actions of the space.
    #[must_use]
    pub fn no_actions(&self) -> Actions {
        match self {
            Self::Choices(_) => Actions::Choices(Vec::new()),
            Self::Real(_) => Actions::Real(Vec::new()),
        }
    }

    /// Samples one action a row by its key (see [`Categorical::sample`], [`DiagonalGaussian::sample`]), or takes the
    /// best (the most probable choice, the mean) when there are no `keys`. `log_prob` is `[rows]`.
    ///
    /// # Errors
    /// Sizes do not fit.
    pub fn act(
        &self,
        outputs: &[f32],
        log_std: &[f32],
        mask: Option<&[u8]>,
        keys: Option<&[u64]>,
        actions: &mut Actions,
        log_prob: &mut [f32],
    ) -> Result<()> {
        actions.resize(log_prob.len() * self.width());
        match (self, actions, keys) {
            (Self::Choices(c), Actions::Choices(a), Some(keys)) => {
                c.sample(outputs, mask, keys, a, log_prob)
            }
            (Self::Choices(c), Actions::Choices(a), None) => c.greedy(outputs, mask, a, log_prob),
            (Self::Real(g), Actions::Real(u), Some(keys)) => {
                g.sample(outputs, log_std, keys, u, log_prob)
            }
            (Self::Real(g), Actions::Real(u), None) => {
                u.copy_from_slice(outputs);
                g.log_prob(outputs, log_std, u, log_prob)
            }
            _ => Err(other_kind()),
        }
    }

    /// log π(a) and the entropy of each row, on the tape.
    ///
    /// # Errors
    /// Sizes do not fit, an action is out of range, or a box without log-standard-deviations.
    pub fn on_tape<D: Backend, T: Tape<f32, D> + Merge<T>>(
        &self,
        outputs: Matrix<D, T>,
        log_std: Option<&Parameter<D>>,
        mask: Option<&[u8]>,
        actions: &Actions,
    ) -> Result<(Vector<D, T>, Vector<D, T>)> {
        match (self, actions, log_std) {
            (Self::Choices(c), Actions::Choices(a), _) => c.on_tape(outputs, mask, a),
            (Self::Real(g), Actions::Real(u), Some(log_std)) => g.on_tape(outputs, log_std, u),
            _ => Err(other_kind()),
        }
    }
}

/// Replaces the actions of rows that are not `active` by what the group does when it does nothing; where the mask
/// forbids that choice, by the first allowed one.
pub fn idle(actions: &mut Actions, spec: &GroupSpec, active: &[u8], mask: Option<&[u8]>) {
    if active.iter().all(|&flag| flag != 0) {
        return;
    }
    let idle = spec.idle_action();
    let choices = spec.action.choices();
    let total: usize = choices.iter().sum();
    for row in (0..active.len()).filter(|&row| active[row] == 0) {
        let mut start = row * total;
        for (c, &value) in idle.iter().enumerate() {
            let at = row * idle.len() + c;
            match actions {
                Actions::Real(all) => all[at] = value as f32,
                Actions::Choices(all) => {
                    let allowed = mask.map(|mask| &mask[start..start + choices[c]]);
                    let wanted = value as usize;
                    all[at] = match allowed {
                        Some(allowed) if allowed.get(wanted) == Some(&0) => {
                            allowed.iter().position(|&a| a != 0).unwrap_or(wanted) as i32
                        }
                        _ => wanted as i32,
                    };
                    start += choices[c];
                }
            }
        }
    }
}

fn other_kind() -> Error {
    Error::plugin("action head: expected actions of its own kind, found others")
}
