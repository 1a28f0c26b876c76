//! Experiments over the workspace's own plugins.

use std::collections::BTreeMap;

use palaestra::{experiment::Experiment, session::Session};
use palaestra_registry::{Kind, Options, validate::defaults};
use serde_json::{Value, json};

/// A session over the libraries beside the program; the folder is its cache.
fn session() -> (Session, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        executable: Some(env!("CARGO_BIN_EXE_palaestra").into()),
        lock_file: Some(folder.path().join("plugins.lock")),
        cache: Some(folder.path().join("cache")),
        ..Options::default()
    };
    (Session::open(options).unwrap(), folder)
}

const FILE: &str = r#"
[environment]
name = "CartPole"

[[wrappers]]
name = "FailAgents"
within_steps = 9

[algorithm]
name = "core/Random"
wrappers = ["FrameStack.frames=2", "AgentId"]

[coordination]
name = "Broadcast"
"#;

#[test]
fn a_resolved_experiment_leaves_nothing_open_and_resolves_to_itself() {
    let (session, _folder) = session();
    let written = Experiment::from_toml(FILE).unwrap();
    let resolved = written.resolve(&session).unwrap();
    let experiment = &resolved.experiment;
    assert_eq!(experiment.environment.name, "classic/CartPole-v1");
    assert_eq!(experiment.environment.name, resolved.environment.id());
    assert_eq!(
        experiment.environment.config["max_episode_steps"],
        json!(500)
    );
    assert_eq!(experiment.algorithm[0].name, "core/Random-v0");
    assert_eq!(resolved.algorithms[0].id(), "core/Random-v0");
    assert_eq!(experiment.coordination[0].name, "comm/Broadcast-v0");
    assert_eq!(
        json!(experiment.coordination[0].config),
        *resolved.mechanisms[0].config()
    );
    assert_eq!(
        experiment.wrappers[0].config,
        json!({"probability": 0.1, "within_steps": 9, "groups": []})
    );
    assert_eq!(
        experiment.algorithm[0].wrappers[0].config,
        json!({"frames": 2, "padding": "repeat"})
    );
    assert_eq!(experiment.evaluation.every, Some(10_000));
    assert_eq!(resolved.notes.len(), 3, "{:?}", resolved.notes);
    // What is written to the run folder is the whole of it.
    let text = experiment.to_toml().unwrap();
    let read = Experiment::from_toml(&text).unwrap();
    assert_eq!(read, *experiment, "{text}");
    let again = read.resolve(&session).unwrap();
    assert_eq!(again.experiment, read);
    assert_eq!(again.environment.config(), resolved.environment.config());
    assert!(again.notes.is_empty(), "{:?}", again.notes);
}

/// Null, lists and tables are where TOML and JSON differ.
#[test]
fn settings_that_toml_writes_otherwise_survive_the_resolved_file() {
    let (session, _folder) = session();
    let differs = |value: &Value| value.is_null() || value.is_array() || value.is_object();
    let entries = session.registry().entries(Kind::Environment);
    let ids: BTreeMap<&str, String> = entries
        .filter(|entry| {
            let defaults = defaults(&entry.export.schema);
            let settings = defaults.as_object();
            settings.is_some_and(|settings| settings.values().any(differs))
        })
        // One of each plugin will do: each has to be copied and loaded.
        .map(|entry| (entry.manifest.plugin.as_str(), entry.export.id.to_string()))
        .collect();
    assert!(!ids.is_empty());
    for id in ids.values() {
        let experiment = Experiment::of_names(id, "core/NoOp-v0", &[]);
        let resolved = experiment.resolve(&session).unwrap().experiment;
        let text = resolved.to_toml().unwrap();
        assert_eq!(Experiment::from_toml(&text).unwrap(), resolved, "{text}");
    }
}

#[test]
fn wrong_names_and_settings_are_refused_with_what_was_meant() {
    let (session, _folder) = session();
    let says = |setting: &str| {
        let mut experiment = Experiment::from_toml(FILE).unwrap();
        experiment.set(setting).unwrap();
        let error = experiment.resolve(&session).map(drop).unwrap_err();
        assert_eq!(error.kind.exit_code(), 2);
        error.message
    };
    for (setting, expected) in [
        (
            "environment.name=classic/CartPol-v1",
            "environment \"classic/CartPol-v1\" not found; did you mean classic/CartPole-v1?",
        ),
        (
            "algorithm.name=core/Randm-v0",
            "algorithm \"core/Randm-v0\" not found; did you mean core/Random-v0?",
        ),
        (
            "coordination.name=comm/Brodcast-v0",
            "coordination \"comm/Brodcast-v0\" not found; did you mean comm/Broadcast-v0?",
        ),
        (
            "environment.max_episode_step=3",
            "config classic/CartPole-v1: /max_episode_step: unknown key; did you mean max_episode_steps?",
        ),
        (
            "wrappers.0.probability=2",
            "config FailAgents: /probability: expected 0 ≤ x ≤ 1, found 2",
        ),
        (
            "algorithm.wrappers.0.name=FrameStak",
            "wrapper \"FrameStak\" not found; did you mean FrameStack?",
        ),
        (
            "algorithm.wrappers.1=TimeLimit",
            "wrapper \"TimeLimit\" not found; it changes the world: list it under wrappers, outside of the algorithm",
        ),
    ] {
        assert_eq!(says(setting), expected);
    }
}
