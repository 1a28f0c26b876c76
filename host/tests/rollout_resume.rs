//! A rollout that is read back goes on with the same bytes.

mod worlds;

use palaestra::{
    rollout::{Random, Rollout, RolloutOptions, Workers},
    session::{EnvironmentMaker, Session},
};
use palaestra_plugin_api::client::MakeEnvironment;
use palaestra_registry::Options;
use serde_json::json;
use worlds::{Digest, defaults, make, start, wrapped};

const WRAPPERS: &[&str] = &[
    "TimeLimit.max_episode_steps=17",
    "StickyAction.probability=0.4",
    "FailAgents.probability=0.6",
    "TeamReward.team=all",
];

/// Steps on and gives a digest of all that was seen, with the merged statistics.
fn go_on(rollout: &mut Rollout, policies: &mut [Random], fragments: usize) -> Digest {
    let steps = rollout.plan().steps;
    let mut digest = Digest::new();
    for _ in 0..fragments {
        rollout.collect(policies, steps).unwrap();
        digest.slots(&[rollout], 0..=steps, steps);
    }
    digest
}

fn saved(rollout: &mut Rollout) -> Vec<u8> {
    let mut bytes = Vec::new();
    rollout.save_state(&mut bytes).unwrap();
    bytes
}

/// Runs, saves at the end of a fragment and in the middle of one, and compares what comes after.
fn resumes(make: &palaestra::rollout::Make<'_>, options: &RolloutOptions, other: &RolloutOptions) {
    let fresh = |options: &RolloutOptions, threads| {
        Rollout::new(options, &Workers::new(threads).unwrap(), make).unwrap()
    };
    let mut whole = fresh(options, 1);
    whole.reset().unwrap();
    let mut policies = whole.random();
    go_on(&mut whole, &mut policies, 7);
    // Part of a fragment: the present slot is somewhere in the middle.
    whole.collect(&mut policies, 5).unwrap();
    let bytes = saved(&mut whole);
    let mut resumed = fresh(other, 2);
    resumed.load_state(&mut &bytes[..]).unwrap();
    assert_eq!(resumed.now(), 5);
    assert_eq!(resumed.statistics(), whole.statistics());
    assert!(whole.statistics().episodes() > 0);
    assert_eq!(saved(&mut resumed), bytes, "saved again");
    // Random policies count their steps themselves; a fresh one per shard has to catch up.
    let mut later = resumed.random();
    let mut scratch = fresh(other, 1);
    scratch.reset().unwrap();
    let steps = scratch.plan().steps;
    for _ in 0..7 {
        scratch.collect(&mut later, steps).unwrap();
    }
    scratch.collect(&mut later, 5).unwrap();
    let expected = go_on(&mut whole, &mut policies, 9);
    assert_eq!(go_on(&mut resumed, &mut later, 9), expected);
    assert_eq!(resumed.statistics(), whole.statistics());
}

#[test]
fn every_later_byte_is_the_same_with_other_shards_and_threads() {
    for settings in [
        defaults(),
        json!({"per_agent_end": true, "masked": 3}),
        json!({"manual_reset": true}),
    ] {
        for wrappers in [&[][..], WRAPPERS] {
            let of = |shards| wrapped(11, shards, settings.clone(), wrappers);
            resumes(&make, &of(3), &of(3));
            resumes(&make, &of(1), &of(4));
        }
    }
}

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

#[test]
fn plugins_resume_with_wrappers_around_them() {
    let (session, _folder) = session();
    for (name, wrappers) in [
        (
            "classic/CartPole-v1",
            &[
                "TimeLimit.max_episode_steps=23",
                "StickyAction.probability=0.3",
            ][..],
        ),
        (
            "mpe/SimpleSpread-v3",
            &[
                "TimeLimit.max_episode_steps=13",
                "FailAgents.probability=0.5",
                "TeamReward.reduction=mean",
            ],
        ),
    ] {
        let maker: EnvironmentMaker = session.environment(name, &json!({})).unwrap();
        let environment = MakeEnvironment {
            instances: 9,
            run_seed: 5,
            ..maker.request()
        };
        let options = |shards| RolloutOptions {
            shards: Some(shards),
            wrappers: wrappers.iter().map(|text| text.parse().unwrap()).collect(),
            ..RolloutOptions::new(environment.clone(), maker.plugin())
        };
        resumes(&|what| maker.make(what), &options(1), &options(2));
    }
}

#[test]
fn the_state_of_another_rollout_is_refused_and_the_rollout_must_be_reset() {
    let options = wrapped(6, 2, defaults(), WRAPPERS);
    let mut rollout = start(&options, 1);
    let bytes = saved(&mut rollout);
    let refused = |options: &RolloutOptions, bytes: &[u8]| {
        let mut other = start(options, 1);
        let error = other.load_state(&mut &bytes[..]).unwrap_err();
        assert_eq!(error.kind.exit_code(), 2, "{error}");
        assert!(other.step().is_err(), "expected a reset first");
        other.reset().unwrap();
        let mut policies = other.no_op();
        other.collect(&mut policies, 3).unwrap();
        error.message
    };
    assert_eq!(
        refused(&wrapped(5, 2, defaults(), WRAPPERS), &bytes),
        "saved rollout: expected instances 5 from 0, found 6 from 0; resume with the same experiment"
    );
    assert!(refused(&wrapped(6, 2, defaults(), &WRAPPERS[1..]), &bytes).contains("world wrappers"));
    let masked = wrapped(6, 2, json!({"masked": 2}), WRAPPERS);
    assert!(refused(&masked, &bytes).contains("spaces of this environment"));
    assert!(refused(&options, b"something else\n").contains("found \"something else\""));
    for end in [30, 200, bytes.len() / 2, bytes.len() - 1] {
        refused(&options, &bytes[..end]);
    }
    let mut unstarted = Rollout::new(&options, &Workers::new(1).unwrap(), &make).unwrap();
    assert_eq!(
        unstarted.save_state(&mut Vec::new()).unwrap_err().message,
        "rollout: expected a reset before the first step, found none"
    );
}
