//! Kuhn poker through the vtable: the tree of the reference, and thousands of random games.

use cards::{KuhnPoker, kuhn_poker::KuhnPokerConfig};
use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::{NO_GROUP, id},
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment},
    environment::Environment,
    rng::{EnvRng, purpose},
    serde_json::{Value, from_str, json},
    testing::{
        assert_conformant,
        replay::{reference_folder, replay_files},
    },
};

const KUHN_POKER: EnvironmentEntry = EnvironmentEntry::of::<KuhnPoker>();

fn reference() -> Value {
    let file = reference_folder(env!("CARGO_MANIFEST_DIR")).join("traces/kuhn_poker.json");
    from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn kuhn_poker_is_conformant() {
    assert_conformant::<KuhnPoker>();
}

/// All terminal histories, and all information states under both cards the other player may have.
#[test]
fn trace_of_kuhn_poker() {
    let folder = reference_folder(env!("CARGO_MANIFEST_DIR"));
    let mut make = |what: &_| EnvironmentHandle::in_process(&KUHN_POKER, what);
    let replayed = replay_files(
        &folder,
        KuhnPoker::ID,
        KuhnPoker::TRACES,
        KuhnPoker::trace_cases,
        &mut make,
    );
    println!("{replayed:?}");
    assert_eq!((replayed.files, replayed.cases), (1, 30 + 2 * 12));
    assert!(replayed.values > 30 * 20, "{replayed:?}");
}

/// The value of uniformly random play, by the tree of the reference.
fn value_of_random_play(document: &Value) -> f64 {
    let histories = document["terminal_histories"].as_array().unwrap();
    let weighted = histories.iter().map(|history| {
        let actions = history["betting"].as_array().unwrap().len() as i32;
        let reach = history["chance_prob"].as_f64().unwrap() * 0.5_f64.powi(actions);
        [reach, reach * history["returns"][0].as_f64().unwrap()]
    });
    let [reach, value] = weighted.fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]);
    assert!(
        (reach - 1.0).abs() < 1e-12,
        "the histories are the whole tree"
    );
    value
}

#[test]
fn ten_thousand_random_games_are_zero_sum_and_earn_what_the_tree_of_the_reference_trace_says() {
    const INSTANCES: usize = 250;
    const EACH: u32 = 40;
    let what = MakeEnvironment {
        instances: INSTANCES,
        purpose: purpose::CHECK,
        ..MakeEnvironment::new(KuhnPoker::ID)
    };
    let mut batch = EnvironmentBatch::new(&what, 1, 1, |what| {
        EnvironmentHandle::in_process(&KUHN_POKER, what)
    })
    .unwrap();
    let slabs = batch.slabs();
    let action = slabs.key::<i32>(id::ACTION, 0).unwrap();
    let (mask, acting) = (
        slabs.key::<u8>(id::ACTION_MASK, 0).unwrap(),
        slabs.key::<u8>(id::ACTING, 0).unwrap(),
    );
    let observation = slabs.key::<f32>(id::OBSERVATION, 0).unwrap();
    let count = slabs.key::<u32>(id::ENDED_COUNT, NO_GROUP).unwrap();
    let row = slabs.key::<u32>(id::ENDED_ROW, NO_GROUP).unwrap();
    let length = slabs.key::<u32>(id::EPISODE_LENGTH, NO_GROUP).unwrap();
    let total = slabs.key::<f64>(id::EPISODE_RETURN, 0).unwrap();

    let mut rng = EnvRng::new(1, 0, 0, purpose::CHECK);
    let (mut played, mut earned) = ([0; INSTANCES], Vec::new());
    batch.reset(&json!({}), 0).unwrap();
    while earned.len() < INSTANCES * EACH as usize {
        assert!(
            batch
                .rows(acting, 0)
                .chunks_exact(2)
                .all(|who| who[0] + who[1] == 1),
            "one player acts"
        );
        assert!(
            batch
                .rows(observation, 0)
                .iter()
                .all(|&x| x == 0.0 || x == 1.0)
        );
        let allowed = batch
            .rows(mask, 0)
            .chunks_exact(2)
            .map(|mask| u64::from(mask[0]) + u64::from(mask[1]));
        let chosen: Vec<i32> = allowed.map(|choices| rng.below(choices) as i32).collect();
        batch.rows_mut(action, 0).copy_from_slice(&chosen);
        batch.step(0, 0).unwrap();
        for entry in 0..batch.rows(count, 0)[0] as usize {
            let won = &batch.rows(total, 0)[2 * entry..2 * entry + 2];
            assert_eq!(won[0] + won[1], 0.0);
            assert!((2..=3).contains(&batch.rows(length, 0)[entry]));
            let instance = batch.rows(row, 0)[entry] as usize;
            played[instance] += 1;
            if played[instance] <= EACH {
                earned.push(won[0]);
            }
        }
    }
    let mean = earned.iter().sum::<f64>() / earned.len() as f64;
    let variance = earned
        .iter()
        .map(|won| (won - mean) * (won - mean))
        .sum::<f64>()
        / (earned.len() - 1) as f64;
    let (expected, error) = (
        value_of_random_play(&reference()),
        (variance / earned.len() as f64).sqrt(),
    );
    println!("random play earns player 0 {mean:.4} ± {error:.4}; the tree says {expected:.4}");
    assert!(
        (mean - expected).abs() < 2.0 * error,
        "{mean} against {expected}, standard error {error}"
    );
}

