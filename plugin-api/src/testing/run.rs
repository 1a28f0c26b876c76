//! A batch driven by a random policy, two slots in turn, with garbage in whatever must be written.

use std::ops::Range;

use serde_json::{Value, json};

use super::{
    check::{Stop, Trial, skipped},
    rows::{At, Column, Garbage, columns, spoil},
};
use crate::{
    abi::{NO_GROUP, id},
    client::{EnvironmentBatch, MakeEnvironment, RandomPolicy, SlabElement},
    rng::purpose,
    spec::{EnvironmentSpec, Space},
};

/// How to start a [`Run`].
#[derive(Clone)]
pub(super) struct Setup {
    pub(super) config: Value,
    pub(super) run_seed: u64,
    pub(super) first_instance: u64,
    pub(super) instances: usize,
    pub(super) shards: usize,
    pub(super) policy_seed: u64,
    pub(super) garbage: Garbage,
}

impl Setup {
    /// `instances` in one shard with the seed of the trial.
    pub(super) fn of(trial: &Trial<'_>, instances: usize) -> Self {
        Self {
            config: trial.subject.config.clone(),
            run_seed: trial.seed,
            first_instance: 0,
            instances,
            shards: 1,
            policy_seed: trial.seed,
            garbage: Garbage::Nan(0xa5),
        }
    }

    /// Makes the batch and resets it.
    pub(super) fn start(&self, trial: &Trial<'_>) -> Result<Run, Stop> {
        let what = MakeEnvironment {
            config: self.config.clone(),
            first_instance: self.first_instance,
            instances: self.instances,
            ..trial.subject.request(self.run_seed)
        };
        let mut batch =
            EnvironmentBatch::new(&what, self.shards, 2, |part| trial.subject.make(part))?;
        let columns = columns(&batch);
        let ranges = batch.shards_mut().map(|s| s.range()).collect();
        // Actions do not depend on the seed of the environment, nor on its first instance.
        let policy = RandomPolicy::new(batch.spec(), batch.slabs(), self.policy_seed, 0)
            .with_purpose(purpose::CHECK);
        spoil(&mut batch, &columns, 0, self.garbage);
        batch.reset(&json!({}), 0)?;
        let waiting = vec![0; self.instances];
        Ok(Run {
            batch,
            columns,
            ranges,
            policy,
            garbage: self.garbage,
            slot: 0,
            time: 0,
            waiting,
        })
    }
}

/// A running batch.
pub(super) struct Run {
    pub(super) batch: EnvironmentBatch,
    pub(super) columns: Vec<Column>,
    ranges: Vec<Range<usize>>,
    policy: RandomPolicy,
    garbage: Garbage,
    /// Slot that was written last.
    pub(super) slot: usize,
    /// Steps so far; the actions follow from it.
    pub(super) time: u64,
    /// Instances that wait for `reset` (flag `manual_reset`).
    waiting: Vec<u8>,
}

/// What a run is besides the batch.
#[derive(Clone)]
pub(super) struct Place {
    policy: RandomPolicy,
    pub(super) slot: usize,
    time: u64,
    waiting: Vec<u8>,
}

impl Run {
    pub(super) fn spec(&self) -> &EnvironmentSpec {
        self.batch.spec()
    }

    pub(super) fn instances(&self) -> usize {
        self.batch.instances()
    }

    /// Rows of a slab at the current slot; empty when there is no such slab.
    pub(super) fn rows<T: SlabElement>(&self, id: u32, group: u32) -> &[T] {
        self.batch
            .slabs()
            .key(id, group)
            .map_or(&[], |key| self.batch.rows(key, self.slot))
    }

    /// A flag per instance at the current slot.
    pub(super) fn flags(&self, id: u32) -> &[u8] {
        self.rows(id, NO_GROUP)
    }

    /// A flag per agent of a group at the current slot; `absent` for all when there is no such slab.
    pub(super) fn agent_flags(&self, id: u32, group: usize, absent: u8) -> Vec<u8> {
        let agents = self.spec().groups[group].agents;
        match self.rows::<u8>(id, group as u32) {
            [] => vec![absent; self.instances() * agents],
            flags => flags.to_vec(),
        }
    }

