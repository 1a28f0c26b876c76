//! Random games through the vtable, many at once.
#![allow(dead_code)] // Every test file takes what it needs.

use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::{NO_GROUP, id},
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment, RandomPolicy},
    environment::Environment,
    rng::purpose,
    serde_json::{Value, json},
};

const INSTANCES: usize = 250;

/// A game that has ended.
pub(crate) struct Game {
    pub(crate) returns: Vec<f64>,
    pub(crate) length: u32,
    /// In the order of the spec.
    pub(crate) metrics: Vec<f64>,
}

/// `games` random games, as many of every instance; where players take turns exactly one acts.
pub(crate) fn random_games<E: Environment>(config: Value, games: usize) -> Vec<Game> {
    let entry = EnvironmentEntry::of::<E>();
    let what = MakeEnvironment {
        config,
        instances: INSTANCES,
        run_seed: 1,
        purpose: purpose::CHECK,
        ..MakeEnvironment::new(E::ID)
    };
    let mut batch =
        EnvironmentBatch::new(&what, 1, 1, |w| EnvironmentHandle::in_process(&entry, w)).unwrap();
    let mut random = RandomPolicy::new(batch.spec(), batch.slabs(), 1, 0);
    let slabs = batch.slabs();
    let acting = slabs.key::<u8>(id::ACTING, 0);
    let count = slabs.key::<u32>(id::ENDED_COUNT, NO_GROUP).unwrap();
    let row = slabs.key::<u32>(id::ENDED_ROW, NO_GROUP).unwrap();
    let length = slabs.key::<u32>(id::EPISODE_LENGTH, NO_GROUP).unwrap();
    let total = slabs.key::<f64>(id::EPISODE_RETURN, 0).unwrap();
    let metrics = slabs.key::<f64>(id::EPISODE_METRICS, NO_GROUP).unwrap();
    let (players, width) = (batch.spec().agents(), batch.spec().metrics.len());
    let (mut played, mut ended) = ([0; INSTANCES], Vec::new());
    batch.reset(&json!({}), 0).unwrap();
    for time in 0.. {
        if ended.len() == games {
            break;
        }
        if let Some(acting) = acting {
            let mut turns = batch.rows(acting, 0).chunks_exact(players);
            assert!(turns.all(|who| who.iter().map(|&acts| u32::from(acts)).sum::<u32>() == 1));
        }
        random.fill(&mut batch.locate(0).0, 0, time).unwrap();
        batch.step(0, 0).unwrap();
        for entry in 0..batch.rows(count, 0)[0] as usize {
            let instance = batch.rows(row, 0)[entry] as usize;
            played[instance] += 1;
            if played[instance] <= games / INSTANCES {
                ended.push(Game {
                    returns: batch.rows(total, 0)[entry * players..][..players].to_vec(),
                    length: batch.rows(length, 0)[entry],
                    metrics: batch.rows(metrics, 0)[entry * width..][..width].to_vec(),
                });
            }
        }
    }
    ended
}

/// Mean and its standard error.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let values: Vec<f64> = values.collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
    (mean, (squares / (count - 1.0) / count).sqrt())
}
