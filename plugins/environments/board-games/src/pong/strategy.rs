//! A player that goes where the ball will be, and back to the middle once it is gone.

use super::{
    DOWN, PongConfig, UP,
    court::{Court, HALF_HEIGHT, PADDLE_X},
};

/// The choice of an agent.
pub(super) fn choose(config: &PongConfig, court: &Court, agent: usize) -> usize {
    let (team, place) = (agent / config.team_size, agent % config.team_size);
    let x = if team == 0 {
        -PADDLE_X[place]
    } else {
        PADDLE_X[place]
    };
    let target = arrival(court, x).unwrap_or(0.0);
    let way = target - court.paddles[agent];
    // Within half a step it cannot come nearer.
    if way.abs() <= 0.5 * config.paddle_speed {
        0
    } else if way > 0.0 {
        UP
    } else {
        DOWN
    }
}

/// Where the ball comes to `x`, bouncing off the walls on its way; nowhere when it goes the other way.
fn arrival(court: &Court, x: f64) -> Option<f64> {
    let steps = (x - court.ball[0]) / court.velocity[0];
    (steps > 0.0).then(|| fold(court.ball[1] + steps * court.velocity[1]))
}

/// The height after any number of bounces: a triangle wave.
fn fold(y: f64) -> f64 {
    let period = 4.0 * HALF_HEIGHT;
    let along = (y + HALF_HEIGHT).rem_euclid(period);
    along.min(period - along) - HALF_HEIGHT
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: 0.1 above the wall at 0.6 comes back to 0.5, 1.3 to -0.1, -0.8 to -0.4.
    #[test]
    fn walls_fold_a_straight_way() {
        for (y, expected) in [
            (0.2, 0.2),
            (0.7, 0.5),
            (1.3, -0.1),
            (-0.8, -0.4),
            (2.4, 0.0),
        ] {
            assert!((fold(y) - expected).abs() < 1e-12, "{y}: {}", fold(y));
        }
    }

    #[test]
    fn it_meets_the_ball_and_returns_to_the_middle() {
        let mut court = Court::default();
        let config = PongConfig::default();
        court.set_ball([0.0, 0.3], [-0.05, 0.0], 0.08).unwrap();
        assert_eq!([0, 1].map(|agent| choose(&config, &court, agent)), [UP, 0]);
        court.paddles[1] = 0.2;
        assert_eq!(choose(&config, &court, 1), DOWN);
    }
}
