//! Payoffs, equilibria and returns against the reference's games.

mod common;

use common::{batch, constant, play};
use matrix_games::*;
use palaestra_plugin_api::{
    serde_json::{Map, Value, from_str, json},
    testing::replay::reference_folder,
};

/// A payoff matrix as the reference writes it.
type Matrix = Vec<Vec<f64>>;

fn reference(file: &str) -> String {
    let path = reference_folder(env!("CARGO_MANIFEST_DIR")).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn matrix(value: &Value) -> Matrix {
    let row = |row: &Value| -> Vec<f64> {
        let numbers = row.as_array().unwrap().iter();
        numbers.map(|x| x.as_f64().unwrap()).collect()
    };
    value.as_array().unwrap().iter().map(row).collect()
}

/// Every cell of a two-player game `(row, column) -> (payoffs, whether it is an equilibrium)`, by playing it once.
fn cells<P: Preset>(config: Value, rows: usize, columns: usize) -> Vec<(Vec<f64>, bool)> {
    let mut config = config;
    config["rounds"] = json!(1);
    let mut games = batch::<P>(config, 1);
    let metrics = &games.spec().metrics;
    let equilibrium = metrics
        .iter()
        .position(|m| m.name == "equilibrium")
        .unwrap();
    let mut all = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let mut played = play(&mut games, 1, constant(&[row as i32, column as i32]));
            let stable = played.metrics[0][equilibrium] == 1.0;
            all.push((played.returns.remove(0), stable));
        }
    }
    all
}

/// The game pays what the matrices say, and its equilibria are those listed.
fn assert_is<P: Preset>(name: &str, config: Value, a: &Matrix, b: &Matrix, pure_nash: &Value) {
    let (rows, columns) = (a.len(), a[0].len());
    let cells = cells::<P>(config, rows, columns);
    for (cell, (paid, stable)) in cells.iter().enumerate() {
        let (r, c) = (cell / columns, cell % columns);
        assert_eq!(paid, &[a[r][c], b[r][c]], "{name} at ({r}, {c})");
        let listed = pure_nash.as_array().unwrap().contains(&json!([r, c]));
        assert_eq!(*stable, listed, "{name}: equilibrium at ({r}, {c})");
    }
}

fn as_normal_form(a: &Matrix, b: &Matrix) -> Value {
    let labels = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>();
    json!({
        "actions": [labels(a.len()), labels(a[0].len())],
        "payoffs": [a.concat(), b.concat()],
    })
}

fn matrix_games() -> Map<String, Value> {
    let document: Value = from_str(&reference("golden/value_learning.json")).unwrap();
    document["matrix_games"].as_object().unwrap().clone()
}

#[test]
fn golden_bimatrix_games_have_the_payoffs_and_pure_equilibria_of_the_reference() {
    let document: Value = from_str(&reference("golden/bimatrix.json")).unwrap();
    let games = document["games"].as_array().unwrap();
    assert!(games.len() >= 19, "found {}", games.len());
    for game in games {
        let (a, b) = (matrix(&game["A"]), matrix(&game["B"]));
        let name = game["name"].as_str().unwrap();
        assert_is::<NormalForm>(name, as_normal_form(&a, &b), &a, &b, &game["pure_nash"]);
    }
}

