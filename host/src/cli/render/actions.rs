//! Who chooses the actions of a rendered episode: chance, nobody, the world itself, or a script.

use std::path::Path;

use palaestra_plugin_api::abi::id;
use palaestra_plugin_api::client::{EnvironmentBatch, RandomPolicy, ScriptedPolicy};
use palaestra_plugin_api::spec::{EnvironmentSpec, GroupSpec};
use palaestra_plugin_api::trace::{Joint, joint};
use palaestra_plugin_api::{Error, ErrorKind, Result};
use serde_json::Value;

/// Chooses the joint actions of one instance.
pub(crate) enum Actor {
    /// Uniform over what is allowed.
    Random(Box<RandomPolicy>),
    /// The environment's own scripted baseline.
    Scripted(ScriptedPolicy),
    /// The same joint action at every step.
    Constant(Joint),
    /// One joint action a step, then the end.
    Script(Vec<Joint>),
}

impl Actor {
    /// The no-op of every group.
    ///
    /// # Errors
    /// Kind `Config` for a group without one.
    pub(crate) fn no_op(spec: &EnvironmentSpec) -> Result<Self> {
        let group = |group: &GroupSpec| {
            let action = group.no_op.clone().ok_or_else(|| {
                Error::config(format!(
                    "policy no-op: expected a no-op action of group {}, found none; use --policy random or script",
                    group.name
                ))
            })?;
            Ok(vec![action; group.agents])
        };
        Ok(Self::Constant(
            spec.groups.iter().map(group).collect::<Result<_>>()?,
        ))
    }

    /// A JSON file with an array of joint actions: per step one entry per agent in group order (the entry
    /// itself where there is one agent), as in reference traces.
    ///
    /// # Errors
    /// Kind `Io` for a file that cannot be read, `Config` for one that does not fit the spec.
    pub(crate) fn script(path: &Path, spec: &EnvironmentSpec) -> Result<Self> {
        let about = |e: Error| e.within(format!("actions {}", path.display()));
        let text = std::fs::read_to_string(path)
            .map_err(|e| about(Error::new(ErrorKind::Io, e.to_string())))?;
        let document: Value = serde_json::from_str(&text).map_err(|e| {
            about(Error::config(format!(
                "expected a JSON array of joint actions, found an error: {e}"
            )))
        })?;
        let steps = document.as_array().ok_or_else(|| {
            about(Error::config(
                "expected a JSON array of joint actions, found something else",
            ))
        })?;
        let read = |(t, step): (usize, &Value)| {
            let joint = joint(step, spec, |g| spec.groups[g].action.width());
            joint.map_err(|e| about(e.within(format!("/{t}"))))
        };
        Ok(Self::Script(
            steps.iter().enumerate().map(read).collect::<Result<_>>()?,
        ))
    }

    /// Writes the actions of step `time` (counted over all episodes) at slot 0; says whether there were any.
    ///
    /// # Errors
    /// Kind `Plugin` when an agent that acts has no allowed choice; what the baseline reports.
    pub(crate) fn act(&mut self, batch: &mut EnvironmentBatch, time: u64) -> Result<bool> {
        let joint = match self {
            Self::Random(policy) => {
                batch
                    .shards_mut()
                    .try_for_each(|mut shard| policy.fill(&mut shard, 0, time))?;
                return Ok(true);
            }
            Self::Scripted(policy) => {
                batch
                    .shards_mut()
                    .try_for_each(|mut shard| policy.fill(&mut shard, 0))?;
                return Ok(true);
            }
            Self::Constant(joint) => Some(&*joint),
            Self::Script(steps) => usize::try_from(time).ok().and_then(|t| steps.get(t)),
        };
        if let Some(joint) = joint {
            write(batch, joint);
        }
        Ok(joint.is_some())
    }
}

fn write(batch: &mut EnvironmentBatch, joint: &Joint) {
    for (group, agents) in joint.iter().enumerate() {
        let numbers = agents.iter().flatten().copied();
        if let Some(key) = batch.slabs().key::<i32>(id::ACTION, group as u32) {
            batch
                .rows_mut(key, 0)
                .iter_mut()
                .zip(numbers)
                .for_each(|(to, x)| *to = x as i32);
        } else if let Some(key) = batch.slabs().key::<f32>(id::ACTION, group as u32) {
            batch
                .rows_mut(key, 0)
                .iter_mut()
                .zip(numbers)
                .for_each(|(to, x)| *to = x as f32);
        }
    }
}
