//! Every environment reproduces its reference traces.

use grid_worlds::{Checkers, Foraging, Switch, TrafficJunction, TrafficJunctionMaGym, Warehouse};
use palaestra_plugin_api::{environment::Environment, testing::replay::replay_claimed};

/// Replays every trace of an environment and checks how many files and cases there were.
fn replay<E: Environment>(files: usize, cases: usize) {
    let replayed = replay_claimed::<E>(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(
        (replayed.files, replayed.cases),
        (files, cases),
        "{replayed:?}"
    );
    assert!(replayed.values > 100 * cases, "{replayed:?}");
}

#[test]
fn trace_of_foraging() {
    replay::<Foraging>(2, 8);
}

#[test]
fn trace_of_warehouse() {
    replay::<Warehouse>(4, 6);
}

#[test]
fn trace_of_traffic_junction() {
    replay::<TrafficJunction>(4, 6);
}

#[test]
fn trace_of_traffic_junction_of_ma_gym() {
    replay::<TrafficJunctionMaGym>(1, 2);
}

#[test]
fn trace_of_switch() {
    replay::<Switch>(1, 2);
}

#[test]
fn trace_of_checkers() {
    replay::<Checkers>(1, 2);
}
