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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Cpu, GradientTape, matrix, values};

    /// What acting says of an action is what learning says of it, for every space.
    #[test]
    fn acting_and_learning_agree_on_every_space() {
        let spaces = [
            Space::discrete(4),
            Space::MultiDiscrete {
                choices: vec![3, 2],
            },
            Space::MultiBinary { n: 3 },
            Space::real(2),
        ];
        let keys: Vec<u64> = (0..50).collect();
        for space in spaces {
            let head = ActionHead::of(&space).unwrap();
            let width = head.outputs();
            let outputs: Vec<f32> = (0..50 * width).map(|i| (i as f32 * 0.37).sin()).collect();
            let log_std = vec![-0.3; head.log_stds()];
            let mask: Vec<u8> = (0..50 * width).map(|i| u8::from(i % 5 != 1)).collect();
            let mask = (!space.is_box()).then_some(mask.as_slice());
            let device = Cpu::default();
            let parameter = (!log_std.is_empty())
                .then(|| Parameter::new(&device, &[log_std.len()], log_std.clone()).unwrap());
            for keys in [Some(keys.as_slice()), None] {
                let (mut actions, mut log_prob) = (head.no_actions(), vec![0.0; 50]);
                head.act(&outputs, &log_std, mask, keys, &mut actions, &mut log_prob)
                    .unwrap();
                let x = matrix(&device, outputs.clone(), 50, width).unwrap();
                let traced = crate::tensor::PutTape::put_tape(x, GradientTape::<Cpu>::default());
                let (found, entropy) = head
                    .on_tape(traced, parameter.as_ref(), mask, &actions)
                    .unwrap();
                assert_eq!(values(&found), log_prob, "{space:?}");
                assert!(values(&entropy).iter().all(|x| x.is_finite()));
                assert_eq!(actions.gather(head.width(), &[7, 3]).unwrap(), {
                    let w = head.width();
                    match &actions {
                        Actions::Choices(a) => {
                            Actions::Choices([&a[7 * w..8 * w], &a[3 * w..4 * w]].concat())
                        }
                        Actions::Real(a) => {
                            Actions::Real([&a[7 * w..8 * w], &a[3 * w..4 * w]].concat())
                        }
                    }
                });
            }
        }
    }

    #[test]
    fn idle_agents_do_nothing_that_is_allowed() {
        let mut spec = GroupSpec::new(
            "g",
            1,
            Space::real(1),
            Space::MultiDiscrete {
                choices: vec![3, 2],
            },
        );
        spec.no_op = Some(vec![2.0, 0.0]);
        let mut actions = Actions::Choices(vec![1, 1, 1, 1, 1, 1]);
        let mask = [1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1];
        idle(&mut actions, &spec, &[1, 0, 0], Some(&mask));
        assert_eq!(actions, Actions::Choices(vec![1, 1, 1, 1, 2, 0]));
        let spec = GroupSpec::new("g", 1, Space::real(1), Space::bounded(1, 0.5, 2.0));
        let mut actions = Actions::Real(vec![9.0, 9.0]);
        idle(&mut actions, &spec, &[0, 1], None);
        assert_eq!(actions, Actions::Real(vec![0.5, 9.0]));
    }
}
