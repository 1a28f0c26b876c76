//! What world wrappers do to a world.

mod worlds;

use palaestra::rollout::{Policy, Rollout};
use palaestra_plugin_api::{
    Result,
    abi::{NO_GROUP, id},
    client::{Key, ShardMut},
};
use serde_json::json;
use worlds::{defaults, run, start, wrapped};

/// Walkers take the choices 0, 1, 2, 0, … in turn; the watcher never pushes.
struct InTurn {
    key: Key<i32>,
    time: i32,
}

impl Policy for InTurn {
    fn act(&mut self, shard: &mut ShardMut<'_>, slot: usize) -> Result<()> {
        shard.rows_mut(self.key, slot).fill(self.time % 3);
        self.time += 1;
        Ok(())
    }
}

/// Executed actions of both walkers of every instance, step by step, until the fragment ends.
fn executed(wrappers: &[&str], instances: usize, steps: usize) -> Vec<Vec<i32>> {
    let mut options = wrapped(
        instances,
        3,
        json!({"limit": 1_000_000, "bound": 1e9}),
        wrappers,
    );
    options.steps = Some(steps);
    let mut rollout = start(&options, 1);
    let key = rollout.batch().slabs().key(id::ACTION, 0).unwrap();
    let mut policies = rollout.policies(|_| InTurn { key, time: 0 });
    rollout.collect(&mut policies, steps).unwrap();
    (0..steps)
        .map(|slot| rollout.batch().rows(key, slot).to_vec())
        .collect()
}

fn rows<T: palaestra_plugin_api::client::SlabElement>(
    rollout: &Rollout,
    id: u32,
    group: u32,
    slot: usize,
) -> Vec<T> {
    let key = rollout.batch().slabs().key(id, group).unwrap();
    rollout.batch().rows::<T>(key, slot).to_vec()
}

#[test]
fn a_time_limit_is_the_environments_own_limit_byte_for_byte() {
    // Rewards of Walk are exact in f32, so even the returns are the same bits.
    for settings in [
        json!({}),
        json!({"per_agent_end": true}),
        json!({"manual_reset": true}),
        json!({"masked": 2}),
    ] {
        let limited = |limit: u32| {
            let mut config = settings.clone();
            config["limit"] = limit.into();
            config
        };
        let (expected, ended, rollout) = run(&wrapped(12, 2, limited(9), &[]), 1, 2_000);
        let wrapper = &["TimeLimit.max_episode_steps=9"];
        let (digest, list, outside) = run(&wrapped(12, 2, limited(500), wrapper), 1, 2_000);
        assert!(
            ended.iter().any(|e| e.length == 9) && ended.iter().any(|e| e.length < 9),
            "both ends occur"
        );
        assert_eq!(list, ended, "{settings}");
        assert_eq!(digest, expected, "{settings}");
        assert_eq!(outside.spec(), rollout.spec());
        assert_eq!(outside.statistics(), rollout.statistics());
    }
}

#[test]
fn a_time_limit_beyond_the_environments_own_changes_nothing() {
    let plain = run(&wrapped(5, 1, defaults(), &[]), 1, 300);
    for limit in [
        "TimeLimit.max_episode_steps=40",
        "TimeLimit.max_episode_steps=1000",
    ] {
        let limited = run(&wrapped(5, 1, defaults(), &[limit]), 1, 300);
        assert_eq!((limited.0, &limited.1), (plain.0, &plain.1));
        assert_eq!(limited.2.spec().max_episode_steps, Some(40));
    }
}

#[test]
fn two_time_limits_are_the_smaller_one_in_either_order() {
    let both = |a, b| run(&wrapped(5, 1, defaults(), &[a, b]), 1, 300);
    let (short, long) = (
        "TimeLimit.max_episode_steps=5",
        "TimeLimit.max_episode_steps=8",
    );
    let (first, second) = (both(short, long), both(long, short));
    assert_eq!((first.0, &first.1), (second.0, &second.1));
    assert!(first.1.iter().all(|ended| ended.length <= 5));
}

