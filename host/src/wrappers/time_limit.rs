//! TimeLimit: truncates episodes earlier than the environment itself would.
//!
//! An episode that reaches the limit without ending in that step is listed like one that the environment
//! ends: final observation, mask, state, who was alive, returns and metrics; then its instance is reset.
//! Returns of these episodes are sums of the f32 rewards in the slab, where the environment's own are sums
//! of its f64 rewards.

use std::ops::Range;

use palaestra_plugin_api::{
    Result,
    abi::{NO_GROUP, id},
    client::{Key, ShardMut, Slabs},
    spec::{Aggregate, EnvironmentSpec},
};
use serde_json::{Value, json};

use super::WorldWrapper;
use crate::{
    exact,
    rollout::{EndedList, Place, Restart},
};

/// Settings of TimeLimit.
#[palaestra_plugin_api::config]
pub struct TimeLimitConfig {
    /// Steps after which an episode is truncated.
    #[config(default = 1000, range = 1..)]
    pub max_episode_steps: u32,
}

/// See the module.
pub struct TimeLimit {
    limit: u32,
    /// None where the environment's own limit is not longer.
    bound: Option<Bound>,
}

/// Memory of a shard.
struct Bound {
    ended: EndedList,
    restart: Restart,
    terminated: Key<u8>,
    truncated: Key<u8>,
    steps: Key<u32>,
    groups: Vec<Group>,
    metrics: Option<Metrics>,
}

struct Group {
    agents: usize,
    reward: Key<f32>,
    alive: Option<Key<u8>>,
    agent_terminated: Option<Key<u8>>,
    agent_truncated: Option<Key<u8>>,
    /// Rewards since the episode began, `[n · agents]`.
    returns: Vec<f64>,
}

struct Metrics {
    key: Key<f32>,
    aggregates: Vec<Aggregate>,
    /// Aggregates since the episode began, `[n · metrics]`.
    values: Vec<f64>,
}

impl TimeLimit {
    /// A limit for one shard.
    pub fn new(config: TimeLimitConfig) -> Self {
        Self {
            limit: config.max_episode_steps,
            bound: None,
        }
    }
}

impl WorldWrapper for TimeLimit {
    fn compose(&mut self, mut spec: EnvironmentSpec) -> Result<EnvironmentSpec> {
        let own = spec.max_episode_steps.unwrap_or(u32::MAX);
        spec.max_episode_steps = Some(own.min(self.limit));
        Ok(spec)
    }

    fn bind(&mut self, spec: &EnvironmentSpec, slabs: &Slabs, place: &Place, _: usize) {
        if spec.max_episode_steps.is_none_or(|own| own > self.limit) {
            self.bound = Bound::new(spec, slabs, place.range.len());
        }
    }

    fn after_reset(&mut self, _: &mut ShardMut<'_>, _: usize) {
        if let Some(bound) = &mut self.bound {
            bound
                .groups
                .iter_mut()
                .for_each(|group| group.returns.fill(0.0));
            bound
                .metrics
                .iter_mut()
                .for_each(|metrics| metrics.values.fill(0.0));
        }
    }

    fn after_step(&mut self, shard: &mut ShardMut<'_>, _: usize, write: usize) -> Result<()> {
        match &mut self.bound {
            Some(bound) => bound.after_step(shard, write, self.limit),
            None => Ok(()),
        }
    }

    fn save(&self, instance: usize) -> Value {
        let Some(bound) = &self.bound else {
            return Value::Null;
        };
        let returns =
            |group: &Group| json!({ "returns": exact::save(&group.returns[group.rows(instance)]) });
        let metrics = |metrics: &Metrics| exact::save(&metrics.values[metrics.rows(instance)]);
        json!({
            "groups": bound.groups.iter().map(returns).collect::<Value>(),
            "metrics": bound.metrics.as_ref().map(metrics),
        })
    }

    fn load(&mut self, instance: usize, saved: &Value) -> Result<()> {
        let Some(bound) = &mut self.bound else {
            return Ok(());
        };
        let groups = exact::elements(saved, "groups", bound.groups.len())?;
        for (group, saved) in bound.groups.iter_mut().zip(groups) {
            let rows = group.rows(instance);
            exact::load(saved, "returns", &mut group.returns[rows])?;
        }
        if let Some(metrics) = &mut bound.metrics {
            let rows = metrics.rows(instance);
            exact::load(saved, "metrics", &mut metrics.values[rows])?;
        }
        Ok(())
    }
}

impl Bound {
    fn new(spec: &EnvironmentSpec, slabs: &Slabs, n: usize) -> Option<Self> {
        let group = |(g, group): (usize, &palaestra_plugin_api::spec::GroupSpec)| {
            let g = g as u32;
            Some(Group {
                agents: group.agents,
                reward: slabs.key(id::REWARD, g)?,
                alive: slabs.key(id::ALIVE, g),
                agent_terminated: slabs.key(id::AGENT_TERMINATED, g),
                agent_truncated: slabs.key(id::AGENT_TRUNCATED, g),
                returns: vec![0.0; n * group.agents],
            })
        };
        let metrics = slabs.key(id::METRICS, NO_GROUP).map(|key| Metrics {
            key,
            aggregates: spec.metrics.iter().map(|m| m.aggregate).collect(),
            values: vec![0.0; n * spec.metrics.len()],
        });
        Some(Self {
            ended: EndedList::new(spec, slabs),
            restart: Restart::new(spec, slabs, n),
            terminated: slabs.key(id::TERMINATED, NO_GROUP)?,
            truncated: slabs.key(id::TRUNCATED, NO_GROUP)?,
            steps: slabs.key(id::STEP, NO_GROUP)?,
            groups: spec
                .groups
                .iter()
                .enumerate()
                .map(group)
                .collect::<Option<_>>()?,
            metrics,
        })
    }