    /// Starts new episodes everywhere.
    pub(super) fn reset(&mut self) -> Result<(), Stop> {
        self.slot = 1 - self.slot;
        spoil(&mut self.batch, &self.columns, self.slot, self.garbage);
        self.waiting.fill(0);
        Ok(self.batch.reset(&json!({}), self.slot)?)
    }

    /// Starts new episodes where the mask is not 0; the other rows stay.
    pub(super) fn reset_where(&mut self, mask: &[u8]) -> Result<(), Stop> {
        let slot = self.slot;
        for mut shard in self.batch.shards_mut() {
            let range = shard.range();
            shard.restart(&mask[range], slot)?;
        }
        self.waiting
            .iter_mut()
            .zip(mask)
            .filter(|(_, m)| **m != 0)
            .for_each(|(w, _)| *w = 0);
        Ok(())
    }

    /// Where this run is; see [`go_on`](Self::go_on).
    pub(super) fn place(&self) -> Place {
        Place {
            policy: self.policy.clone(),
            slot: self.slot,
            time: self.time,
            waiting: self.waiting.clone(),
        }
    }

    /// Goes on from the place of another run, whose rows have been restored there.
    pub(super) fn go_on(&mut self, place: &Place) {
        let Place {
            policy,
            slot,
            time,
            waiting,
        } = place.clone();
        (self.policy, self.slot, self.time, self.waiting) = (policy, slot, time, waiting);
    }

    /// Random actions at the current slot; resets what waits for it first.
    pub(super) fn act(&mut self) -> Result<(), Stop> {
        if self.waiting.contains(&1) {
            let mask = self.waiting.clone();
            self.reset_where(&mask)?;
        }
        let (policy, slot, time) = (&mut self.policy, self.slot, self.time);
        for mut shard in self.batch.shards_mut() {
            if let Err(e) = policy.fill(&mut shard, slot, time) {
                return skipped(format!("{e}; see action-mask-valid"));
            }
        }
        Ok(())
    }

    /// Steps with the actions of the current slot.
    pub(super) fn advance(&mut self) -> Result<(), Stop> {
        let (read, write) = (self.slot, 1 - self.slot);
        spoil(&mut self.batch, &self.columns, write, self.garbage);
        self.batch.step(read, write)?;
        self.slot = write;
        self.time += 1;
        if self.spec().flags.manual_reset {
            let over: Vec<u8> = (0..self.instances())
                .map(|i| u8::from(self.is_over(i)))
                .collect();
            self.waiting = over;
        }
        Ok(())
    }

    /// A step with random actions.
    pub(super) fn step(&mut self) -> Result<(), Stop> {
        self.act()?;
        self.advance()
    }

    /// Whether the instance has ended and waits for a reset.
    pub(super) fn is_waiting(&self, instance: usize) -> bool {
        self.waiting[instance] != 0
    }

    /// Whether an episode of the instance ended in the last step.
    pub(super) fn is_over(&self, instance: usize) -> bool {
        self.flags(id::TERMINATED)[instance] == 1 || self.flags(id::TRUNCATED)[instance] == 1
    }

    /// What the lists say of the last step: instances and their entries.
    pub(super) fn ended(&self) -> Result<Vec<(usize, usize)>, Stop> {
        let counts = self.rows::<u32>(id::ENDED_COUNT, NO_GROUP);
        let rows = self.rows::<u32>(id::ENDED_ROW, NO_GROUP);
        let mut ended = Vec::new();
        for range in &self.ranges {
            let count = counts[range.start] as usize;
            if count > range.len() {
                return Err(Stop::Failed(format!(
                    "ended count: expected at most {}, found {count}",
                    range.len()
                )));
            }
            let listed = rows.iter().enumerate().skip(range.start).take(count);
            for (entry, &row) in listed {
                let row = row as usize;
                if row >= range.len() {
                    return Err(Stop::Failed(format!(
                        "ended row: expected less than {}, found {row}",
                        range.len()
                    )));
                }
                ended.push((range.start + row, entry));
            }
        }
        Ok(ended)
    }

