//! Pursuit: pursuers catch a slower evader in a square arena, all moving freely and without inertia.
//!
//! The continuous form of predator and prey: who chooses a velocity has it at once.
//!
//! | agent | observation, in units of the arena's side | range |
//! |---|---|---|
//! | pursuer | own position, 2 | 0 to 1 |
//! | | evader, relative, 2 | ±1 |
//! | | other pursuers, relative, 2 each | ±1 |
//! | evader | own position, 2 | 0 to 1 |
//! | | pursuers, relative, 2 each | ±1 |
//!
//! | action | meaning | range |
//! |---|---|---|
//! | 0–1 | velocity in units of the agent's speed, shortened to length 1 | ±1 |
//!
//! | | |
//! |---|---|
//! | reward of a pursuer | −(its distance to the evader) / side, after the step |
//! | reward of the evader | the nearest pursuer's distance / side |
//! | terminated | a pursuer is nearer than `catch_distance` |
//! | truncated | after `max_episode_steps` |
//!
//! All move at once, by speed × action a step, and stop at the walls. Starts are uniform, the evader's drawn
//! again while it would be caught. Metrics: `caught` (1 in the last step of a successful pursuit) and the mean
//! `distance` of the nearest pursuer.

use palaestra_plugin_api::{
    math,
    prelude::*,
    serde_json::{Value, json},
};

/// Draws of an evader that is not caught at once, before the last is taken as it is.
const DRAWS: usize = 1000;
/// Directions that the evader of the scripted baseline tries, steps that it looks ahead, and what it gives for being
/// near the middle.
const DIRECTIONS: usize = 32;
const LOOKAHEAD: f64 = 3.0;
const CENTRE: f64 = 0.3;
/// How far past the evader a pursuer of the scripted baseline runs, in catch distances.
const PAST: f64 = 0.9;
/// Groups, in order.
const PURSUERS: usize = 0;
const EVADER: usize = 1;
/// Metrics, in order.
const CAUGHT: usize = 0;
const DISTANCE: usize = 1;

/// Settings of pursuit.
#[palaestra_plugin_api::config]
pub struct PursuitConfig {
    /// Number of pursuers.
    #[config(default = 1, range = 1..=32)]
    pub num_pursuers: usize,
    /// Side of the arena.
    #[config(default = 10.0, range = 0.1..=1e6)]
    pub size: f64,
    /// Largest way of a pursuer in a step.
    #[config(default = 0.8, range = 0.0..=1e6)]
    pub pursuer_speed: f64,
    /// Largest way of the evader in a step.
    #[config(default = 0.6, range = 0.0..=1e6)]
    pub evader_speed: f64,
    /// The evader is caught below this distance.
    #[config(default = 0.5, range = 0.0..=1e6)]
    pub catch_distance: f64,
    /// Steps until truncation.
    #[config(default = 100, range = 1..=1_000_000)]
    pub max_episode_steps: u32,
}

/// One arena.
#[derive(Debug, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
pub struct Pursuit {
    config: PursuitConfig,
    /// Where the pursuers are, then the evader.
    pos: Vec<[f64; 2]>,
}

/// `init` of the reset options.
#[derive(Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Init {
    /// Where the pursuers start, then the evader.
    agent_pos: Vec<[f64; 2]>,
}

impl Environment for Pursuit {
    const ID: &'static str = "mpe/Pursuit-v0";
    const DESCRIPTION: &'static str = "Pursuers catch a slower evader in a square arena";
    type Config = PursuitConfig;

    fn spec(config: &PursuitConfig) -> Result<EnvironmentSpec> {
        let pursuers = config.num_pursuers;
        let group = |name, agents, others: usize| {
            let low = [vec![0.0; 2], vec![-1.0; 2 * others]].concat();
            let mut group = GroupSpec::new(
                name,
                agents,
                Space::bounds(&low, &vec![1.0; 2 + 2 * others]),
                Space::bounded(2, -1.0, 1.0),
            );
            group.no_op = Some(vec![0.0; 2]);
            group
        };
        let groups = vec![
            group("pursuer", pursuers, pursuers),
            group("evader", 1, pursuers),
        ];
        let diagonal = std::f64::consts::SQRT_2;
        Ok(EnvironmentSpec {
            groups,
            state: None,
            max_episode_steps: Some(config.max_episode_steps),
            reward_range: (Some(-diagonal), Some(diagonal)),
            metrics: vec![Metric::last("caught"), Metric::mean("distance")],
            flags: Flags {
                scripted: true,
                ..Flags::default()
            },
            tags: vec![Tag::Competitive],
        })
    }

