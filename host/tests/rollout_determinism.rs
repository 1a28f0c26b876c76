//! The same seed gives the same bytes, however the work is cut.

mod worlds;

use palaestra::rollout::{DoubleBuffered, Policy, Rollout, RolloutOptions, Workers};
use palaestra_plugin_api::client::MakeEnvironment;
use serde_json::json;
use worlds::{Digest, defaults, make, options, run, start, wrapped};

const WRAPPERS: &[&str] = &[
    "TimeLimit.max_episode_steps=17",
    "StickyAction.probability=0.3",
    "FailAgents.probability=0.5",
    "TeamReward.team=all",
];

#[test]
fn threads_and_shards_change_no_byte_in_ten_thousand_steps() {
    for wrappers in [&[][..], WRAPPERS] {
        let (reference, ended, rollout) = run(&wrapped(35, 1, defaults(), wrappers), 1, 10_000);
        assert!(ended.len() > 5_000, "{} episodes", ended.len());
        let statistics = rollout.statistics();
        assert_eq!(statistics.episodes(), ended.len() as u64);
        for (threads, shards) in [(1, 7), (2, 1), (2, 7)] {
            let (digest, list, rollout) =
                run(&wrapped(35, shards, defaults(), wrappers), threads, 10_000);
            assert_eq!(digest, reference, "{threads} threads, {shards} shards");
            assert_eq!(list, ended, "{threads} threads, {shards} shards");
            assert_eq!(
                rollout.statistics(),
                statistics,
                "{threads} threads, {shards} shards"
            );
        }
    }
}

#[test]
fn the_length_of_fragments_changes_no_row() {
    let ended = |steps| {
        run(
            &RolloutOptions {
                steps: Some(steps),
                ..options(12, 3, defaults())
            },
            1,
            600,
        )
        .1
    };
    let reference = ended(16);
    assert!(!reference.is_empty());
    assert_eq!(ended(1), reference);
    assert_eq!(ended(128), reference);
}

#[test]
fn fragments_without_a_meeting_in_between_are_the_same_fragments() {
    let collected = |meetings: usize, fragments: usize, threads| {
        let mut rollout = start(&wrapped(35, 7, defaults(), WRAPPERS), threads);
        let mut policies = rollout.random();
        let steps = rollout.plan().steps;
        for _ in 0..meetings {
            rollout
                .collect_several(&mut policies, steps, fragments)
                .unwrap();
        }
        let mut digest = Digest::new();
        digest.slots(&[&rollout], 0..=steps, steps);
        (digest, rollout.statistics())
    };
    let reference = collected(12, 1, 1);
    assert_eq!(collected(3, 4, 1), reference);
    assert_eq!(collected(1, 12, 2), reference);
}

#[test]
fn another_seed_gives_other_bytes() {
    let mut other = options(12, 3, defaults());
    other.environment.run_seed += 1;
    assert_ne!(
        run(&other, 1, 50).0,
        run(&options(12, 3, defaults()), 1, 50).0
    );
}

#[test]
fn a_part_of_the_instances_is_what_it_is_within_the_whole() {
    let whole = run(&options(10, 1, defaults()), 1, 200).1;
    let mut part = options(4, 2, defaults());
    part.environment.first_instance = 6;
    let part = run(&part, 1, 200).1;
    let expected: Vec<_> = whole
        .into_iter()
        .filter(|ended| ended.instance >= 6)
        .collect();
    let moved: Vec<_> = part
        .into_iter()
        .map(|ended| worlds::Ended {
            instance: ended.instance + 6,
            ..ended
        })
        .collect();
    assert_eq!(moved, expected);
}

#[test]
fn two_halves_have_the_bytes_of_one_batch() {
    const STEPS: usize = 16;
    let of = |n| wrapped(n, 4, json!({"masked": 3}), WRAPPERS);
    let mut single = start(&of(21), 1);
    let mut policies = single.random();
    let mut expected = Digest::new();
    for _ in 0..40 {
        single.collect(&mut policies, STEPS).unwrap();
        expected.slots(&[&single], 0..=STEPS, STEPS);
    }
    for threads in [1, 2] {
        let workers = Workers::new(threads).unwrap();
        let mut double = DoubleBuffered::new(&of(21), &workers, &make).unwrap();
        double.reset().unwrap();
        let mut policies = double.halves().each_ref().map(Rollout::random);
        let mut digest = Digest::new();
        for _ in 0..40 {
            double
                .collect(STEPS, |half, rollout| {
                    let now = rollout.now();
                    let mut shards = rollout.batch_mut().shards_mut().zip(&mut policies[half]);
                    shards.try_for_each(|(mut shard, policy)| policy.act(&mut shard, now))
                })
                .unwrap();
            let [first, second] = double.halves();
            digest.slots(&[first, second], 0..=STEPS, STEPS);
        }
        assert_eq!(digest, expected, "{threads} threads");
    }
}

#[test]
fn halves_that_do_not_continue_each_other_are_refused() {
    let workers = Workers::new(1).unwrap();
    let half = |first_instance| {
        let environment = MakeEnvironment {
            first_instance,
            ..options(4, 1, defaults()).environment
        };
        Rollout::new(
            &RolloutOptions {
                environment,
                ..options(4, 1, defaults())
            },
            &workers,
            &make,
        )
        .unwrap()
    };
    assert!(DoubleBuffered::of(half(0), half(4), &workers).is_ok());
    let error = DoubleBuffered::of(half(0), half(5), &workers)
        .map(|_| ())
        .unwrap_err();
    assert_eq!(
        error.message,
        "halves: expected the second to go on at instance 4, found 5"
    );
    assert!(DoubleBuffered::new(&options(1, 1, defaults()), &workers, &make).is_err());
}

#[test]
fn environments_that_wait_for_a_reset_look_like_those_that_do_not() {
    for per_agent_end in [false, true] {
        let of = |manual| {
            options(
                9,
                2,
                json!({"manual_reset": manual, "per_agent_end": per_agent_end}),
            )
        };
        let (expected, ended, _) = run(&of(false), 1, 1_000);
        let (digest, list, _) = run(&of(true), 1, 1_000);
        assert_eq!(
            (digest, list),
            (expected, ended),
            "per agent: {per_agent_end}"
        );
    }
}
