//! Simple push: an adversary keeps an agent away from a goal that it does not know.
//!
//! Lowe et al. (2017), "keep-away"; numbers as in MPE2 1.1 (`simple_push_v3`). An adversary and an agent (size
//! 0.05, colliding) and two coloured landmarks start uniform in \[−1, 1\]²; one landmark is the goal.
//!
//! | agent | observation | |
//! |---|---|---|
//! | adversary | 0–1 | own velocity |
//! | | 2–5 | landmarks, relative |
//! | | 6–7 | the agent, relative |
//! | agent | 0–1 | own velocity |
//! | | 2–3 | goal, relative |
//! | | 4–6 | own colour: 0.25, but 0.75 at 1 + the goal's index |
//! | | 7–10 | landmarks, relative |
//! | | 11–16 | colour of each landmark: 0.1, but 0.9 at 1 + its index |
//! | | 17–18 | the adversary, relative |
//!
//! | action | |
//! |---|---|
//! | discrete | 0 stay, 1 −x, 2 +x, 3 −y, 4 +y |
//! | continuous | \[unused, −x, +x, −y, +y\] in \[0, 1\] |
//!
//! With d the distances to the goal, the agent is paid −d(agent), the adversary d(agent) − d(adversary), in
//! both generations.
//!
//! | | |
//! |---|---|
//! | terminated | never |
//! | truncated | after `max_episode_steps` |
//! | `adversary_distance`, `agent_distance` | d of each, mean over steps |

use palaestra_plugin_api::{
    config,
    prelude::{EnvRng, Metric, Result, Tag},
};

use crate::{
    features::Features,
    physics::{Body, Physics},
    scripted::{Wish, ahead, landmark, nearest_of},
    task::{COLOURED, Common, Goal, Group, Landmark, Outcome, Scenario, Task},
    world::{View, add, distance},
};

const BODY: Body = Body {
    collides: true,
    ..Body::new(0.05)
};
const LANDMARK_SIZE: f64 = 0.05;
const LANDMARKS: usize = 2;

const ADVERSARY: usize = 0;
const AGENT: usize = 1;

/// Settings of simple push.
#[config]
pub struct SimplePushConfig {
    /// Whether actions are forces and not choices.
    #[config(default = false)]
    pub continuous_actions: bool,
    /// Steps until truncation.
    #[config(default = 25, range = 1..)]
    pub max_episode_steps: u32,
    /// Which generation of dynamics.
    pub physics: Physics,
}

/// The task.
pub struct SimplePush;

/// Metrics, in order.
const ADVERSARY_DISTANCE: usize = 0;
const AGENT_DISTANCE: usize = 1;

