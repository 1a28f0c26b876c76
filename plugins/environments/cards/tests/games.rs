//! Kuhn poker through the vtable: the tree of the reference, and thousands of random games.

use cards::{KuhnPoker, kuhn_poker::KuhnPokerConfig};
use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::id,
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment},
    environment::Environment,
    serde_json::{Value, from_str, json},
    testing::{
        Subject, assert_conformant, baseline::mean_and_error, random_games,
        replay::reference_folder,
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
    let games = random_games(&Subject::of::<KuhnPoker>(json!({})), 10_000);
    for game in &games {
        assert_eq!(game.total(), 0.0);
        assert!((2..=3).contains(&game.length));
    }
    let [mean, error] = mean_and_error(&games, |game| game.returns[0][0]);
    let expected = value_of_random_play(&reference());
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
