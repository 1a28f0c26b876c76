//! Pong for two, or for two teams of two: paddles on both sides of a court keep a ball in play.
//!
//! After Atari's Pong (1972), as a vector world: the court is -1 ≤ x ≤ 1, -0.6 ≤ y ≤ 0.6 (y upwards); a paddle is a
//! vertical line. Agent 0 is at x = -0.95, agent 1 at x = 0.95. In teams (`team_size` 2) agents 0 and 1 are the left
//! team and 2 and 3 the right one; the first of a team stands in the back at |x| = 0.95, the second in front at
//! |x| = 0.5, and a ball on its way to the other side passes through.
//!
//! Per step paddles move by `paddle_speed`, then the ball moves by its velocity and bounces off the walls. A paddle
//! that the ball reaches sends it back at an angle in proportion to where it was hit, up to 50° at its end, and faster
//! by `speed_up`, up to `max_ball_speed`. A ball that leaves the court scores a point against that side; the next
//! one starts in the middle to a random side at up to 30°.
//!
//! | observation (left team as is, right team mirrored in x) | meaning | range |
//! |---|---|---|
//! | 0, 1 | ball x, ball y / 0.6 | -1 to 1 |
//! | 2, 3 | ball velocity / `max_ball_speed` | -1 to 1 |
//! | 4 | own y / 0.6 | -1 to 1 |
//! | 5 | in teams: 1 in front, 0 in the back | 0, 1 |
//! | 6 | in teams: team mate's y / 0.6 | -1 to 1 |
//! | last `team_size` | opponents' y / 0.6, back first | -1 to 1 |
//!
//! Everybody's own side is at x < 0.
//!
//! | action | 0 | 1 | 2 |
//! |---|---|---|---|
//! | meaning | stay | up | down |
//!
//! | | when |
//! |---|---|
//! | reward | +1 for every agent of the team that scores, -1 for the others |
//! | terminated | a team has `points` |
//! | truncated | after `max_episode_steps` |
//!
//! Metrics: `first_team_wins`, `draw` (no team has more points), `points_first`, `points_second`, `hits`. `init` of
//! the reset options serves: `{"ball": [x, y], "velocity": [vx, vy]}`. The scripted baseline goes where the ball will
//! be.

mod court;
mod picture;
mod strategy;

use palaestra_plugin_api::prelude::*;

use court::{Court, HALF_HEIGHT, MOST_AGENTS, TEAMS};

/// Actions.
const UP: usize = 1;
const DOWN: usize = 2;
const CHOICES: usize = 3;
/// Metrics, in order.
const FIRST_TEAM_WINS: usize = 0;
const DRAW: usize = 1;
const POINTS: usize = 2;
const HITS: usize = 4;

/// Settings of Pong.
#[palaestra_plugin_api::config]
pub struct PongConfig {
    /// Agents on each side.
    #[config(default = 1, range = 1..=2)]
    pub team_size: usize,
    /// Points that win.
    #[config(default = 5, range = 1..=100)]
    pub points: u32,
    /// Length of a paddle, in half widths of the court.
    #[config(default = 0.24, range = 0.02..=1.2)]
    pub paddle_length: f64,
    /// Movement of a paddle in a step.
    #[config(default = 0.03, range = 0.001..=0.5)]
    pub paddle_speed: f64,
    /// Movement of a served ball in a step; at most `max_ball_speed`.
    #[config(default = 0.03, range = 0.001..=0.4)]
    pub ball_speed: f64,
    /// Factor on the ball's speed at every hit.
    #[config(default = 1.05, range = 1.0..=2.0)]
    pub speed_up: f64,
    /// Most that the ball moves in a step.
    #[config(default = 0.08, range = 0.001..=0.4)]
    pub max_ball_speed: f64,
    /// Steps until truncation.
    #[config(default = 3000, range = 1..)]
    pub max_episode_steps: u32,
}

/// One court.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
pub struct Pong {
    config: PongConfig,
    court: Court,
    points: [u32; TEAMS],
}

/// `init` of the reset options: a ball in play.
#[derive(Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Init {
    ball: [f64; 2],
    velocity: [f64; 2],
}

impl Environment for Pong {
    const ID: &'static str = "board/Pong-v0";
    const DESCRIPTION: &'static str = "Two players or two teams of two keep a ball in play";
    type Config = PongConfig;

