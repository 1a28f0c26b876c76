//! The scripted players against random ones, and against each other.

use board_games::{ConnectFour, Pong, TicTacToe};
use palaestra_plugin_api::{
    serde_json::json,
    testing::{
        Subject,
        baseline::{assert_beats_random, play},
    },
};

/// The mean return of each seat, of scripted players against random ones.
fn beats_random(subject: &Subject<'_>, seats: &[&[usize]], games: usize, least: f64) {
    for &seat in seats {
        let earned = assert_beats_random(
            subject,
            games,
            0.3,
            |_, agent| seat.contains(&agent),
            |game| game.returns[0][seat[0]],
        );
        println!("{} agents {seat:?}: {earned:.3?}", subject.id);
        assert!(earned[1] >= least);
    }
}

#[test]
fn scripted_players_win_of_random_ones() {
    let alone: &[&[usize]] = &[&[0], &[1]];
    beats_random(&Subject::of::<TicTacToe>(json!({})), alone, 500, 0.75);
    beats_random(&Subject::of::<ConnectFour>(json!({})), alone, 50, 0.9);
    let short = json!({"points": 3});
    beats_random(&Subject::of::<Pong>(short), alone, 100, 2.5);
    let teams = json!({"points": 3, "team_size": 2});
    beats_random(&Subject::of::<Pong>(teams), &[&[0, 1], &[2, 3]], 100, 2.5);
}

/// Perfect play draws. On a larger board, too, whoever looks a few moves ahead blocks every line.
#[test]
fn two_scripted_players_draw_tic_tac_toe() {
    let games = play(&Subject::of::<TicTacToe>(json!({})), 1, 0, |_, _| true).unwrap();
    assert_eq!(games[0].returns, [[0.0, 0.0]]);
    assert_eq!(games[0].length, 9);
    let large = json!({"size": 5, "line": 4});
    let games = play(&Subject::of::<TicTacToe>(large), 1, 0, |_, _| true).unwrap();
    assert_eq!(games[0].total(), 0.0);
}

/// Two players that follow the ball keep it in play for long.
#[test]
fn two_scripted_players_keep_the_ball_in_play() {
    let subject = Subject::of::<Pong>(json!({"max_episode_steps": 1000}));
    let games = play(&subject, 20, 0, |_, _| true).unwrap();
    let hits: f64 = games.iter().map(|game| game.metrics[4]).sum();
    let points: f64 = games
        .iter()
        .map(|game| game.metrics[2] + game.metrics[3])
        .sum();
    println!("{hits} hits, {points} points");
    assert!(hits > 10.0 * points);
}
