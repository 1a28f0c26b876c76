//! Vectorised rollouts: many instances, cut into shards, stepped fragment by fragment.
//!
//! A fragment is time-major: actions at slot `t` lead to everything else at slot `t + 1`, and the last
//! slot of one fragment is the first of the next. Each shard runs its whole fragment on one thread, so
//! that its rows stay in that core's cache and threads meet once per fragment only. Inside a fragment
//! nothing is allocated and nothing is locked.
//!
//! Seeds, noise and statistics follow the global index of an instance: the number of threads and shards
//! changes no byte.

mod columns;
mod double;
mod ended;
mod episodes;
mod finite;
mod lane;
mod moments;
mod place;
mod plan;
mod policy;
mod report;
mod restart;
mod saved;
mod statistics;
mod throughput;
mod workers;

use palaestra_plugin_api::{
    Error, ErrorKind, Result,
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment, ShardMut},
    spec::EnvironmentSpec,
};
use serde_json::{Map, Value};

use crate::wrappers::WrapperSpec;
use lane::Lane;

pub use columns::Columns;
pub use double::DoubleBuffered;
pub use ended::EndedList;
pub use episodes::{EpisodeSet, EpisodeTable};
pub use moments::Moments;
pub use place::Place;
pub use plan::Plan;
pub(crate) use plan::row_bytes;
pub use policy::{NoOp, Policy, Random, Scripted};
pub use report::{EpisodeReport, GroupOutcome, Outcome, Patience, Spread, run_episodes};
pub use restart::Restart;
pub use statistics::Statistics;
pub use throughput::{Runner, Timing, median};
pub use workers::Workers;

/// Makes one environment object of a plugin.
pub type Make<'a> = dyn Fn(&MakeEnvironment) -> Result<EnvironmentHandle> + 'a;

/// What to roll out, and how.
#[derive(Clone, Debug)]
pub struct RolloutOptions {
    /// Environment, configuration, seed and instances.
    pub environment: MakeEnvironment,
    /// Name of the plugin, for errors.
    pub plugin: String,
    /// Shards of the batch; chosen from the size of the rows when none.
    pub shards: Option<usize>,
    /// Steps of a fragment; chosen from the size of the rows when none.
    pub steps: Option<usize>,
    /// World wrappers; the first is closest to the environment.
    pub wrappers: Vec<WrapperSpec>,
}

impl RolloutOptions {
    /// One shard layout and fragment length of our choice, and no wrappers.
    pub fn new(environment: MakeEnvironment, plugin: impl Into<String>) -> Self {
        Self {
            environment,
            plugin: plugin.into(),
            shards: None,
            steps: None,
            wrappers: Vec::new(),
        }
    }
}

/// All instances of one environment with its world wrappers, and the threads that step them.
pub struct Rollout {
    batch: EnvironmentBatch,
    lanes: Vec<Lane>,
    workers: Workers,
    spec: EnvironmentSpec,
    plan: Plan,
    plugin: String,
    /// First global instance.
    first_instance: u64,
    /// Names of the world wrappers.
    wrappers: Vec<String>,
    /// The slot that holds the present rows; none before the first reset.
    now: Option<usize>,
}

impl Rollout {
    /// Makes all instances; [`reset`](Self::reset) starts them.
    ///
    /// # Errors
    /// What the plugin refuses, or a wrapper that does not fit the environment.
    pub fn new(options: &RolloutOptions, workers: &Workers, make: &Make<'_>) -> Result<Self> {
        let RolloutOptions {
            environment,
            plugin,
            ..
        } = options;
        let probe = make(&MakeEnvironment {
            instances: 1,
            ..environment.clone()
        })?;
        let plan = Plan::new(
            probe.spec(),
            environment.instances,
            workers.threads(),
            options.shards,
            options.steps,
        );
        drop(probe);
        let mut batch = EnvironmentBatch::new(environment, plan.shards, plan.slots(), make)
            .map_err(|e| blame(plugin, "make", e))?;
        let mut spec = batch.spec().clone();
        let mut lanes = Vec::with_capacity(plan.shards);
        let ranges: Vec<_> = batch.shards_mut().map(|shard| shard.range()).collect();
        for range in ranges {
            let place = Place::new(environment, range);
            let (composed, lane) =
                Lane::new(batch.spec(), batch.slabs(), &options.wrappers, place)?;
            spec = composed;
            lanes.push(lane);
        }
        let (plugin, first_instance) = (plugin.clone(), environment.first_instance);
        Ok(Self {
            batch,
            lanes,
            workers: workers.clone(),
            spec,
            plan,
            plugin,
            first_instance,
            wrappers: options.wrappers.iter().map(|w| w.name.clone()).collect(),
            now: None,
        })
    }

