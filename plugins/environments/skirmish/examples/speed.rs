//! Nanoseconds per environment step and per agent through the in-process vtable, random actions that the masks
//! allow, one thread.
//!
//! `cargo run --release -p skirmish --example speed [instances]`

use std::time::{Duration, Instant};

use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment, RandomPolicy},
    environment::Environment,
    serde_json::json,
};
use skirmish::Battle;

/// Steps of all instances in a measurement.
const STEPS: u64 = 400;
/// Measurements, of which the best counts.
const ROUNDS: u64 = 6;

fn measure(scenario: &str, instances: usize) {
    let entry = EnvironmentEntry::of::<Battle>();
    let what = MakeEnvironment {
        instances,
        config: json!({"scenario": scenario}),
        ..MakeEnvironment::new(Battle::ID)
    };
    let make = |what: &MakeEnvironment| EnvironmentHandle::in_process(&entry, what);
    let mut batch = EnvironmentBatch::new(&what, 1, 1, make).expect("makes");
    let mut policy = RandomPolicy::new(batch.spec(), batch.slabs(), 0, 0);
    batch.reset(&json!({}), 0).expect("resets");
    let agents = batch.spec().agents();
    let (mut best, mut best_played) = (f64::INFINITY, f64::INFINITY);
    for round in 0..ROUNDS {
        let (mut stepping, start) = (Duration::ZERO, Instant::now());
        for step in 0..STEPS {
            let time = round * STEPS + step;
            policy.fill(&mut batch.locate(0).0, 0, time).expect("fills");
            let before = Instant::now();
            batch.step(0, 0).expect("steps");
            stepping += before.elapsed();
        }
        let each = |time: Duration| time.as_nanos() as f64 / (STEPS * instances as u64) as f64;
        best = best.min(each(stepping));
        best_played = best_played.min(each(start.elapsed()));
    }
    println!(
        "{scenario:12} {best:>9.1} ns a step {:>8.2} M/s {:>8.2} ns an agent; with the policy {:>8.2} M/s",
        1e3 / best,
        best / agents as f64,
        1e3 / best_played
    );
}

fn main() {
    let instances = std::env::args()
        .nth(1)
        .map_or(256, |n| n.parse().expect("a number of instances"));
    for scenario in ["3m", "8m", "5m_vs_6m", "2s3z", "27m_vs_30m"] {
        measure(scenario, instances);
    }
}
