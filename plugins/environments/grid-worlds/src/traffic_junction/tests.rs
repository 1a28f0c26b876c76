use palaestra_plugin_api::{
    serde_json::{from_str, from_value, to_value},
    testing::replay::reference_folder,
};

use super::*;

fn world(config: Value) -> TrafficJunction {
    TrafficJunction::new(&from_value(config).unwrap()).unwrap()
}

/// Rewards of one step in which `entering` enter.
fn play(world: &mut TrafficJunction, actions: &[usize], entering: &[(usize, usize)]) -> Vec<f64> {
    let mut rewards = vec![0.0; actions.len()];
    world.drive(|car| actions[car], |_| {});
    entering
        .iter()
        .for_each(|&(car, route)| world.enter(car, route));
    world.pay(|car, reward| rewards[car] += reward);
    rewards
}

/// Classes and routes as the traces print them.
#[test]
fn trace_of_the_roads() {
    for (name, vision) in [
        ("tj_easy_v0", 0),
        ("tj_easy_v1", 1),
        ("tj_medium_v0", 0),
        ("tj_medium_v1", 1),
    ] {
        let file = reference_folder(env!("CARGO_MANIFEST_DIR")).join(format!("traces/{name}.json"));
        let document: Value = from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        let world =
            world(json!({"difficulty": document["config"]["difficulty"], "vision": vision}));
        let roads = &world.roads;
        let side = roads.board.rows;
        let grid: Vec<_> = (0..side)
            .map(|row| roads.classes(row, 0, side as usize).to_vec())
            .collect();
        assert_eq!(json!(grid), document["grid"], "{name}");
        let routes: Vec<Vec<&[Place]>> = (0..roads.arrivals())
            .map(|a| {
                (0..roads.per_arrival())
                    .map(|r| roads.route(a * roads.per_arrival() + r))
                    .collect()
            })
            .collect();
        assert_eq!(json!(routes), document["routes"], "{name}");
        assert_eq!(json!(roads.vocabulary()), document["config"]["vocab_size"]);
    }
}

/// Last cell and length of routes, as the published algorithm makes them: turns straight, right, left at the first
/// junction and, unless that was the only one, at the second.
#[test]
fn hard_routes_are_numbered_as_in_the_original() {
    let world = world(json!({"difficulty": "hard"}));
    let seen = |first: usize| -> Vec<(Place, usize)> {
        (first..first + 7)
            .map(|number| world.roads.route(number))
            .map(|route| (*route.last().unwrap(), route.len()))
            .collect()
    };
    let from_top_left = [
        ([17, 4], 18),
        ([12, 0], 17),
        ([13, 17], 27),
        ([4, 0], 9),
        ([5, 17], 19),
        ([17, 12], 26),
        ([0, 13], 20),
    ];
    let from_bottom_right_side = [
        ([12, 0], 18),
        ([0, 5], 25),
        ([17, 4], 19),
        ([0, 13], 17),
        ([5, 17], 16),
        ([4, 0], 26),
        ([17, 12], 11),
    ];
    assert_eq!(
        (seen(0), seen(49)),
        (from_top_left.into(), from_bottom_right_side.into())
    );
}

/// Every arrival point leads to the seven exits but the one beside it; nobody crosses two junctions backwards.
#[test]
fn hard_routes_lead_from_everywhere_to_everywhere_else() {
    let world = world(json!({"difficulty": "hard"}));
    let roads = &world.roads;
    assert_eq!(
        (roads.routes(), roads.arrivals(), roads.per_arrival()),
        (56, 8, 7)
    );
    let spec = TrafficJunction::spec(&world.config).unwrap();
    assert_eq!(
        (spec.agents(), spec.groups[0].observation.width()),
        (20, 1325)
    );
    let starts: Vec<Place> = (0..8).map(|arrival| roads.route(7 * arrival)[0]).collect();
    assert_eq!(
        starts,
        [
            [0, 4],
            [0, 12],
            [5, 0],
            [13, 0],
            [17, 5],
            [17, 13],
            [4, 17],
            [12, 17]
        ]
    );
    for (arrival, start) in starts.iter().enumerate() {
        let mut ends = Vec::new();
        for number in 7 * arrival..7 * arrival + 7 {
            let route = roads.route(number);
            assert!(route.windows(2).all(|pair| {
                let [rows, columns] = [0, 1].map(|axis| (pair[0][axis] - pair[1][axis]).abs());
                rows + columns == 1
            }));
            ends.push(*route.last().unwrap());
        }
        ends.sort_unstable();
        ends.dedup();
        assert_eq!(ends.len(), 7, "from {start:?}");
        assert!(ends.iter().all(|end| {
            let [rows, columns] = [0, 1].map(|axis| (end[axis] - start[axis]).abs());
            rows + columns > 1
        }));
    }
}

