//! Episodes: seeds, steps, time limits, returns, metrics, final observations and resets.

use std::ops::Range;

use serde_json::Value;

use super::{
    memory::{GroupMemory, Memory, Outputs},
    short::{copy, fill},
};
use crate::{
    batch::BatchEnvironment,
    environment::{Observe, ResetOptions},
    error::Result,
    layout::ends_per_agent,
    rng::{EnvRng, InstanceStreams, key, purpose},
    spec::{Aggregate, EnvironmentSpec},
};

/// Instances that are searched for ended episodes at once.
const LANES: usize = 32;

/// The books of one batch.
pub(crate) struct Accounting {
    pub(crate) first_instance: u64,
    run_seed: u64,
    purpose: u64,
    /// Where the generators of each instance's episodes come from.
    streams: Vec<InstanceStreams>,
    /// Number of the next episode of each instance.
    pub(crate) next_episode: Vec<u64>,
    /// Steps since the episode of each instance began.
    pub(crate) steps: Vec<u32>,
    /// Aggregates of the metrics, `[n · metrics]`.
    pub(crate) metrics: Vec<f64>,
    /// Options of each instance for its next resets.
    pub(crate) options: Vec<Option<Value>>,
    /// 1 where an ended instance waits for `reset` (flag `manual_reset`); empty without the flag.
    pub(crate) waiting: Vec<u8>,
    aggregates: Vec<Aggregate>,
    max_steps: u32,
    per_agent: bool,
    turn_based: bool,
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
            next_episode: vec![0; instances],
            steps: vec![0; instances],
            metrics: vec![0.0; instances * spec.metrics.len()],
            options: vec![None; instances],
            waiting: if spec.flags.manual_reset {
                vec![0; instances]
            } else {
                Vec::new()
            },
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

