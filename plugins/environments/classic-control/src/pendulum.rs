//! Pendulum: swing a pendulum up with a torque too weak to lift it at once, and hold it there.
//!
//! Source: Gymnasium 1.4.0 (`Pendulum-v1`).
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0 | cos θ, θ from upright | ±1 |
//! | 1 | sin θ | ±1 |
//! | 2 | angular velocity θ̇ (rad/s) | ±8 |
//!
//! | action | meaning | range |
//! |---|---|---|
//! | 0 | torque u (N·m), clipped | ±2 |
//!
//! | | when |
//! |---|---|
//! | reward | -(θ² + 0.1·θ̇² + 0.001·u²), θ in ±π, of the state *before* the step: from -16.27 to 0 |
//! | terminated | never |
//! | truncated | after 200 steps |
//!
//! Semi-implicit Euler: the angle moves with the *new* velocity. The start is uniform, θ in ±π and θ̇ in ±1.
//! Metric `upright`: share of the steps that end with cos θ > 0.98, within 11.5° of upright.

use std::f64::consts::{PI, TAU};

use palaestra_plugin_api::{
    math::sin_cos,
    prelude::*,
    serde_json::{Value, json},
};

/// Weight of θ̇² in the cost.
const VELOCITY_COST: f64 = 0.1;
/// Weight of u² in the cost.
const TORQUE_COST: f64 = 0.001;
/// Largest start velocity (rad/s).
const START_VELOCITY: f64 = 1.0;
/// What cos θ exceeds where θ counts as upright.
const UPRIGHT: f64 = 0.98;
const METRIC_UPRIGHT: usize = 0;

/// The scripted baseline: k₁ (1/s²) and k₂ (1/s) of balancing, torque per missing energy of swinging up.
const STIFFNESS: f64 = 12.0;
const DRAG: f64 = 6.0;
const EAGERNESS: f64 = 1.0;

/// Settings of Pendulum.
#[palaestra_plugin_api::config]
pub struct PendulumConfig {
    /// Steps until truncation.
    #[config(default = 200, range = 1..=1_000_000)]
    pub max_episode_steps: u32,
    /// Gravity (m/s²).
    #[config(default = 10.0, range = 0.0..=100.0)]
    pub gravity: f64,
    /// Mass at the end of the rod (kg).
    #[config(default = 1.0, range = 0.01..=100.0)]
    pub mass: f64,
    /// Length of the rod (m).
    #[config(default = 1.0, range = 0.01..=100.0)]
    pub length: f64,
    /// Duration of a step (s).
    #[config(default = 0.05, range = 0.0001..=0.1)]
    pub time_step: f64,
    /// Largest angular velocity (rad/s).
    #[config(default = 8.0, range = 0.1..=100.0)]
    pub max_speed: f64,
    /// Largest torque (N·m).
    #[config(default = 2.0, range = 0.01..=1000.0)]
    pub max_torque: f64,
}

/// One pendulum.
#[derive(Debug, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
pub struct Pendulum {
    config: PendulumConfig,
    /// Angle from upright, not wrapped (rad).
    theta: f64,
    /// Angular velocity (rad/s).
    theta_dot: f64,
    /// Torque of the last step, for the picture (N·m).
    torque: f64,
}

/// `init` of the reset options.
#[derive(Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Init {
    /// θ and θ̇.
    state: [f64; 2],
}

impl Environment for Pendulum {
    const ID: &'static str = "classic/Pendulum-v1";
    const DESCRIPTION: &'static str = "Swing a pendulum up with a weak motor and hold it upright";
    const TRACES: &'static [&'static str] = &["Pendulum-v1"];
    type Config = PendulumConfig;

    fn spec(config: &PendulumConfig) -> Result<EnvironmentSpec> {
        let (speed, torque) = (config.max_speed, config.max_torque);
        let observation = Space::bounds(&[-1.0, -1.0, -speed], &[1.0, 1.0, speed]);
        let mut spec =
            EnvironmentSpec::new("agent", 1, observation, Space::bounded(1, -torque, torque));
        spec.max_episode_steps = Some(config.max_episode_steps);
        spec.reward_range = (
            Some(-(PI * PI + VELOCITY_COST * speed * speed + TORQUE_COST * torque * torque)),
            Some(0.0),
        );
        spec.metrics = vec![Metric::mean("upright")];
        spec.flags.scripted = true;
        spec.tags = vec![Tag::SingleAgent];
        Ok(spec)
    }

    fn new(config: &PendulumConfig) -> Result<Self> {
        Ok(Self {
            config: config.clone(),
            theta: PI,
            theta_dot: 0.0,
            torque: 0.0,
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        [self.theta, self.theta_dot] = match options.init()? {
            Some(Init { state }) => state,
            None => [
                rng.range(-PI, PI),
                rng.range(-START_VELOCITY, START_VELOCITY),
            ],
        };
        self.torque = 0.0;
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        self.torque =
            actions.continuous(0)[0].clamp(-self.config.max_torque, self.config.max_torque);
        out.reward(0, -cost(self.theta, self.theta_dot, self.torque));
        [self.theta, self.theta_dot] = next(&self.config, self.theta, self.theta_dot, self.torque);
        let cos = self.observe(out);
        out.metric(METRIC_UPRIGHT, f64::from(cos > UPRIGHT));
    }

    fn inspect(&self) -> Value {
        json!({"state": [self.theta, self.theta_dot]})
    }

    /// The scripted baseline: feeds energy until there is enough to stand upright, then balances.
    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let torque = swing_up(&self.config, wrap(self.theta), self.theta_dot);
        Ok(vec![vec![vec![torque]]])
    }

    fn render(&self, canvas: &mut Canvas) {
        let length = self.config.length;
        let at = |radius: f64| (radius * self.theta.sin(), radius * self.theta.cos());
        canvas.view(-1.3 * length, -1.3 * length, 1.3 * length, 1.3 * length);
        canvas.circle((0.0, 0.0), length, Color::LIGHT.pen(1.0));
        canvas.line((0.0, 0.0), at(length), Color::group(1).pen(14.0));
        canvas.circle(at(length), 0.11 * length, Color::group(1));
        canvas.circle((0.0, 0.0), 0.05 * length, Color::INK);
        // The torque pushes the mass along its circle, clockwise when positive.
        let (x, y) = at(0.6 * length);
        let push = 0.5 * self.torque / self.config.max_torque;
        canvas.arrow(
            (x, y),
            (
                x + push * length * self.theta.cos(),
                y - push * length * self.theta.sin(),
            ),
            Color::ACCENT,
        );
        canvas.caption(format!(
            "angle {:+.0}°, torque {:+.2} N·m",
            wrap(self.theta).to_degrees(),
            self.torque
        ));
    }
}

