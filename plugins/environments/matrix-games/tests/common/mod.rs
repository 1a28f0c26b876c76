//! Plays games through the vtable.

#![allow(dead_code)] // each test file uses its part

use matrix_games::{MatrixGame, Preset};
use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::{NO_GROUP, id},
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment},
    serde_json::{Value, json},
};

/// Games of one preset, reset.
pub(crate) fn batch<P: Preset>(config: Value, instances: usize) -> EnvironmentBatch {
    let entry = EnvironmentEntry::of_batch::<MatrixGame<P>>();
    let what = MakeEnvironment {
        config,
        instances,
        ..MakeEnvironment::new(P::ID)
    };
    let mut batch = EnvironmentBatch::new(&what, 1, 1, |what| {
        EnvironmentHandle::in_process(&entry, what)
    })
    .unwrap();
    batch.reset(&json!({}), 0).unwrap();
    batch
}

/// The message with which settings are refused.
pub(crate) fn refusal<P: Preset>(config: Value) -> String {
    let entry = EnvironmentEntry::of_batch::<MatrixGame<P>>();
    let what = MakeEnvironment {
        config,
        ..MakeEnvironment::new(P::ID)
    };
    EnvironmentHandle::in_process(&entry, &what)
        .err()
        .unwrap()
        .message
}

/// Finished episodes.
#[derive(Default)]
pub(crate) struct Episodes {
    /// Returns `[episode][player]`.
    pub(crate) returns: Vec<Vec<f64>>,
    pub(crate) lengths: Vec<u32>,
    /// Values of the metrics `[episode][metric]`.
    pub(crate) metrics: Vec<Vec<f64>>,
}

/// Plays until each of the instances has finished `each` episodes; `act` fills the actions. Nothing that is seen
/// or paid may be infinite or no number.
pub(crate) fn play(
    batch: &mut EnvironmentBatch,
    each: u32,
    mut act: impl FnMut(&mut EnvironmentBatch, u64),
) -> Episodes {
    let slabs = batch.slabs();
    let observation = slabs.key::<f32>(id::OBSERVATION, 0).unwrap();
    let reward = slabs.key::<f32>(id::REWARD, 0).unwrap();
    let count = slabs.key::<u32>(id::ENDED_COUNT, NO_GROUP).unwrap();
    let row = slabs.key::<u32>(id::ENDED_ROW, NO_GROUP).unwrap();
    let length = slabs.key::<u32>(id::EPISODE_LENGTH, NO_GROUP).unwrap();
    let total = slabs.key::<f64>(id::EPISODE_RETURN, 0).unwrap();
    let metric = slabs.key::<f64>(id::EPISODE_METRICS, NO_GROUP).unwrap();
    let (instances, players) = (slabs.instances(), batch.spec().agents());
    let metrics = batch.spec().metrics.len();
    let (mut played, mut all) = (vec![0; instances], Episodes::default());
    let mut time = 0;
    while all.lengths.len() < instances * each as usize {
        act(batch, time);
        batch.step(0, 0).unwrap();
        time += 1;
        let seen = batch.rows(observation, 0).iter();
        assert!(seen.chain(batch.rows(reward, 0)).all(|x| x.is_finite()));
        for entry in 0..batch.rows(count, 0)[0] as usize {
            let instance = batch.rows(row, 0)[entry] as usize;
            played[instance] += 1;
            if played[instance] <= each {
                let own = &batch.rows(total, 0)[entry * players..(entry + 1) * players];
                all.returns.push(own.to_vec());
                all.lengths.push(batch.rows(length, 0)[entry]);
                let own = &batch.rows(metric, 0)[entry * metrics..(entry + 1) * metrics];
                all.metrics.push(own.to_vec());
            }
        }
    }
    all
}

/// Always the same joint action.
pub(crate) fn constant(joint: &[i32]) -> impl FnMut(&mut EnvironmentBatch, u64) {
    move |batch, _| {
        let action = batch.slabs().key::<i32>(id::ACTION, 0).unwrap();
        for row in batch.rows_mut(action, 0).chunks_exact_mut(joint.len()) {
            row.copy_from_slice(joint);
        }
    }
}
