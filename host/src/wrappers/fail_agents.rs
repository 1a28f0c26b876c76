//! FailAgents: an agent that fails does nothing for the rest of its episode.
//!
//! At the start of an episode each agent is drawn to fail with some probability, and if so, from which
//! step on, uniformly. From then on its action is the group's no-op, unless the action mask forbids that.

use std::ops::Range;

use palaestra_plugin_api::{
    Error, Result,
    abi::{NO_GROUP, id},
    client::{Key, ShardMut, Slabs},
    rng::mix64,
    spec::EnvironmentSpec,
};
use serde_json::{Value, json};

use super::{
    WorldWrapper,
    actions::GroupActions,
    noise::{Noise, uniform, word},
};
use crate::{exact, rollout::Place};

/// Settings of FailAgents.
#[palaestra_plugin_api::config]
pub struct FailAgentsConfig {
    /// Probability that an agent fails within an episode.
    #[config(default = 0.1, range = 0.0..=1.0)]
    pub probability: f64,
    /// Steps within which it fails, at least 1; the environment's step limit when none.
    pub within_steps: Option<u32>,
    /// Groups whose agents may fail; all when empty.
    pub groups: Vec<String>,
}

/// See the module.
pub struct FailAgents {
    config: FailAgentsConfig,
    within: u32,
    bound: Option<Bound>,
}

struct Bound {
    noise: Noise,
    first: Key<u8>,
    episode: Key<u64>,
    step: Key<u32>,
    groups: Vec<Group>,
}

struct Group {
    actions: GroupActions,
    no_op: Vec<f64>,
    /// Agents of the groups before this one.
    before: usize,
    /// The step from which an agent does nothing, `[n · agents]`; `u32::MAX` for never.
    fails_at: Vec<u32>,
}

impl FailAgents {
    /// Failing agents for one shard.
    pub fn new(config: FailAgentsConfig) -> Self {
        Self {
            within: config.within_steps.unwrap_or(1),
            config,
            bound: None,
        }
    }

    fn covers(&self, group: &str) -> bool {
        self.config.groups.is_empty() || self.config.groups.iter().any(|name| name == group)
    }

    /// The step from which an agent fails.
    fn draw(&self, word: u64) -> u32 {
        if uniform(word) >= self.config.probability {
            return u32::MAX;
        }
        ((u128::from(mix64(word)) * u128::from(self.within)) >> 64) as u32
    }
}

impl WorldWrapper for FailAgents {
    fn compose(&mut self, spec: EnvironmentSpec) -> Result<EnvironmentSpec> {
        let names = || spec.groups.iter().map(|group| group.name.as_str());
        if let Some(unknown) = self
            .config
            .groups
            .iter()
            .find(|name| !names().any(|known| known == *name))
        {
            let known = names().collect::<Vec<_>>().join(", ");
            return Err(Error::config(format!(
                "/groups: expected names among {known}, found {unknown}"
            )));
        }
        if let Some(group) = spec
            .groups
            .iter()
            .find(|group| self.covers(&group.name) && group.no_op.is_none())
        {
            return Err(Error::config(format!(
                "expected a no-op action of group {}, found none",
                group.name
            )));
        }
        self.within = match (self.config.within_steps, spec.max_episode_steps) {
            (Some(0), _) => return Err(Error::config("/within_steps: expected 1 ≤ x, found 0")),
            (Some(steps), _) | (None, Some(steps)) => steps,
            (None, None) => {
                return Err(Error::config(
                    "/within_steps: expected a number, as the environment has no step limit, found none",
                ));
            }
        };
        Ok(spec)
    }

    fn bind(&mut self, spec: &EnvironmentSpec, slabs: &Slabs, place: &Place, position: usize) {
        let n = place.range.len();
        let mut before = 0;
        let mut groups = Vec::new();
        for (g, group) in spec.groups.iter().enumerate() {
            if let Some(no_op) = group.no_op.clone().filter(|_| self.covers(&group.name)) {
                let actions = GroupActions::new(g, group, slabs);
                groups.push(Group {
                    actions,
                    no_op,
                    before,
                    fails_at: vec![u32::MAX; n * group.agents],
                });
            }
            before += group.agents;
        }
        let of = |id| slabs.key(id, NO_GROUP);
        self.bound = of(id::FIRST)
            .zip(slabs.key(id::EPISODE, NO_GROUP))
            .zip(slabs.key(id::STEP, NO_GROUP))
            .map(|((first, episode), step)| Bound {
                noise: Noise::new(place, position),
                first,
                episode,
                step,
                groups,
            });
    }

    fn before_step(&mut self, shard: &mut ShardMut<'_>, read: usize) -> Result<()> {
        let Some(mut bound) = self.bound.take() else {
            return Ok(());
        };
        for instance in 0..shard.range().len() {
            let step = shard.rows(bound.step, read)[instance];
            if shard.rows(bound.first, read)[instance] != 0 {
                let key = bound
                    .noise
                    .row(instance, shard.rows(bound.episode, read)[instance], 0);
                for group in &mut bound.groups {
                    for agent in 0..group.actions.agents {
                        let row = instance * group.actions.agents + agent;
                        group.fails_at[row] = self.draw(word(key, group.before + agent));
                    }
                }
            }
            for group in &bound.groups {
                for row in group.rows(instance) {
                    if step >= group.fails_at[row] {
                        group.actions.write(shard, read, row, &group.no_op);
                    }
                }
            }
        }
        self.bound = Some(bound);
        Ok(())
    }

    fn save(&self, instance: usize) -> Value {
        let groups = self.bound.iter().flat_map(|bound| &bound.groups);
        let group = |group: &Group| json!({ "fails_at": exact::save(&group.fails_at[group.rows(instance)]) });
        json!({ "groups": groups.map(group).collect::<Value>() })
    }

    fn load(&mut self, instance: usize, saved: &Value) -> Result<()> {
        let Some(bound) = &mut self.bound else {
            return Ok(());
        };
        let groups = exact::elements(saved, "groups", bound.groups.len())?;
        for (group, saved) in bound.groups.iter_mut().zip(groups) {
            let rows = group.rows(instance);
            exact::load(saved, "fails_at", &mut group.fails_at[rows])?;
        }
        Ok(())
    }
}

impl Group {
    /// The agents of an instance.
    fn rows(&self, instance: usize) -> Range<usize> {
        instance * self.actions.agents..(instance + 1) * self.actions.agents
    }
}
