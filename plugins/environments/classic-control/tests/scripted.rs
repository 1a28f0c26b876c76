//! The scripted baselines beat chance, and earn what the reference's controllers earn.

use classic_control::{
    Acrobot, CartPole, CartPoleScalar, ContinuousMountainCar, MountainCar, Pendulum,
};
use palaestra_plugin_api::{
    serde_json::json,
    testing::{Subject, baseline::assert_beats_random},
};

/// Mean return of the baseline, which beats chance by `margin`.
fn scripted(subject: &Subject<'_>, margin: f64) -> f64 {
    let [chance, scripted] = assert_beats_random(subject, 300, margin, |_, _| true, |p| p.total());
    println!("{}: chance {chance:.2}, scripted {scripted:.2}", subject.id);
    scripted
}

#[test]
fn the_linear_rule_balances_to_the_end() {
    for subject in [
        Subject::of_batch::<CartPole>(json!({})),
        Subject::of::<CartPoleScalar>(json!({})),
    ] {
        assert_eq!(scripted(&subject, 400.0), 500.0);
    }
}

#[test]
fn the_pendulum_swings_up_as_in_the_reference() {
    let earned = scripted(&Subject::of::<Pendulum>(json!({})), 900.0);
    assert!(earned > -180.0, "{earned}");
}

#[test]
fn energy_brings_the_cars_up_as_in_the_reference() {
    let earned = scripted(&Subject::of::<MountainCar>(json!({})), 70.0);
    assert!((earned + 119.9).abs() < 1.0, "{earned}");
    let earned = scripted(&Subject::of::<ContinuousMountainCar>(json!({})), 100.0);
    assert!((earned - 89.4).abs() < 0.5, "{earned}");
}

#[test]
fn energy_brings_the_acrobot_up() {
    let earned = scripted(&Subject::of::<Acrobot>(json!({})), 350.0);
    assert!(earned > -140.0, "{earned}");
}
