//! What a person reads: the text frames, and scenes that a host can draw.

use board_games::{ConnectFour, Pong, TicTacToe};
use palaestra_plugin_api::{
    canvas::{Canvas, Color, Scene, Shape},
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
    // Two crosses of two strokes, a ring, and the mark of the last cell.
    assert_eq!(drawn.shapes.len(), 2 * 2 + 1 + 1);
    let drawn = scene::<ConnectFour>(saved_game::<ConnectFour>(&[3, 3, 2, 3]));
    let expected = ".......\n.......\n.......\n...O...\n...O...\n..XX...\nplayer 0 to move";
    assert_eq!(drawn.text.unwrap(), expected);
}

/// How many shapes have an edge or a fill that marks them.
fn marked(scene: &Scene) -> usize {
    let shapes = scene.shapes.iter().filter_map(|shape| match shape {
        Shape::Circle { style, .. } => style.outline.map(|pen| pen.color),
        Shape::Rect { style, .. } => style.fill,
        _ => None,
    });
    let marks = [Color::ACCENT, Color::ACCENT.mix(Color::WHITE, 0.8)];
    shapes.filter(|color| marks.contains(color)).count()
}

#[test]
fn the_last_stone_is_marked_and_at_the_end_the_line_that_won() {
    let playing = saved_game::<ConnectFour>(&[3, 3, 2, 3]);
    assert_eq!(marked(&scene::<ConnectFour>(playing)), 1);
    // Columns 1 to 5 of the bottom row: both lines of four.
    let across = saved_game::<ConnectFour>(&[1, 1, 2, 2, 4, 4, 5, 5, 3]);
    let drawn = scene::<ConnectFour>(across);
    assert_eq!(
        (marked(&drawn), drawn.caption.as_str()),
        (5, "player 0 wins")
    );
    let diagonal = saved_game::<TicTacToe>(&[0, 2, 1, 4, 8, 6]);
    assert_eq!(marked(&scene::<TicTacToe>(diagonal)), 3);
    let full = saved_game::<TicTacToe>(&[0, 1, 2, 4, 3, 5, 7, 6, 8]);
    assert_eq!(marked(&scene::<TicTacToe>(full)), 1);
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
