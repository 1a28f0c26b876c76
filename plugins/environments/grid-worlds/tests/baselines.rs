//! Random and fixed policies earn what they earn in the reference implementations.

use grid_worlds::{Foraging, TrafficJunction, Warehouse};
use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::{NO_GROUP, id},
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment, RandomPolicy},
    environment::Environment,
    rng::purpose,
    serde_json::{Value, json},
    testing::replay::reference_folder,
};

const INSTANCES: usize = 250;

/// How actions are chosen.
#[derive(Clone, Copy, PartialEq)]
enum Policy {
    Random,
    /// Always choice 0.
    Zero,
}

/// One number per episode.
struct Sample(Vec<f64>);

impl Sample {
    fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    fn deviation(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.0.iter().map(|x| (x - mean) * (x - mean)).sum();
        (squares / (self.0.len() - 1) as f64).sqrt()
    }
}

/// Complete episodes of every instance: returns summed over agents, and the value of a metric.
fn play<E: Environment>(config: &Value, policy: Policy, episodes: usize, metric: usize) -> [Sample; 2] {
    let each = episodes / INSTANCES;
    let entry = EnvironmentEntry::of::<E>();
    let what = MakeEnvironment {
        config: config.clone(),
        instances: INSTANCES,
        run_seed: 2,
        purpose: purpose::CHECK,
        ..MakeEnvironment::new(E::ID)
    };
    let mut batch = EnvironmentBatch::new(&what, 1, 1, |w| EnvironmentHandle::in_process(&entry, w)).unwrap();
    let mut random = RandomPolicy::new(batch.spec(), batch.slabs(), 2, 0);
    let slabs = batch.slabs();
    let count = slabs.key::<u32>(id::ENDED_COUNT, NO_GROUP).unwrap();
    let row = slabs.key::<u32>(id::ENDED_ROW, NO_GROUP).unwrap();
    let total = slabs.key::<f64>(id::EPISODE_RETURN, 0).unwrap();
    let metrics = slabs.key::<f64>(id::EPISODE_METRICS, NO_GROUP).unwrap();
    let (agents, width) = (batch.spec().agents(), batch.spec().metrics.len());
    let mut played = [0; INSTANCES];
    let mut samples = [Sample(Vec::new()), Sample(Vec::new())];
    batch.reset(&json!({}), 0).unwrap();
    let mut time = 0;
    while samples[0].0.len() < each * INSTANCES {
        // The action slab holds zeros until somebody writes it.
        if policy == Policy::Random {
            random.fill(&mut batch.locate(0).0, 0, time).unwrap();
        }
        time += 1;
        batch.step(0, 0).unwrap();
        for entry in 0..batch.rows(count, 0)[0] as usize {
            let instance = batch.rows(row, 0)[entry] as usize;
            played[instance] += 1;
            if played[instance] <= each {
                let returns = &batch.rows(total, 0)[entry * agents..(entry + 1) * agents];
                samples[0].0.push(returns.iter().sum());
                samples[1].0.push(batch.rows(metrics, 0)[entry * width + metric]);
            }
        }
    }
    samples
}

/// Episodes, mean, standard deviation and notes of a row of the table.
fn baseline(environment: &str, policy: &str) -> (f64, f64, f64, String) {
    let path = reference_folder(env!("CARGO_MANIFEST_DIR")).join("tables/baselines_other.csv");
    let table = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let start = format!("{environment},");
    let row = table.lines().filter_map(|line| line.strip_prefix(&start));
    let row = row.map(|rest| rest.trim_start_matches('"')).find_map(|rest| rest.strip_prefix(policy));
    let rest = row.unwrap_or_else(|| panic!("{environment}, {policy}: no such row")).trim_start_matches(['"', ',']);
    let fields: Vec<&str> = rest.splitn(4, ',').collect();
    let number = |i: usize| fields[i].parse().unwrap();
    (number(0), number(1), number(2), fields[3].to_owned())
}

/// Whether a mean is within two standard errors of the difference to one measured elsewhere.
fn assert_near(what: &str, sample: &Sample, episodes: f64, mean: f64, deviation: f64) {
    let error = deviation * (1.0 / episodes + 1.0 / sample.0.len() as f64).sqrt();
    println!("{what}: {:.4}, elsewhere {mean} ± {error:.4}", sample.mean());
    assert!((sample.mean() - mean).abs() <= 2.0 * error, "{what}: {} against {mean} ± {error}", sample.mean());
}

#[test]
fn golden_returns_of_random_foraging() {
    let of = |side: u32, players: usize, foods: usize| json!({"field_size": [side, side], "players": players, "max_num_food": foods});
    let with = |mut config: Value, more: &[(&str, Value)]| {
        more.iter().for_each(|(name, value)| config[name] = value.clone());
        config
    };
    let coop = ("force_coop", json!(true));
    for (name, config) in [
        ("Foraging-5x5-2p-1f-v3", of(5, 2, 1)),
        ("Foraging-8x8-2p-2f-coop-v3", with(of(8, 2, 2), &[coop.clone()])),
        ("Foraging-2s-8x8-2p-2f-coop-v3", with(of(8, 2, 2), &[coop, ("sight", json!(2))])),
        ("Foraging-8x8-2p-3f-v3", of(8, 2, 3)),
        ("Foraging-10x10-3p-3f-v3", of(10, 3, 3)),
        ("Foraging-15x15-4p-3f-v3", of(15, 4, 3)),
    ] {
        let (episodes, mean, deviation, _) = baseline(name, "random (sum over agents)");
        let [returns, _] = play::<Foraging>(&config, Policy::Random, 10_000, 0);
        assert_near(name, &returns, episodes, mean, deviation);
        assert!(returns.0.iter().all(|&total| (0.0..=1.0 + 1e-9).contains(&total)), "{name}: at most 1 in all");
    }
}

#[test]
fn golden_returns_of_random_warehouses() {
    for (name, config) in [
        ("rware-tiny-2ag-v2", json!({})),
        ("rware-tiny-4ag-v2", json!({"num_agents": 4})),
        ("rware-small-4ag-v2", json!({"size": "small", "num_agents": 4})),
    ] {
        let (episodes, mean, deviation, _) = baseline(name, "random (sum over agents, 500 steps)");
        let [returns, deliveries] = play::<Warehouse>(&config, Policy::Random, 2_000, 0);
        assert_near(name, &returns, episodes, mean, deviation);
        assert_eq!(returns.0, deliveries.0, "{name}: 1 for each delivery");
    }
}

/// Success rates, and rewards summed over cars, whose deviation the table does not have: ours stands in.
#[test]
fn golden_success_at_the_traffic_junction() {
    for (difficulty, rate) in [("easy", 0.3), ("easy", 0.1), ("medium", 0.2), ("medium", 0.05), ("hard", 0.05), ("hard", 0.02)] {
        for (policy, row) in [(Policy::Zero, "always gas success rate"), (Policy::Random, "random success rate")] {
            let name = format!("IC3Net TJ {difficulty} add_rate {rate}");
            let (episodes, mean, deviation, notes) = baseline(&name, row);
            let config = json!({"difficulty": difficulty, "add_rate": rate, "vision": 0});
            let [returns, success] = play::<TrafficJunction>(&config, policy, 5_000, 0);
            let what = format!("{name} {row}");
            // Where nobody ever succeeded the table's deviation is 0; ours is not.
            assert_near(&what, &success, episodes, mean, deviation.max(success.deviation()));
            let total: f64 = notes.trim_start_matches("mean total reward ").parse().unwrap();
            assert_near(&format!("{name} {row}: total reward"), &returns, episodes, total, returns.deviation());
        }
    }
}
