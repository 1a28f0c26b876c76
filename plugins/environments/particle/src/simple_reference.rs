//! Simple reference: each of two knows where the other must go.
//!
//! Lowe et al. (2017); numbers as in MPE2 1.1 (`simple_reference_v3`). Two agents (size 0.05, not colliding,
//! 10 symbols each) and three coloured landmarks start uniform in \[−1, 1\]². `goals[i]` is the landmark that
//! agent i knows of and the other must reach.
//!
//! | observation | meaning |
//! |---|---|
//! | 0–1 | own velocity |
//! | 2–7 | landmarks, relative |
//! | 8–10 | colour of the other's goal: 0.75 at its index, 0.25 elsewhere |
//! | 11–20 | what the other said in this step; zeros at first |
//!
//! | action | |
//! |---|---|
//! | discrete | move + 5 · symbol; moves are 0 stay, 1 −x, 2 +x, 3 −y, 4 +y |
//! | continuous | \[unused, −x, +x, −y, +y, message of 10\] in \[0, 1\] |
//!
//! With d(i) the distance of the other agent to `goals[i]`:
//!
//! | generation | reward of agent i |
//! |---|---|
//! | MPE2 | −(1 − `local_ratio`) · mean of both d − `local_ratio` · d(i) |
//! | OpenAI | −d(0)² − d(1)² |
//!
//! | | |
//! |---|---|
//! | terminated | never |
//! | truncated | after `max_episode_steps` |
//! | `goal_distance` | mean of both d, mean over steps |

use palaestra_plugin_api::{
    config,
    prelude::{EnvRng, Metric, Result, Tag},
};

use crate::{
    features::Features,
    physics::{Body, Physics},
    scripted::{Wish, landmark},
    several,
    task::{COLOURED, Common, Goal, Group, Landmark, Outcome, Scenario, Task},
    world::{View, distance},
};

const SIZE: f64 = 0.05;
const SYMBOLS: usize = 10;
/// Colour component of the goal's own index, and of the others.
const OWN: f64 = 0.75;
const OTHER: f64 = 0.25;

/// Settings of simple reference.
#[config]
pub struct SimpleReferenceConfig {
    /// Share of the distance an agent knows of in its reward; the rest is the mean of both.
    #[config(default = 0.5, range = 0.0..=1.0)]
    pub local_ratio: f64,
    /// Whether actions are forces and messages of real numbers, and not choices.
    #[config(default = false)]
    pub continuous_actions: bool,
    /// Steps until truncation.
    #[config(default = 25, range = 1..)]
    pub max_episode_steps: u32,
    /// Which generation of dynamics and rewards.
    pub physics: Physics,
}

/// The task.
pub struct SimpleReference {
    local_ratio: f64,
    physics: Physics,
}

