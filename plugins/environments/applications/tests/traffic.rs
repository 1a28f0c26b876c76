//! Highway and intersection: the contract under many settings, the curriculum, and careful drivers, who do far better
//! than chance.

use std::time::Instant;

use applications::{Highway, Intersection};
use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::{NO_GROUP, id},
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment, RandomPolicy},
    environment::Environment,
    serde_json::{Value, json},
    testing::{
        Subject, assert_conforms,
        baseline::{Played, assert_beats_random, mean_and_error, play},
    },
};

fn highway(config: Value) -> Subject<'static> {
    Subject::of::<Highway>(config)
}

fn intersection(config: Value) -> Subject<'static> {
    Subject::of::<Intersection>(config)
}

/// Mean of a metric over episodes of the scripted baseline.
fn scripted(subject: &Subject<'_>, metric: usize) -> f64 {
    let played = play(subject, 100, 3, |_, _| true).unwrap();
    mean_and_error(&played, |episode| episode.metrics[metric])[0]
}

#[test]
fn highway_keeps_the_contract() {
    assert_conforms(&highway(json!({})));
    assert_conforms(&highway(
        json!({"num_vehicles": 40, "density": 60.0, "control": "continuous"}),
    ));
    assert_conforms(&highway(
        json!({"scenario": "merge", "num_lanes": 1, "ramp_share": 0.5}),
    ));
    assert_conforms(&highway(
        json!({"scenario": "platoon", "platoon_size": 3, "leader_period": 2.0}),
    ));
    assert_conforms(&highway(json!({"num_vehicles": 1, "num_lanes": 1})));
    // Ways longer than the ring, and nobody who weighs anything.
    assert_conforms(&highway(
        json!({"density": 100.0, "max_speed": 100.0, "time_step": 1.0, "num_lanes": 1, "num_vehicles": 2}),
    ));
}

#[test]
fn intersection_keeps_the_contract() {
    assert_conforms(&intersection(json!({})));
    assert_conforms(&intersection(
        json!({"max_vehicles": 20, "control": "continuous"}),
    ));
    assert_conforms(&intersection(
        json!({"num_vehicles": 20, "num_neighbors": 19}),
    ));
    assert_conforms(&intersection(json!({"num_vehicles": 1})));
}

/// Return per vehicle, and then who collides.
#[test]
fn careful_drivers_do_far_better_than_chance_on_the_highway() {
    let each = |played: &Played| played.group(0) / 10.0;
    for scenario in ["cruise", "merge", "platoon"] {
        for control in ["discrete", "continuous"] {
            let subject = highway(json!({"scenario": scenario, "control": control}));
            let [chance, careful] = assert_beats_random(&subject, 60, 20.0, |_, _| true, each);
            println!("highway {scenario} {control}: random {chance:.2}, scripted {careful:.2}");
            assert_eq!(
                scripted(&subject, 0),
                0.0,
                "{scenario} {control}: collisions"
            );
        }
    }
    // All ten reach the end of the road.
    assert_eq!(scripted(&highway(json!({"scenario": "merge"})), 1), 10.0);
}

#[test]
fn first_come_first_served_clears_the_crossing() {
    for vehicles in [2, 4, 8, 20] {
        for control in ["discrete", "continuous"] {
            let subject = intersection(json!({"num_vehicles": vehicles, "control": control}));
            let each = |played: &Played| played.group(0) / f64::from(vehicles);
            let [chance, careful] = assert_beats_random(&subject, 60, 5.0, |_, _| true, each);
            println!(
                "intersection {vehicles} {control}: random {chance:.2}, scripted {careful:.2}"
            );
            assert_eq!(
                scripted(&subject, 2),
                1.0,
                "{vehicles} {control}: all clear"
            );
        }
    }
}

/// Highways on which everybody keeps its speed and nobody collides, 2,000 vehicles in all.
fn cruising(vehicles: usize) -> EnvironmentBatch {
    let entry = EnvironmentEntry::of::<Highway>();
    let what = MakeEnvironment {
        config: json!({
            "num_vehicles": vehicles, "density": 10.0, "speed_spread": 0.0, "max_episode_steps": 40,
        }),
        instances: 2_000 / vehicles,
        ..MakeEnvironment::new(Highway::ID)
    };
    let mut batch =
        EnvironmentBatch::new(&what, 1, 1, |w| EnvironmentHandle::in_process(&entry, w)).unwrap();
    batch.reset(&json!({}), 0).unwrap();
    batch
}

/// Sensing is local: a vehicle costs the same whether ten or a hundred are on the road. Least times of rounds in turn.
#[test]
fn a_vehicle_costs_no_more_among_many() {
    let mut roads = [10, 100].map(cruising);
    let mut least = [f64::INFINITY; 2];
    for _ in 0..20 {
        for (batch, least) in roads.iter_mut().zip(&mut least) {
            let start = Instant::now();
            for _ in 0..39 {
                batch.step(0, 0).unwrap();
            }
            *least = least.min(start.elapsed().as_secs_f64() / (39.0 * 2_000.0));
            let alive = batch.slabs().key::<u8>(id::ALIVE, 0).unwrap();
            assert!(batch.rows(alive, 0).iter().all(|&alive| alive != 0));
            batch.step(0, 0).unwrap();
        }
    }
    let [few, many] = least.map(|seconds| 1e9 * seconds);
    println!("highway: {few:.1} ns a vehicle of 10, {many:.1} ns of 100");
    assert!(many < 2.0 * few, "{few} ns of 10, {many} ns of 100");
}

/// The number of vehicles changes at the next reset, for the instances that are asked, and stays.
#[test]
fn a_curriculum_changes_the_number_of_vehicles() {
    let entry = EnvironmentEntry::of::<Intersection>();
    let what = MakeEnvironment {
        config: json!({"num_vehicles": 2, "max_vehicles": 20, "max_episode_steps": 5}),
        instances: 2,
        ..MakeEnvironment::new(Intersection::ID)
    };
    let mut batch =
        EnvironmentBatch::new(&what, 1, 1, |w| EnvironmentHandle::in_process(&entry, w)).unwrap();
    let alive = batch.slabs().key::<u8>(id::ALIVE, 0).unwrap();
    let first = batch.slabs().key::<u8>(id::FIRST, NO_GROUP).unwrap();
    let mut random = RandomPolicy::new(batch.spec(), batch.slabs(), 0, 0);
    let counts = |batch: &EnvironmentBatch| -> Vec<usize> {
        let rows = batch.rows(alive, 0).chunks_exact(20);
        rows.map(|row| row.iter().filter(|&&alive| alive != 0).count())
            .collect()
    };
    batch.reset(&json!({}), 0).unwrap();
    assert_eq!(counts(&batch), [2, 2]);
    let (mut shard, _) = batch.locate(0);
    shard
        .set_options(Some(&[0, 1]), &json!({"vehicles": 20}))
        .unwrap();
    assert_eq!(counts(&batch), [2, 2]);
    for time in 0..10 {
        random.fill(&mut batch.locate(0).0, 0, time).unwrap();
        batch.step(0, 0).unwrap();
        if batch.rows(first, 0) == [1, 1] {
            assert_eq!(counts(&batch), [2, 20]);
        }
    }
    batch
        .reset(&json!({"options": {"vehicles": 3}}), 0)
        .unwrap();
    assert_eq!(counts(&batch), [3, 3]);
    let error = batch.reset(&json!({"options": {"vehicles": 21}}), 0);
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("expected 1 ≤ x ≤ 20, found 21")
    );
}
