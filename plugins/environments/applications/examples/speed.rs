//! Nanoseconds per environment step and per agent through the in-process vtable, random actions, one thread.
//!
//! `cargo run --release -p applications --example speed [instances]`

use std::time::Instant;

use applications::{LinearTeam, ResourceAllocation, SmartGrid, Swarm};
use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment, RandomPolicy},
    environment::Environment,
    serde_json::{Value, json},
};

/// Action slots that are filled once and then played in turn.
const SLOTS: usize = 64;

fn measure<E: Environment>(config: Value, instances: usize) {
    let entry = EnvironmentEntry::of::<E>();
    let what = MakeEnvironment {
        instances,
        config: config.clone(),
        ..MakeEnvironment::new(E::ID)
    };
    let make = |what: &MakeEnvironment| EnvironmentHandle::in_process(&entry, what);
    let mut batch = EnvironmentBatch::new(&what, 1, SLOTS, make).expect("makes");
    let mut policy = RandomPolicy::new(batch.spec(), batch.slabs(), 0, 0);
    batch.reset(&json!({}), 0).expect("resets");
    for slot in 0..SLOTS {
        policy
            .fill(&mut batch.locate(0).0, slot, slot as u64)
            .expect("fills");
    }
    let agents = batch.spec().agents();
    let mut best = f64::INFINITY;
    let mut rounds = 1;
    for _ in 0..6 {
        let start = Instant::now();
        for _ in 0..rounds {
            for t in 0..SLOTS {
                batch.step(t, (t + 1) % SLOTS).expect("steps");
            }
        }
        let steps = (rounds * SLOTS * instances) as f64;
        let elapsed = start.elapsed().as_nanos() as f64;
        best = best.min(elapsed / steps);
        // About a tenth of a second a measurement.
        rounds = ((1e8 / elapsed * rounds as f64) as usize).clamp(1, 1000);
    }
    let per_agent = best / agents as f64;
    println!(
        "{:30} {:>9.1} ns a step {:>8.2} M/s {per_agent:>8.2} ns an agent  {config}",
        E::ID,
        best,
        1e3 / best
    );
}

fn main() {
    let instances = std::env::args()
        .nth(1)
        .map_or(256, |n| n.parse().expect("a number of instances"));
    measure::<ResourceAllocation>(json!({}), instances);
    measure::<LinearTeam>(json!({}), instances);
    measure::<SmartGrid>(json!({}), instances);
    println!("10 and 100 robots, at the same density:");
    for task in ["coverage", "formation", "search"] {
        let side = 10.0 * 10f64.sqrt();
        let points = if task == "coverage" { 63 } else { 1 };
        measure::<Swarm>(json!({"task": task}), instances);
        let large = json!({"task": task, "num_robots": 100, "size": side, "num_targets": 50, "points_per_side": points});
        measure::<Swarm>(large, instances.min(64));
    }
}
