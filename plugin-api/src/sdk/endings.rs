//! Episodes that end: the lists of them, and the starts of the next.
//!
//! Everything goes column by column over all that ended in the step: a pass over one column costs a fraction of as many
//! visits to ten columns, and in games of a few rounds this is most of the time.

use std::ops::Range;

use serde_json::Value;

use super::{
    Accounting,
    columns::{fill, gather},
    memory::{Memory, Outputs},
};
use crate::{
    batch::{BatchEnvironment, BatchStep, as_range},
    environment::{Observe, ResetOptions},
    error::Result,
    rng::EnvRng,
    spec::Aggregate,
};

/// Instances that are searched for ended episodes at once.
const LANES: usize = 32;

impl Accounting {
    /// Lists the episodes that ended at slot `write` and starts the next ones.
    #[inline(always)]
    pub(crate) fn finish<E: BatchEnvironment>(
        &mut self,
        env: &mut E,
        memory: &mut Memory,
        rngs: &mut [EnvRng],
        write: usize,
    ) -> Result<()> {
        let mut rows = std::mem::take(&mut self.ended);
        self.find_ended(&memory.out, write, memory.instances, &mut rows);
        memory.out.ended_count.slot_mut(write)[0] = rows.len() as u32;
        let mut begun = Ok(());
        if !rows.is_empty() {
            self.list(&mut memory.out, write, &rows);
            if self.waiting.is_empty() {
                begun = self.begin(env, memory, rngs, &rows, write, None);
            } else {
                fill(&mut self.waiting, 1, &rows, 1);
            }
        }
        self.ended = rows;
        begun
    }

    /// Which instances have ended at slot `write`, but for those that wait already.
    #[inline(always)]
    fn find_ended(&self, out: &Outputs, write: usize, instances: usize, rows: &mut Vec<u32>) {
        rows.clear();
        for start in (0..instances).step_by(LANES) {
            let lanes = start..instances.min(start + LANES);
            let numbers = start as u32..lanes.end as u32;
            match over(out, write, lanes) {
                Over::Nobody => {}
                Over::All => rows.extend(numbers),
                Over::Some(lanes, count) => {
                    let number = |&lane: &u8| numbers.start + u32::from(lane);
                    rows.extend(lanes[..count].iter().map(number));
                }
            }
        }
        if !self.waiting.is_empty() {
            rows.retain(|&row| self.waiting[row as usize] == 0);
        }
    }

    /// Copies what is known of the ended episodes of `rows` into the lists, in their order.
    #[inline(never)]
    fn list(&self, out: &mut Outputs, write: usize, rows: &[u32]) {
        for group in &mut out.groups {
            macro_rules! list {
                ($($list:ident from $plane:ident),*) => {$(
                    let width = group.$plane.row();
                    gather(group.$list.slot_mut(write), group.$plane.slot(write), width, rows);
                )*};
            }
            list!(final_observation from observation, final_pixels from pixels, final_mask from mask);
            let agents = group.agents;
            if self.per_agent {
                gather(
                    group.final_alive.slot_mut(write),
                    &group.living,
                    agents,
                    rows,
                );
            }
            gather(
                group.episode_return.slot_mut(write),
                &group.returns,
                agents,
                rows,
            );
        }
        let width = out.state.row();
        gather(
            out.final_state.slot_mut(write),
            out.state.slot(write),
            width,
            rows,
        );
        out.ended_row.slot_mut(write)[..rows.len()].copy_from_slice(rows);
        gather(out.episode_length.slot_mut(write), &self.steps, 1, rows);
        self.list_metrics(out, write, rows);
    }

    fn list_metrics(&self, out: &mut Outputs, write: usize, rows: &[u32]) {
        let width = self.aggregates.len();
        let totals = out.episode_metrics.slot_mut(write);
        gather(totals, &self.metrics, width, rows);
        for (metric, aggregate) in self.aggregates.iter().enumerate() {
            let totals = totals[metric..].iter_mut().step_by(width).zip(rows);
            match aggregate {
                Aggregate::Sum | Aggregate::Max => {}
                Aggregate::Mean => totals.for_each(|(total, &row)| {
                    *total /= f64::from(self.steps[row as usize].max(1));
                }),
                Aggregate::Last => {
                    let last = &out.metrics.slot(write)[metric..];
                    totals.for_each(|(total, &row)| {
                        *total = f64::from(last[row as usize * width]);
                    });
                }
            }
        }
    }

