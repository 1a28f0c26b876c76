//! Simple adversary: a team covers the goal without showing which landmark it is.
//!
//! Lowe et al. (2017), "physical deception"; numbers as in MPE2 1.1 (`simple_adversary_v3`). One adversary and
//! N good agents (size 0.15, not colliding) and N landmarks (size 0.08) start uniform in \[−1, 1\]²; one
//! landmark is the goal, which the adversary cannot tell.
//!
//! | observation | meaning |
//! |---|---|
//! | first 2, good agents only | goal, relative |
//! | then 2N | landmarks, relative |
//! | then 2N | other agents, relative, the adversary first |
//!
//! With `num_agent_neighbors` and `num_landmark_neighbors` an agent sees that many of the others and of the
//! landmarks, the nearest first, zeros where there are fewer ([`neighbours`](crate::neighbours)); good agents always
//! see the goal.
//!
//! | action | |
//! |---|---|
//! | discrete | 0 stay, 1 −x, 2 +x, 3 −y, 4 +y |
//! | continuous | \[unused, −x, +x, −y, +y\] in \[0, 1\] |
//!
//! With d the adversary's distance to the goal and g the nearest good agent's:
//!
//! | agent | MPE2 | OpenAI |
//! |---|---|---|
//! | good | d − g | d − g |
//! | adversary | −d | −d² |
//!
//! | | |
//! |---|---|
//! | terminated | never |
//! | truncated | after `max_episode_steps` |
//! | `adversary_distance` | d, mean over steps |
//! | `agent_distance` | g, mean over steps |

use palaestra_plugin_api::{
    canvas::Color,
    config,
    prelude::{EnvRng, Metric, Result, Tag},
};

use crate::{
    features::Features,
    neighbours::push_places,
    physics::{Body, Physics},
    scripted::{Wish, cover, landmark},
    several,
    task::{Common, Goal, Group, Landmark, Outcome, Scenario, Task},
    world::{View, distance, nearest},
};

const BODY: Body = Body::new(0.15);
const LANDMARK: Landmark = Landmark::mark(0.08, "landmark", Color::DARK);

/// Most good agents: observations grow with their number.
const MOST: usize = 128;

/// Settings of simple adversary.
#[config]
pub struct SimpleAdversaryConfig {
    /// Number of good agents, and of landmarks.
    #[config(default = 2, range = 1..=MOST)]
    pub num_good: usize,
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
pub struct SimpleAdversary {
    /// Most other agents and landmarks that are seen.
    seen_agents: Option<usize>,
    seen_landmarks: Option<usize>,
    physics: Physics,
}

/// Metrics, in order.
const ADVERSARY_DISTANCE: usize = 0;
const AGENT_DISTANCE: usize = 1;

impl Task for SimpleAdversary {
    const ID: &'static str = "mpe/SimpleAdversary-v3";
    const DESCRIPTION: &'static str = "A team covers a goal that an adversary must not recognise";
    const TRACES: &'static [&'static str] = &["simple_adversary_v3", several::NAME];
    type Config = SimpleAdversaryConfig;

