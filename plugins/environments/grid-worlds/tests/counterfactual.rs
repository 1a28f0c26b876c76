//! A counterfactual of the joint action that is executed is what the step then pays, whatever chance does in it.

use grid_worlds::{
    Checkers, CooperativeMeeting, Doorway, Foraging, PredatorPrey, Switch, SwitchRiddle,
    TrafficJunction, TrafficJunctionMaGym, Warehouse,
};
use palaestra_plugin_api::{
    environment::Environment,
    serde_json::{Value, json},
    testing::{Check, CheckReport, Status, Subject, run_check},
};

/// Seeds of the check: 12,800 steps in all, enough for rewards that random agents seldom earn.
const SEEDS: u64 = 8;

/// Plays at random, asks before every step, and compares.
fn assert_foreseen<E: Environment>(config: Value) {
    let check = Check::named("counterfactual-is-paid").unwrap();
    let subject = Subject::of::<E>(config);
    let reports: Vec<_> = (0..SEEDS)
        .map(|seed| run_check(&subject, check, seed))
        .collect();
    for report in &reports {
        assert_eq!(report.status, Status::Passed, "{}: {report}", E::ID);
    }
    let paid = |report: &CheckReport| !report.detail.contains(" 0 rewards");
    assert!(reports.iter().any(paid), "{}: nobody was ever paid", E::ID);
}

#[test]
fn a_random_prey_is_foreseen() {
    for config in [
        json!({"prey": "random", "field_size": [4, 4]}),
        json!({"prey": "random", "observation": "local", "num_predators": 1}),
        json!({}),
        json!({"prey": "flee"}),
    ] {
        assert_foreseen::<PredatorPrey>(config);
    }
}

/// Cars that enter collide with those that have not left the first cell of their route.
#[test]
fn cars_that_enter_are_foreseen() {
    for config in [
        json!({"add_rate": 1.0}),
        json!({"difficulty": "medium"}),
        json!({"difficulty": "hard", "add_rate": 0.5}),
    ] {
        assert_foreseen::<TrafficJunction>(config);
    }
    assert_foreseen::<TrafficJunctionMaGym>(json!({"num_cars": 10}));
}

/// Few shelves on a small board, so that random robots deliver some.
#[test]
fn requests_are_foreseen() {
    for reward in ["individual", "global", "two_stage"] {
        assert_foreseen::<Warehouse>(json!({
            "reward_type": reward, "column_height": 1, "num_agents": 4, "request_queue_size": 2,
        }));
    }
}

#[test]
fn worlds_without_chance_are_foreseen() {
    assert_foreseen::<Foraging>(json!({"field_size": [5, 5], "penalty": 0.1}));
    assert_foreseen::<Switch>(json!({"num_agents": 4}));
    assert_foreseen::<Checkers>(json!({}));
    assert_foreseen::<SwitchRiddle>(json!({}));
    assert_foreseen::<CooperativeMeeting>(json!({}));
    assert_foreseen::<Doorway>(json!({}));
}
