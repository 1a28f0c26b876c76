//! The books of episodes: seeds, steps, time limits, returns and metrics. What happens at their ends is in `endings`.

use serde_json::Value;

use super::{
    aligned::Aligned,
    memory::{GroupMemory, Outputs},
};
use crate::{
    layout::ends_per_agent,
    rng::{EnvRng, InstanceStreams, key, purpose},
    spec::{Aggregate, EnvironmentSpec},
};

/// The books of one batch.
pub(crate) struct Accounting {
    pub(crate) first_instance: u64,
    run_seed: u64,
    purpose: u64,
    /// Where the generators of each instance's episodes come from.
    pub(super) streams: Vec<InstanceStreams>,
    /// Number of the next episode of each instance.
    pub(crate) next_episode: Aligned<u64>,
    /// Steps since the episode of each instance began.
    pub(crate) steps: Aligned<u32>,
    /// Aggregates of the metrics, `[n · metrics]`.
    pub(crate) metrics: Aligned<f64>,
    /// Options of each instance for its next resets.
    pub(super) options: Vec<Option<Value>>,
    /// Whether any instance ever had options.
    pub(super) has_options: bool,
    /// 1 where an ended instance waits for `reset` (flag `manual_reset`); empty without the flag.
    pub(crate) waiting: Vec<u8>,
    /// Instances whose episodes ended in the last step; kept for its memory.
    pub(super) ended: Vec<u32>,
    pub(super) aggregates: Vec<Aggregate>,
    max_steps: u32,
    pub(super) per_agent: bool,
    pub(super) turn_based: bool,
    respawn: bool,
    /// Who lived before the step (flag `respawn`), per group.
    lived: Vec<Vec<u8>>,
}

impl Accounting {
    pub(crate) fn new(spec: &EnvironmentSpec, instances: usize, seeds: (u64, u64, u64)) -> Self {
        let (run_seed, first_instance, purpose) = seeds;
        let global = first_instance..first_instance + instances as u64;
        Self {
            first_instance,
            run_seed,
            purpose,
            streams: global
                .map(|instance| InstanceStreams::new(run_seed, instance, purpose))
                .collect(),
            next_episode: Aligned::new(0, instances),
            steps: Aligned::new(0, instances),
            metrics: Aligned::new(0.0, instances * spec.metrics.len()),
            options: vec![None; instances],
            has_options: false,
            waiting: if spec.flags.manual_reset {
                vec![0; instances]
            } else {
                Vec::new()
            },
            ended: Vec::with_capacity(instances),
            aggregates: spec.metrics.iter().map(|m| m.aggregate).collect(),
            max_steps: spec.max_episode_steps.unwrap_or(u32::MAX),
            per_agent: ends_per_agent(spec),
            turn_based: spec.flags.turn_based,
            respawn: spec.flags.respawn,
            lived: spec
                .groups
                .iter()
                .map(|g| vec![0; instances * g.agents])
                .collect(),
        }
    }

    /// Whether ended instances wait for `reset` from now on.
    pub(crate) fn set_manual_reset(&mut self, manual: bool) {
        self.waiting = vec![0; if manual { self.steps.len() } else { 0 }];
    }

    /// Options of one instance for its next resets.
    pub(crate) fn set_options(&mut self, instance: usize, options: Option<Value>) {
        self.has_options |= options.is_some();
        self.options[instance] = options;
    }

    /// Whether every instance has begun an episode.
    pub(crate) fn all_begun(&self) -> bool {
        self.next_episode.iter().all(|&e| e > 0)
    }

    /// The generator of the scripted baseline of one instance at its present step; none before an episode.
    pub(crate) fn scripted_rng(&self, i: usize) -> Option<EnvRng> {
        let episode = self.next_episode[i].checked_sub(1)?;
        let (instance, step) = (self.first_instance + i as u64, u64::from(self.steps[i]));
        let seed = key(self.run_seed, instance, episode, step, self.purpose);
        Some(EnvRng::new(seed, instance, episode, purpose::SCRIPTED))
    }

    /// Clears what a step writes, but for what it writes anyway.
    #[inline(always)]
    pub(crate) fn prepare(&mut self, out: &mut Outputs, write: usize, writes_all: bool) {
        // In debug builds whoever does not write what it says it writes is found out.
        let unwritten = match (writes_all, cfg!(debug_assertions)) {
            (false, _) => Some(0.0),
            (true, true) => Some(f32::NAN),
            (true, false) => None,
        };
        for (g, group) in out.groups.iter_mut().enumerate() {
            if let Some(value) = unwritten {
                group.exact_rewards.fill(value.into());
            }
            if group.has_mask {
                group.mask.slot_mut(write).fill(1);
            }
            if self.turn_based {
                group.acting.slot_mut(write).fill(0);
            }
            if self.per_agent {
                group.agent_terminated.slot_mut(write).fill(0);
                group.agent_truncated.slot_mut(write).fill(0);
            }
            if self.respawn {
                self.lived[g].copy_from_slice(&group.living);
            }
        }
        out.truncated.slot_mut(write).fill(0);
        if let Some(value) = unwritten {
            let over = u8::from(value.is_nan());
            out.terminated.slot_mut(write).fill(over);
            out.metrics.slot_mut(write).fill(value);
        }
    }