    fn common(config: &SimpleAdversaryConfig) -> Common {
        let &SimpleAdversaryConfig {
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

    fn new(config: &SimpleAdversaryConfig) -> Result<(Self, Scenario)> {
        let good = config.num_good;
        let (seen_agents, seen_landmarks) =
            (config.num_agent_neighbors, config.num_landmark_neighbors);
        let seen = [
            ("landmarks", 2 * seen_landmarks.unwrap_or(good)),
            ("others", 2 * seen_agents.unwrap_or(good)),
        ];
        let scenario = Scenario {
            groups: vec![
                Group {
                    name: "adversary",
                    agents: 1,
                    body: BODY,
                    symbols: 0,
                    parts: seen.to_vec(),
                },
                Group {
                    name: "agent",
                    agents: good,
                    body: BODY,
                    symbols: 0,
                    parts: [("goal", 2)].into_iter().chain(seen).collect(),
                },
            ],
            landmarks: vec![LANDMARK; good],
            goals: vec![Goal {
                choices: good,
                label: Some("goal"),
            }],
            metrics: vec![
                Metric::mean("adversary_distance"),
                Metric::mean("agent_distance"),
            ],
            tag: Tag::Mixed,
            largest_reward: None,
        };
        Ok((
            Self {
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
        let [x, y] = &world.goal_position(0);
        let adversary = distance(world.position(0), [x, y]);
        let good = nearest(
            [x, y],
            (1..world.agents()).map(|agent| world.position(agent)),
        );
        out.rewards
            .fill(std::array::from_fn(|lane| adversary[lane] - good[lane]));
        out.rewards[0] = match self.physics {
            Physics::Mpe2 => adversary.map(|d| -d),
            Physics::Openai => adversary.map(|d| -d * d),
        };
        out.metrics[ADVERSARY_DISTANCE] = adversary;
        out.metrics[AGENT_DISTANCE] = good;
    }

    /// Good agents cover all landmarks, so that nobody sees which is the goal; the adversary waits amid them.
    fn scripted<'a>(&self, world: View<'a, 1>, _rng: &mut EnvRng) -> Vec<Wish<'a>> {
        let count = world.landmarks() as f64;
        let mean = |axis: usize| {
            (0..world.landmarks())
                .map(|l| landmark(world, l)[axis] / count)
                .sum()
        };
        let mut wishes = vec![Wish::go([0, 1].map(mean))];
        wishes.extend(cover(world, 1..world.agents()));
        wishes
    }
}

impl SimpleAdversary {
    /// Writes the features of every agent. Called with no limits, it is compiled without the code for partial sight.
    #[inline(always)]
    fn write<const L: usize>(
        &self,
        world: View<'_, L>,
        seen_agents: Option<usize>,
        seen_landmarks: Option<usize>,
        out: &mut Features<'_, L>,
    ) {
        let [x, y] = &world.goal_position(0);
        for agent in 0..world.agents() {
            let own = world.position(agent);
            if agent > 0 {
                out.push_relative([x, y], own);
            }
            let landmarks = (0..world.landmarks()).map(|landmark| world.landmark(landmark));
            push_places(seen_landmarks, own, landmarks, out);
            let others = (0..world.agents()).filter(|&other| other != agent);
            let others = others.map(|other| world.position(other));
            push_places(seen_agents, own, others, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::serde_json::json;

    use crate::{
        SimpleAdversary,
        testing::{Policy, assert_scripted, check_baseline, exact, replay, world},
    };

    #[test]
    fn reproduces_the_reference_traces() {
        replay::<SimpleAdversary>();
    }

    #[test]
    fn random_and_idle_returns_are_the_golden_ones() {
        for policy in [Policy::Random, Policy::NoOp] {
            check_baseline::<SimpleAdversary>("simple_adversary", "mpe2", policy, false);
            check_baseline::<SimpleAdversary>("simple_adversary", "openai_legacy", policy, false);
        }
    }

    #[test]
    fn the_adversary_of_2017_pays_the_square() {
        let init = json!({"agent_pos": [[2, 0], [0.5, 0]], "landmark_pos": [[0, 0]], "goal": 0});
        for (physics, expected) in [("mpe2", -2.0), ("openai", -4.0)] {
            let mut game =
                world::<SimpleAdversary>(json!({"num_good": 1, "physics": physics}), init.clone());
            let (rewards, _) = exact(&mut game, &[vec![vec![0.0]], vec![vec![0.0]]]);
            assert_eq!(rewards, [[expected], [1.5]]);
        }
    }

    /// Against a random other side.
    #[test]
    fn scripted_agents_and_a_scripted_adversary_beat_chance() {
        assert_scripted::<SimpleAdversary>(json!({}), 10.0, |group| group == 1);
        assert_scripted::<SimpleAdversary>(json!({}), 5.0, |group| group == 0);
    }
}
