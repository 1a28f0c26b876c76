//! The random policy on every kind of space: valid actions, the same in any shards.

use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::id,
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment, RandomPolicy},
    environment::Environment,
    serde_json::json,
};
use stress::{Misbehaving, Sound, Spaces, Turns};

const STEPS: u64 = 200;

fn batch<E: Environment>(first_instance: u64, instances: usize, shards: usize) -> EnvironmentBatch {
    let what = MakeEnvironment {
        first_instance,
        instances,
        ..MakeEnvironment::new(E::ID)
    };
    let make = |part: &_| EnvironmentHandle::in_process(&EnvironmentEntry::of::<E>(), part);
    let mut batch = EnvironmentBatch::new(&what, shards, 1, make).unwrap();
    batch.reset(&json!({}), 0).unwrap();
    batch
}

/// All actions of the last `kept` instances over the steps, as bits: `[step][group][…]`.
fn record<E: Environment>(first: u64, instances: usize, shards: usize, kept: usize) -> Vec<u32> {
    let mut batch = batch::<E>(first, instances, shards);
    let mut policy = RandomPolicy::new(batch.spec(), batch.slabs(), 3, first);
    let mut all = Vec::new();
    for time in 0..STEPS {
        for mut shard in batch.shards_mut() {
            policy.fill(&mut shard, 0, time).unwrap();
        }
        for group in 0..batch.spec().groups.len() as u32 {
            let slabs = batch.slabs();
            let from = |row: usize| (instances - kept) * row;
            if let Some(key) = slabs.key::<i32>(id::ACTION, group) {
                let rows = &batch.rows(key, 0)[from(slabs.row(key))..];
                all.extend(rows.iter().map(|&a| a as u32));
            }
            if let Some(key) = slabs.key::<f32>(id::ACTION, group) {
                let rows = &batch.rows(key, 0)[from(slabs.row(key))..];
                all.extend(rows.iter().map(|a| a.to_bits()));
            }
        }
        // An action outside its space or its mask would be refused here.
        batch.step(0, 0).unwrap();
    }
    all
}

fn independent_of_shards<E: Environment>() {
    let whole = record::<E>(0, 12, 1, 12);
    assert_eq!(whole, record::<E>(0, 12, 5, 12), "{} in 5 shards", E::ID);
    assert_eq!(whole, record::<E>(0, 12, 12, 12), "{} in 12 shards", E::ID);
    let part = record::<E>(5, 7, 2, 7);
    assert_eq!(record::<E>(0, 12, 1, 7), part, "{} from instance 5", E::ID);
}

#[test]
fn actions_are_valid_and_belong_to_global_instances() {
    independent_of_shards::<Sound>();
    independent_of_shards::<Misbehaving>();
    independent_of_shards::<Spaces>();
    independent_of_shards::<Turns>();
}

#[test]
fn only_the_agent_whose_turn_it_is_acts() {
    let mut batch = batch::<Turns>(0, 32, 1);
    let mut policy = RandomPolicy::new(batch.spec(), batch.slabs(), 3, 0);
    let acting = batch.slabs().key::<u8>(id::ACTING, 0).unwrap();
    let action = batch.slabs().key::<i32>(id::ACTION, 0).unwrap();
    let mut taken = [0; 4];
    for time in 0..STEPS {
        for mut shard in batch.shards_mut() {
            policy.fill(&mut shard, 0, time).unwrap();
        }
        for (acts, &stones) in batch.rows(acting, 0).iter().zip(batch.rows(action, 0)) {
            assert_eq!(*acts == 1, stones > 0);
            taken[stones as usize] += u32::from(*acts);
        }
        batch.step(0, 0).unwrap();
    }
    assert!(taken[1..].iter().all(|&n| n > 1_000), "{taken:?}");
}
