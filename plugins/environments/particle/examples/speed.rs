//! Nanoseconds per environment step through the in-process vtable, random actions, one thread.

use std::time::Instant;

use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::id,
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment},
    rng::EnvRng,
    serde_json::json,
};
use particle::*;

fn measure(
    name: &str,
    entry: &EnvironmentEntry,
    config: &palaestra_plugin_api::serde_json::Value,
    n: usize,
) {
    let what = MakeEnvironment {
        instances: n,
        config: config.clone(),
        ..MakeEnvironment::new(name)
    };
    let slots = 8;
    let mut batch =
        EnvironmentBatch::new(&what, 1, slots, |w| EnvironmentHandle::in_process(entry, w))
            .expect("makes");
    let mut rng = EnvRng::new(0, 0, 0, 9);
    for g in 0..batch.spec().groups.len() {
        let choices = batch.spec().groups[g].action.choices();
        for slot in 0..slots {
            if let Some(key) = batch.slabs().key::<i32>(id::ACTION, g as u32) {
                batch
                    .rows_mut(key, slot)
                    .iter_mut()
                    .for_each(|a| *a = rng.below(choices[0] as u64) as i32);
            } else if let Some(key) = batch.slabs().key::<f32>(id::ACTION, g as u32) {
                batch
                    .rows_mut(key, slot)
                    .iter_mut()
                    .for_each(|a| *a = rng.uniform() as f32);
            }
        }
    }
    batch.reset(&json!({}), 0).expect("resets");
    let steps = (200_000 / n).max(8);
    let mut best = f64::INFINITY;
    for _ in 0..150 {
        let start = Instant::now();
        for t in 0..steps {
            batch.step(t % slots, (t + 1) % slots).expect("steps");
        }
        best = best.min(start.elapsed().as_nanos() as f64 / (steps * n) as f64);
    }
    println!(
        "{name:24} {config:40} {n:6} instances: {best:7.2} ns per env step, {:6.2} M/s",
        1e3 / best
    );
}

fn main() {
    let only = std::env::args().nth(1);
    let entries = [
        (
            "mpe/SimpleSpread-v3",
            EnvironmentEntry::of_batch::<SimpleSpread>(),
        ),
        (
            "mpe/SimpleTag-v3",
            EnvironmentEntry::of_batch::<SimpleTag>(),
        ),
        (
            "mpe/SimpleAdversary-v3",
            EnvironmentEntry::of_batch::<SimpleAdversary>(),
        ),
        (
            "mpe/SimpleSpeakerListener-v4",
            EnvironmentEntry::of_batch::<SimpleSpeakerListener>(),
        ),
        (
            "mpe/SimpleReference-v3",
            EnvironmentEntry::of_batch::<SimpleReference>(),
        ),
        (
            "mpe/SimplePush-v3",
            EnvironmentEntry::of_batch::<SimplePush>(),
        ),
        (
            "mpe/SimpleCrypto-v3",
            EnvironmentEntry::of_batch::<SimpleCrypto>(),
        ),
        (
            "mpe/SimpleWorldComm-v3",
            EnvironmentEntry::of_batch::<SimpleWorldComm>(),
        ),
        ("mpe/Pursuit-v0", EnvironmentEntry::of::<Pursuit>()),
    ];
    for (name, entry) in &entries {
        if only
            .as_ref()
            .is_some_and(|only| !name.contains(only.as_str()))
        {
            continue;
        }
        for n in [256, 8192] {
            measure(name, entry, &json!({}), n);
            if !name.contains("Pursuit") {
                measure(name, entry, &json!({"continuous_actions": true}), n);
            }
        }
    }
}
