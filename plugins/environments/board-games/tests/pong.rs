//! Pong through the vtable: the contract, both sides alike, and random play.

use board_games::Pong;
use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::id,
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment},
    environment::Environment,
    serde_json::{Value, json},
    testing::{Subject, assert_conforms, baseline::mean_and_error, random_games},
};

const TEAMS: [usize; 2] = [1, 2];

#[test]
fn pong_is_conformant_for_two_and_for_four() {
    for team_size in TEAMS {
        let config = json!({"team_size": team_size, "max_episode_steps": 300});
        assert_conforms(&Subject::of::<Pong>(config));
    }
}

fn batch(config: Value) -> EnvironmentBatch {
    let entry = EnvironmentEntry::of::<Pong>();
    let what = MakeEnvironment {
        config,
        ..MakeEnvironment::new(Pong::ID)
    };
    EnvironmentBatch::new(&what, 1, 1, |w| EnvironmentHandle::in_process(&entry, w)).unwrap()
}

/// A court and its mirror image: what one side sees is what the other sees there.
#[test]
fn both_sides_see_the_same_world_mirrored() {
    TEAMS.into_iter().for_each(sees_the_mirror_image);
}

fn sees_the_mirror_image(team_size: usize) {
    let mut sides = [0.08, -0.08].map(|vx: f64| {
        let mut batch = batch(json!({"team_size": team_size}));
        let ball = [0.1_f64.copysign(vx), 0.2];
        let start = json!({"init": {"ball": ball, "velocity": [0.8 * vx, 0.02]}});
        batch.reset(&start, 0).unwrap();
        batch
    });
    let key = sides[0].slabs().key::<f32>(id::OBSERVATION, 0).unwrap();
    let reward = sides[0].slabs().key::<f32>(id::REWARD, 0).unwrap();
    // Until the point: the next ball goes to a random side.
    for step in 0..200 {
        let rows: Vec<Vec<f32>> = sides.iter().map(|s| s.rows(key, 0).to_vec()).collect();
        let half = rows[0].len() / 2;
        assert_eq!(rows[0][..half], rows[1][half..], "step {step}");
        assert_eq!(rows[0][half..], rows[1][..half], "step {step}");
        let left: Vec<Vec<f64>> = (0..team_size)
            .map(|i| vec![((step + i) % 3) as f64])
            .collect();
        let right = vec![vec![1.0]; team_size];
        let (straight, mirrored) = (
            [left.clone(), right.clone()].concat(),
            [right, left].concat(),
        );
        sides[0].locate(0).0.step_exact(&[straight], 0).unwrap();
        sides[1].locate(0).0.step_exact(&[mirrored], 0).unwrap();
        let points = sides[0].rows(reward, 0).to_vec();
        if points[0] != 0.0 {
            assert_eq!(points[0], sides[1].rows(reward, 0)[team_size]);
            assert!(points[..team_size].iter().all(|&point| point == points[0]));
            assert!(points[team_size..].iter().all(|&point| point == -points[0]));
            return;
        }
    }
    panic!("nobody scored");
}

/// Nobody has the better side: within three standard errors of a half.
#[test]
fn ten_thousand_random_games_favour_no_side() {
    for team_size in TEAMS {
        let config = json!({"team_size": team_size, "points": 3, "max_episode_steps": 1000});
        let games = random_games(&Subject::of::<Pong>(config), 10_000);
        let [difference, error] = mean_and_error(&games, |game| game.returns[0][0]);
        let [hits, _] = mean_and_error(&games, |game| game.metrics[4]);
        println!("team size {team_size}: {difference:.3} ± {error:.3}, {hits:.2} hits");
        assert!(difference.abs() < 3.0 * error, "{difference} ± {error}");
        assert!(hits > 0.5);
        for game in &games {
            assert_eq!(game.returns[0][0], game.metrics[2] - game.metrics[3]);
            assert_eq!(game.returns[0][0], -game.returns[0][team_size]);
            assert_eq!(game.metrics[0] == 1.0, game.returns[0][0] > 0.0);
            assert_eq!(game.metrics[1] == 1.0, game.returns[0][0] == 0.0);
        }
    }
}