    /// Starts the next episode of the instances of `rows` and writes their rows at slot `write`.
    #[inline(never)]
    pub(crate) fn begin<E: BatchEnvironment>(
        &mut self,
        env: &mut E,
        memory: &mut Memory,
        rngs: &mut [EnvRng],
        rows: &[u32],
        write: usize,
        init: Option<&Value>,
    ) -> Result<()> {
        if env.draws() {
            for &row in rows {
                let instance = row as usize;
                rngs[instance] = self.streams[instance].episode(self.next_episode[instance]);
            }
        }
        self.open(&mut memory.out, rows, write);
        let unasked = init.is_none() && !self.has_options;
        if !(unasked && env.restart(rows, &mut self.at_once(memory, rngs, write))) {
            for &row in rows {
                let instance = row as usize;
                let options = ResetOptions::new(init, self.options[instance].as_ref());
                let mut observe = Observe {
                    out: &mut memory.out,
                    slot: write,
                    instance,
                };
                env.reset(instance, &mut rngs[instance], &options, &mut observe)?;
            }
        }
        if self.per_agent {
            self.begin_agents(&mut memory.out, rows, write);
        }
        Ok(())
    }

    /// The arrays of slot `write`, for resets of many instances.
    fn at_once<'a>(
        &'a self,
        memory: &'a mut Memory,
        rngs: &'a mut [EnvRng],
        write: usize,
    ) -> BatchStep<'a> {
        BatchStep {
            memory,
            rngs,
            read: write,
            write,
            waiting: &self.waiting,
        }
    }

    /// Whoever lives at the start of an episode has its first observation there.
    fn begin_agents(&self, out: &mut Outputs, rows: &[u32], write: usize) {
        for group in &mut out.groups {
            for instance in rows.iter().map(|&row| row as usize) {
                let agents = instance * group.agents..(instance + 1) * group.agents;
                let living = &group.living[agents];
                for plane in [&mut group.alive, &mut group.agent_first] {
                    plane.instance_mut(write, instance).copy_from_slice(living);
                }
            }
        }
    }

    /// Opens the books of the next episodes of `rows`.
    fn open(&mut self, out: &mut Outputs, rows: &[u32], write: usize) {
        let (episodes, next) = (out.episode.slot_mut(write), &mut self.next_episode);
        match as_range(rows) {
            Some(range) => {
                for (episode, next) in episodes[range.clone()].iter_mut().zip(&mut next[range]) {
                    *episode = *next;
                    *next += 1;
                }
            }
            None => {
                for row in rows.iter().map(|&row| row as usize) {
                    episodes[row] = next[row];
                    next[row] += 1;
                }
            }
        }
        fill(&mut self.steps, 1, rows, 0);
        fill(&mut self.metrics, self.aggregates.len(), rows, 0.0);
        for group in &mut out.groups {
            fill(&mut group.returns, group.agents, rows, 0.0);
            fill(&mut group.living, group.agents, rows, 1);
            let width = group.mask.row();
            fill(group.mask.slot_mut(write), width, rows, 1);
            if self.turn_based {
                fill(group.acting.slot_mut(write), group.agents, rows, 0);
            }
        }
        fill(out.first.slot_mut(write), 1, rows, 1);
        fill(out.step.slot_mut(write), 1, rows, 0);
    }
}

/// Which of up to 32 instances have ended.
enum Over {
    Nobody,
    All,
    /// So many of them, by their offsets.
    Some([u8; LANES], usize),
}

/// Which of up to 32 instances have ended at slot `write`. Free of branches that depend on a single instance: which one
/// ends cannot be predicted.
#[inline(always)]
fn over(out: &Outputs, write: usize, lanes: Range<usize>) -> Over {
    let terminated = &out.terminated.slot(write)[lanes.clone()];
    let truncated = &out.truncated.slot(write)[lanes];
    let flags = || terminated.iter().zip(truncated).map(|(a, b)| a | b != 0);
    let ended = flags().map(u8::from).sum::<u8>();
    if ended == 0 {
        return Over::Nobody;
    }
    if usize::from(ended) == terminated.len() {
        return Over::All;
    }
    let (mut found, mut count) = ([0; LANES], 0);
    for (lane, ended) in flags().enumerate().take(LANES) {
        found[count % LANES] = lane as u8;
        count += usize::from(ended);
    }
    Over::Some(found, count)
}
