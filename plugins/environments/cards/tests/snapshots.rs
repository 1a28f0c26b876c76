//! Snapshots of games that are over.

use cards::{Hanabi, KuhnPoker, LeducPoker, LiarsDice};
use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::{NO_GROUP, id},
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment, RandomPolicy},
    environment::Environment,
    serde_json::json,
};

/// Plays at random to the end, saves what waits for its reset, and puts it back.
fn keeps_what_is_over<E: Environment>() {
    let entry = EnvironmentEntry::of::<E>();
    let what = MakeEnvironment::new(E::ID);
    let make = |w: &MakeEnvironment| EnvironmentHandle::in_process(&entry, w);
    let mut table = EnvironmentBatch::new(&what, 1, 1, make).unwrap();
    let terminated = table.slabs().key::<u8>(id::TERMINATED, NO_GROUP).unwrap();
    let mut random = RandomPolicy::new(table.spec(), table.slabs(), 3, 0);
    table.reset(&json!({"manual_reset": true}), 0).unwrap();
    for time in 0.. {
        random.fill(&mut table.locate(0).0, 0, time).unwrap();
        table.step(0, 0).unwrap();
        if table.rows(terminated, 0) == [1] {
            break;
        }
    }
    let over = table.locate(0).0.inspect(0).unwrap();
    assert!(over["player"].is_null(), "{over}");
    let saved = table.locate(0).0.snapshot(0).unwrap();
    table.reset(&json!({}), 0).unwrap();
    table.locate(0).0.restore(0, &saved, 0).unwrap();
    assert_eq!(table.locate(0).0.inspect(0).unwrap(), over);
}

#[test]
fn a_game_that_is_over_can_be_saved_and_put_back() {
    keeps_what_is_over::<KuhnPoker>();
    keeps_what_is_over::<LeducPoker>();
    keeps_what_is_over::<LiarsDice>();
    keeps_what_is_over::<Hanabi>();
}
