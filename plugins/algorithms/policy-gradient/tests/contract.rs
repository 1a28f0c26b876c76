//! What hosts rely on: snapshots, weights, seats, masks, faults, messages.

mod common;
#[path = "common/mechanism.rs"]
mod mechanism;

use common::{Gym, Outcome, World};
use mechanism::Echo;
use palaestra_plugin_api::{
    abi::{NO_GROUP, id},
    algorithm::Amount,
    prelude::*,
    serde_json::{Value, json},
};
use policy_gradient::{Ippo, Mappo, Ppo};

/// A speaker sees which of two signs is right, two listeners must do it; both hear and speak.
struct Words {
    rng: EnvRng,
    sign: usize,
    step: u32,
}

impl World for Words {
    fn spec() -> EnvironmentSpec {
        let mut spec = EnvironmentSpec::new("speaker", 1, Space::real(2), Space::discrete(2));
        let mut listener = GroupSpec::new("listener", 2, Space::real(1), Space::discrete(3));
        listener.has_action_mask = true;
        spec.groups.push(listener);
        spec.max_episode_steps = Some(3);
        spec
    }
    fn new(instance: usize) -> Self {
        let rng = EnvRng::new(4, instance as u64, 0, 0);
        Self {
            rng,
            sign: 0,
            step: 0,
        }
    }
    fn reset(&mut self) {
        self.sign = self.rng.below(2) as usize;
        self.step = 0;
    }
    fn observe(&self, agent: usize, into: &mut [f32]) {
        into.fill(0.5);
        if agent == 0 {
            into[self.sign] = 1.0;
        }
    }
    fn mask(&self, _: usize, into: &mut [u8]) {
        into[2] = 0;
    }
    fn step(&mut self, actions: &[Vec<f32>]) -> Outcome {
        self.step += 1;
        let right = actions[1..]
            .iter()
            .filter(|a| a[0] as usize == self.sign)
            .count();
        let reward = right as f32 / 2.0;
        Outcome {
            rewards: vec![reward; 3],
            terminated: false,
            truncated: self.step == 3,
        }
    }
}

fn settings(more: Value) -> Value {
    let mut config = json!({
        "num_steps": 12, "lr": 1e-2, "update_epochs": 4, "num_minibatches": 2, "hidden": [16],
        "whole_episodes": false, "sequence_length": 4, "ent_coef": 0.01,
    });
    config
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    config
}

/// Without messages listeners can but guess; through the mechanism they learn what they are told.
#[test]
fn messages_learn_to_say_what_is_right() {
    let spec = Words::spec();
    for (delays, expected) in [(false, 0.9), (true, 0.75)] {
        let echo = Echo::handle(spec.clone(), delays);
        let mut gym = Gym::<Words>::new::<Mappo>(settings(json!({})), 16, Some(&echo));
        let score = gym.train(80) / 3.0;
        assert!(score > expected, "delays {delays}: {score}");
    }
    let mut deaf = Gym::<Words>::new::<Mappo>(settings(json!({})), 16, None);
    let score = deaf.train(80) / 3.0;
    assert!(score < 0.65, "without a mechanism: {score}");
}

/// Stopping and going on from a snapshot equals never having stopped, bit for bit.
#[test]
fn a_restored_learner_goes_on_with_the_same_bits() {
    for (more, talks) in [
        (json!({}), false),
        (json!({"value_norm": true, "recurrent": 6}), true),
        (
            json!({"lr": {"from": 1e-2, "to": 1e-3, "steps": 2000}, "share": "none"}),
            false,
        ),
    ] {
        let make = || {
            let echo = Echo::handle(Words::spec(), true);
            Gym::<Words>::new::<Ippo>(settings(more.clone()), 6, talks.then_some(&echo))
        };
        let (mut one, mut other) = (make(), make());
        for _ in 0..3 {
            one.update();
            // The same fragment in the same rows: the worlds do not depend on who looks at them.
            other.play(false);
            other.turn();
        }
        let changes = json!({"ent_coef": 0.02, "gamma": 0.9});
        one.handle.configure(changes.as_object().unwrap()).unwrap();
        let snapshot = one.snapshot();
        let mut fresh = make();
        fresh.handle.restore(&mut snapshot.as_slice()).unwrap();
        assert!(fresh.snapshot() == snapshot);
        // Both learn from the fragments of one.
        for _ in 0..3 {
            one.play(false);
            let metrics = one.learn().unwrap();
            let plan = palaestra_plugin_api::client::TablePlan::new()
                .with(&one.memory)
                .with(&one.lists);
            let again = fresh
                .handle
                .learn(&plan, &[&one.memory, &one.lists])
                .unwrap();
            assert_eq!(format!("{metrics:?}"), format!("{again:?}"));
            assert!(one.snapshot() == fresh.snapshot());
            assert!(one.weights() == fresh.weights());
            one.turn();
        }
        assert!(one.snapshot() != snapshot);
        assert!(
            fresh
                .handle
                .restore(&mut &snapshot[..snapshot.len() / 2])
                .is_err()
        );
    }
}

