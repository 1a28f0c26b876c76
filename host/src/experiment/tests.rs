//! What experiment files may say, and how they are refused.

use palaestra_plugin_api::spec::{EnvironmentSpec, GroupSpec, Space};
use serde_json::json;

use super::*;

const FILE: &str = r#"
seed = 3

[environment]
name = "classic/CartPole-v1"
force = 12.5

[[wrappers]]
name = "TimeLimit"
max_episode_steps = 50

[algorithm]
name = "core/PPO-v0"
lr = {from = 1e-3, to = 1e-4, steps = 1000}
hidden = [64, 64]
wrappers = [{name = "FrameStack", frames = 2}, "NormaliseReward.gamma=0.9,clip=5"]

[[coordination]]
name = "comm/Broadcast-v0"
rounds = 2

[training]
steps = 5_000
tasks = [{goal = [1, 2]}, {}]

[training.self_play]
share = 0.25

[evaluation]
every = 1000
greedy = false
"#;

fn read() -> Experiment {
    Experiment::from_toml(FILE).unwrap()
}

fn refused(text: &str) -> String {
    let error = Experiment::from_toml(text).unwrap_err();
    assert_eq!(error.kind.exit_code(), 2);
    assert!(!error.message.contains('\n'));
    error.message
}

#[test]
fn a_file_says_what_it_says_and_leaves_the_rest_to_defaults() {
    let experiment = read();
    assert_eq!(experiment.seed, 3);
    assert_eq!(experiment.environment.config["force"], json!(12.5));
    assert_eq!(
        experiment.wrappers,
        ["TimeLimit.max_episode_steps=50".parse().unwrap()]
    );
    let algorithm = &experiment.algorithm[0];
    assert_eq!(algorithm.name, "core/PPO-v0");
    assert_eq!(algorithm.config["lr"]["from"], json!(1e-3));
    assert_eq!(
        algorithm.wrappers,
        [
            "FrameStack.frames=2".parse().unwrap(),
            "NormaliseReward.gamma=0.9,clip=5".parse().unwrap()
        ]
    );
    assert_eq!(experiment.coordination[0].config["rounds"], json!(2));
    let training = &experiment.training;
    assert_eq!((training.steps, training.num_envs), (5_000, 8));
    assert_eq!(training.tasks.len(), 2);
    let self_play = training.self_play.as_ref().unwrap();
    assert_eq!((self_play.share, self_play.keep), (0.25, 10));
    let filled = experiment.filled();
    assert_eq!(filled.training.checkpoint_every, Some(500));
    assert_eq!(filled.training.log_every, Some(50));
    assert_eq!(filled.evaluation.every, Some(1000));
    assert_eq!(filled.evaluation.num_envs, Some(8));
    assert_eq!(filled.training.threads, None);
    assert_eq!(filled.filled(), filled);
}

#[test]
fn names_alone_are_an_experiment_and_so_is_the_same_in_json() {
    let names = Experiment::of_names("CartPole", "PPO", &["Broadcast".into()]);
    let json = r#"{"environment": {"name": "CartPole"}, "algorithm": {"name": "PPO"},
        "coordination": [{"name": "Broadcast"}]}"#;
    assert_eq!(Experiment::from_json(json).unwrap(), names);
    assert_eq!(names.training.steps, 100_000);
    assert_eq!(names.evaluation.episodes, 20);
}

#[test]
fn what_is_written_reads_back_to_the_same() {
    for experiment in [
        read(),
        read().filled(),
        Experiment::of_names("a/B-v0", "c/D-v0", &[]),
    ] {
        let text = experiment.to_toml().unwrap();
        assert_eq!(Experiment::from_toml(&text).unwrap(), experiment, "{text}");
    }
    let mut several = read();
    several.algorithm.push(several.algorithm[0].clone());
    several.algorithm[0].groups = vec!["good".into()];
    several.algorithm[1].groups = vec!["bad".into()];
    let text = several.to_toml().unwrap();
    assert_eq!(text.matches("[[algorithm]]").count(), 2, "{text}");
    assert_eq!(Experiment::from_toml(&text).unwrap(), several);
    // Null is no TOML: a key that is null is one that is left out.
    several
        .environment
        .config
        .insert("limit".into(), Value::Null);
    assert!(!several.to_toml().unwrap().contains("limit"));
}