    /// Where instance `i` of this run and `j` of another differ in the slabs that `which` accepts, entries of
    /// lists excepted.
    pub(super) fn difference(
        &self,
        i: usize,
        other: &Self,
        j: usize,
        which: fn(u32) -> bool,
    ) -> Option<String> {
        let columns = self
            .columns
            .iter()
            .filter(|c| !c.layout.ended && which(c.layout.id));
        let here = At(&self.batch, self.slot, i);
        columns
            .map(|c| c.difference(here, At(&other.batch, other.slot, j)))
            .find(Option::is_some)
            .flatten()
    }

    /// As [`difference`](Self::difference) for all slabs, entries of lists included.
    pub(super) fn full_difference(
        &self,
        i: usize,
        other: &Self,
        j: usize,
    ) -> Result<Option<String>, Stop> {
        if let Some(found) = self.difference(i, other, j, |_| true) {
            return Ok(Some(found));
        }
        let entry =
            |ended: Vec<(usize, usize)>, i| ended.into_iter().find(|e| e.0 == i).map(|e| e.1);
        if self.time == 0 || !self.is_over(i) {
            return Ok(None);
        }
        let (Some(a), Some(b)) = (entry(self.ended()?, i), entry(other.ended()?, j)) else {
            return Ok(None);
        };
        let lists = self
            .columns
            .iter()
            .filter(|c| c.layout.ended && c.layout.id > id::ENDED_ROW);
        let (here, there) = (
            At(&self.batch, self.slot, a),
            At(&other.batch, other.slot, b),
        );
        Ok(lists
            .map(|c| c.difference(here, there))
            .find(Option::is_some)
            .flatten())
    }
}

/// Steps two runs side by side and says where the first difference of any instance is.
pub(super) fn lockstep(a: &mut Run, b: &mut Run, steps: u32) -> Result<Option<String>, Stop> {
    for step in 0..=steps {
        if step > 0 {
            a.step()?;
            b.step()?;
        }
        for i in 0..a.instances() {
            if let Some(found) = a.full_difference(i, b, i)? {
                return Ok(Some(format!("step {}, instance {i}: {found}", a.time)));
            }
        }
    }
    Ok(None)
}

/// Skips a check that compares with a copy when copies differ anyway.
pub(super) fn must_repeat(trial: &Trial<'_>, setup: &Setup, steps: u32) -> Result<(), Stop> {
    let (mut a, mut b) = (setup.start(trial)?, setup.start(trial)?);
    if !a.spec().flags.deterministic {
        return skipped("the spec says that episodes are not deterministic");
    }
    match lockstep(&mut a, &mut b, steps)? {
        Some(found) => skipped(format!(
            "episodes do not repeat ({found}); see reset- and episode-determinism"
        )),
        None => Ok(()),
    }
}

/// The limit that short episodes are given where the configuration allows it.
pub(super) const SHORT: u32 = 7;

/// The configuration with episodes of [`SHORT`] steps, if the environment takes `max_episode_steps`.
pub(super) fn short_episodes(trial: &Trial<'_>) -> Option<Value> {
    let mut config = trial.subject.config.clone();
    config
        .as_object_mut()?
        .insert("max_episode_steps".into(), SHORT.into());
    let what = MakeEnvironment {
        config: config.clone(),
        ..trial.subject.request(trial.seed)
    };
    trial.subject.make(&what).is_ok().then_some(config)
}

/// Says why a value of a slab cannot be in a space.
pub(super) fn outside(space: &Space, component: usize, value: f32) -> Option<String> {
    if value.is_nan() {
        return Some(format!(
            "component {component}: expected a number, found NaN or nothing written"
        ));
    }
    let (low, high) = space.bounds_of(component);
    let number = f64::from(value);
    // Bounds are f64, slabs f32: a bound itself may round outwards.
    let inside = (number >= low || value == low as f32) && (number <= high || value == high as f32);
    if !inside || value.is_infinite() {
        return Some(format!(
            "component {component}: expected {low} ≤ x ≤ {high}, found {value}"
        ));
    }
    if !space.is_box() && value.fract() != 0.0 {
        return Some(format!(
            "component {component}: expected a whole number, found {value}"
        ));
    }
    None
}
