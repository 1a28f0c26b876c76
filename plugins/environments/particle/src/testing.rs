//! What the tests of the tasks share: traces, baselines, and stepping a batch with a policy.

use std::path::{Path, PathBuf};

use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::{NO_GROUP, id},
    batch::BatchEnvironment,
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment},
    rng::EnvRng,
    serde_json::{Value, json},
    testing::{
        Subject,
        baseline::{Played, assert_beats_random},
        replay::{reference_folder, replay_claimed_batch},
    },
};

/// The folders of the reference data: the one asked for, if any, and the project's copy, which also has
/// what was recorded for this plugin.
fn references() -> Vec<PathBuf> {
    let copy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../reference");
    let mut folders = vec![reference_folder(env!("CARGO_MANIFEST_DIR"))];
    let same = |folder: &PathBuf| folder.canonicalize().ok() == copy.canonicalize().ok();
    if copy.is_dir() && !folders.iter().any(same) {
        folders.push(copy);
    }
    folders
}

/// Replays every trace of an environment that is found.
pub(crate) fn replay<E: BatchEnvironment>() {
    let replayed = replay_claimed_batch::<E>(env!("CARGO_MANIFEST_DIR"));
    assert!(
        replayed.values > 1000,
        "traces of {}: expected some, found {replayed:?}",
        E::ID
    );
}

/// A batch of `instances` worlds, reset.
pub(crate) fn batch<E: BatchEnvironment>(config: Value, instances: usize) -> EnvironmentBatch {
    let entry = EnvironmentEntry::of_batch::<E>();
    let what = MakeEnvironment {
        config,
        instances,
        ..MakeEnvironment::new(E::ID)
    };
    let mut batch = EnvironmentBatch::new(&what, 1, 1, |what| {
        EnvironmentHandle::in_process(&entry, what)
    })
    .expect("makes");
    batch.reset(&json!({}), 0).expect("resets");
    batch
}

/// One world that starts as `init` says.
pub(crate) fn world<E: BatchEnvironment>(config: Value, init: Value) -> EnvironmentBatch {
    let mut batch = batch::<E>(config, 1);
    batch.reset(&json!({"init": init}), 0).expect("resets");
    batch
}

/// Steps the one world exactly; gives rewards `[group][agent]` and the state.
pub(crate) fn exact(
    batch: &mut EnvironmentBatch,
    actions: &[Vec<Vec<f64>>],
) -> (Vec<Vec<f64>>, Value) {
    let step = batch.locate(0).0.step_exact(actions, 0).expect("steps");
    (step.rewards, step.state)
}

/// How actions are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Policy {
    Random,
    NoOp,
}

impl Policy {
    fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::NoOp => "noop",
        }
    }

    /// Writes the discrete actions of all groups.
    pub(crate) fn act(self, batch: &mut EnvironmentBatch, rng: &mut EnvRng) {
        for g in 0..batch.spec().groups.len() {
            let choices = batch.spec().groups[g].action.choices()[0] as u64;
            let key = batch
                .slabs()
                .key::<i32>(id::ACTION, g as u32)
                .expect("discrete actions");
            for action in batch.rows_mut(key, 0) {
                *action = if self == Self::Random {
                    rng.below(choices) as i32
                } else {
                    0
                };
            }
        }
    }
}

/// Returns of finished episodes: `[agent][episode]`, agents in group order.
pub(crate) fn episode_returns(
    batch: &mut EnvironmentBatch,
    policy: Policy,
    episodes: usize,
) -> Vec<Vec<f64>> {
    let mut rng = EnvRng::new(7, 0, 0, palaestra_plugin_api::rng::purpose::CHECK);
    let mut returns = vec![Vec::new(); batch.spec().agents()];
    let counted = batch
        .slabs()
        .key::<u32>(id::ENDED_COUNT, NO_GROUP)
        .expect("count");
    while returns[0].len() < episodes {
        policy.act(batch, &mut rng);
        batch.step(0, 0).expect("steps");
        let ended = batch.rows(counted, 0)[0] as usize;
        let mut first = 0;
        for g in 0..batch.spec().groups.len() {
            let agents = batch.spec().groups[g].agents;
            let key = batch
                .slabs()
                .key::<f64>(id::EPISODE_RETURN, g as u32)
                .expect("returns");
            for row in batch.rows(key, 0).chunks_exact(agents).take(ended) {
                (0..agents).for_each(|i| returns[first + i].push(row[i]));
            }
            first += agents;
        }
    }
    returns
}

/// The row of the baseline table.
fn baseline(task: &str, generation: &str, policy: Policy) -> Vec<String> {
    let tables = references()
        .into_iter()
        .map(|folder| folder.join("tables/baselines_mpe.csv"));
    let text: String = tables
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect();
    let mut rows = text
        .lines()
        .map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let named = |row: &Vec<String>| {
        row.get(..3)
            .is_some_and(|name| name == [task, generation, policy.name()])
    };
    rows.find(named).unwrap_or_else(|| {
        panic!(
            "baselines: expected a row {task},{generation},{}",
            policy.name()
        )
    })
}

/// Compares mean returns with the row of the baseline table, within two standard errors of the difference.
/// `shared`: every agent is paid the sum over agents that the table lists apart.
pub(crate) fn check_baseline<E: BatchEnvironment>(
    task: &str,
    generation: &str,
    policy: Policy,
    shared: bool,
) {
    const EPISODES: usize = 20_000;
    // Nothing moves in simple crypto: it has no generations.
    let config = if generation == "mpe2" {
        json!({})
    } else {
        json!({"physics": "openai"})
    };
    let mut worlds = batch::<E>(config, 500);
    let returns = episode_returns(&mut worlds, policy, EPISODES);
    let row = baseline(task, generation, policy);
    let numbers = |i: usize| {
        row[i]
            .split(';')
            .map(|x| x.parse().expect("a number"))
            .collect::<Vec<f64>>()
    };
    let (episodes, mut means, mut deviations) = (numbers(3)[0], numbers(4), numbers(5));
    if shared {
        (means, deviations) = (
            vec![numbers(6)[0]; returns.len()],
            vec![numbers(7)[0]; returns.len()],
        );
    }
    assert_eq!(means.len(), returns.len(), "agents of the table");
    for (agent, returns) in returns.iter().enumerate() {
        let mean = returns.iter().sum::<f64>() / returns.len() as f64;
        let error = deviations[agent] * (1.0 / episodes + 1.0 / returns.len() as f64).sqrt();
        assert!(
            (mean - means[agent]).abs() <= 2.0 * error,
            "{task} {generation} {policy:?}, agent {agent}: expected {} ± {}, found {mean}",
            means[agent],
            2.0 * error
        );
    }
}

/// Checks that the agents of the groups `scripted` names beat chance by `margin` in the sum of their returns, against
/// others that act at random; gives both means.
pub(crate) fn assert_scripted<E: BatchEnvironment>(
    config: Value,
    margin: f64,
    scripted: impl Fn(usize) -> bool,
) -> [f64; 2] {
    let subject = Subject::of_batch::<E>(config);
    let sum = |played: &Played| {
        let groups = (0..played.returns.len()).filter(|&group| scripted(group));
        groups.map(|group| played.group(group)).sum()
    };
    let means = assert_beats_random(&subject, 400, margin, |group, _| scripted(group), sum);
    println!(
        "{}: chance {:.2}, scripted {:.2}",
        E::ID,
        means[0],
        means[1]
    );
    means
}
