//! CartPole: keep a pole upright on a cart by pushing the cart left or right.
//!
//! Source: Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve difficult learning
//! control problems" (1983); constants and integrator of Gymnasium 1.4.0 (`CartPole-v1`).
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0 | cart position x (m) | the episode ends beyond ±2.4 |
//! | 1 | cart velocity (m/s) | unbounded |
//! | 2 | pole angle θ from upright, clockwise (rad) | the episode ends beyond ±12° |
//! | 3 | pole angular velocity (rad/s) | unbounded |
//!
//! | action | meaning |
//! |---|---|
//! | 0 | push the cart left |
//! | 1 | push the cart right |
//!
//! | | when |
//! |---|---|
//! | reward | 1 at every step, the last included |
//! | terminated | \|x\| > 2.4 m or \|θ\| > 12° |
//! | truncated | after 500 steps |
//! | metric | `fallen`: whether the episode ended with the pole down or the cart off its track |
//!
//! Explicit Euler: positions move with the velocities *before* the step. The start is uniform in ±0.05
//! for all four variables. [`CartPole`] steps all instances at once, [`CartPoleScalar`] one; both call the
//! dynamics of this file.
//!
//! | reset options | what |
//! |---|---|
//! | `init` | start state, `{"state": [x, velocity, θ, angular velocity]}` |
//! | `options` | a task: settings to use instead, such as `{"pole_half_length": 1.0, "force": 5.0}`; all but `max_episode_steps` |
//!
//! A task belongs to its instance from the next reset until other options are set; `{}` is the environment
//! as configured. The start state of `init` is taken as it is.

mod batch;
mod scalar;
mod task;

use std::f64::consts::PI;

use palaestra_plugin_api::{math::sin_cos, prelude::*};

pub use batch::CartPole;
pub use scalar::CartPoleScalar;

/// `env` field of the reference traces.
const TRACE: &str = "CartPole-v1";
/// The only metric.
const FALLEN: usize = 0;
/// Length of the drawn pole per half length of the real one: all of it.
const WHOLE: f64 = 2.0;

/// Settings of CartPole.
#[palaestra_plugin_api::config]
pub struct CartPoleConfig {
    /// Steps until truncation.
    #[config(default = 500, range = 1..=1_000_000)]
    pub max_episode_steps: u32,
    /// Gravity (m/s²).
    #[config(default = 9.8, range = 0.0..=100.0)]
    pub gravity: f64,
    /// Mass of the cart (kg).
    #[config(default = 1.0, range = 0.01..=100.0)]
    pub cart_mass: f64,
    /// Mass of the pole (kg).
    #[config(default = 0.1, range = 0.001..=100.0)]
    pub pole_mass: f64,
    /// Half the length of the pole (m).
    #[config(default = 0.5, range = 0.01..=10.0)]
    pub pole_half_length: f64,
    /// Force of a push (N).
    #[config(default = 10.0, range = 0.0..=1000.0)]
    pub force: f64,
    /// Duration of a step (s).
    #[config(default = 0.02, range = 0.0001..=0.1)]
    pub time_step: f64,
    /// Position of the cart beyond which the episode ends (m).
    #[config(default = 2.4, range = 0.1..=1000.0)]
    pub position_limit: f64,
    /// Angle of the pole beyond which the episode ends (degrees).
    #[config(default = 12.0, range = 0.1..=180.0)]
    pub angle_limit: f64,
    /// Largest start value of each state variable (m, m/s, rad, rad/s).
    #[config(default = 0.05, range = 0.0..=1.0)]
    pub start_range: f64,
}

/// What the dynamics need of the settings. Masses are kept as they are used, so that a step divides once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
struct Physics {
    gravity: f64,
    force: f64,
    time_step: f64,
    half_length: f64,
    /// Mass of the pole times its half length (kg·m).
    pole_mass_length: f64,
    /// 1 / mass of cart and pole (1/kg).
    inverse_mass: f64,
    /// Mass of the pole / mass of cart and pole.
    pole_share: f64,
    position_limit: f64,
    /// In radians.
    angle_limit: f64,
    start_range: f64,
}

impl From<&CartPoleConfig> for Physics {
    fn from(config: &CartPoleConfig) -> Self {
        let mass = config.cart_mass + config.pole_mass;
        Self {
            gravity: config.gravity,
            force: config.force,
            time_step: config.time_step,
            half_length: config.pole_half_length,
            pole_mass_length: config.pole_mass * config.pole_half_length,
            inverse_mass: 1.0 / mass,
            pole_share: config.pole_mass / mass,
            position_limit: config.position_limit,
            angle_limit: config.angle_limit * 2.0 * PI / 360.0,
            start_range: config.start_range,
        }
    }
}

/// The four variables of one instance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    crate = "palaestra_plugin_api::serde",
    from = "[f64; 4]",
    into = "[f64; 4]"
)]
struct State {
    x: f64,
    x_dot: f64,
    theta: f64,
    theta_dot: f64,
}

impl From<[f64; 4]> for State {
    fn from([x, x_dot, theta, theta_dot]: [f64; 4]) -> Self {
        Self {
            x,
            x_dot,
            theta,
            theta_dot,
        }
    }
}

impl From<State> for [f64; 4] {
    fn from(s: State) -> Self {
        [s.x, s.x_dot, s.theta, s.theta_dot]
    }
}