#[test]
fn rows_of_others_are_neither_written_nor_learned_from() {
    let make = || {
        let mut gym = Gym::<Words>::new::<Ppo>(settings(json!({})), 4, None);
        gym.controls = Box::new(|i, k| i % 2 == 0 || k == 2);
        gym.play(false);
        gym.turn();
        gym
    };
    let (mut one, mut other) = (make(), make());
    for slot in 0..one.steps {
        one.row::<i32>(id::PROPOSED_ACTION, 0, slot).fill(-9);
        one.row::<f32>(id::EXTRAS, 1, slot).fill(-9.0);
    }
    let lent: &mut [&mut dyn palaestra_plugin_api::client::Lend] = &mut [&mut one.memory];
    one.handle.act(lent, 0, false).unwrap();
    let spoken = one.row::<i32>(id::PROPOSED_ACTION, 0, 0).to_vec();
    assert!(
        spoken[0] >= 0 && spoken[2] >= 0 && spoken[1] == -9 && spoken[3] == -9,
        "{spoken:?}"
    );
    let written: Vec<bool> = one
        .row::<f32>(id::EXTRAS, 1, 0)
        .chunks(2)
        .map(|x| x[0] != -9.0)
        .collect();
    assert_eq!(written, [true, true, false, true, true, true, false, true]);
    // What happened to others changes nothing.
    let mut one = make();
    one.play(false);
    other.play(false);
    let steps = one.steps;
    for slot in 0..steps {
        let row = one.row::<f32>(id::LEARNING_REWARD, 0, slot + 1);
        (row[1], row[3]) = (77.0, -5.0);
        one.row::<f32>(id::EXTRAS, 0, slot)[2..4].fill(3.0);
        one.row::<i32>(id::PROPOSED_ACTION, 0, slot)[3] = 0;
    }
    one.learn().unwrap();
    other.learn().unwrap();
    assert!(one.weights() == other.weights());
}

#[test]
fn masked_choices_are_never_made() {
    let mut gym = Gym::<Words>::new::<Ppo>(settings(json!({"num_steps": 64})), 16, None);
    for greedy in [false, true] {
        gym.play(greedy);
        let all = 0..gym.steps;
        let forbidden = |gym: &mut Gym<Words>, slot| {
            gym.row::<i32>(id::PROPOSED_ACTION, 1, slot)
                .iter()
                .filter(|&&a| a == 2)
                .count()
        };
        assert_eq!(all.map(|slot| forbidden(&mut gym, slot)).sum::<usize>(), 0);
        gym.turn();
    }
}

#[test]
fn actions_belong_to_keys_and_the_best_to_nothing() {
    let make = || Gym::<Words>::new::<Ppo>(settings(json!({})), 4, None);
    let (mut one, mut other) = (make(), make());
    one.play(false);
    other.play(false);
    assert_eq!(
        one.row::<i32>(id::PROPOSED_ACTION, 1, 3),
        other.row::<i32>(id::PROPOSED_ACTION, 1, 3)
    );
    let mut slots: Vec<Vec<i32>> = Vec::new();
    for key in [1, 2] {
        one.row::<u64>(id::KEY, NO_GROUP, 0).fill(key);
        one.handle.act(&mut [&mut one.memory], 0, true).unwrap();
        slots.push(one.row::<i32>(id::PROPOSED_ACTION, 1, 0).to_vec());
    }
    assert_eq!(slots[0], slots[1]);
}