    /// Clears what a step writes.
    #[inline(always)]
    pub(crate) fn prepare(&mut self, out: &mut Outputs, write: usize) {
        for (g, group) in out.groups.iter_mut().enumerate() {
            group.exact_rewards.fill(0.0);
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
        out.terminated.slot_mut(write).fill(0);
        out.truncated.slot_mut(write).fill(0);
        out.metrics.slot_mut(write).fill(0.0);
    }

    /// Adds rewards to returns, applies the time limit and writes the counters, for all instances.
    #[inline(always)]
    pub(crate) fn count(&mut self, out: &mut Outputs, write: usize) {
        for group in &mut out.groups {
            let rewards = group
                .reward
                .slot_mut(write)
                .iter_mut()
                .zip(&group.exact_rewards);
            for ((reward, exact), sum) in rewards.zip(&mut group.returns) {
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
            .zip(&self.next_episode)
        {
            *written = next - 1;
        }
        out.first.slot_mut(write).fill(0);
        let adds = |aggregate: &Aggregate| matches!(aggregate, Aggregate::Sum | Aggregate::Mean);
        if self.aggregates.iter().all(adds) {
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
        for ((sums, values), &steps) in rows.zip(&self.steps) {
            for ((sum, &value), aggregate) in sums.iter_mut().zip(values).zip(&self.aggregates) {
                let value = f64::from(value);
                match aggregate {
                    Aggregate::Sum | Aggregate::Mean => *sum += value,
                    Aggregate::Last => *sum = value,
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

    /// Lists the episodes that ended at slot `write` and starts the next ones.
    #[inline(always)]
    pub(crate) fn finish<E: BatchEnvironment>(
        &mut self,
        env: &mut E,
        memory: &mut Memory,
        rngs: &mut [EnvRng],
        write: usize,
    ) -> Result<()> {
        let instances = memory.instances;
        let mut ended = 0;
        for start in (0..instances).step_by(LANES) {
            let lanes = start..instances.min(start + LANES);
            let (over, count) = over(&memory.out, write, lanes);
            for &lane in &over[..count] {
                let i = start + usize::from(lane);
                if self.waiting.get(i) == Some(&1) {
                    continue;
                }
                self.list(&mut memory.out, write, i, ended);
                ended += 1;
                match self.waiting.get_mut(i) {
                    Some(waits) => *waits = 1,
                    None => self.begin(env, &mut memory.out, rngs, i, write, None)?,
                }
            }
        }
        memory.out.ended_count.slot_mut(write)[0] = ended as u32;
        Ok(())
    }

    /// Copies what is known of an ended episode into entry `entry` of the lists.
    #[inline(never)]
    fn list(&self, out: &mut Outputs, write: usize, instance: usize, entry: usize) {
        for group in &mut out.groups {
            let GroupMemory {
                agents,
                observation,
                final_observation,
                pixels,
                final_pixels,
                ..
            } = group;
            copy(
                final_observation.instance_mut(write, entry),
                observation.instance(write, instance),
            );
            copy(
                final_pixels.instance_mut(write, entry),
                pixels.instance(write, instance),
            );
            copy(
                group.final_mask.instance_mut(write, entry),
                group.mask.instance(write, instance),
            );
            let rows = instance * *agents..(instance + 1) * *agents;
            if self.per_agent {
                copy(
                    group.final_alive.instance_mut(write, entry),
                    &group.living[rows.clone()],
                );
            }
            copy(
                group.episode_return.instance_mut(write, entry),
                &group.returns[rows],
            );
        }
        copy(
            out.final_state.instance_mut(write, entry),
            out.state.instance(write, instance),
        );
        out.ended_row.slot_mut(write)[entry] = instance as u32;
        out.episode_length.slot_mut(write)[entry] = self.steps[instance];
        let width = self.aggregates.len();
        let sums = &self.metrics[instance * width..(instance + 1) * width];
        let totals = out
            .episode_metrics
            .instance_mut(write, entry)
            .iter_mut()
            .zip(sums);
        for ((total, sum), aggregate) in totals.zip(&self.aggregates) {
            let mean = *aggregate == Aggregate::Mean;
            *total = if mean {
                sum / f64::from(self.steps[instance].max(1))
            } else {
                *sum
            };
        }
    }

    /// Starts the next episode of one instance and writes its rows at slot `write`.
    #[inline(never)]
    pub(crate) fn begin<E: BatchEnvironment>(
        &mut self,
        env: &mut E,
        out: &mut Outputs,
        rngs: &mut [EnvRng],
        instance: usize,
        write: usize,
        init: Option<&Value>,
    ) -> Result<()> {
        let episode = self.next_episode[instance];
        rngs[instance] = self.streams[instance].episode(episode);
        self.next_episode[instance] = episode + 1;
        self.steps[instance] = 0;
        let width = self.aggregates.len();
        fill(
            &mut self.metrics[instance * width..(instance + 1) * width],
            0.0,
        );
        for group in &mut out.groups {
            let rows = instance * group.agents..(instance + 1) * group.agents;
            fill(&mut group.returns[rows.clone()], 0.0);
            fill(&mut group.living[rows], 1);
            fill(group.mask.instance_mut(write, instance), 1);
            if self.turn_based {
                fill(group.acting.instance_mut(write, instance), 0);
            }
        }
        let options = ResetOptions::new(init, self.options[instance].as_ref());
        env.reset(
            instance,
            &mut rngs[instance],
            &options,
            &mut Observe {
                out,
                slot: write,
                instance,
            },
        )?;
        if self.per_agent {
            for group in &mut out.groups {
                let rows = instance * group.agents..(instance + 1) * group.agents;
                let living = &group.living[rows];
                copy(group.alive.instance_mut(write, instance), living);
                copy(group.agent_first.instance_mut(write, instance), living);
            }
        }
        out.first.slot_mut(write)[instance] = 1;
        out.episode.slot_mut(write)[instance] = episode;
        out.step.slot_mut(write)[instance] = 0;
        Ok(())
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

/// Which of up to 32 instances have ended at slot `write`, as offsets, and how many. Free of branches that
/// depend on a single instance: which one ends cannot be predicted.
#[inline(always)]
fn over(out: &Outputs, write: usize, lanes: Range<usize>) -> ([u8; LANES], usize) {
    let (mut found, mut count) = ([0; LANES], 0);
    let terminated = &out.terminated.slot(write)[lanes.clone()];
    let truncated = &out.truncated.slot(write)[lanes];
    let flags = || terminated.iter().zip(truncated);
    if flags().fold(0, |any, (a, b)| any | a | b) != 0 {
        for (lane, (a, b)) in flags().enumerate().take(LANES) {
            found[count % LANES] = lane as u8;
            count += usize::from(a | b != 0);
        }
    }
    (found, count)
}
