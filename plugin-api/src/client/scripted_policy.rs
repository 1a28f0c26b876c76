//! The policy of a world's own scripted baseline: each instance is asked what to do, and its answer is written to the
//! actions of the shard.

use super::{Key, ShardMut, Slabs};
use crate::{
    abi::id,
    error::{Error, Result},
    spec::EnvironmentSpec,
};

/// Fills the actions of a shard with those of the scripted baselines of its worlds.
///
/// A cold call per instance and step: for baselines, demonstrations and pictures, not for speed.
#[derive(Clone)]
pub struct ScriptedPolicy {
    groups: Vec<Target>,
}

/// Where the actions of one group go: one of the two.
#[derive(Clone)]
struct Target {
    choices: Option<Key<i32>>,
    real: Option<Key<f32>>,
    /// Agents and components of an action.
    shape: [usize; 2],
}

impl ScriptedPolicy {
    /// A policy for environments of `spec` in `slabs`.
    ///
    /// # Errors
    /// Kind `Unsupported` when the environment offers no baseline.
    pub fn new(spec: &EnvironmentSpec, slabs: &Slabs) -> Result<Self> {
        if !spec.flags.scripted {
            return Err(Error::unsupported(
                "policy scripted: expected an environment with a scripted baseline, found none; use another policy",
            ));
        }
        let group = |(g, group): (usize, &crate::spec::GroupSpec)| Target {
            choices: slabs.key(id::ACTION, g as u32),
            real: slabs.key(id::ACTION, g as u32),
            shape: [group.agents, group.action.width()],
        };
        let groups = spec.groups.iter().enumerate().map(group).collect();
        Ok(Self { groups })
    }

    /// Writes the actions of every agent at slot `slot`.
    ///
    /// # Errors
    /// What a baseline reports.
    pub fn fill(&mut self, shard: &mut ShardMut<'_>, slot: usize) -> Result<()> {
        self.fill_where(shard, slot, |_, _| true)
    }

    /// Writes the actions of the agents (group, agent) that `which` names; the others keep theirs.
    ///
    /// # Errors
    /// What a baseline reports.
    pub fn fill_where(
        &mut self,
        shard: &mut ShardMut<'_>,
        slot: usize,
        which: impl Fn(usize, usize) -> bool,
    ) -> Result<()> {
        for instance in 0..shard.range().len() {
            let joint = shard.scripted(instance)?;
            for (g, (target, agents)) in self.groups.iter().zip(&joint).enumerate() {
                for (agent, action) in agents.iter().enumerate().filter(|(a, _)| which(g, *a)) {
                    target.write(shard, slot, (instance, agent), action);
                }
            }
        }
        Ok(())
    }
}

impl Target {
    fn write(
        &self,
        shard: &mut ShardMut<'_>,
        slot: usize,
        (instance, agent): (usize, usize),
        action: &[f64],
    ) {
        let [agents, width] = self.shape;
        let start = (instance * agents + agent) * width;
        if let Some(key) = self.choices {
            let row = &mut shard.rows_mut(key, slot)[start..start + width];
            row.iter_mut()
                .zip(action)
                .for_each(|(to, &x)| *to = x as i32);
        } else if let Some(key) = self.real {
            let row = &mut shard.rows_mut(key, slot)[start..start + width];
            row.iter_mut()
                .zip(action)
                .for_each(|(to, &x)| *to = x as f32);
        }
    }
}
