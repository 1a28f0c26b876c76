//! What an environment author writes.
//!
//! [`Environment`] is one world with plain fields; the SDK runs it batched, owns episodes, seeds,
//! time limits, statistics and snapshots. [`BatchEnvironment`](crate::batch::BatchEnvironment) is for
//! worlds that must be as fast as the machine allows.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    canvas::Canvas,
    config::Config,
    error::{Error, Result},
    game_tree::GameNode,
    rng::EnvRng,
    spec::EnvironmentSpec,
    trace::{self, TraceCase},
};

pub use crate::rows::{Actions, GroupActions, GroupWriter, Observe, StepWriter};

/// One world. Its fields are its state: `Serialize` and `Deserialize` give snapshot, inspection and cloning.
pub trait Environment: Sized + Send + Serialize + DeserializeOwned + 'static {
    /// `namespace/Name-vN`. Anything that alters learning results bumps `N`.
    const ID: &'static str;
    /// One line for `palaestra list`.
    const DESCRIPTION: &'static str;
    /// Names of reference traces (`env` field of `marl-trace-1` files) that this environment reproduces.
    const TRACES: &'static [&'static str] = &[];
    /// Settings; see [`config`](macro@crate::config).
    type Config: Config;

    /// Groups, spaces, limits and flags.
    fn spec(config: &Self::Config) -> Result<EnvironmentSpec>;

    /// A world before its first reset.
    fn new(config: &Self::Config) -> Result<Self>;

    /// Starts an episode and writes the first observations (and masks, acting agents, state).
    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()>;

    /// Advances the world and writes observations, rewards and whether the episode is terminated.
    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>);

    /// The exact state as JSON, with the field names of the reference traces.
    fn inspect(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }

    /// Draws the world.
    fn render(&self, canvas: &mut Canvas) {
        let _ = canvas;
    }

    /// What a step with another joint action would pay from this state, chance included, `[group][agent]` (flag
    /// `counterfactual`).
    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let _ = actions;
        Err(Error::unsupported(
            "counterfactual rewards: not offered by this environment",
        ))
    }

    /// The joint action `[group][agent][component]` of the world's own scripted baseline from this state (flag
    /// `scripted`): what a learner should come near or beat. It may look at everything, keeps within masks, and gives
    /// agents that do not act something within their space. `rng` is its own: it follows from seed, instance, episode
    /// and step, and drawing from it leaves the episode as it is. A cold call: it may allocate.
    fn scripted(&self, rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let _ = rng;
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

/// What `reset` was asked for.
#[derive(Clone, Copy, Debug)]
pub struct ResetOptions<'a> {
    init: Option<&'a Value>,
    options: Option<&'a Value>,
}

impl<'a> ResetOptions<'a> {
    /// Options from JSON: `init` for this episode, `options` (tasks, curricula) until they change.
    pub fn new(init: Option<&'a Value>, options: Option<&'a Value>) -> Self {
        Self { init, options }
    }

    /// A start state and scripted events to use instead of drawn ones.
    #[inline]
    pub fn init<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        Self::read(self.init, "/init")
    }

    /// Options of the episode: tasks and curricula.
    #[inline]
    pub fn options<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        Self::read(self.options, "/options")
    }

    /// Most resets are asked for nothing: that must cost nothing.
    #[inline]
    fn read<T: DeserializeOwned>(value: Option<&Value>, at: &str) -> Result<Option<T>> {
        value.map(|value| Self::parse(value, at)).transpose()
    }

    #[cold]
    fn parse<T: DeserializeOwned>(value: &Value, at: &str) -> Result<T> {
        T::deserialize(value).map_err(|e| Error::config(format!("reset {at}: {e}")))
    }
}
