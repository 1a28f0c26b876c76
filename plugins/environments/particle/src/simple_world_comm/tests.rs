use palaestra_plugin_api::{abi::id, serde_json::json};

use crate::{
    SimpleWorldComm,
    testing::{Policy, assert_scripted, check_baseline, exact, replay, world},
};

#[test]
fn reproduces_the_reference_traces() {
    replay::<SimpleWorldComm>();
}

#[test]
fn random_and_idle_returns_are_the_golden_ones() {
    for policy in [Policy::Random, Policy::NoOp] {
        check_baseline::<SimpleWorldComm>("simple_world_comm", "mpe2", policy, false);
    }
}

#[test]
fn a_forest_hides_prey_from_all_but_the_leader() {
    let config = json!({"num_adversaries": 2, "num_good": 1, "num_obstacles": 0, "num_food": 1, "num_forests": 1});
    let init =
        json!({"agent_pos": [[0.9, 0], [0.9, 0.5], [0, 0]], "landmark_pos": [[-0.9, 0], [0, 0]]});
    let game = world::<SimpleWorldComm>(config, init);
    let row = |group| {
        game.rows(game.slabs().key::<f32>(id::OBSERVATION, group).unwrap(), 0)
            .to_vec()
    };
    // Others begin after velocity, position and two landmarks; the prey is the second other.
    assert_eq!(row(0)[10..12], [-0.9, 0.0]);
    assert_eq!(row(1)[10..12], [0.0, 0.0]);
    assert_eq!(row(2)[8..12], [0.0; 4]);
    assert_eq!(row(2)[12], 1.0);
}

#[test]
fn prey_are_paid_for_food_and_for_staying_free() {
    let config = json!({"num_adversaries": 2, "num_good": 1, "num_obstacles": 0, "num_food": 1, "num_forests": 0});
    let init = json!({"agent_pos": [[0, 0.1], [0, 0.8], [0, 0]], "landmark_pos": [[0.05, 0]]});
    let mut game = world::<SimpleWorldComm>(config, init);
    let (rewards, _) = exact(
        &mut game,
        &[vec![vec![0.0]], vec![vec![0.0]], vec![vec![0.0]]],
    );
    let expected = [5.0 - 0.1 * 0.1, 5.0 - 0.1 * 0.8, -5.0 + 2.0 - 0.05 * 0.05];
    for (found, expected) in rewards.into_iter().flatten().zip(expected) {
        assert!(
            (found - expected).abs() < 1e-14,
            "expected {expected}, found {found}"
        );
    }
}

/// Against a random other side.
#[test]
fn scripted_hunters_and_scripted_prey_beat_chance() {
    assert_scripted::<SimpleWorldComm>(json!({}), 100.0, |group| group < 2);
    assert_scripted::<SimpleWorldComm>(json!({}), 20.0, |group| group == 2);
}
