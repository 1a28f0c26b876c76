//! Plays at random through the vtable, on many instances at once.

use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::{NO_GROUP, id},
    client::{EnvironmentBatch, EnvironmentHandle, MakeEnvironment, RandomPolicy},
    environment::Environment,
    rng::purpose,
    serde_json::{Value, json},
};

const INSTANCES: usize = 250;

/// One number per episode.
pub(crate) struct Sample(pub(crate) Vec<f64>);

impl Sample {
    pub(crate) fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }
}

/// Complete episodes of every instance: returns summed over the first group, and the value of a metric.
pub(crate) fn play<E: Environment>(config: &Value, episodes: usize, metric: usize) -> [Sample; 2] {
    let each = episodes / INSTANCES;
    let entry = EnvironmentEntry::of::<E>();
    let what = MakeEnvironment {
        config: config.clone(),
        instances: INSTANCES,
        run_seed: 2,
        purpose: purpose::CHECK,
        ..MakeEnvironment::new(E::ID)
    };
    let mut batch =
        EnvironmentBatch::new(&what, 1, 1, |w| EnvironmentHandle::in_process(&entry, w)).unwrap();
    let mut random = RandomPolicy::new(batch.spec(), batch.slabs(), 2, 0);
    let slabs = batch.slabs();
    let count = slabs.key::<u32>(id::ENDED_COUNT, NO_GROUP).unwrap();
    let row = slabs.key::<u32>(id::ENDED_ROW, NO_GROUP).unwrap();
    let total = slabs.key::<f64>(id::EPISODE_RETURN, 0).unwrap();
    let metrics = slabs.key::<f64>(id::EPISODE_METRICS, NO_GROUP).unwrap();
    let observations: Vec<_> = (0..batch.spec().groups.len())
        .map(|group| slabs.key::<f32>(id::OBSERVATION, group as u32).unwrap())
        .collect();
    let (agents, width) = (batch.spec().groups[0].agents, batch.spec().metrics.len());
    let mut played = [0; INSTANCES];
    let mut samples = [Sample(Vec::new()), Sample(Vec::new())];
    batch.reset(&json!({}), 0).unwrap();
    let mut time = 0;
    while samples[0].0.len() < each * INSTANCES {
        random.fill(&mut batch.locate(0).0, 0, time).unwrap();
        time += 1;
        batch.step(0, 0).unwrap();
        for &key in &observations {
            let finite = batch.rows(key, 0).iter().all(|x| x.is_finite());
            assert!(finite, "{}: a number that is not finite", E::ID);
        }
        for entry in 0..batch.rows(count, 0)[0] as usize {
            let instance = batch.rows(row, 0)[entry] as usize;
            played[instance] += 1;
            if played[instance] <= each {
                let returns = &batch.rows(total, 0)[entry * agents..(entry + 1) * agents];
                samples[0].0.push(returns.iter().sum());
                samples[1]
                    .0
                    .push(batch.rows(metrics, 0)[entry * width + metric]);
            }
        }
    }
    samples
}
