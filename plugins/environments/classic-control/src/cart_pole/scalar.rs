//! CartPole as one value per instance: the form to read first, and the benchmark of what batching gains.

use palaestra_plugin_api::{
    prelude::*,
    serde_json::{Value, json},
};

use super::{CartPoleConfig, Physics, State, TRACE, draw, is_over, next, spec, start};

/// One cart and its pole.
#[derive(Debug, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
pub struct CartPoleScalar {
    physics: Physics,
    state: State,
}

impl CartPoleScalar {
    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        out.observation(0)
            .copy_from_slice(&<[f64; 4]>::from(self.state).map(|v| v as f32));
    }
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
        self.state = start(&self.physics, rng, options)?;
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        self.state = next(&self.physics, self.state, actions.discrete(0) as i32);
        self.observe(out);
        out.reward(0, 1.0);
        out.terminate_if(is_over(&self.physics, self.state.x, self.state.theta));
    }

    fn inspect(&self) -> Value {
        json!({"state": self.state})
    }

    fn render(&self, canvas: &mut Canvas) {
        draw(&self.physics, self.state, canvas);
    }
}
