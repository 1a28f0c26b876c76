//! Five cases that prove the learner half of the boundary, each with libraries loaded as the program loads them.

mod common;

use std::collections::BTreeMap;

use common::{
    composed::{parts, plan},
    session,
};
use palaestra::{
    rollout::Workers,
    training::{
        composition::{Composition, Parts},
        evaluation::{EvaluationPlan, evaluate},
        policy_state::PolicyState,
        self_play::SelfPlayPlan,
        trainer::{Trainer, TrainingPlan},
    },
};
use palaestra_plugin_api::{
    abi::{NO_GROUP, id},
    algorithm::Role,
    client::CoordinationHandle,
    coordination::{Exchange, Extras, Gradients, OpenExchange},
};
use safetensors::SafeTensors;
use serde_json::json;

fn trainer(parts: &Parts, plan: &TrainingPlan) -> (Trainer, Composition) {
    let composition = Composition::check(parts, Role::Learner, plan.num_envs).unwrap();
    let workers = Workers::new(1).unwrap();
    let trainer = Trainer::new(parts, &composition, plan, &workers).unwrap();
    (trainer, composition)
}

/// Named tensors of a policy.
fn tensors(state: &PolicyState) -> BTreeMap<String, Vec<u8>> {
    let tensors = SafeTensors::deserialize(&state.weights).unwrap();
    let named = tensors.tensors().into_iter();
    named.map(|(name, t)| (name, t.data().to_vec())).collect()
}

/// Case (a): a mechanism of one library learns inside a recurrent policy of another.
#[test]
fn a_mechanism_from_another_library_learns_inside_recurrent_mappo() {
    let (session, _folder) = session();
    let config = json!({
        "recurrent": 8, "hidden": [16], "num_steps": 16, "whole_episodes": false,
        "sequence_length": 8, "update_epochs": 3, "num_minibatches": 2,
    });
    let mut parts = parts(&session, "mpe/SimpleSpread-v3", "core/MAPPO-v0", config);
    let widths = json!({"message_width": 4, "inbox_width": 3});
    parts.mechanisms = vec![session.mechanism("comm/Broadcast-v0", &widths).unwrap()];
    let run = |fragments: usize| {
        let (mut trainer, _) = trainer(&parts, &plan(4));
        let before = tensors(&trainer.policies().unwrap()[0]);
        for _ in 0..fragments {
            trainer.advance().unwrap();
        }
        let row = trainer.take_row();
        (before, tensors(&trainer.policies().unwrap()[0]), row)
    };
    let (before, after, row) = run(3);
    let learned: Vec<_> = before
        .keys()
        .filter(|name| name.contains("mechanism/"))
        .collect();
    assert!(!learned.is_empty(), "{:?}", before.keys());
    for name in learned {
        assert_ne!(before[name], after[name], "{name}");
    }
    assert_eq!(row["learn/skipped_updates"], 0.0);
    assert!(row.values().all(|value| value.is_finite()), "{row:?}");
    // Tokens, epochs and minibatches leave no trace: the same again.
    assert_eq!(run(3), (before, after, row));
}

/// Case (a): the loaded mechanism's gradients are those of finite differences.
#[test]
fn gradients_of_a_loaded_mechanism_equal_finite_differences() {
    let (session, _folder) = session();
    let widths = json!({"message_width": 3, "inbox_width": 2});
    let maker = session.mechanism("comm/Broadcast-v0", &widths).unwrap();
    let world = session
        .environment("mpe/SimpleSpread-v3", &json!({}))
        .unwrap();
    let spec = world.batch(&world.request(), 1, 1).unwrap().spec().clone();
    let handle = maker.make(&maker.request(spec)).unwrap();
    let (rows, agents) = (2, 3);
    let wave = |n: usize, phase: f32| -> Vec<f32> {
        (0..n).map(|i| (1.3 * i as f32 + phase).sin()).collect()
    };
    let parameters = wave(handle.description().parameters_len(), 0.2);
    let messages = wave(rows * agents * 3, 0.7);
    let weight = wave(rows * agents * 2, 1.9);
    // The loss is the inbox times fixed weights.
    let loss = |parameters: &[f32], messages: &[f32]| -> f64 {
        let (inbox, _) = exchange(&handle, (rows, agents), parameters, messages, false);
        let products = inbox.iter().zip(&weight);
        products.map(|(x, w)| f64::from(*x) * f64::from(*w)).sum()
    };
    let open = exchange(&handle, (rows, agents), &parameters, &messages, true).1;
    let (mut d_messages, mut d_parameters) =
        (vec![0.0; messages.len()], vec![0.0; parameters.len()]);
    let gradients = Gradients {
        d_inbox: &weight,
        d_state_out: None,
        d_messages: &mut d_messages,
        d_state_in: &mut [],
        d_parameters: &mut d_parameters,
    };
    open.unwrap().backward(gradients).unwrap();
    let step = 1e-2;
    let moved = |values: &[f32], i: usize, by: f32| {
        let mut values = values.to_vec();
        values[i] += by;
        values
    };
    for (i, d) in d_messages.iter().enumerate() {
        let up = loss(&parameters, &moved(&messages, i, step));
        let down = loss(&parameters, &moved(&messages, i, -step));
        let numeric = (up - down) / f64::from(2.0 * step);
        assert!(
            (numeric - f64::from(*d)).abs() < 1e-3,
            "message {i}: {d} for {numeric}"
        );
    }
    for (i, d) in d_parameters.iter().enumerate() {
        let up = loss(&moved(&parameters, i, step), &messages);
        let down = loss(&moved(&parameters, i, -step), &messages);
        let numeric = (up - down) / f64::from(2.0 * step);
        assert!(
            (numeric - f64::from(*d)).abs() < 1e-3,
            "parameter {i}: {d} for {numeric}"
        );
    }
}