#[test]
fn unknown_keys_and_wrong_values_are_refused_with_their_pointer() {
    let with = |more: &str| format!("environment.name = \"E\"\nalgorithm.name = \"A\"\n{more}");
    for (text, expected) in [
        (
            "[training]\nstep = 3",
            "config experiment: /training/step: unknown key; did you mean steps?",
        ),
        (
            "[training]\nsteps = 0",
            "config experiment: /training/steps: expected 1 ≤ x, found 0",
        ),
        (
            "[training]\nnum_envs = \"x\"",
            "config experiment: /training/num_envs: expected integer, found string \"x\"",
        ),
        (
            "[training.self_play]\nshare = 1.5",
            "config experiment: /training/self_play/share: expected 0 ≤ x ≤ 1, found 1.5",
        ),
        (
            "[evaluation]\nepisodes = 0",
            "config experiment: /evaluation/episodes: expected 1 ≤ x, found 0",
        ),
        (
            "sed = 1",
            "config experiment: /sed: unknown key; did you mean seed?",
        ),
        (
            "[[coordination]]\nx = 1",
            "config experiment: /coordination/0/name: expected a value, found none",
        ),
    ] {
        assert_eq!(refused(&with(text)), expected);
    }
    assert_eq!(
        refused("environment.name = \"E\""),
        "config experiment: /algorithm: expected a value, found none"
    );
    assert!(refused("a = 1\n\nb = = 2\n").starts_with("line 3: expected TOML, found: "));
    assert_eq!(
        refused("environment.name = \"E\"\n[algorithm]\nlr = 1"),
        "config experiment: /algorithm/name: expected a value, found none"
    );
    assert!(refused(&with("training.keep = 0")).contains("/training/keep"));
    assert!(refused(&with("environment.x = inf")).contains("expected finite numbers, found inf"));
    assert!(refused(&with("seed = -1")).contains("/seed: expected 0 ≤ x"));
    assert!(refused(&with("wrappers = [3]")).contains("/wrappers/0: expected string or object"));
}

#[test]
fn every_field_can_be_set() {
    let mut experiment = read();
    for setting in [
        "seed=9",
        "environment.name=mpe/SimpleSpread-v3",
        "environment.agents=5",
        "algorithm.lr=3e-4",
        "algorithm.0.gamma=0.9",
        "algorithm.wrappers.0.frames=3",
        "algorithm.wrappers.2=AgentId",
        "coordination.rounds=4",
        "coordination.1.name=vote/Majority-v0",
        "wrappers=[]",
        "training.steps=700",
        "training.threads=2",
        "training.checkpoint_every=0",
        "training.keep=1",
        "training.log_every=10",
        "training.tasks=[{\"goal\": 1}]",
        "training.self_play.refresh=50",
        "evaluation.every=70",
        "evaluation.episodes=4",
        "evaluation.num_envs=2",
        "evaluation.greedy=true",
    ] {
        let before = experiment.clone();
        experiment.set(setting).unwrap();
        assert_ne!(experiment, before, "{setting}");
    }
    let algorithm = &experiment.algorithm[0];
    assert_eq!(
        (&algorithm.config["lr"], &algorithm.config["gamma"]),
        (&json!(3e-4), &json!(0.9))
    );
    assert_eq!(
        algorithm.wrappers[0],
        "FrameStack.frames=3".parse().unwrap()
    );
    assert_eq!(algorithm.wrappers[2], WrapperSpec::new("AgentId"));
    assert_eq!(experiment.coordination[0].config["rounds"], json!(4));
    assert_eq!(experiment.coordination[1].name, "vote/Majority-v0");
    assert!(experiment.wrappers.is_empty());
    assert_eq!(experiment.training.checkpoint_every, Some(0));
    // The first mechanism of an experiment without any, and a task without an index.
    let mut plain = Experiment::of_names("E", "A", &[]);
    plain.set("coordination.name=comm/Broadcast-v0").unwrap();
    plain.set("training.tasks.goal=3").unwrap();
    assert_eq!(plain.coordination.len(), 1);
    assert_eq!(plain.training.tasks[0]["goal"], json!(3));
}

