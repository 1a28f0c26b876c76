use std::collections::HashMap;

use super::*;

fn play(world: &mut Switch, actions: &[usize]) -> Vec<f64> {
    let mut rewards = vec![0.0; actions.len()];
    world.advance(
        |agent| actions[agent],
        |agent, reward, _| rewards[agent] += reward,
    );
    rewards
}

#[test]
fn agents_that_meet_in_the_corridor_are_stuck() {
    let mut world = Switch::new(&SwitchConfig::default()).unwrap();
    let state = State {
        places: vec![[1, 3], [1, 4]],
        arrived: vec![false; 2],
        step: 0,
    };
    world.place(state).unwrap();
    assert_eq!(play(&mut world, &[3, 1]), [-0.1, -0.1]);
    assert_eq!(world.state.places, [[1, 3], [1, 4]]);
    // In turn: the first one leaves, and the second one follows.
    play(&mut world, &[1, 1]);
    assert_eq!(world.state.places, [[1, 2], [1, 3]]);
}

#[test]
fn who_has_arrived_earns_nothing_more_and_stays_in_the_way() {
    let mut world = Switch::new(&SwitchConfig::default()).unwrap();
    let state = State {
        places: vec![[0, 5], [1, 6]],
        arrived: vec![false; 2],
        step: 0,
    };
    world.place(state).unwrap();
    assert_eq!(play(&mut world, &[3, 4]), [5.0, -0.1]);
    assert_eq!(play(&mut world, &[1, 2]), [0.0, -0.1]);
    assert_eq!(world.state.places, [[0, 6], [1, 6]]);
}

/// The best undiscounted return of two agents, by value iteration over all 50 steps: 4.4 + 3.9.
#[test]
fn two_agents_can_earn_8_3() {
    type Key = (Vec<Place>, Vec<bool>);
    fn best(world: &Switch, left: u32, known: &mut HashMap<(Key, u32), f64>) -> f64 {
        let State {
            places, arrived, ..
        } = &world.state;
        if left == 0 || !arrived.contains(&false) {
            return 0.0;
        }
        let key = ((places.clone(), arrived.clone()), left);
        if let Some(&value) = known.get(&key) {
            return value;
        }
        let mut value = f64::NEG_INFINITY;
        for joint in 0..25 {
            let mut next = world.clone();
            let reward: f64 = play(&mut next, &[joint / 5, joint % 5]).iter().sum();
            value = value.max(reward + best(&next, left - 1, known));
        }
        known.insert(key, value);
        value
    }
    let world = Switch::new(&SwitchConfig::default()).unwrap();
    // Nothing is gained after step 14 of a best play.
    let value = best(&world, 16, &mut HashMap::new());
    assert!((value - 8.3).abs() < 1e-9, "{value}");
}

#[test]
fn a_start_in_a_wall_is_refused() {
    let mut world = Switch::new(&SwitchConfig::default()).unwrap();
    let state = State {
        places: vec![[0, 3], [0, 5]],
        arrived: vec![false; 2],
        step: 0,
    };
    let error = world.place(state).unwrap_err().to_string();
    assert_eq!(
        error,
        "start places: expected a free cell for each, found [0, 3]"
    );
}
