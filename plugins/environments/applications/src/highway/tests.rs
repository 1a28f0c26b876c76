use palaestra_plugin_api::serde_json::{from_value, json};

use super::{
    road::{Around, LOOKS, NOBODY, OWN},
    *,
};

/// A highway of vehicles at `[place, lane, speed, wish]`, of steps of a second.
fn highway(mut config: Value, vehicles: &[[f64; 4]]) -> Highway {
    config["num_vehicles"] = json!(vehicles.len());
    config["time_step"] = json!(1.0);
    let mut world = Highway::new(&from_value(config).unwrap()).unwrap();
    let vehicle = |&[place, lane, speed, wish]: &[f64; 4]| Vehicle {
        place,
        lane: lane as usize,
        speed,
        wish,
        ..Vehicle::default()
    };
    let state = State {
        clock: 0,
        vehicles: vehicles.iter().map(vehicle).collect(),
    };
    world.place(state).unwrap();
    world
}

fn rewards(world: &Highway, choices: &[usize]) -> Vec<f64> {
    let joint = [choices.iter().map(|&c| vec![c as f64]).collect()];
    world.counterfactual(&joint).unwrap().remove(0)
}

fn play(world: &mut Highway, choices: &[usize]) {
    world.advance(|engine, vehicle| chosen(engine, choices[vehicle]));
}

#[track_caller]
fn assert_near(found: &[f64], expected: &[f64]) {
    let near = found
        .iter()
        .zip(expected)
        .all(|(a, b)| (a - b).abs() < 1e-12);
    assert!(
        near && found.len() == expected.len(),
        "found {found:?}, expected {expected:?}"
    );
}

/// Neighbours found by looking at everybody.
fn all_pairs(world: &Highway, own: usize) -> Around {
    let vehicles = &world.state.vehicles;
    let round = if world.road.ring {
        world.road.length
    } else {
        f64::NEG_INFINITY
    };
    let find = |look: usize, ahead: bool| {
        let others = (0..vehicles.len()).filter(|&other| {
            other != own
                && vehicles[other].status == Status::Driving
                && vehicles[other].lane + OWN == vehicles[own].lane + look
        });
        let (from, to) = (vehicles[own].place, |other: usize| vehicles[other].place);
        let way = |other: usize| {
            let way = if ahead {
                to(other) - from
            } else {
                from - to(other)
            };
            // Of equal places the one of the greater index is ahead.
            if way < 0.0 || way == 0.0 && (other > own) != ahead {
                way + round
            } else {
                way
            }
        };
        let there = others.filter(|&other| way(other) >= 0.0);
        there
            .min_by(|&a, &b| way(a).total_cmp(&way(b)))
            .unwrap_or(NOBODY)
    };
    Around {
        ahead: std::array::from_fn(|look| find(look, true)),
        behind: std::array::from_fn(|look| find(look, false)),
    }
}

/// The sweep over the sorted road finds whom a look at all pairs finds, while vehicles overtake, collide and merge.
#[test]
fn neighbours_are_those_of_all_pairs() {
    let mut rng = EnvRng::new(1, 0, 0, 0);
    for scenario in ["cruise", "merge", "platoon"] {
        for vehicles in [1, 2, 7, 60] {
            let config = json!({"scenario": scenario, "num_vehicles": vehicles, "density": 40.0});
            let mut world = Highway::new(&from_value(config).unwrap()).unwrap();
            world.draw(&mut rng);
            for _ in 0..40 {
                for &own in &world.traffic.order {
                    let expected = all_pairs(&world, own);
                    assert_eq!(world.traffic.around[own], expected, "{scenario}, {own}");
                }
                let choices: Vec<usize> = (0..vehicles)
                    .map(|_| rng.below(CHOICES as u64) as usize)
                    .collect();
                play(&mut world, &choices);
            }
        }
    }
}

/// By hand: the first speeds up from 20 to 23 m/s, 47.5 - 2.5 + 21.5 - 5 m ahead of it there are 60 m after 20 m more,
/// the wanted gap is 2 + 23 m; the second keeps 20 m/s. The discomfort of 3 of 11 m/s² is (3/11)².
#[test]
fn speed_spacing_and_comfort_are_paid() {
    let mut world = highway(
        json!({"num_lanes": 1, "density": 10.0}),
        &[[0.0, 0.0, 20.0, 25.0], [25.0, 0.0, 20.0, 20.0]],
    );
    // 25 m - 21.5 m + 20 m - 5 m = 18.5 m.
    let spacing = -0.5 * (1.0 - 18.5 / 25.0);
    let discomfort = 0.1 * (3.0f64 / 11.0).powi(2);
    let first = 23.0 / 25.0 + spacing - discomfort;
    assert_near(&rewards(&world, &[1, 0]), &[first, 1.0]);
    play(&mut world, &[1, 0]);
    assert_eq!(world.state.vehicles[0].place, 21.5);
    let [_, _, speed, headway, jerk, _, close] = world.measure();
    // The other is 200 - 23.5 m behind the first all around the ring, out of range.
    assert_near(
        &[speed, headway, jerk, close],
        &[21.5, 18.5 / 23.0, 1.5, 0.5],
    );
}