/// The presets are the reference's games of the same name.
#[test]
fn golden_presets_are_the_games_of_the_reference() {
    let document: Value = from_str(&reference("golden/bimatrix.json")).unwrap();
    let mut found = 0;
    for game in document["games"].as_array().unwrap() {
        let (a, b, nash) = (matrix(&game["A"]), matrix(&game["B"]), &game["pure_nash"]);
        let none = json!({});
        let name = game["name"].as_str().unwrap();
        match name {
            "prisoners_dilemma" => assert_is::<PrisonersDilemma>(name, none, &a, &b, nash),
            "stag_hunt" => assert_is::<StagHunt>(name, none, &a, &b, nash),
            "rock_paper_scissors" => assert_is::<RockPaperScissors>(name, none, &a, &b, nash),
            "coordination_pure" => assert_is::<Coordination>(name, none, &a, &b, nash),
            "penalty_k50" => assert_is::<Penalty>(name, json!({"k": -50}), &a, &b, nash),
            "hawk_dove_V2_C4" => {
                // The hawk goes straight, and is the first action there.
                let config = json!({"tie": 1, "win": 2, "lose": 0, "crash": -1});
                let turned = |m: &Matrix| -> Matrix {
                    m.iter()
                        .rev()
                        .map(|row| row.iter().rev().copied().collect())
                        .collect()
                };
                assert_is::<Chicken>(name, config, &turned(&a), &turned(&b), nash);
            }
            _ => continue,
        }
        found += 1;
    }
    assert_eq!(found, 6);
}

/// Common-payoff games: payoffs, equilibria, best joint actions, returns of 25 rounds.
#[test]
fn golden_common_payoff_games_return_what_the_reference_returns() {
    let games = matrix_games();
    assert_eq!(games.len(), 10);
    for (name, game) in &games {
        let payoff = matrix(&game["payoff"]);
        let nash = &game["pure_nash"];
        match name.strip_prefix("penalty_k") {
            Some(k) => {
                let config = json!({"k": -k.parse::<f64>().unwrap()});
                assert_is::<Penalty>(name, config, &payoff, &payoff, nash);
            }
            None if name == "climbing" => {
                assert_is::<Climbing>(name, json!({}), &payoff, &payoff, nash);
            }
            None => {
                let config = as_normal_form(&payoff, &payoff);
                assert_is::<NormalForm>(name, config, &payoff, &payoff, nash);
            }
        }
        let mut games = batch::<NormalForm>(as_normal_form(&payoff, &payoff), 1);
        let mut returned = |joint: &Value| {
            let joint: Vec<i32> = joint
                .as_array()
                .unwrap()
                .iter()
                .map(|a| a.as_i64().unwrap() as i32)
                .collect();
            let played = play(&mut games, 1, constant(&joint));
            assert_eq!(played.lengths, [25]);
            assert_eq!(
                played.returns[0][0], played.returns[0][1],
                "every player is paid it"
            );
            played.returns[0][0]
        };
        let expected = &game["return_25_steps"];
        for joint in game["optimal_joint_actions"].as_array().unwrap() {
            assert_eq!(
                Some(returned(joint)),
                expected["optimal"].as_f64(),
                "{name}"
            );
        }
        let greedy = returned(&game["iql_greedy_joint"]);
        assert_eq!(Some(greedy), expected["iql_uniform"].as_f64(), "{name}");
    }
}

/// Every return that a learner of the table ended with is that of a joint action played for 25 rounds, and their
/// weighted mean is the mean of the table.
#[test]
fn golden_returns_of_learners_are_returns_of_joint_actions() {
    let table = reference("tables/matrix_game_runs.csv");
    let mut rows = 0;
    for line in table.lines().skip(1) {
        let field: Vec<&str> = line.split(',').collect();
        let possible: Vec<f64> = (0..9)
            .map(|cell| {
                let joint = constant_pair(cell);
                let played = match field[0].strip_prefix("penalty_k") {
                    Some(k) => {
                        let config = json!({"k": -k.parse::<f64>().unwrap()});
                        play(&mut batch::<Penalty>(config, 1), 1, constant(&joint))
                    }
                    None => play(&mut batch::<Climbing>(json!({}), 1), 1, constant(&joint)),
                };
                played.returns[0][0]
            })
            .collect();
        let (mut runs, mut sum) = (0.0, 0.0);
        for bin in field[5].split(' ') {
            let (value, count) = bin.split_once(':').unwrap();
            let (value, count): (f64, f64) = (value.parse().unwrap(), count.parse().unwrap());
            assert!(
                possible.contains(&value),
                "{line}: {value} is none of {possible:?}"
            );
            runs += count;
            sum += value * count;
        }
        assert_eq!(runs, field[2].parse::<f64>().unwrap(), "{line}");
        assert!(
            (sum / runs - field[3].parse::<f64>().unwrap()).abs() < 0.01,
            "{line}"
        );
        rows += 1;
    }
    assert_eq!(rows, 24);
}

