//! Nanoseconds per environment step and per agent through the in-process vtable, random actions, one thread.
//!
//! `cargo run --release -p grid-worlds --example speed [instances]`

use std::time::Instant;

use grid_worlds::{
    Checkers, CooperativeMeeting, Doorway, Foraging, PredatorPrey, Switch, SwitchRiddle,
    TrafficJunction, TrafficJunctionMaGym, Warehouse,
};
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
    measure::<Foraging>(json!({}), instances);
    measure::<Foraging>(
        json!({"field_size": [15, 15], "players": 4, "max_num_food": 3}),
        instances,
    );
    measure::<Foraging>(json!({"grid_observation": true, "sight": 2}), instances);
    measure::<Warehouse>(json!({}), instances);
    measure::<Warehouse>(json!({"size": "small", "num_agents": 4}), instances);
    for difficulty in ["easy", "medium", "hard"] {
        measure::<TrafficJunction>(json!({"difficulty": difficulty}), instances);
    }
    measure::<TrafficJunctionMaGym>(json!({}), instances);
    measure::<Switch>(json!({}), instances);
    measure::<Checkers>(json!({}), instances);
    measure::<SwitchRiddle>(json!({}), instances);
    measure::<PredatorPrey>(json!({}), instances);
    measure::<CooperativeMeeting>(json!({}), instances);
    measure::<Doorway>(json!({}), instances);
    println!("10 and 100 agents, where what happens is local:");
    let instances = instances.min(64);
    for agents in [10, 100] {
        measure::<Warehouse>(
            json!({"size": "large", "num_agents": agents, "request_queue_size": 10}),
            instances,
        );
        let field = json!({"field_size": [30, 30], "players": agents, "max_num_food": 10, "grid_observation": true, "sight": 2});
        measure::<Foraging>(field, instances);
        let local =
            json!({"field_size": [30, 30], "num_predators": agents, "observation": "local"});
        measure::<PredatorPrey>(local, instances);
        measure::<TrafficJunction>(
            json!({"difficulty": "hard", "num_cars": agents, "add_rate": 1.0, "vision": 0}),
            instances,
        );
    }
}
