use palaestra_plugin_api::serde_json::from_value;

use super::*;

fn world(config: Value, places: &[Place], goal: Place) -> CooperativeMeeting {
    let mut world = CooperativeMeeting::new(&from_value(config).unwrap()).unwrap();
    world
        .place(State {
            places: places.into(),
            goal,
        })
        .unwrap();
    world
}

#[test]
fn one_at_the_goal_is_not_enough() {
    let mut world = world(json!({}), &[[2, 2], [2, 4]], [2, 3]);
    let rewards = |world: &CooperativeMeeting, a: f64, b: f64| {
        world.counterfactual(&[vec![vec![a], vec![b]]]).unwrap()
    };
    assert_eq!(rewards(&world, 4.0, 0.0), [[-0.1, -0.1]]);
    assert_eq!(rewards(&world, 4.0, 3.0), [[10.0, 10.0]]);
    assert_eq!(world.advance(|agent| [4, 3][agent]), 2);
}

#[test]
fn no_start_is_a_meeting_and_a_given_goal_stays() {
    let config = json!({"field_size": [2, 2], "goal": [1, 0]});
    let mut world = CooperativeMeeting::new(&from_value(config).unwrap()).unwrap();
    for episode in 0..500 {
        world.draw(&mut EnvRng::new(0, 0, episode, 0));
        assert_eq!(world.state.goal, [1, 0]);
        assert!(world.state.places.iter().any(|&place| place != [1, 0]));
    }
    let config = from_value(json!({"goal": [5, 0]})).unwrap();
    let error = CooperativeMeeting::new(&config).unwrap_err().to_string();
    assert_eq!(
        error,
        "config /goal: expected a cell of the board, found [5, 0]"
    );
}
