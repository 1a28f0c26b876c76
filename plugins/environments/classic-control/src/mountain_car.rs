//! MountainCar: an engine too weak for the hill must swing the car up by rocking in the valley.
//!
//! Source: Moore, "Efficient memory-based learning for robot control" (1990); constants of Gymnasium 1.4.0
//! (`MountainCar-v0`).
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0 | position | -1.2 to 0.6 |
//! | 1 | velocity per step | ±0.07 |
//!
//! | action | meaning |
//! |---|---|
//! | 0 | push left |
//! | 1 | do nothing |
//! | 2 | push right |
//!
//! | | when |
//! |---|---|
//! | reward | -1 at every step, the last included |
//! | terminated | position ≥ 0.5 with velocity ≥ 0 |
//! | truncated | after 200 steps |
//!
//! The speed is limited before the car moves; at the left wall it stops dead. It starts at rest, uniform in
//! -0.6 to -0.4. Metrics: `goal`, 1 where the flag was reached, and `highest`, the largest position.

use palaestra_plugin_api::{
    math::cos,
    prelude::*,
    serde_json::{Value, json},
};

use crate::hill::{self, MAX_POSITION, MAX_SPEED, MIN_POSITION};

const METRIC_GOAL: usize = 0;
const METRIC_HIGHEST: usize = 1;

/// Settings of MountainCar.
#[palaestra_plugin_api::config]
pub struct MountainCarConfig {
    /// Steps until truncation.
    #[config(default = 200, range = 1..=1_000_000)]
    pub max_episode_steps: u32,
    /// Speed that a push adds in a step.
    #[config(default = 0.001, range = 0.0..=0.07)]
    pub force: f64,
    /// Speed that the steepest slope takes in a step.
    #[config(default = 0.0025, range = 0.0..=0.07)]
    pub gravity: f64,
    /// Position of the flag.
    #[config(default = 0.5, range = -1.2..=0.6)]
    pub goal_position: f64,
    /// Least velocity at the flag.
    #[config(default = 0.0, range = -0.07..=0.07)]
    pub goal_velocity: f64,
}

/// One car.
#[derive(Debug, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
pub struct MountainCar {
    config: MountainCarConfig,
    position: f64,
    /// Per step.
    velocity: f64,
    /// Last push: -1, 0 or 1.
    push: f64,
}

impl Environment for MountainCar {
    const ID: &'static str = "classic/MountainCar-v0";
    const DESCRIPTION: &'static str =
        "Rock an underpowered car out of a valley; every step costs 1";
    const TRACES: &'static [&'static str] = &["MountainCar-v0"];
    type Config = MountainCarConfig;

    fn spec(config: &MountainCarConfig) -> Result<EnvironmentSpec> {
        let mut spec = EnvironmentSpec::new("agent", 1, hill::observation(), Space::discrete(3));
        spec.groups[0].no_op = Some(vec![1.0]);
        spec.max_episode_steps = Some(config.max_episode_steps);
        spec.reward_range = (Some(-1.0), Some(-1.0));
        spec.flags.scripted = true;
        spec.metrics = vec![Metric::sum("goal"), Metric::max("highest")];
        spec.tags = vec![Tag::SingleAgent];
        Ok(spec)
    }

    fn new(config: &MountainCarConfig) -> Result<Self> {
        Ok(Self {
            config: config.clone(),
            position: hill::START.0,
            velocity: 0.0,
            push: 0.0,
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        [self.position, self.velocity] = hill::start(rng, options)?;
        self.push = 0.0;
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        self.push = actions.discrete(0) as f64 - 1.0;
        [self.position, self.velocity] =
            next(&self.config, self.position, self.velocity, self.push);
        out.reward(0, -1.0);
        out.metric(METRIC_HIGHEST, self.position);
        if self.position >= self.config.goal_position && self.velocity >= self.config.goal_velocity
        {
            out.metric(METRIC_GOAL, 1.0);
            out.terminate();
        }
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        json!({"state": [self.position, self.velocity]})
    }

    /// The scripted baseline: feeds energy, by pushing the way the car goes.
    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let push = if self.velocity < 0.0 { 0.0 } else { 2.0 };
        Ok(vec![vec![vec![push]]])
    }

    fn render(&self, canvas: &mut Canvas) {
        hill::draw(self.position, self.config.goal_position, self.push, canvas);
        canvas.caption(format!(
            "position {:+.2}, velocity {:+.3}",
            self.position, self.velocity
        ));
    }
}

impl MountainCar {
    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        out.observation(0)
            .copy_from_slice(&[self.position as f32, self.velocity as f32]);
    }
}

/// Position and velocity one step later.
#[inline(always)]
fn next(c: &MountainCarConfig, position: f64, velocity: f64, push: f64) -> [f64; 2] {
    let velocity = velocity + (push * c.force - c.gravity * cos(3.0 * position));
    let velocity = velocity.clamp(-MAX_SPEED, MAX_SPEED);
    let position = (position + velocity).clamp(MIN_POSITION, MAX_POSITION);
    let stopped = position == MIN_POSITION && velocity < 0.0;
    [position, if stopped { 0.0 } else { velocity }]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: at position 0 the slope is steepest, cos 0 = 1, so v = 0.001 - 0.0025.
    #[test]
    fn a_push_up_the_steepest_slope_loses_to_gravity() {
        let [position, velocity] = next(&MountainCarConfig::default(), 0.0, 0.0, 1.0);
        assert!((velocity + 0.0015).abs() < 1e-18);
        assert_eq!(position, velocity);
    }

    #[test]
    fn speed_is_limited_and_the_left_wall_stops_the_car() {
        let config = MountainCarConfig::default();
        assert_eq!(next(&config, -1.19, -0.069, -1.0), [MIN_POSITION, 0.0]);
        let [position, velocity] = next(&config, -1.0, 0.07, 1.0);
        assert_eq!((position, velocity), (-1.0 + MAX_SPEED, MAX_SPEED));
    }
}