/// One exchange: what was heard, and the way back if it was saved.
fn exchange(
    handle: &CoordinationHandle,
    (rows, agents): (usize, usize),
    parameters: &[f32],
    messages: &[f32],
    save: bool,
) -> (Vec<f32>, Option<OpenExchange>) {
    let mut inbox = vec![0.0; rows * agents * handle.description().inbox_width];
    let open = handle.port().exchange(Exchange {
        rows,
        agents,
        parameters,
        messages,
        mask: None,
        context: None,
        state_in: &[],
        keys: &vec![0; rows],
        extras: Extras::Draw(&mut []),
        save,
        inbox: &mut inbox,
        state_out: &mut [],
    });
    (inbox, open.unwrap())
}

/// Case (b): episode replay, recurrent agents and a monotone mixer behind the boundary.
#[test]
fn a_small_qmix_finds_the_better_game_of_the_two_step_game() {
    let (session, _folder) = session();
    let parts = parts(
        &session,
        "matrix/TwoStep-v0",
        "trial/TinyQmix-v0",
        json!({}),
    );
    let (mut trainer, composition) = trainer(&parts, &plan(8));
    for _ in 0..300 {
        trainer.advance().unwrap();
    }
    let plan = EvaluationPlan {
        run_seed: 2,
        episodes: 8,
        num_envs: 8,
        greedy: true,
    };
    let workers = Workers::new(1).unwrap();
    let policies = trainer.policies().unwrap();
    let report = evaluate(&parts, &composition, Some(&policies), &plan, &workers).unwrap();
    // Both players are paid: the return is the sum over the players.
    let players = report
        .groups
        .values()
        .map(|group| group.agents.len())
        .sum::<usize>();
    assert_eq!(report.total.mean_return / players as f64, 8.0);
}

/// Case (c): frozen opponents sit in the same batch, and stay what they were.
#[test]
fn self_play_on_kuhn_poker_with_frozen_opponents_in_the_same_batch() {
    let (session, _folder) = session();
    let config = json!({"num_steps": 32, "hidden": [16], "update_epochs": 2, "num_minibatches": 1});
    let parts = parts(&session, "cards/KuhnPoker-v0", "core/PPO-v0", config);
    let plan = |share: f64| TrainingPlan {
        self_play: Some(SelfPlayPlan {
            share,
            refresh: u64::MAX / 2,
            keep: 2,
        }),
        ..plan(16)
    };
    let train = |share: f64| {
        let (mut trainer, _) = trainer(&parts, &plan(share));
        let untrained = trainer.policies().unwrap();
        for _ in 0..20 {
            trainer.advance().unwrap();
        }
        let row = trainer.take_row();
        assert_eq!(row["learn/skipped_updates"], 0.0);
        (
            untrained,
            trainer.opponents().to_vec(),
            trainer.policies().unwrap(),
            row,
        )
    };
    let (untrained, opponents, learned, row) = train(1.0);
    // The only opponent is the untrained learner, frozen, whatever the learner has become.
    assert_eq!(opponents.len(), 1);
    assert_eq!(tensors(&opponents[0]), tensors(&untrained[0]));
    assert_ne!(tensors(&learned[0]), tensors(&untrained[0]));
    // Half of the agents are the learner's, all without opponents; only acting rows count, about half of these.
    let rows = row["learn/rows"];
    let (_, _, _, alone) = train(0.0);
    assert!(
        (1.6..2.4).contains(&(alone["learn/rows"] / rows)),
        "{rows} of {alone:?}"
    );
}