impl Task for SimplePush {
    const ID: &'static str = "mpe/SimplePush-v3";
    const DESCRIPTION: &'static str = "An adversary keeps an agent away from its goal";
    const TRACES: &'static [&'static str] = &["simple_push_v3"];
    type Config = SimplePushConfig;

    fn common(config: &SimplePushConfig) -> Common {
        let &SimplePushConfig {
            physics,
            continuous_actions,
            max_episode_steps,
        } = config;
        Common {
            physics,
            continuous_actions,
            max_episode_steps,
        }
    }

    fn new(_: &SimplePushConfig) -> Result<(Self, Scenario)> {
        let group = |name, parts| Group {
            name,
            agents: 1,
            body: BODY,
            symbols: 0,
            parts,
        };
        // Index 0 of a colour is nobody's: the landmarks are the green and the blue one.
        let landmark = |index: usize| {
            let (label, color) = COLOURED[1 + index];
            Landmark::mark(LANDMARK_SIZE, label, color)
        };
        let scenario = Scenario {
            groups: vec![
                group(
                    "adversary",
                    vec![("velocity", 2), ("landmarks", 4), ("others", 2)],
                ),
                group(
                    "agent",
                    vec![
                        ("velocity", 2),
                        ("goal", 2),
                        ("own_colour", 3),
                        ("landmarks", 4),
                        ("landmark_colours", 6),
                        ("others", 2),
                    ],
                ),
            ],
            landmarks: (0..LANDMARKS).map(landmark).collect(),
            goals: vec![Goal {
                choices: LANDMARKS,
                label: Some("goal"),
            }],
            metrics: vec![
                Metric::mean("adversary_distance"),
                Metric::mean("agent_distance"),
            ],
            tag: Tag::Competitive,
            largest_reward: None,
        };
        Ok((Self, scenario))
    }

    #[inline(always)]
    fn observe<const L: usize>(&self, world: View<'_, L>, out: &mut Features<'_, L>) {
        let (adversary, agent) = (world.position(ADVERSARY), world.position(AGENT));
        out.push_pair(world.velocity(ADVERSARY));
        for landmark in 0..LANDMARKS {
            out.push_relative(world.landmark(landmark), adversary);
        }
        out.push_relative(agent, adversary);

        let [x, y] = &world.goal_position(0);
        out.push_pair(world.velocity(AGENT));
        out.push_relative([x, y], agent);
        out.push_constant(0.25);
        out.push_colour(world.goal(0), LANDMARKS, 0.75, 0.25);
        for landmark in 0..LANDMARKS {
            out.push_relative(world.landmark(landmark), agent);
        }
        for landmark in 0..LANDMARKS {
            out.push_constant(0.1);
            out.push_colour(&[landmark as f64; L], LANDMARKS, 0.9, 0.1);
        }
        out.push_relative(adversary, agent);
    }

    #[inline(always)]
    fn reward<const L: usize>(&self, world: View<'_, L>, out: &mut Outcome<'_, L>) {
        let [x, y] = &world.goal_position(0);
        let adversary = distance(world.position(ADVERSARY), [x, y]);
        let agent = distance(world.position(AGENT), [x, y]);
        out.rewards[AGENT] = agent.map(|d| -d);
        out.rewards[ADVERSARY] = agent;
        add(&mut out.rewards[ADVERSARY], &adversary.map(|d| -d));
        out.metrics[ADVERSARY_DISTANCE] = adversary;
        out.metrics[AGENT_DISTANCE] = agent;
    }

    /// The agent goes to the goal; the adversary to the landmark that the agent seems to make for.
    fn scripted<'a>(&self, world: View<'a, 1>, _rng: &mut EnvRng) -> Vec<Wish<'a>> {
        let goal = landmark(world, world.goal(0)[0] as usize);
        let marks = (0..LANDMARKS).map(|l| landmark(world, l));
        let suspected = nearest_of(ahead(world, AGENT), marks).unwrap_or(goal);
        vec![Wish::go(suspected), Wish::go(goal)]
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::serde_json::json;

    use crate::{
        SimplePush,
        testing::{Policy, assert_scripted, check_baseline, exact, replay, world},
    };

    #[test]
    fn reproduces_the_reference_traces() {
        replay::<SimplePush>();
    }

    #[test]
    fn random_and_idle_returns_are_the_golden_ones() {
        for policy in [Policy::Random, Policy::NoOp] {
            check_baseline::<SimplePush>("simple_push", "mpe2", policy, false);
        }
    }

    #[test]
    fn the_adversary_gains_what_the_agent_lacks() {
        let init =
            json!({"agent_pos": [[0, 1], [2, 0]], "landmark_pos": [[0, 0], [9, 9]], "goal": 0});
        let mut push = world::<SimplePush>(json!({}), init);
        let (rewards, _) = exact(&mut push, &[vec![vec![0.0]], vec![vec![0.0]]]);
        assert_eq!(rewards, [[1.0], [-2.0]]);
    }

    /// Against a random other side.
    #[test]
    fn a_scripted_agent_and_a_scripted_adversary_beat_chance() {
        assert_scripted::<SimplePush>(json!({}), 10.0, |group| group == 1);
        assert_scripted::<SimplePush>(json!({}), 1.0, |group| group == 0);
    }
}