/// By hand: two cars meet in the middle of the easy junction, three steps after they entered together.
#[test]
fn cars_that_share_a_cell_pay_and_drive_on() {
    let mut world = world(json!({"num_cars": 2}));
    assert_eq!(play(&mut world, &[0, 0], &[(0, 0), (1, 1)]), [0.0, 0.0]);
    play(&mut world, &[0, 0], &[]);
    play(&mut world, &[0, 0], &[]);
    assert_eq!(play(&mut world, &[0, 0], &[]), [-10.03, -10.03]);
    assert_eq!(play(&mut world, &[0, 1], &[]), [-0.04, -0.04]);
    for _ in 0..2 {
        play(&mut world, &[0, 1], &[]);
    }
    assert_eq!(
        play(&mut world, &[0, 1], &[]),
        [0.0, -0.07],
        "car 0 has left"
    );
    assert_eq!(
        (
            world.state.cars[0].alive,
            world.state.cars[0].place,
            world.on_road
        ),
        (false, PARKED, 1)
    );
}

#[test]
fn another_joint_action_is_tried_without_moving() {
    let mut world = world(json!({"num_cars": 2}));
    play(&mut world, &[0, 0], &[(0, 0), (1, 0)]);
    let rewards = |a: f64, b: f64| world.counterfactual(&[vec![vec![a], vec![b]]]).unwrap();
    assert_eq!(rewards(0.0, 0.0), [[-10.01, -10.01]]);
    assert_eq!(rewards(0.0, 1.0), [[-0.01, -0.01]]);
}

/// The original's schedule: 0.1 to 0.3 over epochs 250 to 1250, rounded down to hundredths.
#[test]
fn the_curriculum_raises_the_rate() {
    let config = TrafficJunctionConfig::default();
    assert_eq!((config.rate_in(0), config.rate_in(249)), (0.1, 0.1));
    let middle = config.rate_in(750);
    assert!((middle - 0.2).abs() < 1e-9, "{middle}");
    let hundredths = config.rate_in(777) * 100.0;
    assert!((hundredths - 20.0).abs() < 1e-9, "{hundredths}");
    assert_eq!((config.rate_in(1249), config.rate_in(5000)), (0.3, 0.3));
    let options = |options: Value| {
        let mut world = world(json!({}));
        world
            .restart(&ResetOptions::new(None, Some(&options)))
            .map(|()| world.state.add_rate)
    };
    assert_eq!(options(json!({"add_rate": 0.7})).unwrap(), 0.7);
    assert_eq!(options(json!({"epoch": 3})).unwrap(), 0.1);
    assert_eq!(options(json!({})).unwrap(), 0.3);
    assert!(options(json!({"add_rate": 7.0})).is_err());
}

#[test]
fn a_snapshot_keeps_cars_and_prescribed_arrivals() {
    let mut world = world(json!({"difficulty": "medium"}));
    let init = json!({"additions": [[[0, 3]], [[4, 11]]]});
    world
        .restart(&ResetOptions::new(Some(&init), None))
        .unwrap();
    world.admit(&mut EnvRng::new(0, 0, 0, 0), |_| {});
    let restored: TrafficJunction = from_value(to_value(&world).unwrap()).unwrap();
    assert_eq!(
        (&restored.state, &restored.counts, restored.on_road),
        (&world.state, &world.counts, 1)
    );
    let mut damaged = to_value(&world).unwrap();
    damaged["state"]["cars"][0]["progress"] = json!(3);
    assert!(from_value::<TrafficJunction>(damaged).is_err());
}

#[test]
fn settings_that_cannot_be_are_refused_with_their_place() {
    let refused = |config: Value| {
        TrafficJunction::new(&from_value(config).unwrap())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(json!({"dim": 7})),
        "config /dim: expected a multiple of 2 of 5 to 200, found 7"
    );
    assert_eq!(
        refused(json!({"add_rate": 2.0})),
        "config /add_rate: expected 0 ≤ x ≤ 1, found 2"
    );
}
