use palaestra_plugin_api::serde_json::{from_value, json};

use super::{sensing::square, *};

fn swarm(config: Value, positions: &[[f64; 2]]) -> Swarm {
    let mut config = config;
    config["num_robots"] = json!(positions.len());
    let mut swarm = Swarm::new(&from_value(config).unwrap()).unwrap();
    let mut state = swarm.state.clone();
    state.positions = positions.into();
    swarm.place(state).unwrap();
    swarm
}

fn rewards(swarm: &Swarm, actions: &[[f64; 2]]) -> Vec<f64> {
    let joint = [actions.iter().map(|a| a.to_vec()).collect()];
    swarm.counterfactual(&joint).unwrap().remove(0)
}

/// The cell list finds whom a look at all pairs finds, in swarms sparse and dense.
#[test]
fn neighbours_are_those_of_all_pairs() {
    let mut rng = EnvRng::new(1, 0, 0, 0);
    for (robots, size) in [(1, 10.0), (30, 3.0), (200, 10.0), (200, 50.0)] {
        let config = json!({"num_robots": robots, "size": size, "num_neighbors": 5});
        let mut swarm = Swarm::new(&from_value(config).unwrap()).unwrap();
        swarm.draw(&mut rng);
        swarm.sense();
        let positions = &swarm.state.positions;
        for robot in 0..robots {
            let mut all: Vec<Sensed> = (0..robots)
                .filter(|&other| other != robot)
                .map(|other| (square(positions[robot], positions[other]), other))
                .filter(|(distance, _)| *distance <= 4.0)
                .collect();
            all.sort_by(|a, b| a.partial_cmp(b).unwrap());
            all.resize(5, NOTHING);
            assert_eq!(swarm.neighbors_of(robot), all);
        }
    }
}

/// Of the points 1, 3, … 9 a side, a robot at (1, 1) that sees 2 far covers three, one at the opposite corner too.
#[test]
fn coverage_is_what_working_robots_sense() {
    let config = json!({"points_per_side": 5, "speed": 1.0});
    let mut swarm = swarm(config, &[[1.0, 1.0], [9.0, 9.0]]);
    assert_eq!(rewards(&swarm, &[[0.0; 2]; 2]), [6.0 / 25.0; 2]);
    swarm.state.working[1] = false;
    assert_eq!(rewards(&swarm, &[[0.0; 2]; 2]), [3.0 / 25.0, 0.0]);
    // A failed robot does not move; the other goes to the wall.
    swarm.advance(|_| &[-1.0, 0.0]);
    assert_eq!(swarm.state.positions, [[0.0, 1.0], [9.0, 9.0]]);
}

/// Distances 1.5, 0.5 and 2 from the middle one, the first of these failed; spacing 1, range 2.
#[test]
fn a_formation_keeps_its_spacing() {
    let positions = [[5.0, 5.0], [5.0, 6.5], [5.0, 4.5], [7.0, 5.0], [0.0, 0.0]];
    let mut swarm = swarm(json!({"task": "formation"}), &positions);
    swarm.state.working[1] = false;
    let rewards = rewards(&swarm, &[[0.0; 2]; 5]);
    assert!(
        (rewards[0] + (0.5 + 1.0) / 2.0).abs() < 1e-12,
        "{rewards:?}"
    );
    assert_eq!(rewards[1], 0.0);
    assert_eq!(rewards[4], -1.0);
}

/// The first robot moves to within 0.5 of the first of two targets.
#[test]
fn a_target_is_found_once() {
    let config = json!({"task": "search", "num_targets": 2});
    let mut swarm = swarm(config, &[[5.0, 5.0], [0.0, 0.0]]);
    swarm.state.targets = vec![[5.0, 5.7], [9.0, 9.0]];
    swarm.sense_targets();
    assert_eq!(rewards(&swarm, &[[0.0, 1.0], [0.0; 2]]), [0.49; 2]);
    swarm.advance(|_| &[0.0, 1.0]);
    assert_eq!(swarm.state.found, [true, false]);
    assert_eq!(rewards(&swarm, &[[0.0; 2]; 2]), [-0.01; 2]);
    assert_eq!(swarm.nearest_target, [NOTHING; 2]);
}

#[test]
fn who_collides_pays() {
    let config = json!({"task": "search", "step_cost": 0.0, "num_targets": 1});
    let mut swarm = swarm(config, &[[5.0, 5.0], [5.1, 5.0], [5.0, 6.0]]);
    swarm.state.targets[0] = [0.0, 0.0];
    assert_eq!(rewards(&swarm, &[[0.0; 2]; 3]), [-0.1, -0.1, 0.0]);
}
