//! LastAction: what the agent's own policy proposed last, after its observation.
//!
//! Choices are one-hot, components of a box are as the policy gave them (before it was clipped or rescaled).
//! At the start of an episode there is no action yet: zeros.

use palaestra_plugin_api::{
    Result,
    spec::{GroupSpec, Space},
};

use super::{
    observation::{ObservationWrapper, real},
    rows::{Encoding, Rows},
};

/// Settings of LastAction: none.
#[palaestra_plugin_api::config]
pub struct LastActionConfig {}

/// See the module.
pub(super) struct LastAction {
    encoding: Encoding,
    /// Features before.
    before: usize,
}

impl LastAction {
    /// `action` is the space that the policy acts in, outside of all wrappers.
    pub(super) fn new(group: &mut GroupSpec, action: &Space) -> Result<Self> {
        let (encoding, before) = (Encoding::new(action), group.observation.width());
        let bounds = (0..encoding.width()).map(|i| encoding.bounds(action, i));
        let features = real(group)?.with("last_action", bounds);
        group.observation = features.space(vec![before + encoding.width()]);
        Ok(Self { encoding, before })
    }
}

impl ObservationWrapper for LastAction {
    fn width(&self) -> usize {
        self.before + self.encoding.width()
    }

    fn observe(&mut self, rows: &Rows<'_>, from: &[f32], to: &mut [f32]) {
        self.observe_final(rows, from, to);
    }

    fn observe_final(&self, rows: &Rows<'_>, from: &[f32], to: &mut [f32]) {
        let pairs = to
            .chunks_exact_mut(self.width())
            .zip(from.chunks_exact(self.before));
        for (i, (to, from)) in pairs.enumerate() {
            let (observation, last) = to.split_at_mut(self.before);
            observation.copy_from_slice(from);
            match rows.action.filter(|_| !rows.starts(i)) {
                Some(actions) => self.encoding.write(actions, rows.range.start + i, last),
                None => last.fill(0.0),
            }
        }
    }
}
