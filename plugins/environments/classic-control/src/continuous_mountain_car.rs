//! MountainCarContinuous: the mountain car with a real force, which costs its square.
//!
//! Source: Gymnasium 1.4.0 (`MountainCarContinuous-v0`).
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0 | position | -1.2 to 0.6 |
//! | 1 | velocity per step | ±0.07 |
//!
//! | action | meaning | range |
//! |---|---|---|
//! | 0 | force a; clipped to ±1 for the motion only | ±1 |
//!
//! | | when |
//! |---|---|
//! | reward | -0.1·a² with a *not* clipped, plus 100 at the flag |
//! | terminated | position ≥ 0.45 with velocity ≥ 0 |
//! | truncated | after 999 steps |
//!
//! The reference keeps its state in single precision and computes 3·position in it, the rest in double; so
//! does this one, and gives the same bits. The start is uniform in -0.6 to -0.4, at rest.
//! Metrics: `goal`, 1 where the flag was reached, and `highest`, the largest position.

use palaestra_plugin_api::{
    math::cos,
    prelude::*,
    serde_json::{Value, json},
};

use crate::hill::{self, MAX_POSITION, MAX_SPEED, MIN_POSITION};

/// Largest force for the motion.
const MAX_FORCE: f64 = 1.0;
/// Weight of a² in the cost.
const FORCE_COST: f64 = 0.1;
/// Reward at the flag.
const GOAL_REWARD: f64 = 100.0;
const METRIC_GOAL: usize = 0;
const METRIC_HIGHEST: usize = 1;

/// Settings of MountainCarContinuous.
#[palaestra_plugin_api::config]
pub struct ContinuousMountainCarConfig {
    /// Steps until truncation.
    #[config(default = 999, range = 1..=1_000_000)]
    pub max_episode_steps: u32,
    /// Speed that a force of 1 adds in a step.
    #[config(default = 0.0015, range = 0.0..=0.07)]
    pub power: f64,
    /// Speed that the steepest slope takes in a step.
    #[config(default = 0.0025, range = 0.0..=0.07)]
    pub gravity: f64,
    /// Position of the flag.
    #[config(default = 0.45, range = -1.2..=0.6)]
    pub goal_position: f64,
    /// Least velocity at the flag.
    #[config(default = 0.0, range = -0.07..=0.07)]
    pub goal_velocity: f64,
}

/// One car; position and velocity are f64 that an f32 holds exactly.
#[derive(Debug, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
pub struct ContinuousMountainCar {
    config: ContinuousMountainCarConfig,
    position: f64,
    /// Per step.
    velocity: f64,
    /// Last force, clipped.
    force: f64,
}

impl Environment for ContinuousMountainCar {
    const ID: &'static str = "classic/MountainCarContinuous-v0";
    const DESCRIPTION: &'static str =
        "Rock an underpowered car out of a valley with as little force as possible";
    const TRACES: &'static [&'static str] = &["MountainCarContinuous-v0"];
    type Config = ContinuousMountainCarConfig;

    fn spec(config: &ContinuousMountainCarConfig) -> Result<EnvironmentSpec> {
        let action = Space::bounded(1, -MAX_FORCE, MAX_FORCE);
        let mut spec = EnvironmentSpec::new("agent", 1, hill::observation(), action);
        spec.groups[0].no_op = Some(vec![0.0]);
        spec.max_episode_steps = Some(config.max_episode_steps);
        spec.reward_range = (Some(-FORCE_COST * MAX_FORCE * MAX_FORCE), Some(GOAL_REWARD));
        spec.flags.scripted = true;
        spec.metrics = vec![Metric::sum("goal"), Metric::max("highest")];
        spec.tags = vec![Tag::SingleAgent];
        Ok(spec)
    }

    fn new(config: &ContinuousMountainCarConfig) -> Result<Self> {
        Ok(Self {
            config: config.clone(),
            position: single(hill::START.0),
            velocity: 0.0,
            force: 0.0,
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        [self.position, self.velocity] = hill::start(rng, options)?.map(single);
        self.force = 0.0;
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let action = actions.continuous(0)[0];
        self.force = action.clamp(-MAX_FORCE, MAX_FORCE);
        let (position, velocity) = next(&self.config, self.position, self.velocity, self.force);
        out.reward(0, -FORCE_COST * (action * action));
        out.metric(METRIC_HIGHEST, position);
        if position >= self.config.goal_position && velocity >= self.config.goal_velocity {
            out.reward(0, GOAL_REWARD);
            out.metric(METRIC_GOAL, 1.0);
            out.terminate();
        }
        (self.position, self.velocity) = (single(position), single(velocity));
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        json!({"state": [self.position, self.velocity]})
    }

    /// The scripted baseline: feeds energy, by full force the way the car goes.
    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        Ok(vec![vec![vec![MAX_FORCE.copysign(self.velocity)]]])
    }

    fn render(&self, canvas: &mut Canvas) {
        hill::draw(self.position, self.config.goal_position, self.force, canvas);
        canvas.caption(format!(
            "position {:+.2}, velocity {:+.3}, force {:+.2}",
            self.position, self.velocity, self.force
        ));
    }
}

impl ContinuousMountainCar {
    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        out.observation(0)
            .copy_from_slice(&[self.position as f32, self.velocity as f32]);
    }
}

/// The nearest single-precision number.
#[inline(always)]
fn single(x: f64) -> f64 {
    f64::from(x as f32)
}

/// Position and velocity one step later, before they are rounded; the goal is judged by these.
#[inline(always)]
fn next(c: &ContinuousMountainCarConfig, position: f64, velocity: f64, force: f64) -> (f64, f64) {
    let velocity = velocity + (force * c.power - c.gravity * cos(single(3.0 * position)));
    let velocity = velocity.clamp(-MAX_SPEED, MAX_SPEED);
    let position = (position + velocity).clamp(MIN_POSITION, MAX_POSITION);
    let stopped = position == MIN_POSITION && velocity < 0.0;
    (position, if stopped { 0.0 } else { velocity })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: at position 0 the slope is steepest, so v = 0.5·0.0015 - 0.0025.
    #[test]
    fn a_half_force_up_the_steepest_slope_loses_to_gravity() {
        let (position, velocity) = next(&ContinuousMountainCarConfig::default(), 0.0, 0.0, 0.5);
        assert!((velocity + 0.00175).abs() < 1e-18);
        assert_eq!(position, velocity);
    }
}