    fn new(config: &PursuitConfig) -> Result<Self> {
        let agents = config.num_pursuers + 1;
        Ok(Self {
            config: config.clone(),
            pos: vec![[0.0; 2]; agents],
        })
    }

    fn reset(
        &mut self,
        rng: &mut EnvRng,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        match options.init::<Init>()? {
            Some(init) => self.place(init.agent_pos)?,
            None => self.draw(rng),
        }
        self.observe(out);
        Ok(())
    }

    fn step(&mut self, _rng: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        let PursuitConfig {
            num_pursuers: pursuers,
            size,
            pursuer_speed,
            evader_speed,
            ..
        } = self.config;
        for (agent, place) in self.pos.iter_mut().enumerate() {
            let (velocity, speed) = if agent < pursuers {
                (actions.group(PURSUERS).continuous(agent), pursuer_speed)
            } else {
                (actions.group(EVADER).continuous(0), evader_speed)
            };
            *place = moved(*place, [velocity[0], velocity[1]], speed, size);
        }
        for pursuer in 0..pursuers {
            let reward = -self.distance(pursuer) / size;
            out.group(PURSUERS).reward(pursuer, reward);
        }
        let nearest = self.nearest();
        out.group(EVADER).reward(0, nearest / size);
        out.metric(DISTANCE, nearest);
        if nearest < self.config.catch_distance {
            out.metric(CAUGHT, 1.0);
            out.terminate();
        }
        self.observe(out);
    }

    fn inspect(&self) -> Value {
        json!({"pos": self.pos})
    }

    /// Pursuers run straight at the evader, who is running, and so a little past it; the evader takes the direction that
    /// keeps it freest.
    fn scripted(&self, _rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let evader = self.pos[self.config.num_pursuers];
        let chase = |&own: &[f64; 2]| {
            let [dx, dy] = difference(evader, own);
            let way = (dx * dx + dy * dy).sqrt();
            // Past it only so far that one who stays is caught as well.
            let speed = self.config.pursuer_speed;
            let run = (way + PAST * self.config.catch_distance).min(speed);
            let scale = if way * speed > 0.0 {
                run / (way * speed)
            } else {
                0.0
            };
            vec![dx * scale, dy * scale]
        };
        let pursuers = &self.pos[..self.config.num_pursuers];
        let free = |a: &[f64; 2], b: &[f64; 2]| {
            let freedom = |&v: &[f64; 2]| self.freedom(evader, v, pursuers);
            freedom(a).total_cmp(&freedom(b))
        };
        let direction = |i: usize| {
            let angle = std::f64::consts::TAU * i as f64 / DIRECTIONS as f64;
            let (sine, cosine) = math::sin_cos(angle);
            [cosine, sine]
        };
        let flight = (0..DIRECTIONS).map(direction).max_by(free);
        let flight = flight.unwrap_or_default().to_vec();
        Ok(vec![pursuers.iter().map(chase).collect(), vec![flight]])
    }

    fn render(&self, canvas: &mut Canvas) {
        let size = self.config.size;
        let (pursuer, evader) = (Color::group(0), Color::group(1));
        let margin = 0.03 * size;
        canvas.view(-margin, -margin, size + margin, size + margin);
        canvas.rect(
            (0.0, 0.0),
            (size, size),
            Color::WHITE.outlined(Color::GREY.pen(2.0)),
        );
        for (agent, &place) in self.pos.iter().enumerate() {
            let color = if agent < self.config.num_pursuers {
                pursuer
            } else {
                evader
            };
            canvas.track(agent, place, color.pen(3.0));
            if agent < self.config.num_pursuers {
                canvas.circle(place, self.config.catch_distance, Color::LIGHT.pen(1.0));
            }
            canvas.circle(place, 0.02 * size, color.outlined(Color::INK.pen(1.0)));
        }
        canvas.legend(&[("pursuer", pursuer), ("evader", evader)]);
        let nearest = self.nearest();
        let caught = if nearest < self.config.catch_distance {
            ", caught"
        } else {
            ""
        };
        canvas.caption(format!("distance {nearest:.2}{caught}"));
    }
}

