use palaestra_plugin_api::serde_json::{from_value, to_value};

use super::*;

fn world(cars: &[(Place, Place, i32)]) -> TrafficJunctionMaGym {
    let config = TrafficJunctionMaGymConfig {
        num_cars: cars.len(),
        ..TrafficJunctionMaGymConfig::default()
    };
    let mut world = TrafficJunctionMaGym::new(&config).unwrap();
    let car = |&(place, direction, route): &(Place, Place, i32)| Car {
        place,
        direction,
        route,
        on_road: true,
        ..start::waiting()
    };
    world
        .place(State {
            cars: cars.iter().map(car).collect(),
            ..State::default()
        })
        .unwrap();
    world
}

fn play(world: &mut TrafficJunctionMaGym, actions: &[usize]) -> (Vec<f64>, Outcome) {
    let mut rewards = vec![0.0; actions.len()];
    let outcome = world.drive(|car| actions[car], |car, reward, _| rewards[car] += reward);
    (rewards, outcome)
}

/// By hand: a car right behind a braking one is blocked and pays 10 + 0.01.
#[test]
fn a_car_ahead_blocks_the_way() {
    let mut world = world(&[([7, 3], EAST, 1), ([7, 2], EAST, 1)]);
    let (rewards, outcome) = play(&mut world, &[BRAKE, GAS]);
    assert_eq!((rewards, outcome.collisions), (vec![-0.01, -10.01], 1));
    assert_eq!(world.state.cars[1].place, [7, 2]);
    let (rewards, _) = play(&mut world, &[GAS, GAS]);
    assert_eq!(
        rewards,
        [-0.02, -0.02],
        "in turn: the first one has left its cell"
    );
}

#[test]
fn every_gate_and_route_leads_to_an_exit() {
    for (gate, direction) in GATES {
        let mut ends = Vec::new();
        for route in 1..=ROUTES {
            let mut world = world(&[(gate, direction, route)]);
            let steps = (1..40).find(|_| play(&mut world, &[GAS]).1.arrived == 1);
            assert!(
                steps.is_some_and(|steps| steps <= 14),
                "{gate:?} route {route}: {steps:?}"
            );
            ends.push(world.state.cars[0].place);
        }
        ends.sort_unstable();
        ends.dedup();
        assert_eq!(ends.len(), 3, "from {gate:?}");
    }
}

#[test]
fn cars_enter_one_by_one_until_all_have_driven() {
    let config = json!({"num_cars": 7, "arrive_prob": 1.0});
    let mut world = TrafficJunctionMaGym::new(&from_value(config).unwrap()).unwrap();
    let mut rng = EnvRng::new(0, 0, 0, 0);
    world.draw(&mut rng);
    let on_road =
        |world: &TrafficJunctionMaGym| world.state.cars.iter().filter(|car| car.on_road).count();
    assert_eq!(on_road(&world), 4);
    for expected in [5, 6, 7, 7] {
        play(&mut world, &[GAS; 7]);
        world.admit(&mut rng);
        assert_eq!(on_road(&world), expected);
    }
}

#[test]
fn a_snapshot_goes_on_and_a_damaged_one_is_refused() {
    let mut world = world(&[([7, 3], EAST, 2), ([3, 6], SOUTH, 3)]);
    play(&mut world, &[GAS, GAS]);
    let restored: TrafficJunctionMaGym = from_value(to_value(&world).unwrap()).unwrap();
    assert_eq!(
        (&restored.state, &restored.cells),
        (&world.state, &world.cells)
    );
    let mut damaged = to_value(&world).unwrap();
    damaged["state"]["cars"][1]["place"] = json!([7, 4]);
    assert!(
        from_value::<TrafficJunctionMaGym>(damaged).is_err(),
        "two cars on one cell"
    );
}

#[test]
fn another_joint_action_is_tried_without_moving() {
    let world = world(&[([7, 3], EAST, 1), ([7, 2], EAST, 1)]);
    let rewards = |a: f64, b: f64| world.counterfactual(&[vec![vec![a], vec![b]]]).unwrap();
    assert_eq!(rewards(1.0, 0.0), [[-0.01, -10.01]]);
    assert_eq!(rewards(0.0, 0.0), [[-0.01, -0.01]]);
}

/// Nobody enters while the option says so; without it the setting counts.
#[test]
fn a_curriculum_sets_how_often_cars_enter() {
    let config = from_value(json!({"num_cars": 6, "arrive_prob": 1.0})).unwrap();
    let world = TrafficJunctionMaGym::new(&config).unwrap();
    let rate = |options: Value| world.arrive_prob(&ResetOptions::new(None, Some(&options)));
    assert_eq!(rate(json!({"arrive_prob": 0.0})).unwrap(), 0.0);
    assert_eq!(
        world.arrive_prob(&ResetOptions::new(None, None)).unwrap(),
        1.0
    );
    assert_eq!(
        rate(json!({"arrive_prob": 1.5})).unwrap_err().message,
        "reset /options/arrive_prob: expected 0 ≤ x ≤ 1, found 1.5"
    );
    for (probability, waiting) in [(0.0, 2), (1.0, 1)] {
        let mut world = world.clone();
        let mut rng = EnvRng::new(0, 0, 0, 0);
        world.draw(&mut rng);
        world.state.arrive_prob = probability;
        play(&mut world, &[GAS; 6]);
        world.admit(&mut rng);
        let cars = world.state.cars.iter();
        assert_eq!(cars.filter(|car| !car.on_road).count(), waiting);
    }
}
