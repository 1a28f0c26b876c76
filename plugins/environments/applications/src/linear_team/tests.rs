use palaestra_plugin_api::serde_json::from_value;

use super::*;

fn world(config: Value, x: &[f64]) -> LinearTeam {
    let mut world = LinearTeam::new(&from_value(config).unwrap()).unwrap();
    world.place(State { x: x.into() }).unwrap();
    world
}

/// A rotation by a quarter, and two agents that push one component each.
fn two(reward: &str) -> LinearTeam {
    let config = json!({
        "state_size": 2, "action_size": 1, "reward": reward, "max_action": 2.0,
        "dynamics": [[0.0, -1.0], [1.0, 0.0]], "inputs": [[[1.0], [0.0]], [[0.5], [3.0]]],
    });
    world(config, &[2.0, 1.0])
}

/// u = (1, 2, cut to the range): x' = (-1 + 1 + 0.5·2, 2 + 3·2).
#[test]
fn the_system_is_linear() {
    let mut world = two("cooperative");
    world.take(|agent| &[[0.5], [1.7]][agent]);
    world.advance(|| 0.0);
    assert_eq!(world.state.x, [1.0, 8.0]);
    world.take(|_| &[0.0]);
    let mut noise = [1.0, -2.0].into_iter();
    world.advance(|| noise.next().unwrap());
    assert_eq!(world.state.x, [-8.0 + 0.1, 1.0 - 0.2]);
}

/// Costs: 4 + 0.1·1 of the first agent, 1 + 0.1·4 of the second.
#[test]
fn rewards_are_costs_of_all_or_differences() {
    let joint = [vec![vec![0.5], vec![1.0]]];
    let rewards = |reward| two(reward).counterfactual(&joint).unwrap().remove(0);
    for (found, expected) in [
        (rewards("cooperative"), [-5.5, -5.5]),
        (rewards("competitive"), [1.4 - 4.1, 4.1 - 1.4]),
    ] {
        assert!(
            (0..2).all(|i| (found[i] - expected[i]).abs() < 1e-12),
            "{found:?}"
        );
    }
}

#[test]
fn the_default_system_is_a_ring() {
    let config = json!({"num_agents": 2, "state_size": 3, "action_size": 2});
    let mut world = world(config, &[1.0, 10.0, 100.0]);
    world.take(|agent| &[[0.0, 0.5], [0.25, 0.125]][agent]);
    world.advance(|| 0.0);
    // The fourth input pushes the first component again.
    let expected = [0.95 + 10.0 + 0.125, 9.5 + 0.1 + 0.5, 95.0 + 1.0 + 0.25];
    let near = |k: usize| (world.state.x[k] - expected[k]).abs() < 1e-12;
    assert!((0..3).all(near), "{:?}", world.state.x);
}

#[test]
fn matrices_of_another_shape_are_refused() {
    let config = from_value(json!({"state_size": 2, "dynamics": [[1.0, 0.0], [1.0]]})).unwrap();
    let error = LinearTeam::new(&config).unwrap_err().to_string();
    assert_eq!(
        error,
        "config /dynamics: expected 2 rows of 2 numbers, found rows of [2, 1]"
    );
}
