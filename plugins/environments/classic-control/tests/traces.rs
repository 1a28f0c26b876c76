//! Every environment reproduces its reference traces.

use classic_control::{
    Acrobot, CartPole, CartPoleScalar, ContinuousMountainCar, MountainCar, Pendulum,
};
use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    batch::BatchEnvironment,
    client::EnvironmentHandle,
    environment::Environment,
    testing::replay::{
        Replayed, reference_folder, replay_case, replay_claimed, replay_claimed_batch,
    },
    trace::TraceCase,
};

fn assert_replayed(replayed: Replayed, files: usize) {
    assert_eq!(replayed.files, files, "trace files found");
    assert!(replayed.cases >= 2 && replayed.values > 100, "{replayed:?}");
}

fn replay<E: Environment>() {
    let replayed = replay_claimed::<E>(env!("CARGO_MANIFEST_DIR"));
    assert_replayed(replayed, E::TRACES.len());
}

#[test]
fn trace_of_cart_pole() {
    let replayed = replay_claimed_batch::<CartPole>(env!("CARGO_MANIFEST_DIR"));
    assert_replayed(replayed, CartPole::TRACES.len());
}

#[test]
fn trace_of_cart_pole_scalar() {
    replay::<CartPoleScalar>();
}

#[test]
fn trace_of_pendulum() {
    replay::<Pendulum>();
}

#[test]
fn trace_of_mountain_car() {
    replay::<MountainCar>();
}

/// At the tight tolerance of the others: the rounding of the reference is reproduced.
#[test]
fn trace_of_continuous_mountain_car() {
    replay::<ContinuousMountainCar>();
}

#[test]
fn trace_of_acrobot() {
    replay::<Acrobot>();
}

#[test]
fn trace_with_one_number_changed_is_refused_at_that_number() {
    let folder = reference_folder(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(folder.join("traces/gym_Pendulum_v1.json")).unwrap();
    let cases =
        Pendulum::trace_cases(&palaestra_plugin_api::serde_json::from_str(&text).unwrap()).unwrap();
    let entry = EnvironmentEntry::of::<Pendulum>();
    let mut make = |what: &_| EnvironmentHandle::in_process(&entry, what);
    let mut refused = |change: &dyn Fn(&mut TraceCase)| {
        let mut case = cases[0].clone();
        change(&mut case);
        replay_case(&mut make, Pendulum::ID, &case)
            .unwrap_err()
            .to_string()
    };
    let seen =
        refused(&|case| case.steps[3].expected.observations.as_mut().unwrap()[0][0][1] += 1e-5);
    assert!(
        seen.starts_with("trace random, step 3: observation /0/0/1: expected "),
        "{seen}"
    );
    let rewarded = refused(&|case| case.steps[7].expected.rewards.as_mut().unwrap()[0][0] += 1e-8);
    assert!(
        rewarded.starts_with("trace random, step 7: reward /0/0: expected "),
        "{rewarded}"
    );
    let ended = refused(&|case| case.steps[0].expected.terminated = Some(true));
    assert_eq!(
        ended,
        "trace random, step 0: terminated: expected true, found false"
    );
    let started =
        refused(&|case| case.init = palaestra_plugin_api::serde_json::json!({"state": "upright"}));
    assert!(
        started.starts_with("trace random, reset: reset: expected no error, found reset /init: "),
        "{started}"
    );
}
