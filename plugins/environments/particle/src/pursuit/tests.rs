use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::{NO_GROUP, id},
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment},
    environment::Environment,
    rng::EnvRng,
    serde_json::{Value, json},
    testing::{Subject, baseline::assert_beats_random},
};

use super::Pursuit;

fn arena(config: Value, init: Option<Value>) -> EnvironmentBatch {
    let entry = EnvironmentEntry::of::<Pursuit>();
    let what = MakeEnvironment {
        config,
        ..MakeEnvironment::new(Pursuit::ID)
    };
    let make = |what: &MakeEnvironment| EnvironmentHandle::in_process(&entry, what);
    let mut batch = EnvironmentBatch::new(&what, 1, 1, make).unwrap();
    let options = init.map_or(json!({}), |places| json!({"init": {"agent_pos": places}}));
    batch.reset(&options, 0).unwrap();
    batch
}

fn step(
    arena: &mut EnvironmentBatch,
    pursuer: [f64; 2],
    evader: [f64; 2],
) -> (Vec<Vec<f64>>, Value, bool) {
    let actions = [vec![pursuer.to_vec()], vec![evader.to_vec()]];
    let step = arena.locate(0).0.step_exact(&actions, 0).unwrap();
    (step.rewards, step.state, step.terminated)
}

#[test]
fn both_move_by_their_speed_and_stop_at_the_walls() {
    let mut arena = arena(json!({}), Some(json!([[1, 1], [9.7, 1]])));
    let (rewards, state, terminated) = step(&mut arena, [0.5, 0.0], [1.0, 1.0]);
    let diagonal = 0.6 / 2f64.sqrt();
    assert_eq!(state["pos"], json!([[1.4, 1.0], [10.0, 1.0 + diagonal]]));
    let apart = (8.6f64 * 8.6 + diagonal * diagonal).sqrt();
    assert!((rewards[0][0] + apart / 10.0).abs() < 1e-12);
    assert!((rewards[1][0] - apart / 10.0).abs() < 1e-12);
    assert!(!terminated);
}

#[test]
fn who_comes_nearer_than_the_catch_distance_ends_the_pursuit() {
    let mut arena = arena(json!({}), Some(json!([[5, 5], [6.2, 5]])));
    let (rewards, _, terminated) = step(&mut arena, [1.0, 0.0], [0.0, 0.0]);
    assert!(terminated);
    assert!((rewards[0][0] + 0.04).abs() < 1e-12);
    let metrics = arena
        .slabs()
        .key::<f64>(id::EPISODE_METRICS, NO_GROUP)
        .unwrap();
    assert_eq!(arena.rows(metrics, 0)[0], 1.0);
}

#[test]
fn observations_are_relative_and_in_units_of_the_arena() {
    let arena = arena(
        json!({"num_pursuers": 2}),
        Some(json!([[0, 0], [5, 0], [10, 10]])),
    );
    let rows = |group| arena.rows(arena.slabs().key::<f32>(id::OBSERVATION, group).unwrap(), 0);
    let second = [0.5, 0.0, 0.5, 1.0, -0.5, 0.0];
    assert_eq!(rows(0), [[0.0, 0.0, 1.0, 1.0, 0.5, 0.0], second].concat());
    assert_eq!(rows(1), [1.0, 1.0, -1.0, -1.0, -0.5, -1.0]);
}

#[test]
fn straight_pursuit_catches_every_straight_flight() {
    let mut rng = EnvRng::new(3, 0, 0, 9);
    for _ in 0..50 {
        let mut arena = arena(json!({}), None);
        let flight = [rng.range(-1.0, 1.0), rng.range(-1.0, 1.0)];
        let caught = (0..99).any(|_| {
            let state = arena.locate(0).0.inspect(0).unwrap();
            let at = |agent: usize, axis: usize| state["pos"][agent][axis].as_f64().unwrap();
            let chase = [0, 1].map(|axis| at(1, axis) - at(0, axis));
            step(&mut arena, chase, flight).2
        });
        assert!(caught);
    }
}

#[test]
fn a_start_outside_the_arena_is_refused() {
    let mut arena = arena(json!({}), None);
    let refused = arena
        .reset(&json!({"init": {"agent_pos": [[0, 0], [0, 11]]}}), 0)
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("init /agent_pos: expected 0 ≤ x ≤ 10, found 11"),
        "{refused}"
    );
}

/// Against a random other side. A pursuer that runs straight catches every random evader.
#[test]
fn a_scripted_pursuer_and_a_scripted_evader_beat_chance() {
    let subject = Subject::of::<Pursuit>(json!({}));
    for (group, margin) in [(0, 20.0), (1, 5.0)] {
        assert_beats_random(&subject, 200, margin, |g, _| g == group, |p| p.group(group));
    }
    let [_, caught] = assert_beats_random(&subject, 200, 0.2, |g, _| g == 0, |p| p.metrics[0]);
    assert_eq!(caught, 1.0);
}

/// Who runs to where the evader was stays as far behind as the evader runs in a step, for ever.
#[test]
fn scripted_pursuers_catch_scripted_evaders() {
    let subject = Subject::of::<Pursuit>(json!({}));
    let [_, caught] = assert_beats_random(&subject, 200, 0.2, |_, _| true, |p| p.metrics[0]);
    assert!(caught > 0.95, "{caught}");
}

#[test]
fn a_pursuer_on_the_evader_has_nowhere_to_run() {
    let config = json!({"catch_distance": 0.0});
    let mut arena = arena(config, Some(json!([[5, 5], [5, 5]])));
    let scripted = arena.locate(0).0.scripted(0).unwrap();
    assert_eq!(scripted[0], [[0.0, 0.0]]);
}
