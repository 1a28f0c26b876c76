//! Acrobot: swing the end of a two-link chain above a line by a torque on the middle joint.
//!
//! Source: Sutton, "Generalization in reinforcement learning: successful examples using sparse coarse
//! coding" (1996); equations of Sutton and Barto's book, integrator of Gymnasium 1.4.0 (`Acrobot-v1`).
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0, 1 | cos θ₁, sin θ₁; θ₁ from hanging down | ±1 |
//! | 2, 3 | cos θ₂, sin θ₂; θ₂ from the first link | ±1 |
//! | 4 | θ̇₁ (rad/s) | ±4π |
//! | 5 | θ̇₂ (rad/s) | ±9π |
//!
//! | action | meaning |
//! |---|---|
//! | 0 | torque -1 N·m on the middle joint |
//! | 1 | none |
//! | 2 | torque +1 N·m |
//!
//! | | when |
//! |---|---|
//! | reward | -1 at every step, 0 at the terminal one |
//! | terminated | the end is above 1 m: -cos θ₁ - cos(θ₁ + θ₂) > 1 |
//! | truncated | after 500 steps |
//!
//! One Runge-Kutta step (fourth order) of 0.2 s, then angles are wrapped to ±π and speeds limited. The start
//! is uniform in ±0.1 for all four variables.
//! Metrics: `goal`, 1 where the line was reached, and `highest`, the largest height of the end (m).

use std::f64::consts::{PI, TAU};

use palaestra_plugin_api::{
    math::sin_cos,
    prelude::*,
    serde_json::{Value, json},
};

/// Length of the first link (m); that of the second matters for the picture only.
const LENGTH: f64 = 1.0;
/// Mass of each link (kg).
const MASS: f64 = 1.0;
/// Distance of each link's centre of mass from its joint (m).
const CENTRE: f64 = 0.5;
/// Moment of inertia of each link (kg·m²).
const INERTIA: f64 = 1.0;
/// Limits of θ̇₁ and θ̇₂ (rad/s).
const MAX_SPEED: [f64; 2] = [4.0 * PI, 9.0 * PI];
/// Height of the line (m).
const GOAL_HEIGHT: f64 = 1.0;
/// Largest start value of each variable (rad, rad/s).
const START_RANGE: f64 = 0.1;
const METRIC_GOAL: usize = 0;
const METRIC_HIGHEST: usize = 1;

/// Settings of Acrobot.
#[palaestra_plugin_api::config]
pub struct AcrobotConfig {
    /// Steps until truncation.
    #[config(default = 500, range = 1..=1_000_000)]
    pub max_episode_steps: u32,
    /// Gravity (m/s²).
    #[config(default = 9.8, range = 0.0..=100.0)]
    pub gravity: f64,
    /// Torque of actions 0 and 2 (N·m).
    #[config(default = 1.0, range = 0.0..=100.0)]
    pub torque: f64,
    /// Largest noise added to the torque, uniform (N·m).
    #[config(default = 0.0, range = 0.0..=100.0)]
    pub torque_noise: f64,
    /// Duration of a step (s).
    #[config(default = 0.2, range = 0.001..=0.2)]
    pub time_step: f64,
}

/// θ₁, θ₂, θ̇₁, θ̇₂.
type State = [f64; 4];

/// One chain of two links.
#[derive(Debug, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
pub struct Acrobot {
    config: AcrobotConfig,
    state: State,
    /// Torque of the last step, for the picture (N·m).
    torque: f64,
}

/// `init` of the reset options.
#[derive(Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Init {
    state: State,
}

