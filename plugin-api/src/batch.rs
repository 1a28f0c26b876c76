//! The trait for hot environments: struct-of-arrays code over all instances of a shard.
//!
//! Written in safe Rust over slices; the SDK compiles `step` for SSE2, AVX2 and AVX-512 and picks one
//! at run time. The results are the same bits on all three: no fused multiply-add, no reordering.

use std::ops::Range;

use serde_json::Value;

use crate::{
    canvas::Canvas,
    config::Config,
    environment::{Observe, ResetOptions},
    error::{Error, Result},
    game_tree::GameNode,
    rng::EnvRng,
    sdk::memory::{GroupActions, Memory},
    spec::EnvironmentSpec,
    trace::{self, TraceCase},
};

pub use crate::sdk::aligned::Aligned;

/// `n` worlds at once. The SDK owns seeds, episodes, time limits, resets, final observations and statistics.
pub trait BatchEnvironment: Sized + Send + 'static {
    /// `namespace/Name-vN`. Anything that alters learning results bumps `N`.
    const ID: &'static str;
    /// One line for `palaestra list`.
    const DESCRIPTION: &'static str;
    /// Names of reference traces that this environment reproduces.
    const TRACES: &'static [&'static str] = &[];
    /// Compiled once instead of once per instruction set: for batches that call foreign code per instance.
    #[doc(hidden)]
    const ONE_CALL_SITE: bool = false;
    /// Settings; see [`config`](macro@crate::config).
    type Config: Config;

    /// Groups, spaces, limits and flags.
    fn spec(config: &Self::Config) -> Result<EnvironmentSpec>;

    /// `instances` worlds before their first reset.
    fn new(config: &Self::Config, instances: usize) -> Result<Self>;

    /// Starts an episode of one instance and writes its first observations.
    fn reset(
        &mut self,
        instance: usize,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()>;

    /// Starts the next episodes of `instances`, none of which has options, and says whether it did; `batch` is that of
    /// the step that ended the last ones. For worlds of short episodes whose starts are a few loops: it must do what
    /// [`reset`](Self::reset) does one after another, which is what happens where it does not.
    fn restart(&mut self, instances: &[u32], batch: &mut BatchStep<'_>) -> bool {
        let _ = (instances, batch);
        false
    }

    /// Advances all instances. Mark it `#[inline(always)]`: it is compiled once per instruction set.
    fn step(&mut self, batch: &mut BatchStep<'_>);

    /// Whether resets and steps draw random numbers at all; where they do not, generators are left unseeded.
    fn draws(&self) -> bool {
        true
    }

    /// Whether every step writes all rewards, metrics and `terminated`: they are then left as they are on entry, not 0.
    fn writes_all(&self) -> bool {
        false
    }

    /// Everything that one instance is, as JSON.
    fn save(&self, instance: usize) -> Result<Value>;

    /// Makes one instance what [`save`](Self::save) wrote.
    fn load(&mut self, instance: usize, saved: &Value) -> Result<()>;

    /// The exact state as JSON, with the field names of the reference traces.
    fn inspect(&self, instance: usize) -> Value {
        self.save(instance).unwrap_or(Value::Null)
    }

    /// Draws one instance.
    fn render(&self, instance: usize, canvas: &mut Canvas) {
        let _ = (instance, canvas);
    }

    /// What a step with another joint action would pay from the present state, chance included, `[group][agent]` (flag
    /// `counterfactual`).
    fn counterfactual(&self, instance: usize, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let _ = (instance, actions);
        Err(Error::unsupported(
            "counterfactual rewards: not offered by this environment",
        ))
    }

    /// The joint action `[group][agent][component]` of the world's own scripted baseline (flag `scripted`); see
    /// [`Environment::scripted`](crate::environment::Environment::scripted).
    fn scripted(&self, instance: usize, rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let _ = (instance, rng);
        Err(Error::unsupported(
            "scripted baseline: not offered by this environment",
        ))
    }

    /// The node that `history` leads to from the root of the game (flag `game_tree`). Independent of the
    /// present episode.
    fn game_node(&self, history: &[usize]) -> Result<GameNode> {
        let _ = history;
        Err(Error::unsupported(
            "game tree: not offered by this environment",
        ))
    }

    /// The instance that `step` was working on, if it knows: named when it panics.
    fn current(&self) -> Option<usize> {
        None
    }

    /// The configuration under which a case of a reference trace was recorded.
    fn trace_config(case: &Value) -> Value {
        let _ = case;
        Value::Object(serde_json::Map::new())
    }

    /// Reads a reference trace; override it where the document is not in the common form.
    fn trace_cases(document: &Value) -> Result<Vec<TraceCase>> {
        trace::standard_cases(document, Self::trace_config, |config| Self::spec(config))
    }
}

/// A strictly increasing list of instances, such as that of [`restart`](BatchEnvironment::restart), as a range if none is
/// missing in between. Episodes of one length end together: what is done for all of them is then a loop over slices.
#[inline(always)]
pub fn as_range(instances: &[u32]) -> Option<Range<usize>> {
    let (&first, &last) = (instances.first()?, instances.last()?);
    let range = first as usize..last as usize + 1;
    (range.len() == instances.len()).then_some(range)
}

/// One step of a whole batch: actions to read, rows to write.
pub struct BatchStep<'a> {
    pub(crate) memory: &'a mut Memory,
    pub(crate) rngs: &'a mut [EnvRng],
    pub(crate) read: usize,
    pub(crate) write: usize,
    /// Instances that ended and wait for `reset` (flag `manual_reset`); empty when none do.
    pub(crate) waiting: &'a [u8],
}

