//! CartPole as struct of arrays: all instances of a shard in a few vectorised loops.

use palaestra_plugin_api::{
    prelude::*,
    serde_json::{Value, json},
};

use super::{
    CartPoleConfig, Physics, State, TRACE, draw, is_over, next, rule, spec, start, task::Tasks,
};

/// All instances of a shard, one array per variable.
pub struct CartPole {
    tasks: Tasks,
    x: Vec<f64>,
    x_dot: Vec<f64>,
    theta: Vec<f64>,
    theta_dot: Vec<f64>,
}

impl CartPole {
    fn state(&self, i: usize) -> State {
        State {
            x: self.x[i],
            x_dot: self.x_dot[i],
            theta: self.theta[i],
            theta_dot: self.theta_dot[i],
        }
    }

    /// Advances instances of one physics, which stays in registers.
    #[inline(always)]
    fn step_alike(&mut self, actions: &[i32], terminated: &mut [u8]) {
        let common = self.tasks.common;
        let Self {
            x,
            x_dot,
            theta,
            theta_dot,
            ..
        } = self;
        advance(|_| common, x, x_dot, theta, theta_dot, actions);
        mark_over(|_| common, x, theta, terminated);
    }

    /// Advances instances of which each has its own; apart, so that the other way stays as fast as it is.
    #[cold]
    #[inline(never)]
    fn step_tasks(&mut self, actions: &[i32], terminated: &mut [u8]) {
        let Self {
            tasks,
            x,
            x_dot,
            theta,
            theta_dot,
        } = self;
        if let Some(own) = tasks.own() {
            let own = &own[..x.len()];
            advance(|i| own[i], x, x_dot, theta, theta_dot, actions);
            mark_over(|i| own[i], x, theta, terminated);
        }
    }

    fn set_state(&mut self, i: usize, state: State) {
        (self.x[i], self.x_dot[i]) = (state.x, state.x_dot);
        (self.theta[i], self.theta_dot[i]) = (state.theta, state.theta_dot);
    }
}

impl BatchEnvironment for CartPole {
    const ID: &'static str = "classic/CartPole-v1";
    const DESCRIPTION: &'static str =
        "Keep a pole upright on a cart by pushing the cart left or right";
    const TRACES: &'static [&'static str] = &[TRACE];
    type Config = CartPoleConfig;

    fn spec(config: &CartPoleConfig) -> Result<EnvironmentSpec> {
        Ok(spec(config))
    }

    fn new(config: &CartPoleConfig, instances: usize) -> Result<Self> {
        let zeros = || vec![0.0; instances];
        Ok(Self {
            tasks: Tasks::new(config),
            x: zeros(),
            x_dot: zeros(),
            theta: zeros(),
            theta_dot: zeros(),
        })
    }

    fn reset(
        &mut self,
        instance: usize,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        let physics = self.tasks.begin(instance, self.x.len(), options)?;
        let state = start(physics, rng, options)?;
        self.set_state(instance, state);
        out.observation(0)
            .copy_from_slice(&<[f64; 4]>::from(state).map(|v| v as f32));
        Ok(())
    }

    /// One short loop per kind of output: each is vectorised on its own, which one loop for all is not.
    #[inline(always)]
    fn step(&mut self, batch: &mut BatchStep<'_>) {
        let ([agent], instances) = batch.arrays::<1>();
        if self.tasks.own().is_some() {
            self.step_tasks(agent.discrete, instances.terminated);
        } else {
            self.step_alike(agent.discrete, instances.terminated);
        }
        let Self {
            x,
            x_dot,
            theta,
            theta_dot,
            ..
        } = self;
        observe(x, x_dot, theta, theta_dot, agent.observation);
        agent.reward.fill(1.0);
        for (fallen, &terminated) in instances.metrics.iter_mut().zip(&*instances.terminated) {
            *fallen = f32::from(terminated);
        }
    }

    fn save(&self, instance: usize) -> Result<Value> {
        Ok(json!({"state": self.state(instance), "physics": self.tasks.of(instance)}))
    }

    fn load(&mut self, instance: usize, saved: &Value) -> Result<()> {
        let state = State::deserialize(&saved["state"])
            .map_err(|e| Error::config(format!("snapshot /state: {e}")))?;
        let physics = Physics::deserialize(&saved["physics"])
            .map_err(|e| Error::config(format!("snapshot /physics: {e}")))?;
        self.set_state(instance, state);
        self.tasks.set(instance, self.x.len(), physics);
        Ok(())
    }

    fn inspect(&self, instance: usize) -> Value {
        json!({"state": self.state(instance)})
    }

    fn scripted(&self, instance: usize, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(rule(self.state(instance)))
    }

    fn render(&self, instance: usize, canvas: &mut Canvas) {
        draw(self.tasks.of(instance), self.state(instance), canvas);
    }
}

#[inline(always)]
fn advance(
    physics: impl Fn(usize) -> Physics,
    x: &mut [f64],
    x_dot: &mut [f64],
    theta: &mut [f64],
    theta_dot: &mut [f64],
    actions: &[i32],
) {
    let n = x.len();
    let (x_dot, theta, theta_dot, actions) = (
        &mut x_dot[..n],
        &mut theta[..n],
        &mut theta_dot[..n],
        &actions[..n],
    );
    for i in 0..n {
        let state = State {
            x: x[i],
            x_dot: x_dot[i],
            theta: theta[i],
            theta_dot: theta_dot[i],
        };
        let state = next(&physics(i), state, actions[i]);
        (x[i], x_dot[i], theta[i], theta_dot[i]) =
            (state.x, state.x_dot, state.theta, state.theta_dot);
    }
}

#[inline(always)]
fn observe(x: &[f64], x_dot: &[f64], theta: &[f64], theta_dot: &[f64], observation: &mut [f32]) {
    let n = x.len();
    let (x_dot, theta, theta_dot) = (&x_dot[..n], &theta[..n], &theta_dot[..n]);
    for (i, row) in observation.as_chunks_mut::<4>().0[..n]
        .iter_mut()
        .enumerate()
    {
        *row = [
            x[i] as f32,
            x_dot[i] as f32,
            theta[i] as f32,
            theta_dot[i] as f32,
        ];
    }
}

#[inline(always)]
fn mark_over(physics: impl Fn(usize) -> Physics, x: &[f64], theta: &[f64], terminated: &mut [u8]) {
    for (i, ((over, &x), &theta)) in terminated.iter_mut().zip(x).zip(theta).enumerate() {
        *over = u8::from(is_over(&physics(i), x, theta));
    }
}