#[test]
fn sticky_actions_repeat_what_was_executed_as_often_as_asked() {
    let never = executed(&["StickyAction.probability=0"], 6, 20);
    assert!((0..20).all(|t| never[t].iter().all(|&a| a == t as i32 % 3)));
    // An episode keeps its first action for ever.
    let mut options = wrapped(6, 2, json!({"limit": 10}), &["StickyAction.probability=1"]);
    options.steps = Some(40);
    let mut rollout = start(&options, 1);
    let key = rollout.batch().slabs().key(id::ACTION, 0).unwrap();
    let mut policies = rollout.policies(|_| InTurn { key, time: 0 });
    rollout.collect(&mut policies, 40).unwrap();
    let mut first = [0; 6];
    for slot in 0..40 {
        let begins = rows::<u8>(&rollout, id::FIRST, NO_GROUP, slot);
        for (instance, agents) in rollout.batch().rows(key, slot).chunks(2).enumerate() {
            if begins[instance] != 0 {
                first[instance] = slot as i32 % 3;
            }
            assert_eq!(
                agents, [first[instance]; 2],
                "slot {slot}, instance {instance}"
            );
        }
    }
}

#[test]
fn the_share_of_repeated_actions_is_the_probability() {
    let mut options = wrapped(
        50,
        3,
        json!({"limit": 1_000_000, "bound": 1e9}),
        &["StickyAction.probability=0.25"],
    );
    options.steps = Some(200);
    let mut rollout = start(&options, 1);
    let key = rollout.batch().slabs().key(id::ACTION, 0).unwrap();
    let mut policies = rollout.policies(|_| InTurn { key, time: 0 });
    rollout.collect(&mut policies, 200).unwrap();
    // Proposals come in turn: where the last executed action was the last proposal, an action that equals it
    // can only be a repetition.
    let (mut repeated, mut pairs, mut total) = (0.0, 0.0, 0.0);
    let mut before = [false; 100];
    for slot in 1..200 {
        let (now, last) = (
            rollout.batch().rows(key, slot),
            rollout.batch().rows(key, slot - 1),
        );
        for row in 0..100 {
            let is = now[row] == last[row];
            if last[row] == (slot as i32 - 1) % 3 {
                total += 1.0;
                repeated += f64::from(u8::from(is));
                pairs += f64::from(u8::from(is && before[row ^ 1]));
            }
            before[row] = is;
        }
    }
    let deviation = (0.25_f64 * 0.75 / total).sqrt();
    assert!(
        total > 10_000.0 && (repeated / total - 0.25).abs() < 4.0 * deviation,
        "{repeated} of {total}"
    );
    // The two agents of an instance are drawn on their own.
    assert!(pairs < 0.6 * repeated, "{pairs} of {repeated}");
}

#[test]
fn sticky_actions_never_break_the_mask() {
    // The environment refuses a forbidden action, so a run without an error is the proof.
    let (_, ended, _) = run(
        &wrapped(
            8,
            2,
            json!({"masked": 2}),
            &["StickyAction.probability=0.9"],
        ),
        1,
        500,
    );
    assert!(!ended.is_empty());
}

#[test]
fn failed_agents_do_nothing_from_a_uniform_step_on() {
    let steps = executed(&["FailAgents.probability=1,within_steps=10"], 300, 12);
    let mut failed_at = [0; 10];
    for row in 0..600 {
        let expected = |t: usize| t as i32 % 3;
        let fails = (0..12)
            .find(|&t| steps[t..].iter().all(|s| s[row] == 1))
            .unwrap();
        assert!(
            fails < 10 && (0..fails).all(|t| steps[t][row] == expected(t)),
            "row {row}"
        );
        failed_at[fails] += 1;
    }
    // At 1, 4 and 7 the proposal itself is the no-op: failing one step later looks the same.
    let expected = [1, 2, 0, 1, 2, 0, 1, 2, 0, 1].map(|n| 60 * n);
    for (found, expected) in failed_at.iter().zip(expected) {
        let tolerance = 4.0 * f64::from(expected).sqrt();
        assert!(
            (f64::from(*found) - f64::from(expected)).abs() <= tolerance,
            "{failed_at:?}"
        );
    }
}