    fn after_step(&mut self, shard: &mut ShardMut<'_>, write: usize, limit: u32) -> Result<()> {
        for group in &mut self.groups {
            let rewards = shard.rows(group.reward, write);
            group
                .returns
                .iter_mut()
                .zip(rewards)
                .for_each(|(sum, &reward)| *sum += f64::from(reward));
        }
        let mut late = false;
        let flags = shard
            .rows(self.terminated, write)
            .iter()
            .zip(shard.rows(self.truncated, write));
        let steps = shard.rows(self.steps, write);
        // Where an episode has ended, the counter is that of the next one.
        for (i, ((terminated, truncated), &steps)) in flags.zip(steps).enumerate() {
            let ended = terminated | truncated != 0;
            if !ended {
                if let Some(metrics) = &mut self.metrics {
                    metrics.add(shard, write, i, steps);
                }
                if steps >= limit {
                    self.restart.mask_mut()[i] = 1;
                    late = true;
                }
            }
        }
        let ended = self.ended.rows(shard)?;
        for &i in ended {
            self.groups
                .iter_mut()
                .for_each(|group| group.forget(i as usize));
        }
        if late {
            self.truncate(shard, write)
        } else {
            Ok(())
        }
    }

    /// Ends the marked episodes: flags, list, reset.
    fn truncate(&mut self, shard: &mut ShardMut<'_>, write: usize) -> Result<()> {
        let Self {
            ended,
            restart,
            truncated,
            steps,
            groups,
            metrics,
            ..
        } = self;
        for i in marked(restart.mask()) {
            shard.rows_mut(*truncated, write)[i] = 1;
            groups
                .iter()
                .for_each(|group| group.truncate(shard, write, i));
        }
        ended.insert(shard, restart.mask(), write, *steps, |shard, entry, i| {
            for (g, group) in groups.iter().enumerate() {
                let to = &mut ended.returns_mut(shard, g)[group.rows(entry)];
                to.copy_from_slice(&group.returns[group.rows(i)]);
            }
            if let Some(metrics) = metrics {
                let steps = ended.lengths(shard)[entry];
                let to = &mut ended.metrics_mut(shard)[metrics.rows(entry)];
                metrics.total(i, steps, to);
            }
        })?;
        for i in marked(restart.mask()) {
            groups.iter_mut().for_each(|group| group.forget(i));
        }
        restart.run(shard, write)
    }
}

fn marked(mask: &[u8]) -> impl Iterator<Item = usize> {
    mask.iter()
        .enumerate()
        .filter(|(_, marked)| **marked != 0)
        .map(|(i, _)| i)
}

impl Group {
    /// The agents of an instance.
    fn rows(&self, instance: usize) -> Range<usize> {
        instance * self.agents..(instance + 1) * self.agents
    }

    /// Forgets the returns of an instance whose episode has ended.
    fn forget(&mut self, instance: usize) {
        let rows = self.rows(instance);
        self.returns[rows].fill(0.0);
    }

    /// Marks every agent that still takes part as truncated.
    fn truncate(&self, shard: &mut ShardMut<'_>, write: usize, instance: usize) {
        let (Some(alive), Some(terminated), Some(truncated)) =
            (self.alive, self.agent_terminated, self.agent_truncated)
        else {
            return;
        };
        for row in self.rows(instance) {
            if shard.rows(alive, write)[row] != 0 && shard.rows(terminated, write)[row] == 0 {
                shard.rows_mut(truncated, write)[row] = 1;
            }
        }
    }
}

impl Metrics {
    /// The metrics of an instance.
    fn rows(&self, instance: usize) -> Range<usize> {
        let n = self.aggregates.len();
        instance * n..(instance + 1) * n
    }

    /// Adds the values of a step that has not ended the episode; the first one starts anew.
    fn add(&mut self, shard: &ShardMut<'_>, write: usize, instance: usize, steps: u32) {
        let rows = self.rows(instance);
        let values = &shard.rows(self.key, write)[rows.clone()];
        let sums = &mut self.values[rows];
        for ((sum, &value), aggregate) in sums.iter_mut().zip(values).zip(&self.aggregates) {
            let value = f64::from(value);
            *sum = match aggregate {
                _ if steps == 1 => value,
                Aggregate::Sum | Aggregate::Mean => *sum + value,
                Aggregate::Last => value,
                Aggregate::Max => sum.max(value),
            };
        }
    }

    fn total(&self, instance: usize, steps: u32, to: &mut [f64]) {
        let sums = &self.values[self.rows(instance)];
        for ((to, sum), aggregate) in to.iter_mut().zip(sums).zip(&self.aggregates) {
            *to = if *aggregate == Aggregate::Mean {
                sum / f64::from(steps.max(1))
            } else {
                *sum
            };
        }
    }
}