/// One group's arrays over all instances, row-major `[n, agents, …]`.
pub struct GroupBatch<'a> {
    /// Choices `[n · agents · components]`; empty for a box.
    pub discrete: &'a [i32],
    /// Real actions `[n · agents · width]`; empty for choices.
    pub continuous: &'a [f64],
    /// Observations `[n · agents · width]`.
    pub observation: &'a mut [f32],
    /// Observations of bytes; empty for floats.
    pub pixels: &'a mut [u8],
    /// Rewards of this step `[n · agents]`, 0 on entry unless the world [writes all](BatchEnvironment::writes_all).
    pub reward: &'a mut [f64],
    /// Action masks `[n · agents · choices]`, 1 on entry; empty without masks.
    pub action_mask: &'a mut [u8],
    /// Who acts next `[n · agents]`, 0 on entry.
    pub acting: &'a mut [u8],
    /// Who takes part `[n · agents]`.
    pub alive: &'a mut [u8],
    /// Own terminal states `[n · agents]`, 0 on entry; clear `alive` with it.
    pub agent_terminated: &'a mut [u8],
}

/// Arrays over all instances that belong to no group.
pub struct InstanceBatch<'a> {
    /// Episode ended in a terminal state `[n]`, 0 on entry unless the world [writes all](BatchEnvironment::writes_all).
    pub terminated: &'a mut [u8],
    /// Episode cut off for a reason other than the time limit `[n]`, 0 on entry.
    pub truncated: &'a mut [u8],
    /// Global state `[n · width]`.
    pub state: &'a mut [f32],
    /// Metrics of this step `[n · metrics]`, 0 on entry unless the world [writes all](BatchEnvironment::writes_all).
    pub metrics: &'a mut [f32],
    /// One generator per instance.
    pub rngs: &'a mut [EnvRng],
}

impl BatchStep<'_> {
    /// Number of instances.
    #[inline(always)]
    pub fn instances(&self) -> usize {
        self.memory.instances
    }

    /// All arrays of the step. `GROUPS` is the number of groups of the spec.
    ///
    /// # Panics
    /// When the spec has another number of groups.
    #[inline(always)]
    pub fn arrays<const GROUPS: usize>(&mut self) -> ([GroupBatch<'_>; GROUPS], InstanceBatch<'_>) {
        let (read, write) = (self.read, self.write);
        let Memory { actions, out, .. } = &mut *self.memory;
        assert_eq!(out.groups.len(), GROUPS, "groups of the spec");
        let mut pairs = actions.iter().zip(&mut out.groups);
        let groups = std::array::from_fn(|_| {
            #[allow(clippy::unwrap_used)] // the assertion above counts them
            let (acts, group): (&GroupActions, _) = pairs.next().unwrap();
            GroupBatch {
                discrete: acts.discrete(read),
                continuous: &acts.continuous,
                observation: group.observation.slot_mut(write),
                pixels: group.pixels.slot_mut(write),
                reward: &mut group.exact_rewards,
                action_mask: group.mask.slot_mut(write),
                acting: group.acting.slot_mut(write),
                alive: &mut group.living,
                agent_terminated: group.agent_terminated.slot_mut(write),
            }
        });
        let instances = InstanceBatch {
            terminated: out.terminated.slot_mut(write),
            truncated: out.truncated.slot_mut(write),
            state: out.state.slot_mut(write),
            metrics: out.metrics.slot_mut(write),
            rngs: self.rngs,
        };
        (groups, instances)
    }
}
