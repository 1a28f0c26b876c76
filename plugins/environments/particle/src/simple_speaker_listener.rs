//! Simple speaker-listener: one sees the goal and cannot move, the other moves and must be told.
//!
//! Lowe et al. (2017), "cooperative communication"; numbers as in MPE2 1.1 (`simple_speaker_listener_v4`). A
//! speaker (3 symbols) and a listener (size 0.075, not colliding) and three coloured landmarks (size 0.04)
//! start uniform in \[−1, 1\]²; one landmark is the goal.
//!
//! | agent | observation | |
//! |---|---|---|
//! | speaker | 0–2 | colour of the goal: 0.65 at its index, 0.15 elsewhere |
//! | listener | 0–1 | own velocity |
//! | | 2–7 | landmarks, relative |
//! | | 8–10 | what the speaker said in this step; zeros at first |
//!
//! | agent | discrete | continuous, in \[0, 1\] |
//! |---|---|---|
//! | speaker | symbol 0–2 | message of 3 numbers |
//! | listener | 0 stay, 1 −x, 2 +x, 3 −y, 4 +y | \[unused, −x, +x, −y, +y\] |
//!
//! Both are paid −d² with d the listener's distance to the goal (OpenAI: the sum over both, −2d²).
//!
//! | | |
//! |---|---|
//! | terminated | never |
//! | truncated | after `max_episode_steps` |
//! | `goal_distance` | d, mean over steps |

use palaestra_plugin_api::{
    config,
    prelude::{EnvRng, Metric, Result, Tag},
};

use crate::{
    features::Features,
    legacy,
    physics::{Body, Physics},
    scripted::{Wish, landmark},
    task::{COLOURED, Common, Goal, Group, Landmark, Legacy, Outcome, Scenario, Task},
    world::{View, squared_distance},
};

const BODY: Body = Body::new(0.075);
const LANDMARK_SIZE: f64 = 0.04;
const SYMBOLS: usize = 3;
/// Colour component of the goal's own index, and of the others.
const OWN: f64 = 0.65;
const OTHER: f64 = 0.15;

const SPEAKER: usize = 0;
const LISTENER: usize = 1;

/// Settings of simple speaker-listener.
#[config]
pub struct SimpleSpeakerListenerConfig {
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
pub struct SimpleSpeakerListener {
    physics: Physics,
}

impl Task for SimpleSpeakerListener {
    const ID: &'static str = "mpe/SimpleSpeakerListener-v4";
    const DESCRIPTION: &'static str = "A speaker tells a listener which landmark to go to";
    const TRACES: &'static [&'static str] = &["simple_speaker_listener_v4", legacy::NAME];
    const LEGACY: Option<Legacy> = Some(Legacy {
        scenario: "simple_speaker_listener",
        shares_reward: true,
    });
    type Config = SimpleSpeakerListenerConfig;

    fn common(config: &SimpleSpeakerListenerConfig) -> Common {
        let &SimpleSpeakerListenerConfig {
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

    fn new(config: &SimpleSpeakerListenerConfig) -> Result<(Self, Scenario)> {
        let landmarks = COLOURED.map(|(label, color)| Landmark::mark(LANDMARK_SIZE, label, color));
        let scenario = Scenario {
            groups: vec![
                Group {
                    name: "speaker",
                    agents: 1,
                    body: Body {
                        movable: false,
                        ..BODY
                    },
                    symbols: SYMBOLS,
                    parts: vec![("goal_colour", 3)],
                },
                Group {
                    name: "listener",
                    agents: 1,
                    body: BODY,
                    symbols: 0,
                    parts: vec![
                        ("velocity", 2),
                        ("landmarks", 2 * landmarks.len()),
                        ("message", SYMBOLS),
                    ],
                },
            ],
            goals: vec![Goal {
                choices: landmarks.len(),
                label: Some("goal"),
            }],
            landmarks: landmarks.to_vec(),
            metrics: vec![Metric::mean("goal_distance")],
            tag: Tag::Cooperative,
            largest_reward: Some(0.0),
        };
        Ok((
            Self {
                physics: config.physics,
            },
            scenario,
        ))
    }

    #[inline(always)]
    fn observe<const L: usize>(&self, world: View<'_, L>, out: &mut Features<'_, L>) {
        out.push_colour(world.goal(0), world.landmarks(), OWN, OTHER);
        let own = world.position(LISTENER);
        out.push_pair(world.velocity(LISTENER));
        for landmark in 0..world.landmarks() {
            out.push_relative(world.landmark(landmark), own);
        }
        for symbol in world.message(SPEAKER) {
            out.push(symbol);
        }
    }

    #[inline(always)]
    fn reward<const L: usize>(&self, world: View<'_, L>, out: &mut Outcome<'_, L>) {
        let [x, y] = &world.goal_position(0);
        let squared = squared_distance(world.position(LISTENER), [x, y]);
        let shares = if self.physics == Physics::Mpe2 {
            1.0
        } else {
            2.0
        };
        out.rewards.fill(squared.map(|d2| -shares * d2));
        out.metrics[0] = squared.map(f64::sqrt);
    }

    /// The speaker names the goal, and the listener goes there; it need not wait for the word.
    fn scripted<'a>(&self, world: View<'a, 1>, _rng: &mut EnvRng) -> Vec<Wish<'a>> {
        let goal = world.goal(0)[0] as usize;
        vec![Wish::say(goal), Wish::go(landmark(world, goal))]
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::{abi::id, serde_json::json};

    use crate::{
        SimpleSpeakerListener,
        testing::{Policy, assert_scripted, check_baseline, replay, world},
    };

    #[test]
    fn reproduces_the_reference_traces() {
        replay::<SimpleSpeakerListener>();
    }

    #[test]
    fn random_and_idle_returns_are_the_golden_ones() {
        for policy in [Policy::Random, Policy::NoOp] {
            check_baseline::<SimpleSpeakerListener>(
                "simple_speaker_listener",
                "mpe2",
                policy,
                false,
            );
            check_baseline::<SimpleSpeakerListener>(
                "simple_speaker_listener",
                "openai_legacy",
                policy,
                true,
            );
        }
    }

    #[test]
    fn what_is_said_is_heard_in_the_same_step_and_forgotten_with_the_episode() {
        let config = json!({"max_episode_steps": 2});
        let mut game = world::<SimpleSpeakerListener>(config, json!({"goal": 1}));
        let said = game.slabs().key::<i32>(id::ACTION, 0).unwrap();
        let heard = game.slabs().key::<f32>(id::OBSERVATION, 1).unwrap();
        let seen = game.slabs().key::<f32>(id::OBSERVATION, 0).unwrap();
        assert_eq!(game.rows(seen, 0), [0.15, 0.65, 0.15]);
        assert_eq!(game.rows(heard, 0)[8..], [0.0, 0.0, 0.0]);
        game.rows_mut(said, 0)[0] = 2;
        game.step(0, 0).unwrap();
        assert_eq!(game.rows(heard, 0)[8..], [0.0, 0.0, 1.0]);
        game.step(0, 0).unwrap();
        assert_eq!(game.rows(heard, 0)[8..], [0.0, 0.0, 0.0]);
    }

    /// The reference's full-information heuristic earns -15.1 in all, chance -80.
    #[test]
    fn a_scripted_listener_beats_chance() {
        let [_, scripted] = assert_scripted::<SimpleSpeakerListener>(json!({}), 40.0, |_| true);
        assert!(scripted > -16.0, "{scripted}");
    }
}
