//! What a plugin does wrong is noticed, named, and ends the run with exit code 3.

mod worlds;

use palaestra::rollout::{Rollout, Workers};
use palaestra_plugin_api::{
    ErrorKind,
    abi::{NO_GROUP, id},
};
use serde_json::json;
use worlds::{defaults, make, options, start, wrapped};

/// The error of a run over two shards of three instances each, with `ENV` for the one that must be named.
fn failure(fault: &str, threads: usize) -> palaestra_plugin_api::Error {
    let mut options = options(6, 2, json!({"fault": fault}));
    options.environment.first_instance = 100;
    let mut rollout = start(&options, threads);
    let state = rollout
        .batch()
        .slabs()
        .key::<f32>(id::STATE, NO_GROUP)
        .unwrap();
    let starts = rollout.batch().rows(state, 0).chunks(2);
    let guilty = starts
        .enumerate()
        .find(|(_, walkers)| walkers[0] > walkers[1])
        .unwrap()
        .0;
    assert!(guilty > 0, "the first instance would be named by chance");
    let mut policies = rollout.random();
    let mut error = rollout.collect(&mut policies, 16).unwrap_err();
    error.message = error
        .message
        .replace(&format!("env {}", 100 + guilty), "env ENV");
    error
}

#[test]
fn numbers_that_are_not_finite_are_named_with_instance_group_and_agent() {
    for threads in [1, 2] {
        let error = failure("nan_reward", threads);
        assert_eq!(
            error.message,
            "plugin walks (step, env ENV): reward of walkers/1: expected a finite number, found NaN"
        );
        assert_eq!(error.kind.exit_code(), 3);
        let error = failure("infinite_observation", threads);
        assert_eq!(
            error.message,
            "plugin walks (step, env ENV): observation of watchers/0[1]: expected a finite number, found inf"
        );
    }
}

#[test]
fn a_bad_start_is_named_too() {
    let options = options(40, 2, json!({"fault": "nan_start"}));
    let workers = Workers::new(1).unwrap();
    let error = Rollout::new(&options, &workers, &make).unwrap().reset();
    let message = error.unwrap_err().message;
    assert!(
        message.starts_with("plugin walks (reset, env "),
        "{message}"
    );
    let expected = "observation of walkers/1[0]: expected a finite number, found NaN";
    assert!(message.ends_with(expected), "{message}");
}

#[test]
fn a_panic_names_plugin_call_and_instance() {
    let error = failure("panic", 1);
    assert_eq!(error.kind, ErrorKind::Panicked);
    assert_eq!(error.kind.exit_code(), 3);
    assert!(
        error
            .message
            .starts_with("plugin walks (step, env ENV): panicked"),
        "{error}"
    );
    assert!(error.message.ends_with("walked off"), "{error}");
}

#[test]
fn wrappers_that_do_not_fit_are_refused_before_anything_runs() {
    let refused = |wrappers: &[&str]| {
        let options = wrapped(2, 1, defaults(), wrappers);
        let error = Rollout::new(&options, &Workers::new(1).unwrap(), &make)
            .map(|_| ())
            .unwrap_err();
        assert_eq!(error.kind.exit_code(), 2, "{error}");
        error.message
    };
    assert_eq!(
        refused(&["FailAgents.groups=[\"runners\"]"]),
        "wrapper FailAgents: /groups: expected names among walkers, watchers, found runners"
    );
    assert!(
        refused(&["TimeLimit.max_episode_steps=-1"])
            .starts_with("config TimeLimit: /max_episode_steps")
    );
    assert!(refused(&["Sticky"]).starts_with("wrapper \"Sticky\" not found"));
}

#[test]
fn steps_before_a_reset_or_beyond_a_fragment_are_bugs_of_the_host() {
    let mut rollout =
        Rollout::new(&options(2, 1, defaults()), &Workers::new(1).unwrap(), &make).unwrap();
    let mut policies = rollout.random();
    assert_eq!(
        rollout.collect(&mut policies, 1).unwrap_err().kind,
        ErrorKind::Host
    );
    assert_eq!(rollout.step().unwrap_err().kind, ErrorKind::Host);
    rollout.reset().unwrap();
    assert_eq!(
        rollout.collect(&mut policies, 17).unwrap_err().kind,
        ErrorKind::Host
    );
    rollout.collect(&mut policies, 16).unwrap();
    assert_eq!(rollout.step().unwrap_err().kind, ErrorKind::Host);
    rollout.carry().unwrap();
    rollout.step().unwrap();
}
