//! Flights by hand.

use super::court::{PADDLE_X, Played};
use super::*;

const STILL: [f64; MOST_AGENTS] = [0.0; MOST_AGENTS];

fn court(ball: [f64; 2], velocity: [f64; 2]) -> Court {
    let mut court = Court::default();
    court.set_ball(ball, velocity, 0.4).unwrap();
    court
}

fn teams(team_size: usize) -> PongConfig {
    PongConfig {
        team_size,
        ..PongConfig::default()
    }
}

/// By hand: from x = 0.9 at 0.06 a step the ball is at 0.95 within the step and meets the middle of the paddle.
#[test]
fn a_ball_in_the_middle_of_a_paddle_goes_straight_back_and_faster() {
    let mut game = court([0.9, 0.0], [0.06, 0.0]);
    let played = game.advance(&teams(1), &STILL);
    assert_eq!(
        played,
        Played {
            hit: true,
            scored: None
        }
    );
    assert_eq!(game.ball, [0.95, 0.0]);
    assert!((game.velocity[0] + 0.063).abs() < 1e-15 && game.velocity[1] == 0.0);
}

/// By hand: half-way up the paddle (0.06 of 0.12) sends the ball up at 25°.
#[test]
fn the_angle_is_in_proportion_to_where_a_paddle_is_hit() {
    let mut game = court([-0.9, 0.06], [-0.06, 0.0]);
    game.advance(&teams(1), &STILL);
    let angle = game.velocity[1].atan2(game.velocity[0]).to_degrees();
    assert!((angle - 25.0).abs() < 1e-9, "{angle}");
}

#[test]
fn a_miss_scores_for_the_other_team_and_walls_reflect() {
    let mut game = court([-0.9, 0.3], [-0.06, 0.0]);
    assert_eq!(game.advance(&teams(1), &STILL), Played::default());
    let played = game.advance(&teams(1), &STILL);
    assert_eq!(
        played,
        Played {
            hit: false,
            scored: Some(1)
        }
    );
    let mut game = court([0.0, 0.59], [0.03, 0.04]);
    game.advance(&teams(1), &STILL);
    assert!((game.ball[1] - 0.57).abs() < 1e-15 && game.velocity == [0.03, -0.04]);
}

#[test]
fn the_front_paddle_meets_the_ball_first_and_lets_its_own_teams_ball_pass() {
    let mut game = court([-0.45, 0.0], [-0.08, 0.0]);
    assert!(game.advance(&teams(2), &STILL).hit);
    assert_eq!(game.ball[0], -PADDLE_X[1]);
    let mut game = court([-0.55, 0.0], [0.08, 0.0]);
    assert!(!game.advance(&teams(2), &STILL).hit);
    // Without the team mate in front the ball flies on.
    let mut game = court([-0.45, 0.0], [-0.08, 0.0]);
    assert!(!game.advance(&teams(1), &STILL).hit);
}

#[test]
fn a_ball_off_the_court_or_upright_is_refused() {
    let refused = |ball, velocity| Court::default().set_ball(ball, velocity, 0.08).is_err();
    assert!(refused([1.0, 0.0], [0.05, 0.0]));
    assert!(refused([0.0, 0.61], [0.05, 0.0]));
    assert!(refused([0.0, 0.0], [0.0, 0.05]));
    assert!(refused([0.0, 0.0], [0.07, 0.07]));
    assert!(!refused([0.0, 0.6], [-0.08, 0.0]));
}
