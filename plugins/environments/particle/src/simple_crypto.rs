//! Simple crypto: Alice tells Bob a bit, with a key they share, where Eve listens.
//!
//! Lowe et al. (2017), "covert communication"; numbers as in MPE2 1.1 (`simple_crypto_v3`). Nobody moves; all
//! three say one of 4 symbols. `goals[0]`, 0 or 1, is the message, `goals[1]`, 0 or 1, the key; in
//! observations each is a row of 4, 1 at its index.
//!
//! | agent | observation | |
//! |---|---|---|
//! | Eve | 0–3 | what Alice said in this step |
//! | Bob | 0–3, 4–7 | key, what Alice said in this step |
//! | Alice | 0–3, 4–7 | message, key |
//!
//! | action | |
//! |---|---|
//! | discrete | symbol 0–3 |
//! | continuous | message of 4 numbers in \[0, 1\] |
//!
//! With e(x) = Σ (what x said − the message's row)², or 0 when x said nothing at all (all zeros): Eve is paid
//! −e(Eve), Bob and Alice e(Eve) − e(Bob) each. Both generations are the same, for nothing moves.
//!
//! | | |
//! |---|---|
//! | terminated | never |
//! | truncated | after `max_episode_steps` |
//! | `bob_correct`, `eve_correct` | 1 where the message's symbol is the loudest of what was said, mean over steps |

mod picture;

use palaestra_plugin_api::{
    canvas::{Canvas, Color},
    config,
    prelude::{EnvRng, Metric, Result, Tag},
};

use crate::{
    features::Features,
    physics::{Body, Physics},
    scripted::Wish,
    state::State,
    task::{Common, Goal, Group, Landmark, Outcome, Scenario, Task},
    world::View,
};

const BODY: Body = Body {
    movable: false,
    ..Body::new(0.05)
};
const LANDMARK: Landmark = Landmark::mark(0.05, "landmark", Color::GREY);
const SYMBOLS: usize = 4;
/// Values of the message, and of the key.
const BITS: usize = 2;

const EVE: usize = 0;
const BOB: usize = 1;
const ALICE: usize = 2;
const MESSAGE: usize = 0;
const KEY: usize = 1;

/// Settings of simple crypto.
#[config]
pub struct SimpleCryptoConfig {
    /// Whether messages are real numbers and not choices.
    #[config(default = false)]
    pub continuous_actions: bool,
    /// Steps until truncation.
    #[config(default = 25, range = 1..)]
    pub max_episode_steps: u32,
}

/// The task.
pub struct SimpleCrypto;

/// Metrics, in order.
const BOB_CORRECT: usize = 0;
const EVE_CORRECT: usize = 1;

impl Task for SimpleCrypto {
    const ID: &'static str = "mpe/SimpleCrypto-v3";
    const DESCRIPTION: &'static str = "Alice tells Bob a secret in the hearing of Eve";
    const TRACES: &'static [&'static str] = &["simple_crypto_v3"];
    type Config = SimpleCryptoConfig;

    fn common(config: &SimpleCryptoConfig) -> Common {
        let &SimpleCryptoConfig {
            continuous_actions,
            max_episode_steps,
        } = config;
        Common {
            physics: Physics::Mpe2,
            continuous_actions,
            max_episode_steps,
        }
    }

    fn new(_: &SimpleCryptoConfig) -> Result<(Self, Scenario)> {
        let group = |name, parts: &[(&'static str, usize)]| Group {
            name,
            agents: 1,
            body: BODY,
            symbols: SYMBOLS,
            parts: parts.to_vec(),
        };
        let scenario = Scenario {
            groups: vec![
                group("eve", &[("alice", SYMBOLS)]),
                group("bob", &[("key", SYMBOLS), ("alice", SYMBOLS)]),
                group("alice", &[("message", SYMBOLS), ("key", SYMBOLS)]),
            ],
            landmarks: vec![LANDMARK; BITS],
            goals: vec![
                Goal {
                    choices: BITS,
                    label: None,
                },
                Goal {
                    choices: BITS,
                    label: None,
                },
            ],
            metrics: vec![Metric::mean("bob_correct"), Metric::mean("eve_correct")],
            tag: Tag::Mixed,
            largest_reward: None,
        };
        Ok((Self, scenario))
    }

    #[inline(always)]
    fn observe<const L: usize>(&self, world: View<'_, L>, out: &mut Features<'_, L>) {
        let said = |out: &mut Features<'_, L>| {
            world
                .message(ALICE)
                .iter()
                .for_each(|symbol| out.push(symbol))
        };
        let row =
            |goal, out: &mut Features<'_, L>| out.push_colour(world.goal(goal), SYMBOLS, 1.0, 0.0);
        said(out);
        row(KEY, out);
        said(out);
        row(MESSAGE, out);
        row(KEY, out);
    }

    #[inline(always)]
    fn reward<const L: usize>(&self, world: View<'_, L>, out: &mut Outcome<'_, L>) {
        let (eve, bob) = (guess(world, EVE), guess(world, BOB));
        out.rewards[EVE] = eve.error.map(|e| -e);
        let pair = std::array::from_fn(|lane| eve.error[lane] - bob.error[lane]);
        out.rewards[BOB] = pair;
        out.rewards[ALICE] = pair;
        out.metrics[BOB_CORRECT] = bob.correct;
        out.metrics[EVE_CORRECT] = eve.correct;
    }

    fn draw(&self, _: &Scenario, state: &State, canvas: &mut Canvas) {
        picture::draw(state, canvas);
    }

    /// Alice says message xor key, Bob says the message, and Eve, who has no key, guesses.
    fn scripted<'a>(&self, world: View<'a, 1>, rng: &mut EnvRng) -> Vec<Wish<'a>> {
        let [message, key] = [MESSAGE, KEY].map(|goal| world.goal(goal)[0] as usize);
        let guess = rng.below(BITS as u64) as usize;
        [guess, message, message ^ key].map(Wish::say).into()
    }
}

