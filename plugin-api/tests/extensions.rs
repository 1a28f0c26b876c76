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
}

/// Matching pennies: the first player wins when the coins agree.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
struct Pennies {}

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
        spec.flags.game_tree = config.extensions;
        Ok(spec)
    }

    fn new(_: &PenniesConfig) -> Result<Self> {
        Ok(Self {})
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

fn make(extensions: bool) -> EnvironmentHandle {
    const ENTRY: EnvironmentEntry = EnvironmentEntry::of::<Pennies>();
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
}
