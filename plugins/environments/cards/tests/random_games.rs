//! Leduc poker and liar's dice through the vtable: the contract, random games, and what random play earns.

mod common;

use cards::{LeducPoker, LiarsDice};
use common::tree::Tree;
use palaestra_plugin_api::{
    environment::Environment,
    serde_json::json,
    testing::{
        Subject, assert_conformant, assert_conforms,
        baseline::{Played, mean_and_error},
        random_games,
    },
};

#[test]
fn leduc_poker_is_conformant() {
    assert_conformant::<LeducPoker>();
}

#[test]
fn liars_dice_is_conformant_for_all_numbers() {
    let settings = [
        json!({}),
        json!({"players": 5, "dice": 3, "faces": 4, "wild": false}),
        json!({"players": 6, "dice": 5}),
    ];
    for config in settings {
        assert_conforms(&Subject::of::<LiarsDice>(config));
    }
}

/// What random play earns player 0, within two standard errors of what the tree says.
fn earns_its_value<E: Environment>() -> Vec<Played> {
    let games = random_games(&Subject::of::<E>(json!({})), 10_000);
    let tree = Tree::of::<E>(&E::Config::default());
    let expected = tree.value(&tree.policy(|_, _| 1.0), 0);
    let [found, error] = mean_and_error(&games, |game| game.returns[0][0]);
    println!("{}: {found:.4} ± {error:.4}, tree {expected:.4}", E::ID);
    assert!(
        (found - expected).abs() < 2.0 * error,
        "{found} ± {error}, {expected}"
    );
    assert!(games.iter().all(|game| game.total() == 0.0));
    games
}

#[test]
fn ten_thousand_random_games_of_leduc_poker() {
    for game in earns_its_value::<LeducPoker>() {
        let [first, draw, moves, raises, showdown] = game.metrics[..] else {
            panic!("{:?}", game.metrics)
        };
        assert_eq!(moves, f64::from(game.length));
        assert!((2..=8).contains(&game.length) && raises <= 4.0);
        assert_eq!(
            [first == 1.0, draw == 1.0],
            [game.returns[0][0] > 0.0, game.returns[0][0] == 0.0]
        );
        assert!(showdown == 1.0 || draw == 0.0);
    }
}

#[test]
fn ten_thousand_random_games_of_liars_dice() {
    for game in earns_its_value::<LiarsDice>() {
        assert!((2..=13).contains(&game.length));
        assert_eq!(game.metrics[0] == 1.0, game.returns[0][0] > 0.0);
    }
    let many = json!({"players": 4, "dice": 3, "faces": 5});
    for game in random_games(&Subject::of::<LiarsDice>(many), 10_000) {
        let mut returns = game.returns[0].clone();
        returns.sort_by(f64::total_cmp);
        assert_eq!(returns, [-1.0, 0.0, 0.0, 1.0]);
        assert_eq!(game.metrics[2], f64::from(game.length));
    }
}