impl Task for SimpleReference {
    const ID: &'static str = "mpe/SimpleReference-v3";
    const DESCRIPTION: &'static str = "Two agents tell each other where to go";
    const TRACES: &'static [&'static str] = &["simple_reference_v3", several::NAME];
    type Config = SimpleReferenceConfig;

    fn common(config: &SimpleReferenceConfig) -> Common {
        let &SimpleReferenceConfig {
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

    fn new(config: &SimpleReferenceConfig) -> Result<(Self, Scenario)> {
        let landmarks = COLOURED.map(|(label, color)| Landmark::mark(SIZE, label, color));
        let goal = |label| Goal {
            choices: landmarks.len(),
            label: Some(label),
        };
        let scenario = Scenario {
            groups: vec![Group {
                name: "agent",
                agents: 2,
                body: Body::new(SIZE),
                symbols: SYMBOLS,
                parts: vec![
                    ("velocity", 2),
                    ("landmarks", 2 * landmarks.len()),
                    ("goal_colour", 3),
                    ("message", SYMBOLS),
                ],
            }],
            goals: vec![goal("goal of agent 1"), goal("goal of agent 0")],
            landmarks: landmarks.to_vec(),
            metrics: vec![Metric::mean("goal_distance")],
            tag: Tag::Cooperative,
            largest_reward: Some(0.0),
        };
        Ok((
            Self {
                local_ratio: config.local_ratio,
                physics: config.physics,
            },
            scenario,
        ))
    }

    #[inline(always)]
    fn observe<const L: usize>(&self, world: View<'_, L>, out: &mut Features<'_, L>) {
        for agent in 0..2 {
            let own = world.position(agent);
            out.push_pair(world.velocity(agent));
            for landmark in 0..world.landmarks() {
                out.push_relative(world.landmark(landmark), own);
            }
            out.push_colour(world.goal(agent), world.landmarks(), OWN, OTHER);
            for symbol in world.message(1 - agent) {
                out.push(symbol);
            }
        }
    }

    #[inline(always)]
    fn reward<const L: usize>(&self, world: View<'_, L>, out: &mut Outcome<'_, L>) {
        let apart: [[f64; L]; 2] = std::array::from_fn(|agent| {
            let [x, y] = &world.goal_position(agent);
            distance(world.position(1 - agent), [x, y])
        });
        let mean: [f64; L] = std::array::from_fn(|lane| (apart[0][lane] + apart[1][lane]) / 2.0);
        for (reward, own) in out.rewards.iter_mut().zip(&apart) {
            *reward = match self.physics {
                Physics::Mpe2 => std::array::from_fn(|lane| {
                    -mean[lane] * (1.0 - self.local_ratio) - own[lane] * self.local_ratio
                }),
                Physics::Openai => std::array::from_fn(|lane| {
                    -apart[0][lane] * apart[0][lane] - apart[1][lane] * apart[1][lane]
                }),
            };
        }
        out.metrics[0] = mean;
    }

    /// Each names the goal of the other, and goes to its own; it need not wait for the word.
    fn scripted<'a>(&self, world: View<'a, 1>, _rng: &mut EnvRng) -> Vec<Wish<'a>> {
        let goals = [0, 1].map(|agent| world.goal(agent)[0] as usize);
        let wish = |agent: usize| Wish::go(landmark(world, goals[1 - agent])).saying(goals[agent]);
        (0..2).map(wish).collect()
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::serde_json::json;

    use crate::{
        SimpleReference,
        testing::{Policy, assert_scripted, check_baseline, exact, replay, world},
    };

    #[test]
    fn reproduces_the_reference_traces() {
        replay::<SimpleReference>();
    }

    #[test]
    fn random_and_idle_returns_are_the_golden_ones() {
        for policy in [Policy::Random, Policy::NoOp] {
            check_baseline::<SimpleReference>("simple_reference", "mpe2", policy, false);
            check_baseline::<SimpleReference>("simple_reference", "openai_legacy", policy, true);
        }
    }

    #[test]
    fn one_choice_moves_and_speaks() {
        let mut game = world::<SimpleReference>(json!({}), json!({"agent_pos": [[0, 0], [0, 0]]}));
        let (_, state) = exact(&mut game, &[vec![vec![(2 + 5 * 7) as f64], vec![3.0]]]);
        assert_eq!(state["vel"], json!([[0.5, 0.0], [0.0, -0.5]]));
        assert_eq!(
            state["comm"][0],
            json!([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0])
        );
        assert_eq!(
            state["comm"][1],
            json!([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
        );
    }

    /// The reference's full-information heuristic earns -17.0 in all, chance -56.9; real actions turn in place of
    /// choices.
    #[test]
    fn scripted_agents_beat_chance() {
        for continuous in [false, true] {
            let config = json!({"continuous_actions": continuous});
            let [_, scripted] = assert_scripted::<SimpleReference>(config, 30.0, |_| true);
            assert!(scripted > -18.0, "{scripted}");
        }
    }
}