    fn spec(config: &PongConfig) -> Result<EnvironmentSpec> {
        if config.ball_speed > config.max_ball_speed {
            return Err(Error::config(format!(
                "config /ball_speed: expected at most max_ball_speed, {}, found {}",
                config.max_ball_speed, config.ball_speed
            )));
        }
        let team = config.team_size;
        let width = if team == 1 { 6 } else { 9 };
        let mut spec = EnvironmentSpec::new(
            "players",
            TEAMS * team,
            Space::bounded(width, -1.0, 1.0),
            Space::discrete(CHOICES),
        );
        spec.groups[0].no_op = Some(vec![0.0]);
        spec.max_episode_steps = Some(config.max_episode_steps);
        spec.reward_range = (Some(-1.0), Some(1.0));
        spec.metrics = vec![
            Metric::last("first_team_wins"),
            Metric::last("draw"),
            Metric::last("points_first"),
            Metric::last("points_second"),
            Metric::sum("hits"),
        ];
        spec.flags.scripted = true;
        spec.tags = vec![if team == 1 {
            Tag::Competitive
        } else {
            Tag::Mixed
        }];
        Ok(spec)
    }

    fn new(config: &PongConfig) -> Result<Self> {
        Ok(Self {
            config: config.clone(),
            court: Court::default(),
            points: [0; TEAMS],
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        let init = options.init::<Init>()?;
        self.court = Court::default();
        self.points = [0; TEAMS];
        match init {
            Some(Init { ball, velocity }) => {
                let most = self.config.max_ball_speed;
                self.court.set_ball(ball, velocity, most)?;
            }
            None => self.court.serve(self.config.ball_speed, rng),
        }
        self.observe(out);
        Ok(())
    }

    #[inline(always)]
    fn step(&mut self, rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let agents = TEAMS * self.config.team_size;
        let mut moves = [0.0; MOST_AGENTS];
        for (agent, moved) in moves[..agents].iter_mut().enumerate() {
            *moved = match actions.discrete(agent) {
                UP => self.config.paddle_speed,
                DOWN => -self.config.paddle_speed,
                _ => 0.0,
            };
        }
        let played = self.court.advance(&self.config, &moves);
        out.metric(HITS, f64::from(u8::from(played.hit)));
        if let Some(team) = played.scored {
            self.points[team] += 1;
            for agent in 0..agents {
                let own = agent / self.config.team_size == team;
                out.reward(agent, if own { 1.0 } else { -1.0 });
            }
            self.court.serve(self.config.ball_speed, rng);
            out.terminate_if(self.points[team] == self.config.points);
        }
        let [first, second] = self.points;
        out.metric(FIRST_TEAM_WINS, f64::from(u8::from(first > second)));
        out.metric(DRAW, f64::from(u8::from(first == second)));
        out.metric(POINTS, f64::from(first));
        out.metric(POINTS + 1, f64::from(second));
        self.observe(out);
    }

    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let choice = |agent| strategy::choose(&self.config, &self.court, agent) as f64;
        let agents = TEAMS * self.config.team_size;
        Ok(vec![(0..agents).map(|agent| vec![choice(agent)]).collect()])
    }

    fn render(&self, canvas: &mut Canvas) {
        picture::draw(self, canvas);
    }
}

impl Pong {
    /// Writes what every agent sees from its own side.
    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        let team_size = self.config.team_size;
        let Court {
            ball,
            velocity,
            paddles,
        } = &self.court;
        for agent in 0..TEAMS * team_size {
            let (team, place) = (agent / team_size, agent % team_size);
            let side = if team == 0 { 1.0 } else { -1.0 };
            let height = |agent: usize| (paddles[agent] / HALF_HEIGHT) as f32;
            let row = out.observation(agent);
            row[0] = (side * ball[0]) as f32;
            row[1] = (ball[1] / HALF_HEIGHT) as f32;
            row[2] = (side * velocity[0] / self.config.max_ball_speed) as f32;
            row[3] = (velocity[1] / self.config.max_ball_speed) as f32;
            row[4] = height(agent);
            if team_size == 2 {
                row[5] = place as f32;
                row[6] = height(team * team_size + 1 - place);
            }
            let opponents = row.len() - team_size;
            for (i, seen) in row[opponents..].iter_mut().enumerate() {
                *seen = height((1 - team) * team_size + i);
            }
        }
    }
}

#[cfg(test)]
mod tests;