/// `init` of the reset options.
#[derive(Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Init {
    state: State,
}

fn spec(config: &CartPoleConfig) -> EnvironmentSpec {
    let mut spec = EnvironmentSpec::new("agent", 1, Space::real(4), Space::discrete(2));
    spec.max_episode_steps = Some(config.max_episode_steps);
    spec.reward_range = (Some(1.0), Some(1.0));
    spec.metrics = vec![Metric::last("fallen")];
    spec.flags.scripted = true;
    spec.tags = vec![Tag::SingleAgent];
    spec
}

/// The state of `init`, or a drawn one.
fn start(physics: &Physics, rng: &mut EnvRng, options: &ResetOptions<'_>) -> Result<State> {
    if let Some(Init { state }) = options.init()? {
        return Ok(state);
    }
    let bound = physics.start_range;
    Ok([(); 4].map(|()| rng.range(-bound, bound)).into())
}

/// The state one step later; free of branches, so that a loop over instances is vectorised.
#[inline(always)]
fn next(p: &Physics, s: State, action: i32) -> State {
    // Not a choice between two values: a random action makes for a branch that is wrong half the time.
    let force = f64::from(2 * action - 1) * p.force;
    let (sin, cos) = sin_cos(s.theta);
    // Acceleration of the whole by push and swing, as if the pole did not turn.
    let push = (force + p.pole_mass_length * (s.theta_dot * s.theta_dot) * sin) * p.inverse_mass;
    let inertia = p.half_length * (4.0 / 3.0 - p.pole_share * (cos * cos));
    let angular = (p.gravity * sin - cos * push) / inertia;
    let linear = push - p.pole_share * p.half_length * angular * cos;
    State {
        x: s.x + p.time_step * s.x_dot,
        x_dot: s.x_dot + p.time_step * linear,
        theta: s.theta + p.time_step * s.theta_dot,
        theta_dot: s.theta_dot + p.time_step * angular,
    }
}

/// Whether the cart has left the track or the pole has fallen.
#[inline(always)]
fn is_over(p: &Physics, x: f64, theta: f64) -> bool {
    (x.abs() > p.position_limit) | (theta.abs() > p.angle_limit)
}

/// The scripted baseline: pushes towards where a weighted sum of cart and pole leans.
fn rule(s: State) -> Vec<Vec<Vec<f64>>> {
    let lean = 0.3 * s.x + 0.6 * s.x_dot + 8.0 * s.theta + 1.5 * s.theta_dot;
    vec![vec![vec![f64::from(u8::from(lean > 0.0))]]]
}

fn draw(p: &Physics, s: State, canvas: &mut Canvas) {
    let (limit, pole) = (p.position_limit, WHOLE * p.half_length);
    let (half_width, half_height) = (0.1 * limit, 0.05 * limit);
    canvas.view(
        -1.1 * limit,
        -0.25 * limit,
        1.1 * limit,
        half_height + 1.2 * pole.max(0.5 * limit),
    );
    canvas.line((-limit, 0.0), (limit, 0.0), Color::GREY);
    for end in [-limit, limit] {
        canvas.line((end, -half_height), (end, half_height), Color::GREY);
    }
    canvas.rounded_rect(
        (s.x - half_width, -half_height),
        (s.x + half_width, half_height),
        0.02 * limit,
        Color::INK,
    );
    let pivot = (s.x, half_height);
    let tip = (
        s.x + pole * s.theta.sin(),
        half_height + pole * s.theta.cos(),
    );
    canvas.line(pivot, tip, Color::group(1).pen(8.0));
    canvas.circle(pivot, 0.02 * limit, Color::group(0));
    canvas.caption(format!(
        "x {:+.2} m, angle {:+.1}°",
        s.x,
        s.theta.to_degrees()
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: upright and still, F = 10, so temp = 10/1.1, θ̈ = -temp / (0.5·(4/3 - 0.1/1.1)) and
    /// ẍ = temp - 0.05·θ̈/1.1.
    #[test]
    fn a_push_from_rest_accelerates_cart_and_pole() {
        let physics = Physics::from(&CartPoleConfig::default());
        let rest = State::from([0.0; 4]);
        let pushed = next(&physics, rest, 1);
        let push: f64 = 10.0 / 1.1;
        let angular = -push / (0.5 * (4.0 / 3.0 - 0.1 / 1.1));
        let linear = push - 0.05 * angular / 1.1;
        assert_eq!(
            (pushed.x, pushed.theta),
            (0.0, 0.0),
            "positions move with the old velocities"
        );
        assert!(
            (pushed.x_dot - 0.02 * linear).abs() < 1e-15
                && (pushed.theta_dot - 0.02 * angular).abs() < 1e-15
        );
        assert!(
            (pushed.x_dot - 0.195_121_951_219_512_2).abs() < 1e-15,
            "{}",
            pushed.x_dot
        );
        let mirrored = next(&physics, rest, 0);
        assert_eq!(
            (mirrored.x_dot, mirrored.theta_dot),
            (-pushed.x_dot, -pushed.theta_dot)
        );
    }

    #[test]
    fn the_limits_themselves_are_inside() {
        let physics = Physics::from(&CartPoleConfig::default());
        assert!(!is_over(&physics, 2.4, 0.209_439_510_239_319_53));
        assert!(is_over(&physics, -2.400_001, 0.0) && is_over(&physics, 0.0, -0.209_44));
    }
}