#[test]
fn as_many_agents_fail_as_asked_and_only_of_the_groups_named() {
    let steps = executed(&["FailAgents.probability=0.3,within_steps=1"], 500, 6);
    let failed = (0..1000)
        .filter(|&row| steps.iter().all(|s| s[row] == 1))
        .count() as f64;
    assert!(
        (failed - 300.0).abs() < 4.0 * (1000.0_f64 * 0.3 * 0.7).sqrt(),
        "{failed} of 1000"
    );
    let others = executed(
        &["FailAgents.probability=1,within_steps=1,groups=[\"watchers\"]"],
        5,
        6,
    );
    assert!((0..6).all(|t| others[t].iter().all(|&a| a == t as i32 % 3)));
}

#[test]
fn a_team_shares_its_rewards_in_slabs_and_returns() {
    let (_, plain, _) = run(&wrapped(6, 1, defaults(), &[]), 1, 400);
    let shared = |wrapper: &str| run(&wrapped(6, 2, defaults(), &[wrapper]), 1, 400);
    for (wrapper, expected) in [
        (
            "TeamReward",
            (|r: &[f64]| vec![r[0] + r[1], r[0] + r[1], r[2]]) as fn(&[f64]) -> Vec<f64>,
        ),
        ("TeamReward.reduction=mean", |r| {
            vec![(r[0] + r[1]) / 2.0, (r[0] + r[1]) / 2.0, r[2]]
        }),
        ("TeamReward.team=all", |r| vec![r.iter().sum(); 3]),
        ("TeamReward.team=all,reduction=mean", |r| {
            vec![r.iter().sum::<f64>() * (1.0 / 3.0); 3]
        }),
    ] {
        let (_, ended, rollout) = shared(wrapper);
        assert_eq!(ended.len(), plain.len());
        for (shared, plain) in ended.iter().zip(&plain) {
            assert_eq!(shared.returns, expected(&plain.returns), "{wrapper}");
        }
        let walkers = rows::<f32>(&rollout, id::REWARD, 0, rollout.now());
        assert!(
            walkers.chunks(2).all(|pair| pair[0] == pair[1]),
            "{wrapper}"
        );
    }
    let range = |wrapper: &str| {
        start(&wrapped(1, 1, defaults(), &[wrapper]), 1)
            .spec()
            .reward_range
    };
    assert_eq!(range("TeamReward"), (Some(-4.0), Some(4.0)));
    assert_eq!(range("TeamReward.team=all"), (Some(-6.0), Some(6.0)));
    assert_eq!(range("TeamReward.reduction=mean"), (Some(-2.0), Some(2.0)));
}

#[test]
fn team_reward_and_time_limit_agree_in_either_order() {
    let both = |a, b| run(&wrapped(7, 2, defaults(), &[a, b]), 1, 500);
    let (limit, team) = ("TimeLimit.max_episode_steps=6", "TeamReward.team=all");
    let (first, second) = (both(limit, team), both(team, limit));
    assert_eq!(first.0, second.0);
    assert_eq!(first.1, second.1);
}

#[test]
fn two_wrappers_of_one_kind_draw_different_noise() {
    // With shared noise the second would find every repetition already made.
    let once = executed(&["StickyAction.probability=0.5"], 40, 30);
    let twice = executed(
        &[
            "StickyAction.probability=0.5",
            "StickyAction.probability=0.5",
        ],
        40,
        30,
    );
    assert_ne!(once, twice);
}