fn constant_pair(cell: i32) -> [i32; 2] {
    [cell / 3, cell % 3]
}

/// The table's hysteretic learners (Q-learning with rate 0.1 up and 0.01 down) find the optimum in every run; so
/// they do here, by playing.
#[test]
fn golden_hysteretic_learners_find_the_optimum() {
    let optimum = |returns: &mut dyn FnMut(u64) -> f64, expected: f64| {
        for seed in 0..10 {
            assert_eq!(returns(seed), expected, "seed {seed}");
        }
    };
    optimum(&mut |seed| hysteretic::<Climbing>(json!({}), seed), 275.0);
    optimum(
        &mut |seed| hysteretic::<Penalty>(json!({"k": -100}), seed),
        250.0,
    );
}

/// Return of 25 greedy rounds after 20,000 ε-greedy ones.
fn hysteretic<P: Preset>(config: Value, seed: u64) -> f64 {
    use palaestra_plugin_api::{
        abi::id,
        rng::{EnvRng, purpose},
    };
    let mut games = batch::<P>(config, 1);
    let action = games.slabs().key::<i32>(id::ACTION, 0).unwrap();
    let reward = games.slabs().key::<f32>(id::REWARD, 0).unwrap();
    let mut rng = EnvRng::new(seed, 0, 0, purpose::CHECK);
    let mut values = [[0.0_f64; 3]; 2];
    let greedy = |values: &[f64; 3]| {
        (1..3).fold(0, |best, a| if values[a] > values[best] { a } else { best })
    };
    for step in 0..20_000 {
        let epsilon = (1.0 - f64::from(step) / 10_000.0).max(0.05);
        let joint = values.map(|own| {
            if rng.bernoulli(epsilon) {
                rng.below(3) as usize
            } else {
                greedy(&own)
            }
        });
        games
            .rows_mut(action, 0)
            .copy_from_slice(&joint.map(|a| a as i32));
        games.step(0, 0).unwrap();
        for ((own, &a), &r) in values.iter_mut().zip(&joint).zip(games.rows(reward, 0)) {
            let surprise = f64::from(r) - own[a];
            own[a] += if surprise > 0.0 { 0.1 } else { 0.01 } * surprise;
        }
    }
    let joint = values.map(|own| greedy(&own) as i32);
    games.reset(&json!({}), 0).unwrap();
    play(&mut games, 1, constant(&joint)).returns[0][0]
}

/// The best return of the two-step game is 8; 7 is what VDN learns there.
#[test]
fn golden_two_step_game_returns_7_or_up_to_8() {
    let document: Value = from_str(&reference("golden/value_learning.json")).unwrap();
    let paper = &document["qmix_two_step_paper"];
    let b = matrix(&paper["payoff_2B"]);
    let mut best = f64::NEG_INFINITY;
    for first in 0..2 {
        for cell in 0..4 {
            let second = [cell / 2, cell % 2];
            let act = |games: &mut palaestra_plugin_api::client::EnvironmentBatch, time: u64| {
                let joint = if time == 0 {
                    [first, 1 - first]
                } else {
                    second
                };
                constant(&joint)(games, time);
            };
            let played = play(&mut batch::<TwoStep>(json!({}), 1), 1, act);
            let expected = match first {
                0 => paper["payoff_2A"].as_f64().unwrap(),
                _ => b[second[0] as usize][second[1] as usize],
            };
            assert_eq!(played.returns, [[expected; 2]]);
            assert_eq!(played.lengths, [2]);
            best = best.max(expected);
        }
    }
    assert_eq!(Some(best), paper["optimal_return"].as_f64());
    assert_eq!(paper["payoff_2A"], paper["vdn_learned_return"]);
}
