//! The board games through the vtable: the contract, random games, and the whole tree of tic-tac-toe.

use board_games::{ConnectFour, TicTacToe};
use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::id,
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment},
    environment::Environment,
    game_tree::GameNode,
    serde_json::json,
    testing::{
        Subject, assert_conformant, assert_conforms, baseline::mean_and_error, random_games,
        replay::replay_claimed,
    },
};

#[test]
fn tic_tac_toe_is_conformant() {
    assert_conformant::<TicTacToe>();
    assert_conforms(&Subject::of::<TicTacToe>(json!({"size": 7, "line": 5})));
}

#[test]
fn connect_four_is_conformant() {
    assert_conformant::<ConnectFour>();
    assert_conforms(&Subject::of::<ConnectFour>(
        json!({"rows": 7, "columns": 8}),
    ));
    assert_conforms(&Subject::of::<ConnectFour>(
        json!({"rows": 3, "columns": 3, "line": 3}),
    ));
}

/// Games of OpenSpiel: boards, turns, legal moves and returns.
fn replays<E: Environment>(cases: usize) {
    let replayed = replay_claimed::<E>(env!("CARGO_MANIFEST_DIR"));
    assert_eq!((replayed.files, replayed.cases), (1, cases));
    assert!(replayed.values > 100 * cases, "{replayed:?}");
}

#[test]
fn traces_of_board_games() {
    replays::<TicTacToe>(60);
    replays::<ConnectFour>(40);
}

/// Terminal histories that player 0 wins, player 1 wins, nobody wins.
fn terminals(game: &TicTacToe, history: &mut Vec<usize>) -> [u32; 3] {
    match game.game_node(history).unwrap() {
        GameNode::Terminal { returns } => match returns[..] {
            [1.0, -1.0] => [1, 0, 0],
            [-1.0, 1.0] => [0, 1, 0],
            _ => [0, 0, 1],
        },
        GameNode::Decision { player, moves, .. } => {
            assert_eq!(player, history.len() % 2);
            let after = moves.iter().map(|&taken| {
                history.push(taken);
                let counts = terminals(game, history);
                history.pop();
                counts
            });
            after.fold([0; 3], |a, b| [a[0] + b[0], a[1] + b[1], a[2] + b[2]])
        }
        GameNode::Chance { .. } => panic!("tic-tac-toe has no chance"),
    }
}

#[test]
fn golden_tree_of_tic_tac_toe() {
    let game = TicTacToe::new(&Default::default()).unwrap();
    let counts = terminals(&game, &mut Vec::new());
    assert_eq!(counts, [131_184, 77_904, 46_080]);
    assert_eq!(counts.iter().sum::<u32>(), 255_168);
}

/// By its tree, random play wins 737/1260 for player 0 and draws 8/63.
#[test]
fn ten_thousand_random_games_of_tic_tac_toe() {
    let games = random_games(&Subject::of::<TicTacToe>(json!({})), 10_000);
    for (metric, expected) in [(0, 737.0 / 1260.0), (1, 8.0 / 63.0)] {
        let [found, error] = mean_and_error(&games, |game| game.metrics[metric]);
        println!("metric {metric}: {found:.4} ± {error:.4}, tree {expected:.4}");
        assert!(
            (found - expected).abs() < 2.0 * error,
            "{found} ± {error}, {expected}"
        );
    }
    assert!(games.iter().all(|game| (5..=9).contains(&game.length)));
    assert!(games.iter().all(|game| game.total() == 0.0));
    assert!(
        games
            .iter()
            .all(|game| game.metrics[2] == f64::from(game.length))
    );
}

#[test]
fn ten_thousand_random_games_of_connect_four() {
    let games = random_games(&Subject::of::<ConnectFour>(json!({})), 10_000);
    let [first, _] = mean_and_error(&games, |game| game.metrics[0]);
    let [draws, _] = mean_and_error(&games, |game| game.metrics[1]);
    println!("player 0 wins {first:.4}, draws {draws:.4}");
    // Who begins has the advantage; a full board is rare.
    assert!((0.53..0.58).contains(&first) && draws < 0.01);
    assert!(games.iter().all(|game| (7..=42).contains(&game.length)));
    for game in &games {
        let expected = match (game.metrics[0], game.metrics[1]) {
            (1.0, _) => [1.0, -1.0],
            (_, 1.0) => [0.0, 0.0],
            _ => [-1.0, 1.0],
        };
        assert_eq!(game.returns, [expected]);
    }
}

#[test]
fn each_player_sees_its_own_stones_first_and_only_the_mover_may_choose() {
    let entry = EnvironmentEntry::of::<TicTacToe>();
    let what = MakeEnvironment::new(TicTacToe::ID);
    let mut batch =
        EnvironmentBatch::new(&what, 1, 1, |w| EnvironmentHandle::in_process(&entry, w)).unwrap();
    let observation = batch.slabs().key::<f32>(id::OBSERVATION, 0).unwrap();
    let mask = batch.slabs().key::<u8>(id::ACTION_MASK, 0).unwrap();
    let acting = batch.slabs().key::<u8>(id::ACTING, 0).unwrap();
    batch.reset(&json!({"init": {"moves": [4]}}), 0).unwrap();
    assert_eq!(batch.rows(acting, 0), [0, 1]);
    let seen = |batch: &EnvironmentBatch| -> Vec<usize> {
        let rows = batch.rows(observation, 0).iter().enumerate();
        rows.filter(|(_, x)| **x == 1.0).map(|(i, _)| i).collect()
    };
    // Player 0 has the middle: in its own plane of the first row, in the other's of the second.
    assert_eq!(seen(&batch), [4, 18 + 9 + 4]);
    assert_eq!(batch.rows(mask, 0)[9..], [1, 1, 1, 1, 0, 1, 1, 1, 1]);
    assert_eq!(batch.rows(mask, 0)[..9], [1, 0, 0, 0, 0, 0, 0, 0, 0]);
    let play = |batch: &mut EnvironmentBatch, cell: f64| {
        // Player 0 waits: its choice is out of turn, and changes nothing.
        let joint = [vec![vec![8.0], vec![cell]]];
        batch.locate(0).0.step_exact(&joint, 0).map(drop)
    };
    let refused = play(&mut batch, 4.0).unwrap_err();
    assert!(
        refused
            .message
            .ends_with("expected one of [0, 1, 2, 3, 5, 6, 7, 8], found 4")
    );
    play(&mut batch, 0.0).unwrap();
    assert_eq!(batch.rows(acting, 0), [1, 0]);
    let board = batch.locate(0).0.inspect(0).unwrap();
    assert_eq!(board["board"], json!(["O..", ".X.", "..."]));
    let refused = batch
        .reset(&json!({"init": {"moves": [4, 4]}}), 0)
        .unwrap_err();
    assert!(refused.message.contains("found 4 of [4, 4]"), "{refused}");
}

#[test]
fn a_line_longer_than_the_board_is_refused() {
    let entry = EnvironmentEntry::of::<ConnectFour>();
    let what = MakeEnvironment {
        config: json!({"rows": 3, "columns": 3}),
        ..MakeEnvironment::new(ConnectFour::ID)
    };
    let refused = EnvironmentHandle::in_process(&entry, &what).err().unwrap();
    assert!(
        refused.message.contains("/line: expected at most 3"),
        "{refused}"
    );
}
