//! The court, as a picture and as text.

use palaestra_plugin_api::prelude::*;

use super::{
    Pong, TEAMS,
    court::{HALF_HEIGHT, PADDLE_X},
};

/// Characters of the text across and down.
const WIDTH: usize = 41;
const HEIGHT: usize = 13;

pub(super) fn draw(game: &Pong, canvas: &mut Canvas) {
    let half = 0.5 * game.config.paddle_length;
    let [ball_x, ball_y] = game.court.ball;
    let mut text = vec![vec![' '; WIDTH]; HEIGHT];
    let mut put = |x: f64, y: f64, sign: char| {
        let column = ((x + 1.0) / 2.0 * (WIDTH - 1) as f64).round();
        let row = ((HALF_HEIGHT - y) / (2.0 * HALF_HEIGHT) * (HEIGHT - 1) as f64).round();
        if let Some(cell) = text
            .get_mut(row.max(0.0) as usize)
            .and_then(|line| line.get_mut(column.max(0.0) as usize))
        {
            *cell = sign;
        }
    };
    canvas.view(-1.05, -HALF_HEIGHT - 0.05, 1.05, HALF_HEIGHT + 0.15);
    let outline = Color::WHITE.outlined(Color::GREY.pen(2.0));
    canvas.rect((-1.0, -HALF_HEIGHT), (1.0, HALF_HEIGHT), outline);
    canvas.line((0.0, -HALF_HEIGHT), (0.0, HALF_HEIGHT), Color::LIGHT);
    for team in 0..TEAMS {
        for (place, &away) in PADDLE_X[..game.config.team_size].iter().enumerate() {
            let x = if team == 0 { -away } else { away };
            let y = game.court.paddles[team * game.config.team_size + place];
            // What is beyond a wall can hit nothing.
            let (low, high) = ((y - half).max(-HALF_HEIGHT), (y + half).min(HALF_HEIGHT));
            let corners = ((x - 0.012, low), (x + 0.012, high));
            canvas.rounded_rect(corners.0, corners.1, 0.01, Color::group(team));
            let pieces = (game.config.paddle_length / 0.1).ceil() as usize;
            for i in 0..=pieces {
                let at = y - half + game.config.paddle_length * i as f64 / pieces as f64;
                put(x, at.clamp(-HALF_HEIGHT, HALF_HEIGHT), '|');
            }
        }
    }
    canvas.circle((ball_x, ball_y), 0.02, Color::INK);
    put(ball_x, ball_y, 'o');
    let score = format!("{} : {}", game.points[0], game.points[1]);
    canvas.text((0.0, HALF_HEIGHT + 0.08), 18.0, score.clone(), Color::INK);
    canvas.legend(&[
        ("left team", Color::group(0)),
        ("right team", Color::group(1)),
    ]);
    let lines: Vec<String> = text.iter().map(|line| line.iter().collect()).collect();
    canvas.text_frame(format!("{}\n{score}", lines.join("\n")));
    canvas.caption(score);
}