#[test]
fn what_cannot_be_set_changes_nothing() {
    let mut experiment = read();
    let before = experiment.clone();
    let mut says = |setting: &str| experiment.set(setting).unwrap_err().message;
    assert!(says("training.steps=x").contains("/training/steps: expected integer"));
    assert!(says("training.stepps=1").contains("did you mean steps?"));
    assert!(says("seed").starts_with("--set: expected KEY=VALUE"));
    assert!(says("seed.x=1").contains("expected seed to be a table"));
    assert!(says("algorithm.2.lr=1").contains("index up to 1"));
    assert_eq!(experiment, before);
}

fn world() -> EnvironmentSpec {
    let mut spec = EnvironmentSpec::new("good", 1, Space::real(1), Space::discrete(2));
    for name in ["bad", "ugly"] {
        let group = GroupSpec::new(name, 1, Space::real(1), Space::discrete(2));
        spec.groups.push(group);
    }
    spec
}

fn with_groups(groups: &[&[&str]]) -> Experiment {
    let mut experiment = Experiment::of_names("E", "A", &[]);
    let section = experiment.algorithm.remove(0);
    for groups in groups {
        experiment.algorithm.push(AlgorithmSection {
            groups: groups.iter().map(|name| (*name).to_owned()).collect(),
            ..section.clone()
        });
    }
    experiment
}

#[test]
fn groups_go_to_the_algorithms_that_name_them_and_the_others_to_the_one_that_names_none() {
    let of = |groups: &[&[&str]]| with_groups(groups).controlled(&world());
    assert_eq!(of(&[&[]]).unwrap(), [[0, 1, 2]]);
    assert_eq!(
        of(&[&["ugly", "good"], &[]]).unwrap(),
        [vec![0, 2], vec![1]]
    );
    assert_eq!(
        of(&[&["goood"], &[]]).unwrap_err().message,
        "config experiment: /algorithm/0/groups/0: expected a group of the environment, found goood; did you mean good?"
    );
    assert_eq!(
        of(&[&["good"], &["bad"]]).unwrap_err().message,
        "config experiment: /algorithm: expected an algorithm for group ugly, found none; add one such as core/Random-v0"
    );
    assert!(of(&[&["good", "bad", "ugly"], &[]]).is_err());
    let twice = with_groups(&[&["good"], &["bad", "good"]]);
    assert_eq!(
        twice.check_groups().unwrap_err().message,
        "config experiment: /algorithm/1/groups/1: expected a group of one algorithm, found good, which /algorithm/0 controls"
    );
    assert!(with_groups(&[&[], &[]]).check_groups().is_err());
    assert!(with_groups(&[]).check_groups().is_err());
}

#[test]
fn files_are_told_apart_by_their_extension() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    assert_eq!(Experiment::read(&put("a.toml", FILE)).unwrap(), read());
    let json = serde_json::to_string(&read()).unwrap();
    assert_eq!(Experiment::read(&put("a.json", &json)).unwrap(), read());
    let bad = Experiment::read(&put("b.toml", "x = 1")).unwrap_err();
    assert!(
        bad.message.contains("b.toml: config experiment: /"),
        "{bad}"
    );
    assert_eq!(
        Experiment::read(&put("a.yaml", ""))
            .unwrap_err()
            .kind
            .exit_code(),
        2
    );
    let missing = Experiment::read(&folder.path().join("none.toml")).unwrap_err();
    assert_eq!(missing.kind.exit_code(), 4);
}
