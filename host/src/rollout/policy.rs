//! What chooses the actions of a shard inside a fragment.

use palaestra_plugin_api::{
    Result,
    abi::id,
    client::{Key, RandomPolicy, ScriptedPolicy, ShardMut, Slabs},
    spec::{EnvironmentSpec, GroupSpec},
};

use super::Place;

/// Chooses the actions of one shard. One object per shard, so it may keep state for its rows; noise must
/// come from keys of the rows, so that shards change no byte.
pub trait Policy: Send {
    /// Writes the actions of every agent at `slot`, where the observations are.
    ///
    /// # Errors
    /// What keeps it from choosing.
    fn act(&mut self, shard: &mut ShardMut<'_>, slot: usize) -> Result<()>;

    /// Sees what the step has written at `slot`: rewards, and the list of ended episodes, which the next
    /// step overwrites.
    ///
    /// # Errors
    /// What keeps it from going on.
    fn observe(&mut self, shard: &mut ShardMut<'_>, slot: usize) -> Result<()> {
        let _ = (shard, slot);
        Ok(())
    }
}

/// Random actions; see [`RandomPolicy`].
#[derive(Clone)]
pub struct Random {
    policy: RandomPolicy,
    time: u64,
}

impl Random {
    /// Random actions of a shard, from the seed of the run.
    pub fn new(spec: &EnvironmentSpec, slabs: &Slabs, place: &Place) -> Self {
        Self {
            policy: RandomPolicy::new(spec, slabs, place.run_seed, place.first_instance),
            time: 0,
        }
    }
}

impl Policy for Random {
    #[inline]
    fn act(&mut self, shard: &mut ShardMut<'_>, slot: usize) -> Result<()> {
        self.policy.fill(shard, slot, self.time)?;
        self.time += 1;
        Ok(())
    }
}

/// The world's own scripted baseline; see [`ScriptedPolicy`].
#[derive(Clone)]
pub struct Scripted(ScriptedPolicy);

impl Scripted {
    /// The same for every shard.
    ///
    /// # Errors
    /// Kind `Unsupported` when the environment offers no baseline.
    pub fn new(spec: &EnvironmentSpec, slabs: &Slabs) -> Result<Self> {
        ScriptedPolicy::new(spec, slabs).map(Self)
    }
}

impl Policy for Scripted {
    fn act(&mut self, shard: &mut ShardMut<'_>, slot: usize) -> Result<()> {
        self.0.fill(shard, slot)
    }
}

/// Every agent does nothing: the group's no-op; without one, the first allowed choice, or the box's value
/// closest to 0.
#[derive(Clone)]
pub struct NoOp {
    groups: Vec<NoOpGroup>,
}

#[derive(Clone)]
struct NoOpGroup {
    choices: Option<Key<i32>>,
    real: Option<Key<f32>>,
    mask: Option<Key<u8>>,
    /// Choices of each component.
    sizes: Vec<usize>,
    values: Vec<f64>,
}

impl NoOp {
    /// The same for every shard.
    pub fn new(spec: &EnvironmentSpec, slabs: &Slabs) -> Self {
        let group = |(g, group): (usize, &GroupSpec)| NoOpGroup {
            choices: slabs.key(id::ACTION, g as u32),
            real: slabs.key(id::ACTION, g as u32),
            mask: slabs.key(id::ACTION_MASK, g as u32),
            sizes: group.action.choices(),
            values: group.idle_action(),
        };
        Self {
            groups: spec.groups.iter().enumerate().map(group).collect(),
        }
    }
}

impl Policy for NoOp {
    fn act(&mut self, shard: &mut ShardMut<'_>, slot: usize) -> Result<()> {
        for group in &self.groups {
            if let Some(key) = group.real {
                for agent in shard
                    .rows_mut(key, slot)
                    .chunks_exact_mut(group.values.len())
                {
                    agent
                        .iter_mut()
                        .zip(&group.values)
                        .for_each(|(to, &value)| *to = value as f32);
                }
            }
            let Some(key) = group.choices else { continue };
            for agent in shard
                .rows_mut(key, slot)
                .chunks_exact_mut(group.values.len())
            {
                agent
                    .iter_mut()
                    .zip(&group.values)
                    .for_each(|(to, &value)| *to = value as i32);
            }
            let Some((masks, actions)) = group
                .mask
                .and_then(|mask| shard.read_write((mask, slot), (key, slot)))
            else {
                continue;
            };
            let agents = actions.chunks_exact_mut(group.sizes.len());
            for (agent, mask) in agents.zip(masks.chunks_exact(group.sizes.iter().sum())) {
                allow(agent, mask, &group.sizes);
            }
        }
        Ok(())
    }
}

/// Replaces each choice that its mask forbids by the first one it allows.
fn allow(agent: &mut [i32], mask: &[u8], sizes: &[usize]) {
    let mut offset = 0;
    for (choice, &size) in agent.iter_mut().zip(sizes) {
        let allowed = &mask[offset..offset + size];
        if allowed[*choice as usize] == 0 {
            *choice = allowed.iter().position(|&a| a != 0).unwrap_or(0) as i32;
        }
        offset += size;
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::spec::Space;

    use super::*;

    #[test]
    fn forbidden_choices_become_the_first_allowed_one_of_their_component() {
        let mut agent = [0, 1];
        allow(&mut agent, &[0, 0, 1, /**/ 1, 1], &[3, 2]);
        assert_eq!(agent, [2, 1]);
    }

    #[test]
    fn without_a_no_op_a_box_takes_the_value_closest_to_zero() {
        let action = Space::bounds(&[-1.0, 0.5, f64::NEG_INFINITY], &[1.0, 2.0, -3.0]);
        let group = GroupSpec::new("g", 1, Space::real(1), action);
        assert_eq!(group.idle_action(), [0.0, 0.5, -3.0]);
    }
}
