//! Simple spread: agents cover landmarks and keep apart.
//!
//! Lowe et al. (2017), "Multi-agent actor-critic for mixed cooperative-competitive environments"; numbers as in
//! MPE2 1.1 (`simple_spread_v3`). A agents (size 0.15, colliding) and M landmarks start uniform in \[−1, 1\]².
//!
//! | observation | meaning | range |
//! |---|---|---|
//! | 0–1 | own velocity | ℝ |
//! | 2–3 | own position | ℝ |
//! | 4 .. 4 + 2M | landmarks, relative | ℝ |
//! | then 2(A − 1) | other agents, relative | ℝ |
//! | then 2(A − 1) | what others say | 0: they are silent |
//!
//! With `num_agent_neighbors` and `num_landmark_neighbors` an agent sees that many of the others and of the
//! landmarks, the nearest first, zeros where there are fewer ([`neighbours`](crate::neighbours)).
//!
//! | action | |
//! |---|---|
//! | discrete | 0 stay, 1 −x, 2 +x, 3 −y, 4 +y |
//! | continuous | \[unused, −x, +x, −y, +y\] in \[0, 1\] |
//!
//! With c = the number of other agents an agent overlaps and D = Σ over landmarks of the distance to the
//! nearest agent:
//!
//! | generation | reward of an agent |
//! |---|---|
//! | MPE2 | −(1 − `local_ratio`) · D − `local_ratio` · c |
//! | OpenAI | Σ over agents of −D − (c + 1), the same for all: agents collide with themselves |
//!
//! Without `collision_penalty` c, and the 1 beside it, are 0. A landmark is occupied when an agent is nearer than 0.1.
//!
//! | | |
//! |---|---|
//! | terminated | never; with `terminate_on_success` when every landmark is occupied |
//! | truncated | after `max_episode_steps` |
//! | `collisions` | pairs of agents that overlap, summed over steps |
//! | `sum_of_min_distances` | D, mean over steps |
//! | `occupied_landmarks` | number of occupied landmarks in the last step |

use palaestra_plugin_api::{
    canvas::Color,
    config,
    prelude::{EnvRng, Metric, Result, Tag},
};

use crate::{
    batch::invalid,
    features::Features,
    legacy,
    neighbours::push_places,
    physics::{Body, Physics},
    scripted::{Wish, cover},
    several,
    task::{Common, Group, Landmark, Legacy, Outcome, Scenario, Task},
    world::{View, add, below, distance, nearest},
};

/// Radius of an agent.
const AGENT_SIZE: f64 = 0.15;
/// Radius of a landmark, in pictures.
const LANDMARK_SIZE: f64 = 0.05;
/// Width of the silent channel, kept for the sake of the reference's observations.
const SYMBOLS: usize = 2;
/// A landmark is occupied when an agent is nearer than this.
const OCCUPIED: f64 = 0.1;

/// Most agents, and most landmarks: observations grow with both.
const MOST: usize = 256;

/// Settings of simple spread.
#[config]
pub struct SimpleSpreadConfig {
    /// Number of agents.
    #[config(default = 3, range = 1..=MOST)]
    pub num_agents: usize,
    /// Number of landmarks; as many as agents unless given.
    #[config(range = 1..=MOST)]
    pub num_landmarks: Option<usize>,
    /// Share of an agent's own collisions in its reward; the rest is the team's distance to the landmarks.
    #[config(default = 0.5, range = 0.0..=1.0)]
    pub local_ratio: f64,
    /// Whether collisions cost: without, the first stage of MPE2's curriculum.
    #[config(default = true)]
    pub collision_penalty: bool,
    /// Whether the episode ends when every landmark is occupied.
    #[config(default = false)]
    pub terminate_on_success: bool,
    /// Number of other agents that are seen, the nearest first; all, in order, unless given.
    #[config(range = 1..=MOST)]
    pub num_agent_neighbors: Option<usize>,
    /// Number of landmarks that are seen, the nearest first; all, in order, unless given.
    #[config(range = 1..=MOST)]
    pub num_landmark_neighbors: Option<usize>,
    /// Whether actions are forces and not choices.
    #[config(default = false)]
    pub continuous_actions: bool,
    /// Steps until truncation.
    #[config(default = 25, range = 1..)]
    pub max_episode_steps: u32,
    /// Which generation of dynamics and rewards.
    pub physics: Physics,
}

/// The task.
pub struct SimpleSpread {
    local_ratio: f64,
    /// Cost of a collision.
    collision: f64,
    terminate_on_success: bool,
    /// Most other agents and landmarks that are seen.
    seen_agents: Option<usize>,
    seen_landmarks: Option<usize>,
    physics: Physics,
}

/// Metrics, in order.
const COLLISIONS: usize = 0;
const SUM_OF_MIN_DISTANCES: usize = 1;
const OCCUPIED_LANDMARKS: usize = 2;