impl Environment for Acrobot {
    const ID: &'static str = "classic/Acrobot-v1";
    const DESCRIPTION: &'static str =
        "Swing the end of a two-link chain above a line by its middle joint";
    const TRACES: &'static [&'static str] = &["Acrobot-v1"];
    type Config = AcrobotConfig;

    fn spec(config: &AcrobotConfig) -> Result<EnvironmentSpec> {
        let high = [1.0, 1.0, 1.0, 1.0, MAX_SPEED[0], MAX_SPEED[1]];
        let observation = Space::bounds(&high.map(|bound| -bound), &high);
        let mut spec = EnvironmentSpec::new("agent", 1, observation, Space::discrete(3));
        spec.groups[0].no_op = Some(vec![1.0]);
        spec.max_episode_steps = Some(config.max_episode_steps);
        spec.reward_range = (Some(-1.0), Some(0.0));
        spec.flags.scripted = true;
        spec.metrics = vec![Metric::sum("goal"), Metric::max("highest")];
        spec.tags = vec![Tag::SingleAgent];
        Ok(spec)
    }

    fn new(config: &AcrobotConfig) -> Result<Self> {
        Ok(Self {
            config: config.clone(),
            state: [0.0; 4],
            torque: 0.0,
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        self.state = match options.init()? {
            Some(Init { state }) => state,
            None => [(); 4].map(|()| rng.range(-START_RANGE, START_RANGE)),
        };
        self.torque = 0.0;
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let noise = self.config.torque_noise;
        self.torque = (actions.discrete(0) as f64 - 1.0) * self.config.torque;
        if noise > 0.0 {
            self.torque += rng.range(-noise, noise);
        }
        self.state = next(&self.config, self.state, self.torque);
        let height = self.observe(out);
        out.metric(METRIC_HIGHEST, height);
        if height > GOAL_HEIGHT {
            out.metric(METRIC_GOAL, 1.0);
            out.terminate();
        } else {
            out.reward(0, -1.0);
        }
    }

    fn inspect(&self) -> Value {
        json!({"state": self.state})
    }

    /// The scripted baseline: feeds energy, by a torque the way the second link turns on the first.
    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let [_, _, _, speed2] = self.state;
        let torque = if speed2 < 0.0 { 0.0 } else { 2.0 };
        Ok(vec![vec![vec![torque]]])
    }

    fn render(&self, canvas: &mut Canvas) {
        let [theta1, theta2, ..] = self.state;
        let from =
            |(x, y): (f64, f64), angle: f64| (x + LENGTH * angle.sin(), y - LENGTH * angle.cos());
        let (hinge, joint) = ((0.0, 0.0), from((0.0, 0.0), theta1));
        let end = from(joint, theta1 + theta2);
        canvas.view(-2.2, -2.2, 2.2, 2.2);
        canvas.line((-2.2, GOAL_HEIGHT), (2.2, GOAL_HEIGHT), Color::ACCENT);
        canvas.line(hinge, joint, Color::group(0).pen(10.0));
        canvas.line(joint, end, Color::group(5).pen(10.0));
        for (at, color) in [
            (hinge, Color::INK),
            (joint, Color::group(1)),
            (end, Color::INK),
        ] {
            canvas.circle(at, 0.08, color);
        }
        canvas.caption(format!(
            "height {:+.2} m of {GOAL_HEIGHT:.0}, torque {:+.0} N·m",
            end.1, self.torque
        ));
    }
}

impl Acrobot {
    /// Writes the observation; gives the height of the end above the hinge, by its sines and cosines.
    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) -> f64 {
        let [theta1, theta2, speed1, speed2] = self.state;
        let ((sin1, cos1), (sin2, cos2)) = (sin_cos(theta1), sin_cos(theta2));
        out.observation(0)
            .copy_from_slice(&[cos1, sin1, cos2, sin2, speed1, speed2].map(|v| v as f32));
        -cos1 - (cos1 * cos2 - sin1 * sin2)
    }
}

/// The state one step later.
#[inline(always)]
fn next(config: &AcrobotConfig, state: State, torque: f64) -> State {
    let slope = |state| derivative(config.gravity, state, torque);
    let [theta1, theta2, speed1, speed2] = runge_kutta(slope, state, config.time_step);
    [
        wrap(theta1),
        wrap(theta2),
        speed1.clamp(-MAX_SPEED[0], MAX_SPEED[0]),
        speed2.clamp(-MAX_SPEED[1], MAX_SPEED[1]),
    ]
}