    /// The spec that policies see: the environment's, as the wrappers leave it.
    pub fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    /// Shards, threads and slots.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The threads that step it.
    pub fn workers(&self) -> &Workers {
        &self.workers
    }

    /// The slabs and shards of all instances.
    pub fn batch(&self) -> &EnvironmentBatch {
        &self.batch
    }

    /// The slabs and shards of all instances, to write actions.
    pub fn batch_mut(&mut self) -> &mut EnvironmentBatch {
        &mut self.batch
    }

    /// The slot that holds the present rows; 0 before the first reset.
    pub fn now(&self) -> usize {
        self.now.unwrap_or(0)
    }

    /// Starts a new episode of every instance at slot 0 and forgets all statistics.
    ///
    /// # Errors
    /// What the plugin reports.
    pub fn reset(&mut self) -> Result<()> {
        let options = Value::Object(Map::new());
        self.each::<()>("reset", &mut [], |shard, lane, _| {
            lane.reset(shard, &options)
        })?;
        self.now = Some(0);
        Ok(())
    }

    /// One policy per shard, made from what is known of its place.
    pub fn policies<P>(&self, make: impl FnMut(&Place) -> P) -> Vec<P> {
        self.lanes.iter().map(Lane::place).map(make).collect()
    }

    /// A random policy for every shard.
    pub fn random(&self) -> Vec<Random> {
        self.policies(|place| Random::new(&self.spec, self.batch.slabs(), place))
    }

    /// A policy that does nothing for every shard.
    pub fn no_op(&self) -> Vec<NoOp> {
        self.policies(|_| NoOp::new(&self.spec, self.batch.slabs()))
    }

    /// The environment's own scripted baseline for every shard.
    ///
    /// # Errors
    /// Kind `Unsupported` when it offers none.
    pub fn scripted(&self) -> Result<Vec<Scripted>> {
        let policy = Scripted::new(&self.spec, self.batch.slabs())?;
        Ok(self.policies(|_| policy.clone()))
    }

    /// Collects one fragment: carries the present rows to slot 0 and steps `steps` times, shard by shard,
    /// each with its own policy. Allocates only when called from outside the workers.
    ///
    /// # Errors
    /// What a policy or the plugin reports; the first in the order of the shards.
    pub fn collect<P: Policy>(&mut self, policies: &mut [P], steps: usize) -> Result<()> {
        self.collect_several(policies, steps, 1)
    }

    /// Collects `fragments` fragments one after another and keeps the last: for policies that nobody
    /// changes in between, so that the threads need not meet after each.
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    pub fn collect_several<P: Policy>(
        &mut self,
        policies: &mut [P],
        steps: usize,
        fragments: usize,
    ) -> Result<()> {
        let now = self.started()?;
        if steps > self.plan.steps || policies.len() != self.lanes.len() {
            return Err(Error::new(
                ErrorKind::Host,
                format!(
                    "collect: expected at most {} steps and {} policies, found {steps} and {}",
                    self.plan.steps,
                    self.lanes.len(),
                    policies.len()
                ),
            ));
        }
        if steps == 0 {
            return Ok(());
        }
        self.each("step", policies, |shard, lane, policy| {
            let Some(policy) = policy else { return Ok(()) };
            (0..fragments).try_for_each(|fragment| {
                let now = if fragment == 0 { now } else { steps };
                lane.fragment(shard, policy, now, steps)
            })
        })?;
        self.now = Some(if fragments == 0 { now } else { steps });
        Ok(())
    }