/// 10 m apart, 5 m of room; the one behind is 6 m/s faster.
#[test]
fn who_runs_into_another_collides_with_it() {
    let mut world = highway(
        json!({"num_lanes": 2, "density": 10.0}),
        &[
            [0.0, 0.0, 26.0, 26.0],
            [10.0, 0.0, 20.0, 20.0],
            [5.0, 1.0, 20.0, 20.0],
        ],
    );
    assert_eq!(rewards(&world, &[0, 0, 0])[..2], [-20.0, -20.0]);
    // Braking helps, and so does the other lane, were nobody there; the third is alongside.
    assert!(rewards(&world, &[3, 0, 0])[0] > -1.0);
    assert_eq!(rewards(&world, &[5, 0, 0])[0], -20.0);
    play(&mut world, &[0, 0, 0]);
    let status = |v: usize| world.state.vehicles[v].status;
    assert_eq!(
        [0, 1, 2].map(status),
        [Status::Collided, Status::Collided, Status::Driving]
    );
    assert_eq!(world.traffic.order, [2]);
    assert_eq!(world.measure()[0], 2.0);
    assert_near(&rewards(&world, &[0, 0, 0]), &[0.0, 0.0, 1.0]);
}

/// A vehicle as fast as this in steps so long passes through another one between two moments, and still collides.
#[test]
fn nobody_passes_through_another() {
    let world = highway(
        json!({"num_lanes": 1, "density": 10.0, "max_speed": 100.0}),
        &[[0.0, 0.0, 90.0, 25.0], [20.0, 0.0, 0.0, 20.0]],
    );
    assert_eq!(rewards(&world, &[0, 0]), [-20.0; 2]);
}

/// Alone in a lane of a ring, a vehicle has nobody ahead.
#[test]
fn nobody_is_its_own_neighbour() {
    let world = highway(json!({"num_lanes": 1}), &[[10.0, 0.0, 25.0, 25.0]]);
    assert_eq!(world.traffic.around[0].ahead, [NOBODY; LOOKS]);
    assert_near(&rewards(&world, &[0]), &[1.0]);
}

/// The ramp is left only between 66.7 m and 266.7 m, and nobody enters it.
#[test]
fn a_ramp_ends_and_the_road_too() {
    let config = json!({"scenario": "merge", "num_lanes": 1, "ramp_share": 0.5});
    let places = [[40.0, 0.0, 20.0, 20.0], [40.0, 1.0, 20.0, 20.0]];
    let mut world = highway(config, &places);
    assert!(!world.may_change(0, 1) && !world.may_change(1, -1));
    world.state.vehicles[0].place = 250.0;
    world.state.vehicles[1].place = 430.0;
    world.traffic.rebuild(&world.state, &world.road);
    assert!(world.may_change(0, 1));
    assert_eq!(rewards(&world, &[0, 0])[0], -20.0);
    assert_near(&rewards(&world, &[LEFT, 0]), &[0.95, 1.0]);
    play(&mut world, &[LEFT, 0]);
    assert_near(&rewards(&world, &[0, 0]), &[1.0, 11.0]);
    play(&mut world, &[0, 0]);
    assert_eq!(world.state.vehicles[1].status, Status::Arrived);
    assert_eq!(world.measure()[1], 1.0);
}

/// Second of its platoon, 2 + 20 m are wanted and 33 m there: half of the wanted gap is missed.
#[test]
fn platoons_keep_their_gap() {
    let world = highway(
        json!({"scenario": "platoon", "num_lanes": 1, "leader_swing": 0.0, "desired_speed": 20.0}),
        &[[60.0, 0.0, 20.0, 20.0], [22.0, 0.0, 20.0, 20.0]],
    );
    assert_eq!(world.predecessor(1), Some(0));
    assert_eq!(world.predecessor(0), None);
    assert!(!world.may_change(1, 1));
    assert_near(&rewards(&world, &[0, 0]), &[1.0, 1.0 + 0.5 * 0.5]);
}

#[test]
fn impossible_roads_and_starts_are_refused() {
    let new = |config| Highway::new(&from_value(config).unwrap()).unwrap_err();
    assert_eq!(
        new(json!({"density": 99.0, "min_gap": 20.0})).to_string(),
        "config /density: expected at most 40.0, so that vehicles have room, found 99"
    );
    assert_eq!(
        new(json!({"max_speed": 20.0})).to_string(),
        "config /max_speed: expected at least desired_speed = 30, found 20"
    );
    let mut world = highway(json!({}), &[[10.0, 0.0, 25.0, 25.0]]);
    let mut state = world.state.clone();
    state.vehicles[0].lane = 3;
    let error = world.place(state).unwrap_err().to_string();
    assert_eq!(error, "start lane: expected 0 ≤ x ≤ 2, found 3");
}