/// One classical Runge-Kutta step of fourth order.
#[inline(always)]
fn runge_kutta(slope: impl Fn(State) -> State, start: State, time: f64) -> State {
    let ahead = |k: &State, time: f64| std::array::from_fn(|i| start[i] + time * k[i]);
    let half = 0.5 * time;
    let k1 = slope(start);
    let k2 = slope(ahead(&k1, half));
    let k3 = slope(ahead(&k2, half));
    let k4 = slope(ahead(&k3, time));
    std::array::from_fn(|i| start[i] + time / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
}

/// Time derivative of the state, in the names of the book: inertias d₁, d₂ and gravity terms φ₁, φ₂.
#[inline(always)]
fn derivative(gravity: f64, [theta1, theta2, speed1, speed2]: State, torque: f64) -> State {
    let ((sin1, cos1), (sin2, cos2)) = (sin_cos(theta1), sin_cos(theta2));
    let sin12 = sin1 * cos2 + cos1 * sin2;
    let coupling = MASS * LENGTH * CENTRE;
    let d1 = MASS * CENTRE * CENTRE
        + MASS * (LENGTH * LENGTH + CENTRE * CENTRE + 2.0 * LENGTH * CENTRE * cos2)
        + 2.0 * INERTIA;
    let d2 = MASS * (CENTRE * CENTRE + LENGTH * CENTRE * cos2) + INERTIA;
    // cos(θ - π/2) = sin θ
    let phi2 = MASS * CENTRE * gravity * sin12;
    let phi1 = -coupling * (speed2 * speed2) * sin2 - 2.0 * coupling * speed2 * speed1 * sin2
        + (MASS * CENTRE + MASS * LENGTH) * gravity * sin1
        + phi2;
    let ratio = d2 / d1;
    let acceleration2 = (torque + ratio * phi1 - coupling * (speed1 * speed1) * sin2 - phi2)
        / (MASS * CENTRE * CENTRE + INERTIA - d2 * ratio);
    let acceleration1 = -(d2 * acceleration2 + phi1) / d1;
    [speed1, speed2, acceleration1, acceleration2]
}

/// The same angle in [-π, π).
#[inline(always)]
fn wrap(angle: f64) -> f64 {
    angle - TAU * ((angle + PI) / TAU).floor()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand, hanging still with torque 1: d₁ = 0.25 + 2.25 + 2 = 4.5, d₂ = 0.75 + 1 = 1.75, all φ = 0, so
    /// θ̈₂ = 1 / (1.25 - 1.75²/4.5) and θ̈₁ = -1.75·θ̈₂ / 4.5.
    #[test]
    fn a_torque_on_the_hanging_chain_bends_it() {
        let [_, _, first, second] = derivative(9.8, [0.0; 4], 1.0);
        let bent = 1.0 / (1.25 - 1.75 * 1.75 / 4.5);
        assert!((second - bent).abs() < 1e-15 && (first + 1.75 * bent / 4.5).abs() < 1e-15);
    }

    /// Without torque the hanging chain rests, and the exact solution of ẏ = y shows the order.
    #[test]
    fn the_integrator_is_of_fourth_order() {
        assert_eq!(next(&AcrobotConfig::default(), [0.0; 4], 0.0), [0.0; 4]);
        let error = |time: f64| (runge_kutta(|y| y, [1.0; 4], time)[0] - time.exp()).abs();
        let order = (error(0.2) / error(0.1)).log2();
        assert!((order - 5.0).abs() < 0.1, "local error of order {order}");
    }

    #[test]
    fn angles_wrap_and_speeds_are_limited() {
        let fast = next(&AcrobotConfig::default(), [3.0, -3.0, 12.5, -28.0], 1.0);
        assert!(fast[..2].iter().all(|angle| angle.abs() <= PI), "{fast:?}");
        assert!(
            fast[2].abs() <= MAX_SPEED[0] && fast[3].abs() <= MAX_SPEED[1],
            "{fast:?}"
        );
    }
}
