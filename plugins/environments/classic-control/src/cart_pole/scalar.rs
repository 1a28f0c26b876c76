//! CartPole as one value per instance: the form to read first, and the benchmark of what batching gains.

use palaestra_plugin_api::{
    prelude::*,
    serde_json::{Value, json},
};

use super::{
    CartPoleConfig, FALLEN, Physics, State, TRACE, draw, is_over, next, rule, spec, start, task,
};

/// One cart and its pole.
#[derive(Debug, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
pub struct CartPoleScalar {
    config: CartPoleConfig,
    /// As configured.
    common: Physics,
    /// Those of the task, if there is one.
    physics: Physics,
    state: State,
}

#[inline(always)]
fn observe(state: State, out: &mut Observe<'_>) {
    let row = <[f64; 4]>::from(state).map(|v| v as f32);
    out.observation(0).copy_from_slice(&row);
}

impl Environment for CartPoleScalar {
    const ID: &'static str = "classic/CartPoleScalar-v1";
    const DESCRIPTION: &'static str =
        "CartPole-v1 in its readable form, one value per instance; the batched form is faster";
    const TRACES: &'static [&'static str] = &[TRACE];
    type Config = CartPoleConfig;

    fn spec(config: &CartPoleConfig) -> Result<EnvironmentSpec> {
        Ok(spec(config))
    }

    fn new(config: &CartPoleConfig) -> Result<Self> {
        Ok(Self {
            config: config.clone(),
            common: Physics::from(config),
            physics: Physics::from(config),
            state: State::from([0.0; 4]),
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        self.physics = task::physics(&self.config, options)?.unwrap_or(self.common);
        self.state = start(&self.physics, rng, options)?;
        observe(self.state, out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        // A local value stays in registers; the compiler cannot know that `out` is not `self`.
        let state = next(&self.physics, self.state, actions.discrete(0) as i32);
        self.state = state;
        let fallen = is_over(&self.physics, state.x, state.theta);
        out.terminate_if(fallen);
        // Most steps end nothing, and 0 is there already.
        if fallen {
            out.metric(FALLEN, 1.0);
        }
        out.reward(0, 1.0);
        observe(state, out);
    }

    fn inspect(&self) -> Value {
        json!({"state": self.state})
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(rule(self.state))
    }

    fn render(&self, canvas: &mut Canvas) {
        draw(&self.physics, self.state, canvas);
    }
}
