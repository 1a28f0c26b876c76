use palaestra_plugin_api::serde_json::from_value;

use super::*;

fn world(config: Value, predators: &[Place], prey: Place) -> PredatorPrey {
    let mut world = PredatorPrey::new(&from_value(config).unwrap()).unwrap();
    world
        .place(State {
            predators: predators.into(),
            prey,
            ..State::default()
        })
        .unwrap();
    world
}

/// By hand: a diagonal neighbour is √2 < 1.5 away, two cells in a line are 2 > 1.5 away.
#[test]
fn the_prey_is_caught_when_all_are_near() {
    let world = world(json!({}), &[[4, 4], [5, 7]], [5, 5]);
    let rewards = |a: f64, b: f64| {
        world
            .counterfactual(&[vec![vec![a], vec![b]], vec![vec![0.0]]])
            .unwrap()
    };
    assert_eq!(rewards(0.0, 0.0), [vec![-0.01, -0.01], vec![1.0]]);
    assert_eq!(rewards(0.0, 3.0), [vec![10.0, 10.0], vec![-10.0]]);
}

#[test]
fn the_edge_stops_everybody() {
    let mut world = world(json!({}), &[[0, 0], [9, 9]], [0, 9]);
    assert_eq!(world.advance(|_| 1, 4), 0);
    assert_eq!(
        (&world.state.predators[..], world.state.prey),
        (&[[0, 0], [8, 9]][..], [0, 9])
    );
}

#[test]
fn a_fleeing_prey_runs_and_is_no_agent() {
    let world = world(
        json!({"prey": "flee", "num_predators": 1}),
        &[[5, 4]],
        [5, 5],
    );
    assert_eq!(WALK[world.escape()], [0, 1]);
    let spec = PredatorPrey::spec(&world.config).unwrap();
    assert_eq!(
        (spec.groups.len(), spec.reward_range),
        (1, (Some(-0.01), Some(10.0)))
    );
}

#[test]
fn a_local_view_shows_edges_predators_and_prey() {
    let config = json!({"observation": "local", "sight": 1, "num_predators": 3});
    let mut world = world(config, &[[0, 0], [0, 1], [0, 0]], [2, 0]);
    world.advance(|predator| [0, 0, 4][predator], 1);
    let mut row = vec![f32::NAN; 2 + 27];
    world.write_local(&mut row, [0, 0]);
    let edges = [1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
    let crowd = [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0];
    let prey = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    assert_eq!(row, [&[0.0, 0.0][..], &edges, &crowd, &prey].concat());
}

#[test]
fn starts_are_not_captures() {
    let mut world = PredatorPrey::new(&from_value(json!({"field_size": [4, 4]})).unwrap()).unwrap();
    for episode in 0..1000 {
        world.draw(&mut EnvRng::new(3, 0, episode, 0));
        assert!(
            !world
                .state
                .predators
                .iter()
                .all(|&place| world.is_near(place))
        );
    }
}