/// Case (d): γ and λ count an agent's own turns. With a linear critic, all that PPO learns from is computed by hand from
/// the rows of the fragment.
#[test]
fn advantages_on_kuhn_poker_count_own_turns_as_by_hand() {
    let (session, _folder) = session();
    let (gamma, lambda) = (0.9, 0.8);
    let config = json!({
        "hidden": [], "agent_id": false, "whole_episodes": true, "gamma": gamma, "gae_lambda": lambda,
        "num_minibatches": 1, "update_epochs": 1,
    });
    let mut parts = parts(&session, "cards/KuhnPoker-v0", "core/PPO-v0", config);
    parts.wrappers = vec!["TimeLimit.max_episode_steps=4".parse().unwrap()];
    let (mut trainer, _) = trainer(&parts, &plan(16));
    let weights = tensors(&trainer.policies().unwrap()[0]);
    trainer.advance().unwrap();
    let row = trainer.take_row();

    let numbers = |name: &str| -> Vec<f64> {
        let named = |key: &&String| key.starts_with("critic/") && key.ends_with(name);
        let bytes = &weights[weights.keys().find(named).unwrap()];
        let floats = bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        floats.map(f64::from).collect()
    };
    let (weight, bias) = (numbers("output/weight"), numbers("output/bias")[0]);
    let batch = trainer.stage().rollout().batch();
    let (players, width) = (2, weight.len());
    let observation = batch.slabs().key::<f32>(id::OBSERVATION, 0).unwrap();
    let reward = batch.slabs().key::<f32>(id::REWARD, 0).unwrap();
    let acting = batch.slabs().key::<u8>(id::ACTING, 0).unwrap();
    let terminated = batch.slabs().key::<u8>(id::TERMINATED, NO_GROUP).unwrap();
    let (mut advantages, mut targets) = (Vec::new(), Vec::new());
    for instance in 0..batch.instances() {
        let end = (1..)
            .find(|&t| batch.rows(terminated, t)[instance] != 0)
            .unwrap();
        for player in 0..players {
            let agent = instance * players + player;
            let value = |t: usize| -> f64 {
                let seen = &batch.rows(observation, t)[agent * width..(agent + 1) * width];
                bias + seen
                    .iter()
                    .zip(&weight)
                    .map(|(x, w)| f64::from(*x) * w)
                    .sum::<f64>()
            };
            let (mut later, mut next, mut paid) = (0.0, 0.0, 0.0);
            for t in (0..end).rev() {
                paid += f64::from(batch.rows(reward, t + 1)[agent]);
                if batch.rows(acting, t)[agent] != 0 {
                    let delta = paid + gamma * next - value(t);
                    later = delta + gamma * lambda * later;
                    (next, paid) = (value(t), 0.0);
                    advantages.push(later);
                    targets.push(later + next);
                }
            }
        }
    }
    let variance = |x: &[f64]| {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>()
    };
    let explained = 1.0 - variance(&advantages) / variance(&targets);
    assert_eq!(row["learn/rows"], advantages.len() as f64);
    let found = row["learn/explained_variance"];
    assert!((found - explained).abs() < 1e-4, "{found} for {explained}");
}

/// Case (e): support, adaptation and query on poles of several lengths.
#[test]
fn a_learner_of_tasks_adapts_to_the_length_of_the_pole() {
    let (session, _folder) = session();
    let config = json!({"tasks": 4});
    let parts = parts(&session, "classic/CartPole-v1", "trial/Adapting-v0", config);
    let tasks = [0.25, 0.5, 1.0, 2.0].map(|length| json!({"pole_half_length": length}));
    let plan = TrainingPlan {
        tasks: tasks.to_vec(),
        ..plan(16)
    };
    let (mut trainer, _) = trainer(&parts, &plan);
    // A turn is a fragment to adapt to and a fragment to judge by.
    for _ in 0..2 * 25 {
        trainer.advance().unwrap();
    }
    trainer.take_row();
    for _ in 0..2 * 15 {
        trainer.advance().unwrap();
    }
    let row = trainer.take_row();
    let of = |name: &str| row[&format!("learn/{name}")];
    assert!(of("support_return") > 100.0, "{row:?}");
    assert!(of("query_return") > of("support_return") + 10.0, "{row:?}");
}