    /// Adds rewards to returns, applies the time limit and writes the counters, for all instances.
    #[inline(always)]
    pub(crate) fn count(&mut self, out: &mut Outputs, write: usize) {
        for group in &mut out.groups {
            let rewards = group
                .reward
                .slot_mut(write)
                .iter_mut()
                .zip(&*group.exact_rewards);
            for ((reward, exact), sum) in rewards.zip(&mut *group.returns) {
                *reward = *exact as f32;
                *sum += *exact;
            }
        }
        let max_steps = self.max_steps;
        let flags = out
            .truncated
            .slot_mut(write)
            .iter_mut()
            .zip(out.terminated.slot(write));
        let counters = self.steps.iter_mut().zip(out.step.slot_mut(write));
        for ((truncated, terminated), (steps, written)) in flags.zip(counters) {
            *steps += 1;
            *written = *steps;
            *truncated = (*truncated | u8::from(*steps >= max_steps)) & (*terminated ^ 1);
        }
        for (written, next) in out
            .episode
            .slot_mut(write)
            .iter_mut()
            .zip(&*self.next_episode)
        {
            *written = next - 1;
        }
        out.first.slot_mut(write).fill(0);
        if self.aggregates.iter().all(|a| *a == Aggregate::Last) {
            // Nothing to keep: the end of an episode looks at the last values.
        } else if self.aggregates.iter().all(adds) {
            // One vectorised loop: no need to know which metric a value is of.
            for (sum, &value) in self.metrics.iter_mut().zip(out.metrics.slot(write)) {
                *sum += f64::from(value);
            }
        } else {
            self.aggregate(out, write);
        }
        if self.per_agent {
            for g in 0..out.groups.len() {
                self.count_agents(g, out, write);
            }
        }
    }

    #[inline(never)]
    fn aggregate(&mut self, out: &Outputs, write: usize) {
        let width = self.aggregates.len();
        let rows = self
            .metrics
            .chunks_exact_mut(width)
            .zip(out.metrics.slot(write).chunks_exact(width));
        for ((sums, values), &steps) in rows.zip(&*self.steps) {
            for ((sum, &value), aggregate) in sums.iter_mut().zip(values).zip(&self.aggregates) {
                let value = f64::from(value);
                match aggregate {
                    Aggregate::Sum | Aggregate::Mean => *sum += value,
                    Aggregate::Last => {}
                    Aggregate::Max if steps == 1 => *sum = value,
                    Aggregate::Max => *sum = sum.max(value),
                }
            }
        }
    }

    /// An episode that ends, ends for everybody who still lives.
    #[inline(never)]
    fn count_agents(&self, g: usize, out: &mut Outputs, write: usize) {
        let Outputs {
            groups,
            terminated,
            truncated,
            ..
        } = out;
        let GroupMemory {
            agents,
            agent_terminated,
            agent_truncated,
            agent_first,
            alive,
            living,
            ..
        } = &mut groups[g];
        let ends = terminated.slot(write).iter().zip(truncated.slot(write));
        for (instance, (&terminated, &truncated)) in ends.enumerate() {
            let rows = instance * *agents..(instance + 1) * *agents;
            for i in rows {
                let (own_end, cut) = (
                    agent_terminated.slot_mut(write),
                    agent_truncated.slot_mut(write),
                );
                // An agent may end and come back within one step.
                let returned =
                    living[i] != 0 && (self.lived[g][i] == 0 || own_end[i] | cut[i] != 0);
                agent_first.slot_mut(write)[i] = u8::from(self.respawn && returned);
                own_end[i] |= terminated & living[i];
                cut[i] |= truncated & living[i];
            }
        }
        alive.slot_mut(write).copy_from_slice(living);
    }

    /// Clears what only a step writes: after a reset that the host asked for.
    pub(crate) fn clear(&mut self, out: &mut Outputs, instance: usize, write: usize) {
        for group in &mut out.groups {
            group.reward.instance_mut(write, instance).fill(0.0);
            group.agent_terminated.instance_mut(write, instance).fill(0);
            group.agent_truncated.instance_mut(write, instance).fill(0);
        }
        out.terminated.slot_mut(write)[instance] = 0;
        out.truncated.slot_mut(write)[instance] = 0;
        out.metrics.instance_mut(write, instance).fill(0.0);
        out.ended_count.slot_mut(write)[0] = 0;
        if let Some(waits) = self.waiting.get_mut(instance) {
            *waits = 0;
        }
    }
}

/// Whether an episode adds a metric's values up.
fn adds(aggregate: &Aggregate) -> bool {
    matches!(aggregate, Aggregate::Sum | Aggregate::Mean)
}
