use palaestra_plugin_api::serde_json::{from_value, json};

use super::*;

/// An intersection of vehicles `(arm, route, way, speed)`, of steps of half a second.
fn world(mut config: Value, vehicles: &[(usize, Route, f64, f64)]) -> Intersection {
    config["num_vehicles"] = json!(vehicles.len());
    config["time_step"] = json!(0.5);
    let mut world = Intersection::new(&from_value(config).unwrap()).unwrap();
    let vehicle = |&(arm, route, way, speed): &(usize, Route, f64, f64)| Vehicle {
        status: Status::Driving,
        arm,
        route,
        way,
        speed,
        acceleration: 0.0,
    };
    let vehicles = vehicles.iter().map(vehicle).collect();
    world.place(State { vehicles }).unwrap();
    world
}

fn rewards(world: &Intersection, choices: &[usize]) -> Vec<f64> {
    let joint = [choices.iter().map(|&c| vec![c as f64]).collect()];
    world.counterfactual(&joint).unwrap().remove(0)
}

fn play(world: &mut Intersection, choices: &[usize]) {
    world.advance(|engine, vehicle| engine.pace(choices[vehicle]));
}

#[track_caller]
fn assert_near(found: &[f64], expected: &[f64]) {
    let near = found
        .iter()
        .zip(expected)
        .all(|(a, b)| (a - b).abs() < 1e-9);
    assert!(
        near && found.len() == expected.len(),
        "found {found:?}, expected {expected:?}"
    );
}

/// Ways are without jumps in place and heading, and end on the lane of their exit.
#[test]
fn ways_are_smooth_and_lead_to_their_exits() {
    let crossing = world(json!({}), &[(0, Route::Straight, 0.0, 0.0)]).crossing;
    for arm in 0..ARMS {
        for route in Route::ALL {
            let pose = |way| crossing.pose(arm, route, way);
            for nth in -20..80 {
                let way = 0.25 * f64::from(nth);
                let (a, b) = (pose(way), pose(way + 0.25));
                let moved = crossing::square(a.position, b.position).sqrt();
                assert!((0.24..0.2501).contains(&moved), "{arm} {route:?} {way}");
                assert!(crossing::square(a.heading, b.heading) < 0.01);
            }
            let out = pose(crossing.length(route) + 5.0);
            // Who comes by an arm drives to the middle; who leaves by it, away from there.
            let comes = crossing.pose(route.exit(arm), Route::Straight, -5.0);
            assert_near(&out.heading, &comes.heading.map(|x| -x));
            assert!((crossing::square(out.position, comes.position).sqrt() - 4.0).abs() < 1e-9);
        }
    }
}

/// By hand, on paper: of the twelve ways of who comes from the south and goes straight, these meet.
#[test]
fn ways_that_cross_join_or_begin_together_meet() {
    let crossing = world(json!({}), &[(0, Route::Straight, 0.0, 0.0)]).crossing;
    let meets =
        |own: Route, arm: usize| Route::ALL.map(|route| crossing.meet((0, own), (arm, route)));
    assert_eq!(meets(Route::Straight, 0), [true; 3]);
    // From the east: left and straight cross, right joins on the way to the north.
    assert_eq!(meets(Route::Straight, 1), [true, true, true]);
    // From the north: only left crosses.
    assert_eq!(meets(Route::Straight, 2), [true, false, false]);
    // From the west: right turns to the south, away.
    assert_eq!(meets(Route::Straight, 3), [true, true, false]);
    // Turning right meets only who goes out to the east too.
    assert_eq!(meets(Route::Right, 2), [true, false, false]);
    assert_eq!(meets(Route::Right, 3), [false, true, false]);
    assert_eq!(meets(Route::Right, 1), [false, false, false]);
    for own in Route::ALL {
        for arm in 0..ARMS {
            for route in Route::ALL {
                let (a, b) = ((0, own), (arm, route));
                assert_eq!(crossing.meet(a, b), crossing.meet(b, a), "{a:?} {b:?}");
            }
        }
    }
}

/// From 6 m/s half a second at 3 m/s²: 3.375 of 6 m. The discomfort of 3 of 11 m/s² is (3/11)².
#[test]
fn progress_and_comfort_are_paid() {
    let world = world(json!({}), &[(0, Route::Straight, -30.0, 6.0)]);
    let expected = 0.2 * 3.375 / 6.0 - 0.1 * (3.0f64 / 11.0).powi(2);
    assert_near(&rewards(&world, &[1]), &[expected]);
    assert_near(&rewards(&world, &[0]), &[0.1]);
}