impl Pursuit {
    fn draw(&mut self, rng: &mut EnvRng) {
        let size = self.config.size;
        for place in &mut self.pos {
            *place = [rng.range(0.0, size), rng.range(0.0, size)];
        }
        let evader = self.config.num_pursuers;
        for _ in 0..DRAWS {
            if self.nearest() >= self.config.catch_distance {
                break;
            }
            self.pos[evader] = [rng.range(0.0, size), rng.range(0.0, size)];
        }
    }

    fn place(&mut self, places: Vec<[f64; 2]>) -> Result<()> {
        let inside = |x: &f64| (0.0..=self.config.size).contains(x);
        if places.len() != self.pos.len() {
            let (expected, found) = (self.pos.len(), places.len());
            return Err(Error::config(format!(
                "init /agent_pos: expected {expected} pairs, found {found}"
            )));
        }
        if let Some(out) = places.as_flattened().iter().find(|x| !inside(x)) {
            let size = self.config.size;
            return Err(Error::config(format!(
                "init /agent_pos: expected 0 ≤ x ≤ {size}, found {out}"
            )));
        }
        self.pos = places;
        Ok(())
    }

    /// How far the nearest pursuer is once the evader has run in a direction for some steps, and how far the middle
    /// of the arena, which counts less: who runs along a wall has one way only.
    fn freedom(&self, evader: [f64; 2], direction: [f64; 2], pursuers: &[[f64; 2]]) -> f64 {
        let (size, speed) = (self.config.size, self.config.evader_speed);
        let away = LOOKAHEAD * speed;
        let there = moved(evader, direction, away, size);
        let apart = |a: [f64; 2], b: [f64; 2]| {
            let [dx, dy] = difference(a, b);
            (dx * dx + dy * dy).sqrt()
        };
        let nearest = pursuers
            .iter()
            .map(|&p| apart(there, p))
            .fold(f64::INFINITY, f64::min);
        nearest - CENTRE * apart(there, [0.5 * size; 2])
    }

    /// Distance of a pursuer to the evader.
    fn distance(&self, pursuer: usize) -> f64 {
        let [dx, dy] = difference(self.pos[self.config.num_pursuers], self.pos[pursuer]);
        (dx * dx + dy * dy).sqrt()
    }

    /// Distance of the nearest pursuer to the evader.
    fn nearest(&self) -> f64 {
        (0..self.config.num_pursuers)
            .map(|p| self.distance(p))
            .fold(f64::INFINITY, f64::min)
    }

    fn observe(&self, out: &mut Observe<'_>) {
        let pursuers = self.config.num_pursuers;
        for (agent, &own) in self.pos.iter().enumerate() {
            let (group, index) = if agent < pursuers {
                (PURSUERS, agent)
            } else {
                (EVADER, 0)
            };
            // The opponent first, then the other pursuers.
            let evader = (agent < pursuers).then_some(pursuers);
            let seen = evader
                .into_iter()
                .chain((0..pursuers).filter(|&other| other != agent));
            let relative = seen.map(|other| difference(self.pos[other], own));
            let values = std::iter::once(own).chain(relative).flatten();
            let mut writer = out.group(group);
            for (to, value) in writer.observation(index).iter_mut().zip(values) {
                *to = (value / self.config.size) as f32;
            }
        }
    }
}

/// Where a step takes an agent: a velocity of at most length 1, times the speed, up to the walls.
fn moved([x, y]: [f64; 2], [vx, vy]: [f64; 2], speed: f64, size: f64) -> [f64; 2] {
    let (vx, vy) = (vx.clamp(-1.0, 1.0), vy.clamp(-1.0, 1.0));
    let way = speed / (vx * vx + vy * vy).sqrt().max(1.0);
    [
        (x + vx * way).clamp(0.0, size),
        (y + vy * way).clamp(0.0, size),
    ]
}

fn difference(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] - b[0], a[1] - b[1]]
}

#[cfg(test)]
mod tests;
