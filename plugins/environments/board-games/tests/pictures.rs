//! What a person reads: the text frames, and scenes that a host can draw.

use board_games::{ConnectFour, Pong, TicTacToe};
use palaestra_plugin_api::{
    canvas::{Canvas, Scene},
    environment::Environment,
    serde_json::{Value, from_value},
};

/// The scene of a saved game, checked as a host does.
fn scene<E: Environment>(saved: Value) -> Scene {
    let game: E = from_value(saved).unwrap();
    let mut canvas = Canvas::new();
    game.render(&mut canvas);
    let scene = canvas.into_scene();
    assert_eq!(scene.skipped, 0);
    Scene::from_json(&scene.to_json()).unwrap()
}

fn saved_game<E: Environment>(moves: &[usize]) -> Value {
    palaestra_plugin_api::serde_json::json!({
        "config": E::Config::default(),
        "moves": moves,
    })
}

#[test]
fn the_boards_show_whose_stones_lie_where() {
    let drawn = scene::<TicTacToe>(saved_game::<TicTacToe>(&[4, 0, 8]));
    assert_eq!(drawn.text.unwrap(), "O..\n.X.\n..X\nplayer 1 to move");
    assert_eq!(drawn.caption, "player 1 to move");
    assert_eq!(drawn.shapes.len(), 3);
    let drawn = scene::<ConnectFour>(saved_game::<ConnectFour>(&[3, 3, 2, 3]));
    let expected = ".......\n.......\n.......\n...O...\n...O...\n..XX...\nplayer 0 to move";
    assert_eq!(drawn.text.unwrap(), expected);
}

#[test]
fn the_court_shows_ball_paddles_and_score() {
    let game = Pong::new(&Default::default()).unwrap();
    let mut canvas = Canvas::new();
    game.render(&mut canvas);
    let scene = canvas.into_scene();
    assert!(scene.check().is_ok() && scene.caption == "0 : 0");
    let text = scene.text.unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 14);
    assert_eq!(lines[6].trim(), "|                  o                  |");
}