#[test]
fn what_is_not_finite_is_skipped_counted_and_at_last_refused() {
    let mut gym = Gym::<Words>::new::<Ppo>(settings(json!({"max_skipped": 2})), 4, None);
    gym.update();
    let before = gym.weights();
    for (id, bad) in [(id::LEARNING_REWARD, f32::NAN), (id::EXTRAS, f32::INFINITY)] {
        gym.play(false);
        gym.row::<f32>(id, 0, 3)[0] = bad;
        let metrics = gym.learn().unwrap();
        assert!(metrics["skipped_updates"] > 0.0);
        gym.turn();
        assert!(gym.weights() == before, "slab {id}");
    }
    gym.play(false);
    gym.row::<f32>(id::OBSERVATION, 1, 2)[0] = f32::NAN;
    let error = gym.learn().unwrap_err();
    assert!(
        error.message.contains("found 3 updates without in a row"),
        "{error}"
    );
    gym.turn();
    let metrics = gym.update();
    assert_eq!(metrics["skipped_updates"], 3.0);
    assert!(gym.weights() != before);
    // A step that leaves the finite numbers ends the update; what was before it stays.
    let mut gym = Gym::<Words>::new::<Ppo>(
        settings(json!({"lr": 1e30, "max_grad_norm": null})),
        4,
        None,
    );
    for _ in 0..4 {
        gym.play(false);
        gym.learn().unwrap();
        gym.turn();
    }
}

#[test]
fn weights_survive_a_file_and_load_for_some_groups() {
    let make = |more: Value| Gym::<Words>::new::<Mappo>(settings(more), 4, None);
    let (mut one, mut other) = (make(json!({})), make(json!({})));
    one.train(2);
    let (trained, fresh) = (one.weights(), other.weights());
    assert!(trained != fresh);
    other
        .handle
        .set_weights(&mut trained.as_slice(), &["listener"])
        .unwrap();
    let part = other.weights();
    assert!(part != trained && part != fresh);
    other
        .handle
        .set_weights(&mut trained.as_slice(), &[])
        .unwrap();
    assert!(other.weights() == trained);
    // Both do the same now.
    for gym in [&mut one, &mut other] {
        gym.row::<u64>(id::KEY, NO_GROUP, 0).fill(5);
        gym.row::<f32>(id::OBSERVATION, 0, 0).fill(0.25);
        gym.handle.act(&mut [&mut gym.memory], 0, false).unwrap();
    }
    assert_eq!(
        one.row::<f32>(id::EXTRAS, 0, 0),
        other.row::<f32>(id::EXTRAS, 0, 0)
    );
    let before = other.weights();
    let error = make(json!({"hidden": [8]}))
        .handle
        .set_weights(&mut trained.as_slice(), &[]);
    assert!(error.unwrap_err().message.contains("expected shape"));
    assert!(other.weights() == before);
}

#[test]
fn settings_change_in_place_and_wrong_ones_are_told() {
    let mut gym = Gym::<Words>::new::<Ppo>(settings(json!({})), 4, None);
    let change =
        |gym: &mut Gym<Words>, changes: Value| gym.handle.configure(changes.as_object().unwrap());
    change(&mut gym, json!({"lr": 0.0})).unwrap();
    let before = gym.weights();
    let metrics = gym.update();
    assert_eq!((metrics["learning_rate"], gym.weights()), (0.0, before));
    assert!(
        change(&mut gym, json!({"gamma": 1.5}))
            .unwrap_err()
            .message
            .contains("/gamma")
    );
    assert!(change(&mut gym, json!({"hidden": [3]})).is_err());
    let refused = |config: Value| {
        Gym::<Words>::try_new::<Ppo>(config, 4, None)
            .err()
            .unwrap()
            .message
    };
    assert!(refused(json!({"huber_delta": 0.0})).contains("/huber_delta: expected 0 < x, found 0"));
    assert!(refused(json!({"hidden": [4, 0]})).contains("/hidden/1"));
    assert!(refused(json!({"shared_trunk": true, "critic": "central"})).contains("/shared_trunk"));
    assert!(refused(json!({"share": "all"})).contains("same spaces"));
    assert!(refused(json!({"device": "cuda:0"})).contains("device"));
    assert!(refused(json!({"clip_coef": 0})).contains("/clip_coef"));
}

#[test]
fn presets_have_a_teams_defaults() {
    let mut gym = Gym::<Words>::new::<Mappo>(json!({}), 2, None);
    assert_eq!(gym.handle.what_next().unwrap().amount, Amount::Episodes(1));
    let mut gym = Gym::<Words>::new::<Ppo>(json!({}), 2, None);
    assert_eq!(gym.handle.what_next().unwrap().amount, Amount::Steps(128));
    let capabilities = gym.handle.capabilities();
    assert!(capabilities.trainable && capabilities.data_parallel && capabilities.own_turns);
    assert!(capabilities.recurrent.is_empty());
}