impl Pendulum {
    /// Writes the observation; gives cos θ.
    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) -> f64 {
        let (sin, cos) = sin_cos(self.theta);
        out.observation(0)
            .copy_from_slice(&[cos as f32, sin as f32, self.theta_dot as f32]);
        cos
    }
}

/// What a step costs from the state it starts in.
#[inline(always)]
fn cost(theta: f64, theta_dot: f64, torque: f64) -> f64 {
    let theta = wrap(theta);
    theta * theta + VELOCITY_COST * (theta_dot * theta_dot) + TORQUE_COST * (torque * torque)
}

/// Torque that brings a pendulum up and holds it (Åström and Furuta, "Swinging up a pendulum by energy control", 2000).
///
/// With a = 3g/2l and b = 3/ml², θ̈ = a·sin θ + b·u: the energy per inertia θ̇²/2 + a·cos θ is a at rest upright and
/// changes by b·u·θ̇. Near the top a proportional and derivative term with θ̈ = -k₁θ - k₂θ̇ takes over, where the
/// motor is strong enough for it.
fn swing_up(c: &PendulumConfig, theta: f64, theta_dot: f64) -> f64 {
    let (sin, cos) = sin_cos(theta);
    let (a, b) = (
        3.0 * c.gravity / (2.0 * c.length),
        3.0 / (c.mass * (c.length * c.length)),
    );
    let hold = -(a * sin + STIFFNESS * theta + DRAG * theta_dot) / b;
    if cos > 0.0 && hold.abs() < 1.5 * c.max_torque {
        return hold.clamp(-c.max_torque, c.max_torque);
    }
    let missing = a - (0.5 * theta_dot * theta_dot + a * cos);
    // At rest either way does.
    let way = if theta_dot < 0.0 { -1.0 } else { 1.0 };
    (EAGERNESS * missing * way).clamp(-c.max_torque, c.max_torque)
}

/// Angle and velocity one step later: velocity first, then the angle with it.
#[inline(always)]
fn next(c: &PendulumConfig, theta: f64, theta_dot: f64, torque: f64) -> [f64; 2] {
    let (sin, _) = sin_cos(theta);
    let acceleration =
        3.0 * c.gravity / (2.0 * c.length) * sin + 3.0 / (c.mass * (c.length * c.length)) * torque;
    let theta_dot = (theta_dot + acceleration * c.time_step).clamp(-c.max_speed, c.max_speed);
    [theta + theta_dot * c.time_step, theta_dot]
}

/// The same angle in [-π, π).
#[inline(always)]
fn wrap(angle: f64) -> f64 {
    (angle + PI) - TAU * ((angle + PI) / TAU).floor() - PI
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: θ = π/2 and still, sin θ = 1, so θ̈ = 15 + 3·2 = 21, θ̇ = 1.05, θ = π/2 + 0.0525.
    #[test]
    fn a_horizontal_pendulum_falls() {
        let config = PendulumConfig::default();
        let [theta, theta_dot] = next(&config, PI / 2.0, 0.0, 2.0);
        assert!((theta_dot - 1.05).abs() < 1e-15 && (theta - PI / 2.0 - 0.0525).abs() < 1e-15);
        assert!((cost(PI / 2.0, 0.0, 2.0) - (PI * PI / 4.0 + 0.004)).abs() < 1e-15);
    }

    #[test]
    fn angles_wrap_to_half_open_pi() {
        for (angle, wrapped) in [
            (0.5, 0.5),
            (-PI, -PI),
            (PI, -PI),
            (3.0 * PI / 2.0, -PI / 2.0),
            (-7.0, TAU - 7.0),
        ] {
            assert!(
                (wrap(angle) - wrapped).abs() < 1e-14,
                "{angle} gives {}",
                wrap(angle)
            );
        }
    }
}