    /// Carries the present rows to slot 0, to start a fragment that is stepped by [`step`](Self::step).
    ///
    /// # Errors
    /// When nothing was reset yet.
    pub fn carry(&mut self) -> Result<()> {
        let now = self.started()?;
        if now != 0 {
            self.batch
                .shards_mut()
                .for_each(|mut shard| shard.copy_slot(now, 0));
        }
        self.now = Some(0);
        Ok(())
    }

    /// Steps every instance once with the actions that were written at the present slot.
    ///
    /// # Errors
    /// What the plugin reports, or a fragment without a slot left.
    pub fn step(&mut self) -> Result<()> {
        let now = self.started()?;
        if now >= self.plan.steps {
            return Err(Error::new(
                ErrorKind::Host,
                format!("step: expected a slot after {now}, found none"),
            ));
        }
        self.each::<()>("step", &mut [], |shard, lane, _| lane.step(shard, now))?;
        self.now = Some(now + 1);
        Ok(())
    }

    /// Episode statistics since the last reset or [`clear_statistics`](Self::clear_statistics), merged in
    /// instance order.
    pub fn statistics(&self) -> Statistics {
        let mut merged = Statistics::new(Columns::new(&self.spec), 1);
        for lane in &self.lanes {
            lane.statistics().merge_into(&mut merged);
        }
        merged
    }

    /// Starts the statistics anew.
    pub fn clear_statistics(&mut self) {
        self.lanes.iter_mut().for_each(Lane::clear_statistics);
    }

    /// Keeps every episode of a fixed set; see [`EpisodeSet`].
    pub fn keep_episodes(&mut self, set: &EpisodeSet) {
        for lane in &mut self.lanes {
            lane.keep_episodes(set);
        }
    }

    /// Episodes of the set that have ended.
    pub fn episodes_kept(&self) -> usize {
        self.tables().map(EpisodeTable::filled).sum()
    }

    /// What was kept, shard by shard: in order of instance, then episode.
    pub fn tables(&self) -> impl Iterator<Item = &EpisodeTable> {
        self.lanes.iter().filter_map(Lane::episodes)
    }

    fn started(&self) -> Result<usize> {
        self.now.ok_or_else(|| {
            Error::new(
                ErrorKind::Host,
                "rollout: expected a reset before the first step, found none",
            )
        })
    }

    /// Runs `body` for every shard; without policies each shard gets none.
    fn each<P: Send>(
        &mut self,
        operation: &str,
        policies: &mut [P],
        body: impl Fn(&mut ShardMut<'_>, &mut Lane, Option<&mut P>) -> Result<()> + Sync,
    ) -> Result<()> {
        let result = self
            .workers
            .each_shard(self.batch.split(), &mut self.lanes, policies, &body);
        result.map_err(|e| blame(&self.plugin, operation, e))
    }

    /// First global instance and number of instances.
    pub(crate) fn span(&self) -> (u64, usize) {
        (self.first_instance, self.batch.instances())
    }
}

/// Names the plugin in an error that is its fault.
#[cold]
fn blame(plugin: &str, operation: &str, error: Error) -> Error {
    match error.kind {
        ErrorKind::Plugin | ErrorKind::Panicked if !error.message.starts_with("plugin ") => {
            let place = if error.message.starts_with('(') {
                String::new()
            } else {
                format!("({operation}): ")
            };
            Error {
                message: format!("plugin {plugin} {place}{}", error.message),
                ..error
            }
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plugins_own_faults_name_it_and_only_once() {
        let named = |error| blame("classic-control", "step", error).message;
        assert_eq!(
            named(Error::new(
                ErrorKind::Panicked,
                "(step, env 17): panicked at lib.rs:41: boom"
            )),
            "plugin classic-control (step, env 17): panicked at lib.rs:41: boom"
        );
        assert_eq!(
            named(Error::plugin("expected x, found y")),
            "plugin classic-control (step): expected x, found y"
        );
        assert_eq!(
            named(Error::plugin("plugin p: already")),
            "plugin p: already"
        );
        assert_eq!(named(Error::config("/p: expected x")), "/p: expected x");
    }
}
