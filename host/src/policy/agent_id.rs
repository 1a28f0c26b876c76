//! AgentId: which agent of its group it is, one-hot, after its observation.
//!
//! Agents of a group share their parameters; this lets them differ all the same (Gupta et al., 2017).

use palaestra_plugin_api::{Result, spec::GroupSpec};

use super::{
    observation::{ObservationWrapper, real},
    rows::Rows,
};

/// Settings of AgentId: none.
#[palaestra_plugin_api::config]
pub struct AgentIdConfig {}

/// See the module.
pub(super) struct AgentId {
    agents: usize,
    /// Features before.
    before: usize,
}

impl AgentId {
    pub(super) fn new(group: &mut GroupSpec) -> Result<Self> {
        let (agents, before) = (group.agents, group.observation.width());
        let features = real(group)?.with("agent_id", (0..agents).map(|_| (0.0, 1.0)));
        group.observation = features.space(vec![before + agents]);
        Ok(Self { agents, before })
    }
}

impl ObservationWrapper for AgentId {
    fn width(&self) -> usize {
        self.before + self.agents
    }

    fn observe(&mut self, rows: &Rows<'_>, from: &[f32], to: &mut [f32]) {
        self.observe_final(rows, from, to);
    }

    fn observe_final(&self, rows: &Rows<'_>, from: &[f32], to: &mut [f32]) {
        let pairs = to
            .chunks_exact_mut(self.width())
            .zip(from.chunks_exact(self.before));
        for ((to, from), row) in pairs.zip(rows.range.clone()) {
            let (observation, id) = to.split_at_mut(self.before);
            observation.copy_from_slice(from);
            id.fill(0.0);
            id[row % self.agents] = 1.0;
        }
    }
}
