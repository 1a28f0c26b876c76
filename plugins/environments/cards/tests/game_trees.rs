//! Whole game trees: their size, and values and NashConv of reference policies.

mod common;

use cards::{KuhnPoker, LeducPoker, LiarsDice};
use common::{
    cfr::Cfr,
    tree::{Policy, Tree},
};
use palaestra_plugin_api::{
    environment::Environment,
    serde_json::{Value, from_str},
    testing::replay::reference_folder,
};

fn golden() -> Value {
    let file = reference_folder(env!("CARGO_MANIFEST_DIR")).join("golden/poker.json");
    from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Terminal histories, information states.
fn size(tree: &Tree) -> (usize, usize) {
    (tree.terminals(), tree.information.len())
}

/// Compares value, NashConv and improvements of a policy with those of the reference.
fn compare(tree: &Tree, name: &str, policy: &Policy, expected: &Value) {
    let near = |what: &str, found: f64, expected: &Value| {
        let expected = expected.as_f64().unwrap();
        assert!(
            (found - expected).abs() < 1e-12,
            "{name} {what}: expected {expected}, found {found}"
        );
    };
    near("value", tree.value(policy, 0), &expected["value_p0"]);
    near("NashConv", tree.nash_conv(policy), &expected["nash_conv"]);
    for player in 0..2 {
        let improvement = tree.best_response(policy, player) - tree.value(policy, player);
        near(
            "improvement",
            improvement,
            &expected["player_improvements"][player],
        );
    }
}

#[test]
fn golden_policies_of_kuhn_poker() {
    let (tree, golden) = (Tree::of::<KuhnPoker>(&Default::default()), golden());
    assert_eq!(size(&tree), (30, 12));
    let mut compared = 0;
    for (name, expected) in golden["kuhn"].as_object().unwrap() {
        let policy = match (name.as_str(), &expected["bet_probability"]) {
            ("uniform", _) => tree.policy(|_, _| 1.0),
            ("always_pass", _) => tree.policy(|_, m| f64::from(m == 0)),
            ("always_bet", _) => tree.policy(|_, m| f64::from(m == 1)),
            (_, Value::Object(bets)) => tree.policy(|known, m| {
                let bet = bets[&known.name].as_f64().unwrap();
                if m == 1 { bet } else { 1.0 - bet }
            }),
            _ => continue,
        };
        compare(&tree, name, &policy, expected);
        compared += 1;
    }
    assert_eq!(compared, 7);
}

#[test]
fn golden_policies_of_leduc_poker() {
    let (tree, golden) = (Tree::of::<LeducPoker>(&Default::default()), golden());
    assert_eq!(size(&tree), (5520, 936));
    for player in 0..2 {
        let own = tree
            .information
            .iter()
            .filter(|known| known.player == player);
        let (states, sequences) = own.fold((0, 1), |(n, s), known| (n + 1, s + known.moves.len()));
        assert_eq!((states, sequences), (468, 1093));
    }
    let leduc = &golden["leduc"];
    compare(
        &tree,
        "uniform",
        &tree.policy(|_, _| 1.0),
        &leduc["uniform"],
    );
    let call = tree.policy(|_, m| f64::from(m == 1));
    compare(&tree, "always_call", &call, &leduc["always_call"]);
    let raise = tree.policy(|known, m| f64::from(m == *known.moves.iter().max().unwrap()));
    compare(
        &tree,
        "always_raise_else_call",
        &raise,
        &leduc["always_raise_else_call"],
    );
}

/// Counterfactual regret minimisation is deterministic: the exploitability of every iteration must agree.
fn regret_minimisation<E: Environment>(game: &str, last: usize) -> (Policy, Tree) {
    let (tree, golden) = (Tree::of::<E>(&E::Config::default()), golden());
    let mut average = Policy::new();
    for (name, plus) in [("CFR", false), ("CFR+", true)] {
        let expected = golden["cfr_exploitability"][game][name]
            .as_object()
            .unwrap();
        let mut solver = Cfr::new(&tree, plus);
        let mut compared = 0;
        for iteration in 1..=last {
            solver.iterate();
            if let Some(expected) = expected.get(&iteration.to_string()) {
                let expected = expected.as_f64().unwrap();
                average = solver.average();
                let found = tree.nash_conv(&average) / 2.0;
                println!("{game} {name} {iteration}: {found}");
                assert!(
                    (found - expected).abs() < 1e-9,
                    "{game} {name} {iteration}: expected {expected}, found {found}"
                );
                compared += 1;
            }
        }
        assert!(compared >= 6, "{game} {name}: {compared}");
    }
    (average, tree)
}

#[test]
fn golden_regret_minimisation_in_kuhn_poker() {
    let (average, tree) = regret_minimisation::<KuhnPoker>("kuhn_poker", 1000);
    assert!((tree.value(&average, 0) + 1.0 / 18.0).abs() < 1e-4);
}

#[test]
fn golden_regret_minimisation_in_leduc_poker() {
    let (average, tree) = regret_minimisation::<LeducPoker>("leduc_poker", 100);
    let value = golden()["leduc"]["lp_value_p0"].as_f64().unwrap();
    // Off by at most the exploitability of 0.0134.
    assert!((tree.value(&average, 0) - value).abs() < 0.0134);
}

/// Two dice of six faces: 12 bids, every set of them ends with a challenge once it is not empty.
#[test]
fn liars_dice_has_as_many_histories_as_sets_of_bids() {
    let tree = Tree::of::<LiarsDice>(&Default::default());
    assert_eq!(size(&tree), (36 * 4095, 6 * 4096));
    // Random play favours nobody much, but a game is never worth more than it pays.
    let uniform = tree.policy(|_, _| 1.0);
    assert!(tree.best_response(&uniform, 0) > tree.value(&uniform, 0));
    assert!(tree.best_response(&uniform, 0) < 1.0);
}

#[test]
fn a_history_that_nobody_can_play_is_refused() {
    let kuhn = KuhnPoker::new(&Default::default()).unwrap();
    let leduc = LeducPoker::new(&Default::default()).unwrap();
    let dice = LiarsDice::new(&Default::default()).unwrap();
    for history in [&[3][..], &[1, 1], &[0, 1, 2], &[0, 1, 0, 0, 0]] {
        assert!(kuhn.game_node(history).is_err(), "{history:?}");
    }
    for history in [
        &[6][..],
        &[5, 5],
        &[0, 1, 0],
        &[0, 1, 1, 1, 1],
        &[0, 1, 2, 0, 1],
    ] {
        assert!(leduc.game_node(history).is_err(), "{history:?}");
    }
    for history in [&[6][..], &[0, 0, 12], &[0, 0, 3, 3], &[0, 0, 3, 12, 12]] {
        assert!(dice.game_node(history).is_err(), "{history:?}");
    }
    assert_eq!(
        kuhn.game_node(&[0, 1, 2]).unwrap_err().message,
        "game history: expected a legal move at index 2, found 2 of [0, 1, 2]"
    );
}
