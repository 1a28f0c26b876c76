//! CartPole's two forms are one environment: the same bits, vectorised or not.

use classic_control::{CartPole, CartPoleScalar};
use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::{NO_GROUP, id},
    batch::BatchEnvironment,
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment},
    environment::Environment,
    rng::{EnvRng, purpose},
    serde_json::json,
};

/// Not a multiple of any vector's width, so that the loops have a rest.
const INSTANCES: usize = 101;
const STEPS: usize = 1_000;

/// Bits of all observations, and who ended, at every step of random play.
fn history(entry: &EnvironmentEntry, name: &str) -> Vec<(Vec<u32>, Vec<u32>)> {
    let what = MakeEnvironment {
        instances: INSTANCES,
        run_seed: 7,
        ..MakeEnvironment::new(name)
    };
    let mut batch = EnvironmentBatch::new(&what, 1, 1, |what| {
        EnvironmentHandle::in_process(entry, what)
    })
    .unwrap();
    let action = batch.slabs().key::<i32>(id::ACTION, 0).unwrap();
    let observation = batch.slabs().key::<f32>(id::OBSERVATION, 0).unwrap();
    let count = batch.slabs().key::<u32>(id::ENDED_COUNT, NO_GROUP).unwrap();
    let row = batch.slabs().key::<u32>(id::ENDED_ROW, NO_GROUP).unwrap();
    let mut rng = EnvRng::new(7, 0, 0, purpose::CHECK);
    batch.reset(&json!({}), 0).unwrap();
    let mut step = || {
        let choices = batch.rows_mut(action, 0);
        choices.iter_mut().for_each(|a| *a = rng.below(2) as i32);
        batch.step(0, 0).unwrap();
        let ended = batch.rows(count, 0)[0] as usize;
        let bits = batch.rows(observation, 0).iter().map(|x| x.to_bits());
        (bits.collect(), batch.rows(row, 0)[..ended].to_vec())
    };
    (0..STEPS).map(|_| step()).collect()
}

#[test]
fn both_forms_of_cart_pole_give_the_same_bits() {
    let batched = history(&EnvironmentEntry::of_batch::<CartPole>(), CartPole::ID);
    let scalar = history(
        &EnvironmentEntry::of::<CartPoleScalar>(),
        CartPoleScalar::ID,
    );
    let difference = batched.iter().zip(&scalar).position(|(a, b)| a != b);
    assert_eq!(difference, None, "first step that differs");
    let ended: usize = batched.iter().map(|(_, rows)| rows.len()).sum();
    assert!(ended > INSTANCES * STEPS / 30, "{ended} episodes ended");
}
