//! Thousands of episodes: nothing breaks, and known policies earn what they earn in the reference.

mod common;

use classic_control::{Acrobot, CartPole, ContinuousMountainCar, MountainCar, Pendulum};
use common::{Episodes, play, random};
use palaestra_plugin_api::{
    __private::EnvironmentEntry, batch::BatchEnvironment, environment::Environment, rng::EnvRng,
};

const CART_POLE: EnvironmentEntry = EnvironmentEntry::of_batch::<CartPole>();
const PENDULUM: EnvironmentEntry = EnvironmentEntry::of::<Pendulum>();
const MOUNTAIN_CAR: EnvironmentEntry = EnvironmentEntry::of::<MountainCar>();
const CONTINUOUS: EnvironmentEntry = EnvironmentEntry::of::<ContinuousMountainCar>();
const ACROBOT: EnvironmentEntry = EnvironmentEntry::of::<Acrobot>();

/// Random play; the policy's bounds are those of the default spec.
fn play_random<E: Environment>(entry: &EnvironmentEntry, episodes: usize) -> Episodes {
    let spec = E::spec(&E::Config::default()).unwrap();
    let played = play(entry, E::ID, episodes, &mut random(&spec.groups[0].action));
    let longest = spec.max_episode_steps.unwrap();
    assert!(
        played
            .lengths
            .iter()
            .all(|&length| (1..=longest).contains(&length))
    );
    report(E::ID, &played);
    played
}

fn report(id: &str, played: &Episodes) {
    println!(
        "{id}: {:.2} ± {:.2}, standard deviation {:.2}",
        played.mean(),
        played.standard_error(),
        played.deviation()
    );
}

/// The measured mean is within two standard errors of one measured elsewhere on about 100 episodes with the
/// given deviation.
fn assert_earns(played: &Episodes, mean: f64, deviation: f64) {
    let elsewhere = deviation / 10.0;
    let error = (played.standard_error().powi(2) + elsewhere * elsewhere).sqrt();
    assert!(
        (played.mean() - mean).abs() <= 2.0 * error,
        "{} against {mean}, standard error {error}",
        played.mean()
    );
}

#[test]
fn random_cart_pole_falls_as_soon_as_in_the_reference() {
    let mut policy = random(&CartPole::spec(&Default::default()).unwrap().groups[0].action);
    let played = play(&CART_POLE, CartPole::ID, 10_000, &mut policy);
    report(CartPole::ID, &played);
    assert_earns(&played, 22.8, 12.6);
    assert!(
        (played.deviation() - 12.6).abs() < 1.5,
        "{}",
        played.deviation()
    );
}

/// The reference's linear rule balances to the end.
#[test]
fn a_linear_rule_balances_the_pole() {
    let mut rule = |o: &[f32], _: &mut EnvRng| {
        f64::from(0.3 * o[0] + 0.6 * o[1] + 8.0 * o[2] + 1.5 * o[3] > 0.0)
    };
    let played = play(&CART_POLE, CartPole::ID, 1_000, &mut rule);
    assert_eq!((played.mean(), played.deviation()), (500.0, 0.0));
}

#[test]
fn random_pendulum_costs_what_it_costs_in_the_reference() {
    assert_earns(&play_random::<Pendulum>(&PENDULUM, 10_000), -1240.0, 296.0);
}

#[test]
fn random_mountain_car_never_arrives() {
    let played = play_random::<MountainCar>(&MOUNTAIN_CAR, 10_000);
    assert_eq!((played.mean(), played.deviation()), (-200.0, 0.0));
}

#[test]
fn pumping_energy_brings_the_mountain_car_up() {
    let played = play(&MOUNTAIN_CAR, MountainCar::ID, 1_000, &mut |o, _| {
        if o[1] < 0.0 { 0.0 } else { 2.0 }
    });
    report(MountainCar::ID, &played);
    assert_earns(&played, -119.9, 3.5);
}

#[test]
fn random_continuous_mountain_car_pays_for_its_force() {
    let played = play_random::<ContinuousMountainCar>(&CONTINUOUS, 10_000);
    // 999 steps of E[0.1·a²] = 1/30: -33.3, and almost never the flag.
    assert!((played.mean() + 33.3).abs() < 0.5, "{}", played.mean());
}

#[test]
fn pumping_energy_brings_the_continuous_mountain_car_up() {
    let mut pump = |o: &[f32], _: &mut EnvRng| if o[1] < 0.0 { -1.0 } else { 1.0 };
    let played = play(&CONTINUOUS, ContinuousMountainCar::ID, 1_000, &mut pump);
    report(ContinuousMountainCar::ID, &played);
    assert!((played.mean() - 89.4).abs() < 0.5, "{}", played.mean());
}

#[test]
fn random_acrobot_hardly_arrives() {
    let played = play_random::<Acrobot>(&ACROBOT, 10_000);
    assert!(
        (-500.0..=-495.0).contains(&played.mean()),
        "{}",
        played.mean()
    );
}