impl Task for SimpleSpread {
    const ID: &'static str = "mpe/SimpleSpread-v3";
    const DESCRIPTION: &'static str = "Agents cover landmarks and keep apart";
    const TRACES: &'static [&'static str] = &["simple_spread_v3", several::NAME, legacy::NAME];
    const LEGACY: Option<Legacy> = Some(Legacy {
        scenario: "simple_spread",
        shares_reward: true,
    });
    type Config = SimpleSpreadConfig;

    fn common(config: &SimpleSpreadConfig) -> Common {
        let &SimpleSpreadConfig {
            physics,
            continuous_actions,
            max_episode_steps,
            ..
        } = config;
        Common {
            physics,
            continuous_actions,
            max_episode_steps,
        }
    }

    fn new(config: &SimpleSpreadConfig) -> Result<(Self, Scenario)> {
        let agents = config.num_agents;
        let landmarks = config.num_landmarks.unwrap_or(agents);
        if !(1..=MOST).contains(&landmarks) {
            let expected = format!("1 ≤ x ≤ {MOST}");
            return Err(invalid("/num_landmarks", expected, landmarks));
        }
        let (seen_agents, seen_landmarks) =
            (config.num_agent_neighbors, config.num_landmark_neighbors);
        let others = seen_agents.unwrap_or(agents - 1);
        let scenario = Scenario {
            groups: vec![Group {
                name: "agent",
                agents,
                body: Body {
                    collides: true,
                    ..Body::new(AGENT_SIZE)
                },
                symbols: 0,
                parts: vec![
                    ("velocity", 2),
                    ("position", 2),
                    ("landmarks", 2 * seen_landmarks.unwrap_or(landmarks)),
                    ("others", 2 * others),
                    ("messages", SYMBOLS * others),
                ],
            }],
            landmarks: vec![Landmark::mark(LANDMARK_SIZE, "landmark", Color::DARK); landmarks],
            goals: Vec::new(),
            metrics: vec![
                Metric::sum("collisions"),
                Metric::mean("sum_of_min_distances"),
                Metric::last("occupied_landmarks"),
            ],
            tag: Tag::Cooperative,
            largest_reward: Some(0.0),
        };
        Ok((
            Self {
                local_ratio: config.local_ratio,
                collision: f64::from(u8::from(config.collision_penalty)),
                terminate_on_success: config.terminate_on_success,
                seen_agents,
                seen_landmarks,
                physics: config.physics,
            },
            scenario,
        ))
    }

    #[inline(always)]
    fn observe<const L: usize>(&self, world: View<'_, L>, out: &mut Features<'_, L>) {
        if self.seen_agents.is_none() && self.seen_landmarks.is_none() {
            self.write(world, None, None, out);
        } else {
            self.write(world, self.seen_agents, self.seen_landmarks, out);
        }
    }

    #[inline(always)]
    fn reward<const L: usize>(&self, world: View<'_, L>, out: &mut Outcome<'_, L>) {
        let (agents, landmarks) = (world.agents(), world.landmarks());
        let (mut total, mut occupied, mut pairs) = ([0.0; L], [0.0; L], [0.0; L]);
        for landmark in 0..landmarks {
            let near = nearest(
                world.landmark(landmark),
                (0..agents).map(|a| world.position(a)),
            );
            add(&mut total, &near);
            add(&mut occupied, &below(&near, OCCUPIED));
        }
        for a in 0..agents {
            for b in a + 1..agents {
                let hit = below(
                    &distance(world.position(a), world.position(b)),
                    2.0 * AGENT_SIZE,
                );
                add(&mut pairs, &hit);
                add(&mut out.rewards[a], &hit);
                add(&mut out.rewards[b], &hit);
            }
        }
        if self.terminate_on_success {
            *out.terminated = occupied.map(|count| count == landmarks as f64);
        }
        out.metrics[COLLISIONS] = pairs;
        out.metrics[SUM_OF_MIN_DISTANCES] = total;
        out.metrics[OCCUPIED_LANDMARKS] = occupied;
        match self.physics {
            Physics::Mpe2 => {
                for reward in out.rewards.iter_mut() {
                    let team = 1.0 - self.local_ratio;
                    let own = self.collision * self.local_ratio;
                    *reward = std::array::from_fn(|lane| -total[lane] * team - reward[lane] * own);
                }
            }
            // Each agent: the distances, those it overlaps, and itself; together, every pair twice.
            Physics::Openai => out.rewards.fill(std::array::from_fn(|lane| {
                -(agents as f64) * (total[lane] + self.collision)
                    - 2.0 * self.collision * pairs[lane]
            })),
        }
    }

    fn terminates(&self) -> bool {
        self.terminate_on_success
    }

    /// Everybody goes to a landmark of its own.
    fn scripted<'a>(&self, world: View<'a, 1>, _rng: &mut EnvRng) -> Vec<Wish<'a>> {
        cover(world, 0..world.agents())
    }
}

impl SimpleSpread {
    /// Writes the features of every agent. Called with no limits, it is compiled without the code for partial sight.
    #[inline(always)]
    fn write<const L: usize>(
        &self,
        world: View<'_, L>,
        seen_agents: Option<usize>,
        seen_landmarks: Option<usize>,
        out: &mut Features<'_, L>,
    ) {
        for agent in 0..world.agents() {
            let own = world.position(agent);
            out.push_pair(world.velocity(agent));
            out.push_pair(own);
            let landmarks = (0..world.landmarks()).map(|landmark| world.landmark(landmark));
            push_places(seen_landmarks, own, landmarks, out);
            let others = (0..world.agents()).filter(|&other| other != agent);
            let others = others.map(|other| world.position(other));
            push_places(seen_agents, own, others, out);
            for _ in 0..SYMBOLS * seen_agents.unwrap_or(world.agents() - 1) {
                out.push_constant(0.0);
            }
        }
    }
}

#[cfg(test)]
mod tests;
