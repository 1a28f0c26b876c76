//! Fragments tell what the policies saw, did and got: checked by an algorithm behind the boundary.

mod common;

use common::{
    composed::{parts, plan},
    session,
};
use palaestra::{
    rollout::Workers,
    training::{
        composition::{Composition, Parts},
        evaluation::{EvaluationPlan, evaluate, random_baseline},
        seating::Seating,
        stage::{Stage, StageOptions},
        trainer::{Trainer, TrainingPlan},
    },
    wrappers::WrapperSpec,
};
use palaestra_plugin_api::{algorithm::Role, rng::purpose};
use serde_json::{Value, json};

fn sharded(num_envs: usize, shards: usize) -> TrainingPlan {
    TrainingPlan {
        shards: Some(shards),
        ..plan(num_envs)
    }
}

/// Trains for some fragments and gives the metrics of all of them.
fn train(parts: &Parts, plan: &TrainingPlan, threads: usize, fragments: usize) -> Value {
    let composition = Composition::check(parts, Role::Learner, plan.num_envs).unwrap();
    let workers = Workers::new(threads).unwrap();
    let mut trainer = Trainer::new(parts, &composition, plan, &workers).unwrap();
    for _ in 0..fragments {
        trainer
            .advance()
            .unwrap_or_else(|e| panic!("{}: {e}", parts.environment.id()));
    }
    json!(trainer.take_row())
}

#[test]
fn an_auditor_finds_every_fragment_in_order() {
    let (session, _folder) = session();
    let worlds = [
        ("classic/CartPole-v1", vec![]),
        (
            "classic/Pendulum-v1",
            vec!["RescaleAction", "NormaliseReward"],
        ),
        ("mpe/SimpleSpread-v3", vec![]),
        ("mpe/SimpleAdversary-v3", vec!["AgentId", "LastAction"]),
        (
            "classic/CartPole-v1",
            vec!["NormaliseObservation", "FrameStack.frames=3"],
        ),
        ("cards/KuhnPoker-v0", vec![]),
        ("matrix/TwoStep-v0", vec![]),
    ];
    for (world, wrappers) in worlds {
        let plain = !wrappers
            .iter()
            .any(|w| w.contains("Reward") || w.contains("Rescale"));
        // A rescaled action is executed as another number than was proposed.
        let wrappers: Vec<_> = wrappers
            .into_iter()
            .filter(|w| !w.contains("Rescale"))
            .collect();
        for steps in [1, 7, 64] {
            let config = json!({"num_steps": steps, "plain_rewards": plain});
            let mut parts = parts(&session, world, "trial/Auditor-v0", config);
            let wrappers = wrappers.iter().map(|w| w.parse::<WrapperSpec>().unwrap());
            parts.policies[0].wrappers = wrappers.collect();
            let row = train(&parts, &sharded(6, 2), 1, 20);
            assert_eq!(row["learn/audited"], 1.0, "{row}");
            assert_eq!(row["learn/steps"], f64::from(steps), "{row}");
        }
    }
}

#[test]
fn whole_episodes_begin_at_the_first_slot_and_end_within_the_fragment() {
    let (session, _folder) = session();
    for (world, episodes) in [("classic/CartPole-v1", 2), ("cards/KuhnPoker-v0", 3)] {
        let config = json!({"num_steps": 0, "num_episodes": episodes});
        let mut parts = parts(&session, world, "trial/Auditor-v0", config);
        parts.wrappers = vec!["TimeLimit.max_episode_steps=60".parse().unwrap()];
        let row = train(&parts, &sharded(5, 3), 1, 4);
        let ended = row["learn/ended"].as_f64().unwrap();
        assert!(ended >= f64::from(5 * episodes), "{row}");
    }
}

#[test]
fn threads_and_shards_change_no_number() {
    let (session, _folder) = session();
    let config = json!({"num_steps": 16});
    let parts = parts(&session, "mpe/SimpleSpread-v3", "trial/Auditor-v0", config);
    let one = train(&parts, &sharded(7, 1), 1, 12);
    for (threads, shards) in [(1, 7), (2, 2), (2, 7)] {
        assert_eq!(train(&parts, &sharded(7, shards), threads, 12), one);
    }
}

#[test]
fn the_learner_is_told_which_seats_are_its_own() {
    let (session, _folder) = session();
    let config = json!({"num_steps": 50});
    let parts = parts(&session, "cards/KuhnPoker-v0", "trial/Auditor-v0", config);
    let self_play = palaestra::training::self_play::SelfPlayPlan {
        share: 1.0,
        refresh: 2000,
        keep: 3,
    };
    let plan = TrainingPlan {
        self_play: Some(self_play),
        ..sharded(8, 2)
    };
    let row = train(&parts, &plan, 1, 12);
    // Two players, one of them the learner, in every episode.
    assert_eq!(row["learn/controlled_rows"], f64::from(50 * 8), "{row}");
}

#[test]
fn evaluation_is_the_same_whenever_it_is_asked_for_and_beside_random() {
    let (session, _folder) = session();
    let parts = parts(&session, "classic/CartPole-v1", "core/NoOp-v0", json!({}));
    let composition = Composition::check(&parts, Role::Evaluator, 8).unwrap();
    let workers = Workers::new(1).unwrap();
    let plan = EvaluationPlan {
        run_seed: 3,
        episodes: 50,
        num_envs: 8,
        greedy: true,
    };
    let options = StageOptions {
        run_seed: 3,
        instances: 1,
        shards: None,
        steps: 1,
        purpose: purpose::EVALUATION,
        role: Role::Learner,
    };
    let mut stage = Stage::new(&parts, &composition.groups, &options, &workers).unwrap();
    stage.set_seating(Seating::Own);
    let policies = palaestra::training::policy_state::PolicyState::of_learners(&mut stage).unwrap();
    let report = evaluate(&parts, &composition, Some(&policies), &plan, &workers).unwrap();
    assert_eq!(report.total.episodes, 50);
    // Always left: nine or ten steps.
    assert!(
        (9.0..10.0).contains(&report.total.mean_return),
        "{}",
        report.total.mean_return
    );
    assert_eq!(
        evaluate(&parts, &composition, Some(&policies), &plan, &workers).unwrap(),
        report
    );
    let random = random_baseline(&parts, &plan, &workers).unwrap();
    assert!((15.0..30.0).contains(&random.total.mean_return));
}