/// What somebody makes of the message.
struct Guess<const L: usize> {
    /// Squared distance to the message; 0 in silence.
    error: [f64; L],
    /// 1 where the message's symbol is the loudest, alone.
    correct: [f64; L],
}

#[inline(always)]
fn guess<const L: usize>(world: View<'_, L>, agent: usize) -> Guess<L> {
    let (said, message) = (world.message(agent), world.goal(MESSAGE));
    let (mut error, mut loudest) = ([0.0; L], [0.0; L]);
    let (mut right, mut wrong) = ([0.0; L], [0.0; L]);
    for (symbol, level) in said.iter().enumerate() {
        for lane in 0..L {
            let (level, own) = (level[lane], message[lane] == symbol as f64);
            let off = level - if own { 1.0 } else { 0.0 };
            error[lane] += off * off;
            loudest[lane] = if level > loudest[lane] {
                level
            } else {
                loudest[lane]
            };
            right[lane] = if own { level } else { right[lane] };
            wrong[lane] = if !own && level > wrong[lane] {
                level
            } else {
                wrong[lane]
            };
        }
    }
    Guess {
        error: std::array::from_fn(|lane| {
            if loudest[lane] > 0.0 {
                error[lane]
            } else {
                0.0
            }
        }),
        correct: std::array::from_fn(|lane| if right[lane] > wrong[lane] { 1.0 } else { 0.0 }),
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::serde_json::json;

    use crate::{
        SimpleCrypto,
        testing::{Policy, assert_scripted, check_baseline, exact, replay, world},
    };

    #[test]
    fn reproduces_the_reference_traces() {
        replay::<SimpleCrypto>();
    }

    #[test]
    fn random_and_idle_returns_are_the_golden_ones() {
        for policy in [Policy::Random, Policy::NoOp] {
            check_baseline::<SimpleCrypto>("simple_crypto", "mpe2", policy, false);
        }
    }

    #[test]
    fn bob_and_alice_win_what_eve_misses() {
        let mut game = world::<SimpleCrypto>(json!({}), json!({"goals": [1, 0]}));
        let say = |symbol: f64| vec![vec![symbol]];
        assert_eq!(
            exact(&mut game, &[say(0.0), say(1.0), say(3.0)]).0,
            [[-2.0], [2.0], [2.0]]
        );
        assert_eq!(
            exact(&mut game, &[say(1.0), say(1.0), say(3.0)]).0,
            [[0.0], [0.0], [0.0]]
        );
        assert_eq!(
            exact(&mut game, &[say(1.0), say(2.0), say(3.0)]).0,
            [[0.0], [-2.0], [-2.0]]
        );
    }

    #[test]
    fn silence_is_no_guess() {
        let config = json!({"continuous_actions": true});
        let mut game = world::<SimpleCrypto>(config, json!({"goals": [0, 1]}));
        let silent = || vec![vec![0.0; 4]];
        assert_eq!(
            exact(&mut game, &[silent(), silent(), silent()]).0,
            [[0.0], [0.0], [0.0]]
        );
    }

    /// Bob is always right, Eve in half of all cases.
    #[test]
    fn scripted_alice_and_bob_keep_their_secret() {
        let [_, scripted] = assert_scripted::<SimpleCrypto>(json!({}), 20.0, |group| group > 0);
        assert!(scripted > 0.0, "{scripted}");
        assert_scripted::<SimpleCrypto>(json!({}), 5.0, |group| group == 0);
    }
}