/// Both reach the middle in the same step, one straight from the south at (2, ·), one from the west at (·, -2): both
/// move 5 m, until they are within 3 m.
#[test]
fn who_meets_in_the_crossing_collides() {
    let mut world = world(
        json!({}),
        &[
            (0, Route::Straight, 1.0, 10.0),
            (3, Route::Straight, 1.0, 10.0),
            (2, Route::Straight, -40.0, 10.0),
        ],
    );
    // Places (2, -5) and (-5, -2): 7 and -3 apart, later 7 - 5 and -3 + 5.
    assert_near(&rewards(&world, &[0, 0, 0])[..2], &[-20.0, -20.0]);
    play(&mut world, &[0, 0, 0]);
    assert_eq!(world.measure()[..3], [2.0, 0.0, 0.0]);
    // They are gone; nobody meets them again, and there is no bonus.
    assert_near(&rewards(&world, &[0, 0, 0]), &[0.0, 0.0, 0.2 * 5.0 / 6.0]);
}

/// Standing 4 m apart one behind the other: a fifth of the safe distance is missing.
#[test]
fn nearness_costs() {
    let vehicles = [(0, Route::Straight, -4.0, 0.0), (0, Route::Left, -8.0, 0.0)];
    let near = world(json!({}), &vehicles);
    assert_near(&rewards(&near, &[0, 0]), &[-0.5 * 0.2; 2]);
    // Beside each other on lanes of their own, nobody is in danger.
    let vehicles = [
        (0, Route::Straight, 2.0, 0.0),
        (2, Route::Straight, 10.0, 0.0),
    ];
    assert_near(&rewards(&world(json!({}), &vehicles), &[0, 0]), &[0.0; 2]);
}

/// The bonus reaches who has passed before, too. Ways are 12 m long, and 20 m out.
#[test]
fn the_bonus_reaches_who_has_passed() {
    let vehicles = [
        (0, Route::Straight, 27.0, 10.0),
        (0, Route::Straight, 22.0, 10.0),
    ];
    let mut both = world(json!({"vehicle_size": 2.0}), &vehicles);
    let passing = 0.2 * 5.0 / 6.0 + 5.0;
    assert_near(&rewards(&both, &[0, 0])[..1], &[passing]);
    play(&mut both, &[0, 0]);
    assert_eq!(both.state.vehicles[0].status, Status::Arrived);
    assert!(!both.all_clear);
    assert_near(&rewards(&both, &[0, 0]), &[10.0, passing + 10.0]);
    play(&mut both, &[0, 0]);
    assert_eq!(both.measure()[..3], [0.0, 1.0, 1.0]);
}

#[test]
fn options_change_the_number_of_vehicles() {
    let config = json!({"num_vehicles": 2, "max_vehicles": 9});
    let mut world = Intersection::new(&from_value(config).unwrap()).unwrap();
    let count = |options: Value| world.vehicles(&ResetOptions::new(None, Some(&options)));
    assert_eq!(count(json!({})).unwrap(), 2);
    assert_eq!(count(json!({"vehicles": 9})).unwrap(), 9);
    let error = count(json!({"vehicles": 10})).unwrap_err().to_string();
    assert_eq!(
        error,
        "reset /options/vehicles: expected 1 ≤ x ≤ 9, found 10; set max_vehicles for more"
    );
    assert!(count(json!({"cars": 2})).is_err());
    world.draw(&mut EnvRng::new(0, 0, 0, 0), 6);
    let mut arms: Vec<usize> = world.state.vehicles[..4].iter().map(|v| v.arm).collect();
    arms.sort_unstable();
    assert_eq!(arms, [0, 1, 2, 3]);
    let absent = |v: &Vehicle| v.status == Status::Absent;
    assert_eq!(world.state.vehicles.iter().filter(|v| absent(v)).count(), 3);
}

#[test]
fn impossible_settings_and_starts_are_refused() {
    let new = |config| Intersection::new(&from_value(config).unwrap()).unwrap_err();
    assert_eq!(
        new(json!({"num_vehicles": 5, "max_vehicles": 4})).to_string(),
        "config /max_vehicles: expected num_vehicles = 5 ≤ x ≤ 20, found 4"
    );
    assert_eq!(
        new(json!({"vehicle_size": 4.0})).to_string(),
        "config /vehicle_size: expected below lane_width = 4, found 4"
    );
    let mut world = world(json!({}), &[(0, Route::Straight, 0.0, 0.0)]);
    let mut state = world.state.clone();
    state.vehicles[0].arm = 4;
    let error = world.place(state).unwrap_err().to_string();
    assert_eq!(error, "start arm: expected 0 ≤ x ≤ 3, found 4");
}
