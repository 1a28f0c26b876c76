//! How paddles and ball move.

use palaestra_plugin_api::{math, prelude::*};

use super::PongConfig;

pub(super) const TEAMS: usize = 2;
/// Agents of two teams of two.
pub(super) const MOST_AGENTS: usize = 4;
/// Half the height of the court; half its width is 1.
pub(super) const HALF_HEIGHT: f64 = 0.6;
/// Distance from the middle of the paddles in the back and in front.
pub(super) const PADDLE_X: [f64; 2] = [0.95, 0.5];
/// Steepest ball off the end of a paddle [rad].
const STEEPEST_HIT: f64 = 50.0 * std::f64::consts::PI / 180.0;
/// Steepest serve [rad].
const STEEPEST_SERVE: f64 = 30.0 * std::f64::consts::PI / 180.0;

/// What moves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
pub(super) struct Court {
    /// x from -1 to 1, y from -0.6 to 0.6.
    pub(super) ball: [f64; 2],
    /// Movement of the ball in a step.
    pub(super) velocity: [f64; 2],
    /// Middle of every paddle, y from -0.6 to 0.6.
    pub(super) paddles: [f64; MOST_AGENTS],
}

/// What happened in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Played {
    /// A paddle sent the ball back.
    pub(super) hit: bool,
    /// The team that has scored.
    pub(super) scored: Option<usize>,
}

impl Court {
    /// A ball from the middle to a random side.
    pub(super) fn serve(&mut self, speed: f64, rng: &mut EnvRng) {
        let side = if rng.bernoulli(0.5) { 1.0 } else { -1.0 };
        let (sin, cos) = math::sin_cos(rng.range(-STEEPEST_SERVE, STEEPEST_SERVE));
        self.ball = [0.0; 2];
        self.velocity = [side * speed * cos, speed * sin];
    }

    /// Puts the ball into play at a place of the court, not faster than `most`.
    pub(super) fn set_ball(&mut self, ball: [f64; 2], velocity: [f64; 2], most: f64) -> Result<()> {
        if !(ball[0].abs() < 1.0 && ball[1].abs() <= HALF_HEIGHT) {
            return Err(Error::config(format!(
                "start /ball: expected |x| < 1 and |y| ≤ {HALF_HEIGHT}, found {ball:?}"
            )));
        }
        let speed = velocity[0].hypot(velocity[1]);
        if !(velocity[0] != 0.0 && speed <= most) {
            return Err(Error::config(format!(
                "start /velocity: expected a speed up to {most} and not upright, found {velocity:?}"
            )));
        }
        self.ball = ball;
        self.velocity = velocity;
        Ok(())
    }

    /// One step: paddles by `moves`, then the ball.
    #[inline(always)]
    pub(super) fn advance(&mut self, config: &PongConfig, moves: &[f64; MOST_AGENTS]) -> Played {
        for (paddle, moved) in self.paddles.iter_mut().zip(moves) {
            *paddle = (*paddle + moved).clamp(-HALF_HEIGHT, HALF_HEIGHT);
        }
        let defends = usize::from(self.velocity[0] > 0.0);
        // The ball meets the paddle in front before the one in the back.
        for place in (0..config.team_size).rev() {
            let agent = defends * config.team_size + place;
            if let Some(offset) = self.meets(defends, PADDLE_X[place], agent, config) {
                self.send_back(defends, offset, config);
                return Played {
                    hit: true,
                    scored: None,
                };
            }
        }
        let [x, y] = self.ball;
        (self.ball[1], self.velocity[1]) = bounce(y + self.velocity[1], self.velocity[1]);
        self.ball[0] = x + self.velocity[0];
        Played {
            hit: false,
            scored: (self.ball[0].abs() > 1.0).then_some(1 - defends),
        }
    }

    /// Where on a paddle, from -1 to 1, the ball arrives in this step, if it does; the ball is put there.
    #[inline(always)]
    fn meets(&mut self, team: usize, x: f64, agent: usize, config: &PongConfig) -> Option<f64> {
        let x = if team == 0 { -x } else { x };
        // Share of the step after which the ball is at the paddle.
        let share = (x - self.ball[0]) / self.velocity[0];
        if !(share > 0.0 && share <= 1.0) {
            return None;
        }
        let (y, _) = bounce(self.ball[1] + share * self.velocity[1], self.velocity[1]);
        let offset = (y - self.paddles[agent]) / (0.5 * config.paddle_length);
        if offset.abs() > 1.0 {
            return None;
        }
        self.ball = [x, y];
        Some(offset)
    }

    #[inline(always)]
    fn send_back(&mut self, team: usize, offset: f64, config: &PongConfig) {
        let [vx, vy] = self.velocity;
        let speed = ((vx * vx + vy * vy).sqrt() * config.speed_up).min(config.max_ball_speed);
        let (sin, cos) = math::sin_cos(offset * STEEPEST_HIT);
        let side = if team == 0 { 1.0 } else { -1.0 };
        self.velocity = [side * speed * cos, speed * sin];
    }
}

/// Height and vertical velocity after the walls.
#[inline(always)]
fn bounce(y: f64, vy: f64) -> (f64, f64) {
    if y > HALF_HEIGHT {
        (2.0 * HALF_HEIGHT - y, -vy)
    } else if y < -HALF_HEIGHT {
        (-2.0 * HALF_HEIGHT - y, -vy)
    } else {
        (y, vy)
    }
}
