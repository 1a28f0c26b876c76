use palaestra_plugin_api::serde_json::{from_value, to_value};

use super::*;

fn world(config: Value, init: Value) -> Foraging {
    let mut world = Foraging::new(&from_value(config).unwrap()).unwrap();
    world
        .place(from_value::<start::Init>(init).unwrap().into())
        .unwrap();
    world
}

fn play(world: &mut Foraging, actions: &[usize]) -> (Vec<f64>, Outcome) {
    let mut rewards = vec![0.0; actions.len()];
    let outcome = world.advance(
        |player| actions[player],
        |player, reward| rewards[player] += reward,
    );
    (rewards, outcome)
}

fn places(world: &Foraging) -> Vec<Place> {
    world
        .state
        .players
        .iter()
        .map(|player| player.place)
        .collect()
}

/// By hand: levels 1 and 2 load a food of 3; of 5 spawned they get 1·3/(3·5) and 2·3/(3·5).
#[test]
fn loaders_share_by_level() {
    let mut world = world(
        json!({}),
        json!({"players": [[2, 1, 1], [2, 3, 2]], "foods": [[2, 2, 3], [5, 5, 2]]}),
    );
    let (rewards, outcome) = play(&mut world, &[5, 5]);
    assert_eq!(rewards, [0.2, 0.4]);
    assert_eq!(
        outcome,
        Outcome {
            loaded: 1,
            failed: 0,
            finished: false
        }
    );
    assert_eq!(world.inspect()["foods"], json!([[5, 5, 2]]));
}

#[test]
fn loading_alone_costs_the_penalty_and_the_food_stays() {
    let config = json!({"penalty": 0.1, "normalize_reward": false});
    let start = json!({"players": [[2, 1, 1], [2, 3, 2]], "foods": [[2, 2, 3]]});
    let mut world = world(config, start);
    let (rewards, outcome) = play(&mut world, &[5, 1]);
    assert_eq!(rewards, [-0.1, 0.0]);
    assert_eq!((outcome.failed, outcome.loaded), (1, 0));
    play(&mut world, &[0, 2]);
    let (rewards, outcome) = play(&mut world, &[5, 5]);
    assert_eq!((rewards, outcome.finished), (vec![3.0, 6.0], true));
}

#[test]
fn players_swap_but_do_not_enter_a_cell_together() {
    let start = json!({"players": [[0, 0, 1], [0, 1, 1]], "foods": [[4, 4, 1]]});
    let mut swapping = world(json!({}), start);
    play(&mut swapping, &[4, 3]);
    assert_eq!(places(&swapping), [[0, 1], [0, 0]]);
    let mut meeting = world(
        json!({}),
        json!({"players": [[0, 0, 1], [0, 2, 1]], "foods": [[4, 4, 1]]}),
    );
    play(&mut meeting, &[4, 3]);
    assert_eq!(places(&meeting), [[0, 0], [0, 2]]);
}

#[test]
fn another_joint_action_is_tried_without_moving() {
    let world = world(
        json!({}),
        json!({"players": [[2, 1, 1], [2, 3, 2]], "foods": [[2, 2, 3]]}),
    );
    let joint = |a: f64, b: f64| vec![vec![vec![a], vec![b]]];
    assert_eq!(
        world.counterfactual(&joint(5.0, 5.0)).unwrap(),
        [[1.0 / 3.0, 2.0 / 3.0]]
    );
    assert_eq!(
        world.counterfactual(&joint(5.0, 0.0)).unwrap(),
        [[0.0, 0.0]]
    );
    assert_eq!(places(&world), [[2, 1], [2, 3]]);
    let error = world.counterfactual(&joint(6.0, 0.0)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "joint action: expected one of 6 choices, found [6.0]"
    );
}

#[test]
fn drawn_starts_keep_the_rules_of_the_original() {
    let config = json!({"players": 3, "max_num_food": 3, "field_size": [6, 9]});
    let mut world = Foraging::new(&from_value(config).unwrap()).unwrap();
    for episode in 0..500 {
        world.draw(&mut EnvRng::new(1, 0, episode, 0));
        let State {
            players,
            foods,
            food_spawned,
        } = &world.state;
        assert!(players.iter().all(|player| world.board.contains(player.place) && (1..=2).contains(&player.level)));
        let most: u32 = players.iter().map(|player| player.level).sum();
        for (i, food) in foods.iter().enumerate() {
            let [row, column] = food.place;
            assert!(
                (1..5).contains(&row)
                    && (1..8).contains(&column)
                    && (1..=most).contains(&food.level)
            );
            assert!(players.iter().all(|player| player.place != food.place));
            assert!(foods[..i].iter().all(|other| {
                let [rows, columns] =
                    [0, 1].map(|axis| (other.place[axis] - food.place[axis]).abs());
                rows.max(columns) > 1
                    && !(rows == 0 && columns == 2)
                    && !(rows == 2 && columns == 0)
            }));
        }
        assert_eq!(
            *food_spawned,
            foods.iter().map(|food| food.level).sum::<u32>()
        );
    }
}

#[test]
fn a_snapshot_is_the_settings_and_the_state() {
    let mut world = world(
        json!({"grid_observation": true}),
        json!({"players": [[2, 1, 1], [4, 3, 2]], "foods": [[2, 2, 1], [5, 5, 2]]}),
    );
    play(&mut world, &[5, 1]);
    let saved = to_value(&world).unwrap();
    let restored: Foraging = from_value(saved.clone()).unwrap();
    assert_eq!(restored.state, world.state);
    assert_eq!(restored.field, world.field);
    let mut damaged = saved;
    damaged["state"]["players"] = json!([{"place": [2, 1], "level": 1}]);
    assert_eq!(
        from_value::<Foraging>(damaged).unwrap_err().to_string(),
        "start players: expected 2 of them, found 1"
    );
}

#[test]
fn settings_that_cannot_be_are_refused_with_their_place() {
    let refused = |config: Value| {
        Foraging::new(&from_value(config).unwrap())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(json!({"sight": 0})),
        "config /sight: expected 1 ≤ x ≤ 1000, found 0"
    );
    assert_eq!(
        refused(json!({"field_size": [3, 3], "players": 8, "max_num_food": 2})),
        "config /players: expected players and foods to have cells of their own, found 8"
    );
}

#[test]
fn the_text_picture_shows_players_and_food() {
    let world = world(
        json!({"field_size": [3, 4]}),
        json!({"players": [[0, 0, 1], [2, 3, 2]], "foods": [[1, 2, 3]]}),
    );
    let mut canvas = Canvas::new();
    world.render(&mut canvas);
    let scene = canvas.into_scene();
    assert_eq!(scene.text.as_deref(), Some("a...\n..3.\n...b"));
    assert!(scene.check().is_ok());
}