#[test]
fn the_waiting_player_may_only_pass_and_its_action_is_ignored() {
    let mut batch = EnvironmentBatch::new(&MakeEnvironment::new(KuhnPoker::ID), 1, 1, |what| {
        EnvironmentHandle::in_process(&KUHN_POKER, what)
    })
    .unwrap();
    let mask = batch.slabs().key::<u8>(id::ACTION_MASK, 0).unwrap();
    let reward = batch.slabs().key::<f32>(id::REWARD, 0).unwrap();
    batch.reset(&json!({"init": {"cards": [2, 1]}}), 0).unwrap();
    assert_eq!(batch.rows(mask, 0), [1, 1, 1, 0]);
    // Player 1's bet is out of turn: it changes nothing.
    batch
        .locate(0)
        .0
        .step_exact(&[vec![vec![0.0], vec![1.0]]], 0)
        .unwrap();
    assert_eq!(batch.rows(mask, 0), [1, 0, 1, 1]);
    let seen = batch.locate(0).0.inspect(0).unwrap();
    assert_eq!(seen["information_state"], json!({"0": "2p", "1": "1p"}));
    batch
        .locate(0)
        .0
        .step_exact(&[vec![vec![0.0], vec![0.0]]], 0)
        .unwrap();
    assert_eq!(batch.rows(reward, 0), [1.0, -1.0]);
}

#[test]
fn stakes_are_settings_and_an_impossible_deal_is_refused() {
    let config = json!({"ante": 2.0, "bet": 3.0});
    let what = MakeEnvironment {
        config,
        ..MakeEnvironment::new(KuhnPoker::ID)
    };
    let mut batch = EnvironmentBatch::new(&what, 1, 1, |what| {
        EnvironmentHandle::in_process(&KUHN_POKER, what)
    })
    .unwrap();
    assert_eq!(batch.spec().reward_range, (Some(-5.0), Some(5.0)));
    let refused = batch
        .reset(&json!({"init": {"cards": [1, 1]}}), 0)
        .unwrap_err();
    assert_eq!(
        refused.message,
        "reset /init: cards: expected two different ones of 0, 1 and 2, found 1 and 1"
    );
    batch.reset(&json!({"init": {"cards": [0, 1]}}), 0).unwrap();
    for _ in 0..2 {
        batch
            .locate(0)
            .0
            .step_exact(&[vec![vec![1.0], vec![1.0]]], 0)
            .unwrap();
    }
    let reward = batch.slabs().key::<f32>(id::REWARD, 0).unwrap();
    assert_eq!(batch.rows(reward, 0), [-5.0, 5.0]);
    assert_eq!(KuhnPokerConfig::default().ante, 1.0);
}
