//! Rows of agents as wrappers see them.

use std::ops::Range;

use palaestra_plugin_api::spec::Space;

/// Actions of one group at one slot, `[n, agents, width]`: what the policy itself has proposed.
#[derive(Clone, Copy, Debug)]
pub enum ActionRows<'a> {
    /// Choices.
    Choices(&'a [i32]),
    /// Components of a box.
    Real(&'a [f32]),
}

/// The agents that one call is about.
pub(super) struct Rows<'a> {
    /// Their rows within the batch, `instance · agents + agent`.
    pub(super) range: Range<usize>,
    /// 1 where an episode starts with this row; none for final observations, which start nothing.
    pub(super) first: Option<&'a [u8]>,
    /// What the agents of the whole batch proposed last.
    pub(super) action: Option<ActionRows<'a>>,
}

impl Rows<'_> {
    /// Whether the `i`-th of these rows starts an episode.
    pub(super) fn starts(&self, i: usize) -> bool {
        self.first.is_some_and(|first| first[i] != 0)
    }
}

/// Actions as features: one-hot choices, components of a box as they are.
pub(super) struct Encoding {
    /// Choices of each component; empty for a box.
    choices: Vec<usize>,
    components: usize,
}

impl Encoding {
    pub(super) fn new(action: &Space) -> Self {
        Self {
            choices: action.choices(),
            components: action.width(),
        }
    }

    /// Number of features.
    pub(super) fn width(&self) -> usize {
        match self.choices.is_empty() {
            true => self.components,
            false => self.choices.iter().sum(),
        }
    }

    /// Bounds of a feature, 0 included: that is what it is before the first action.
    pub(super) fn bounds(&self, action: &Space, feature: usize) -> (f64, f64) {
        if !self.choices.is_empty() {
            return (0.0, 1.0);
        }
        let (low, high) = action.bounds_of(feature);
        (low.min(0.0), high.max(0.0))
    }

    /// Elements that a batch of `rows` agents has.
    pub(super) fn elements(&self, rows: usize) -> usize {
        rows * self.components
    }

    /// Writes the features of one agent's action.
    pub(super) fn write(&self, actions: ActionRows<'_>, row: usize, to: &mut [f32]) {
        let components = row * self.components..(row + 1) * self.components;
        match actions {
            ActionRows::Real(rows) => to.copy_from_slice(&rows[components]),
            ActionRows::Choices(rows) => {
                to.fill(0.0);
                let mut offset = 0;
                for (&n, &choice) in self.choices.iter().zip(&rows[components]) {
                    if let Ok(choice) = usize::try_from(choice)
                        && choice < n
                    {
                        to[offset + choice] = 1.0;
                    }
                    offset += n;
                }
            }
        }
    }
}
