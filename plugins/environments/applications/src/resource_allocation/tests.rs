use palaestra_plugin_api::serde_json::from_value;

use super::*;

/// Three users with needs 1, 2 and 4 and a capacity of 10.
fn world(config: Value) -> ResourceAllocation {
    let mut world = ResourceAllocation::new(&from_value(config).unwrap()).unwrap();
    let state = State {
        capacity: 10.0,
        granted: 1.0,
        needs: vec![1.0, 2.0, 4.0],
        requests: vec![0.0; 3],
    };
    world.place(state).unwrap();
    world
}

fn rewards(config: Value, actions: [f64; 3]) -> Vec<f64> {
    let joint = [actions.map(|a| vec![a]).to_vec()];
    world(config).counterfactual(&joint).unwrap().remove(0)
}

#[track_caller]
fn assert_near(found: &[f64], expected: &[f64]) {
    assert!(
        found.len() == expected.len()
            && found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-12),
        "found {found:?}, expected {expected:?}"
    );
}

/// Requests 2, 8 and 10 for 10: half of each is granted, 1, 4 and 5.
#[test]
fn too_many_requests_are_granted_in_proportion() {
    let mut world = world(json!({}));
    assert_eq!(world.share(|agent| [0.2, 0.8, 1.5][agent]), 20.0);
    assert_eq!(world.state.granted, 0.5);
    assert_near(&world.utilities, &[2f64.ln(), 3f64.ln(), 2.25f64.ln()]);
    assert_eq!(world.share(|_| 0.1), 3.0);
    assert_eq!(world.state.granted, 1.0);
    let expected = [2f64.ln() - 0.02, 3f64.ln() - 0.08, 2.25f64.ln() - 0.1];
    assert_near(&rewards(json!({}), [0.2, 0.8, 1.5]), &expected);
}

/// With linear utilities 1, 2 and 1.25 and costs 0.02, 0.08 and 0.1.
#[test]
fn a_team_is_rewarded_with_its_welfare() {
    let reward = |objective| {
        let config = json!({"utility": "linear", "reward": objective});
        rewards(config, [0.2, 0.8, 1.0])
    };
    let cost = 0.2 / 3.0;
    assert_near(&reward("utilitarian"), &[4.25 / 3.0 - cost; 3]);
    assert_near(&reward("egalitarian"), &[1.0 - cost; 3]);
    assert_near(&reward("nash"), &[2.5f64.cbrt() - cost; 3]);
    let satisfied = json!({"utility": "satisfaction", "request_cost": 0.0});
    assert_near(&rewards(satisfied, [0.2, 0.8, 0.0]), &[1.0, 1.0, 0.0]);
}

#[test]
fn nash_welfare_is_nothing_when_somebody_has_nothing_and_does_not_underflow() {
    assert_eq!(welfare(&[0.0, 3.0]).nash, 0.0);
    let many = welfare(&[1e-30; 100]);
    assert!((many.nash / 1e-30 - 1.0).abs() < 1e-9, "{}", many.nash);
}

#[test]
fn impossible_needs_and_starts_are_refused() {
    let config = from_value(json!({"need_min": 2.0, "need_max": 1.0})).unwrap();
    let error = ResourceAllocation::new(&config).unwrap_err().to_string();
    assert_eq!(
        error,
        "config /need_max: expected at least need_min = 2, found 1"
    );
    let mut world = world(json!({}));
    let mut state = world.state.clone();
    state.needs[1] = 0.0;
    let error = world.place(state).unwrap_err().to_string();
    assert_eq!(error, "start needs: expected 1 ≤ x ≤ 5, found 0");
}
