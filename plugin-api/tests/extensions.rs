//! Interfaces of an environment object that are looked up by id.

use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    ErrorKind,
    client::{EnvironmentHandle, MakeEnvironment},
    game_tree::GameNode,
    prelude::*,
};
use serde_json::json;

/// Settings of the game.
#[config]
struct PenniesConfig {
    /// Whether the extensions are offered.
    #[config(default = true)]
    extensions: bool,
    /// Whether the baseline forgets the second player.
    short: bool,
}

/// Matching pennies: the first player wins when the coins agree.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
struct Pennies {
    short: bool,
}

fn payoff(a: usize, b: usize) -> Vec<f64> {
    let first = if a == b { 1.0 } else { -1.0 };
    vec![first, -first]
}

impl Environment for Pennies {
    const ID: &'static str = "test/Pennies-v0";
    const DESCRIPTION: &'static str = "Matching pennies";
    type Config = PenniesConfig;

    fn spec(config: &PenniesConfig) -> Result<EnvironmentSpec> {
        let mut spec = EnvironmentSpec::new("players", 2, Space::real(1), Space::discrete(2));
        spec.flags.counterfactual = config.extensions;
        spec.flags.scripted = config.extensions;
        spec.flags.game_tree = config.extensions;
        Ok(spec)
    }

    fn new(config: &PenniesConfig) -> Result<Self> {
        Ok(Self {
            short: config.short,
        })
    }

    fn reset(&mut self, _: &mut EnvRng, _: &ResetOptions<'_>, _: &mut Observe<'_>) -> Result<()> {
        Ok(())
    }

    fn step(&mut self, _: &mut EnvRng, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        for (agent, reward) in payoff(actions.discrete(0), actions.discrete(1))
            .into_iter()
            .enumerate()
        {
            out.reward(agent, reward);
        }
        out.terminate();
    }

    fn counterfactual(&self, actions: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>> {
        let choice = |agent: usize| actions[0][agent][0] as usize;
        Ok(vec![payoff(choice(0), choice(1))])
    }

    /// The first player repeats heads, the second draws.
    fn scripted(&self, rng: &mut EnvRng) -> Result<Vec<Vec<Vec<f64>>>> {
        let mut agents = vec![vec![1.0], vec![rng.below(2) as f64]];
        agents.truncate(if self.short { 1 } else { 2 });
        Ok(vec![agents])
    }

    fn game_node(&self, history: &[usize]) -> Result<GameNode> {
        Ok(match history {
            [] => GameNode::Decision {
                player: 0,
                moves: vec![0, 1],
                information_state: "first".into(),
            },
            [_] => GameNode::Decision {
                player: 1,
                moves: vec![0, 1],
                information_state: "second".into(),
            },
            [a, b] => GameNode::Terminal {
                returns: payoff(*a, *b),
            },
            _ => return Err(Error::config("history: expected at most 2 moves")),
        })
    }
}

const ENTRY: EnvironmentEntry = EnvironmentEntry::of::<Pennies>();

fn make(extensions: bool) -> EnvironmentHandle {
    let config = json!({ "extensions": extensions });
    EnvironmentHandle::in_process(
        &ENTRY,
        &MakeEnvironment {
            config,
            ..MakeEnvironment::new(Pennies::ID)
        },
    )
    .unwrap()
}

#[test]
fn counterfactual_rewards_are_those_of_another_joint_action() {
    let mut game = make(true);
    let rewards = game
        .counterfactual(0, &[vec![vec![1.0], vec![1.0]]])
        .unwrap();
    assert_eq!(rewards, [[1.0, -1.0]]);
    let rewards = game
        .counterfactual(0, &[vec![vec![1.0], vec![0.0]]])
        .unwrap();
    assert_eq!(rewards, [[-1.0, 1.0]]);
}

#[test]
fn the_scripted_baseline_draws_from_its_own_generator() {
    let (mut watched, mut alone) = (make(true), make(true));
    for game in [&mut watched, &mut alone] {
        assert_eq!(game.scripted(0).unwrap_err().kind, ErrorKind::Host);
        game.reset(None, &json!({}), 0).unwrap();
    }
    let mut seen = Vec::new();
    for _ in 0..32 {
        let joint = watched.scripted(0).unwrap();
        assert_eq!(joint, watched.scripted(0).unwrap(), "the same state twice");
        assert_eq!(joint[0][0], [1.0]);
        seen.push(joint[0][1][0]);
        for game in [&mut watched, &mut alone] {
            game.step_exact(&joint, 0).unwrap();
        }
        assert_eq!(watched.snapshot(0).unwrap(), alone.snapshot(0).unwrap());
    }
    assert!(seen.contains(&0.0) && seen.contains(&1.0), "{seen:?}");
}

#[test]
fn a_scripted_baseline_of_another_shape_is_the_fault_of_the_plugin() {
    let config = json!({"short": true});
    let what = MakeEnvironment {
        config,
        ..MakeEnvironment::new(Pennies::ID)
    };
    let mut game = EnvironmentHandle::in_process(&ENTRY, &what).unwrap();
    game.reset(None, &json!({}), 0).unwrap();
    let error = game.scripted(0).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Plugin);
    assert!(error.message.contains("another shape"), "{error}");
}

#[test]
fn the_game_tree_is_walked_by_histories() {
    let mut game = make(true);
    let root = game.game_node(&[]).unwrap();
    assert!(matches!(root, GameNode::Decision { player: 0, ref moves, .. } if moves == &[0, 1]));
    assert_eq!(
        game.game_node(&[0, 1]).unwrap(),
        GameNode::Terminal {
            returns: vec![-1.0, 1.0]
        }
    );
    assert_eq!(
        game.game_node(&[0, 1, 1]).unwrap_err().message,
        "history: expected at most 2 moves"
    );
}

#[test]
fn what_the_spec_does_not_offer_is_refused() {
    let mut game = make(false);
    assert_eq!(
        game.counterfactual(0, &[]).unwrap_err().kind,
        ErrorKind::Unsupported
    );
    assert_eq!(
        game.game_node(&[]).unwrap_err().kind,
        ErrorKind::Unsupported
    );
    game.reset(None, &json!({}), 0).unwrap();
    assert_eq!(game.scripted(0).unwrap_err().kind, ErrorKind::Unsupported);
}
