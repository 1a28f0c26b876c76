//! Lifts an [`Environment`] to a batch: one value per instance.

use serde_json::Value;

use crate::{
    batch::{BatchEnvironment, BatchStep},
    canvas::Canvas,
    environment::{Actions, Environment, Observe, ResetOptions, StepWriter},
    error::{Error, Result},
    game_tree::GameNode,
    rng::EnvRng,
    spec::EnvironmentSpec,
    trace::TraceCase,
};

/// No instance.
const NONE: usize = usize::MAX;

/// A batch of independent values of `E`.
pub(crate) struct PerInstance<E> {
    worlds: Vec<E>,
    /// The world that was called last, to be named when it panics; [`NONE`] before any.
    current: usize,
}

impl<E> Drop for PerInstance<E> {
    /// Every world is dropped on its own: a destructor that panics must not cross the boundary.
    fn drop(&mut self) {
        for world in self.worlds.drain(..) {
            let _ = super::guard::catch(move || drop(world));
        }
    }
}

impl<E: Environment> BatchEnvironment for PerInstance<E> {
    const ID: &'static str = E::ID;
    const DESCRIPTION: &'static str = E::DESCRIPTION;
    const TRACES: &'static [&'static str] = E::TRACES;
    const ONE_CALL_SITE: bool = true;
    type Config = E::Config;

    fn spec(config: &E::Config) -> Result<EnvironmentSpec> {
        E::spec(config)
    }

    fn new(config: &E::Config, instances: usize) -> Result<Self> {
        let worlds = (0..instances)
            .map(|_| E::new(config))
            .collect::<Result<_>>()?;
        Ok(Self {
            worlds,
            current: NONE,
        })
    }

    fn reset(
        &mut self,
        instance: usize,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        self.current = instance;
        self.worlds[instance].reset(rng, options, out)
    }

    /// The one call site of `Environment::step`: with more, LLVM stops inlining it.
    #[inline(always)]
    fn step(&mut self, batch: &mut BatchStep<'_>) {
        let BatchStep {
            memory,
            rngs,
            read,
            write,
            waiting,
        } = batch;
        let actions = Actions::new(&memory.actions, *read);
        for (instance, (world, rng)) in self.worlds.iter_mut().zip(rngs.iter_mut()).enumerate() {
            if waiting.get(instance) == Some(&1) {
                continue;
            }
            self.current = instance;
            let observe = Observe {
                out: &mut memory.out,
                slot: *write,
                instance,
            };
            world.step(rng, &actions.of(instance), &mut StepWriter { observe });
        }
    }

    fn save(&self, instance: usize) -> Result<Value> {
        serde_json::to_value(&self.worlds[instance])
            .map_err(|e| Error::plugin(format!("snapshot: {e}")))
    }

    fn load(&mut self, instance: usize, saved: &Value) -> Result<()> {
        self.worlds[instance] =
            E::deserialize(saved).map_err(|e| Error::config(format!("snapshot: {e}")))?;
        Ok(())
    }

    fn inspect(&self, instance: usize) -> Value {
        self.worlds[instance].inspect()
    }

    fn render(&self, instance: usize, canvas: &mut Canvas) {
        self.worlds[instance].render(canvas);
    }

    fn counterfactual(&self, instance: usize, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        self.worlds[instance].counterfactual(actions)
    }

    fn scripted(&self, instance: usize, rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        self.worlds[instance].scripted(rng)
    }

    fn game_node(&self, history: &[usize]) -> Result<GameNode> {
        self.worlds[0].game_node(history)
    }

    fn current(&self) -> Option<usize> {
        (self.current != NONE).then_some(self.current)
    }

    fn trace_config(case: &Value) -> Value {
        E::trace_config(case)
    }

    fn trace_cases(document: &Value) -> Result<Vec<TraceCase>> {
        E::trace_cases(document)
    }
}
