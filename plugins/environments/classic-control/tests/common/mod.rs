//! Plays a policy through the vtable, on many instances at once.

use palaestra_plugin_api::{
    __private::EnvironmentEntry,
    abi::{NO_GROUP, id},
    client::{EnvironmentBatch, EnvironmentHandle, Key, MakeEnvironment},
    rng::{EnvRng, purpose},
    serde_json::json,
    spec::Space,
};

const INSTANCES: usize = 250;

/// What a policy sees: one instance's observation; it draws from its own generator.
pub(crate) type Policy<'a> = &'a mut dyn FnMut(&[f32], &mut EnvRng) -> f64;

/// Returns and lengths of complete episodes.
pub(crate) struct Episodes {
    pub(crate) returns: Vec<f64>,
    pub(crate) lengths: Vec<u32>,
}

impl Episodes {
    pub(crate) fn mean(&self) -> f64 {
        self.returns.iter().sum::<f64>() / self.returns.len() as f64
    }

    pub(crate) fn deviation(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.returns.iter().map(|r| (r - mean) * (r - mean)).sum();
        (squares / (self.returns.len() - 1) as f64).sqrt()
    }

    pub(crate) fn standard_error(&self) -> f64 {
        self.deviation() / (self.returns.len() as f64).sqrt()
    }
}

enum Action {
    Choice(Key<i32>),
    Real(Key<f32>),
}

/// Every instance plays `episodes / 250` episodes of `policy`; nothing that is seen may be NaN or infinite.
pub(crate) fn play(
    entry: &EnvironmentEntry,
    name: &str,
    episodes: usize,
    policy: Policy<'_>,
) -> Episodes {
    let each = episodes / INSTANCES;
    let what = MakeEnvironment {
        instances: INSTANCES,
        purpose: purpose::CHECK,
        ..MakeEnvironment::new(name)
    };
    let mut batch = EnvironmentBatch::new(&what, 1, 1, |what| {
        EnvironmentHandle::in_process(entry, what)
    })
    .unwrap();
    let slabs = batch.slabs();
    let observation = slabs.key::<f32>(id::OBSERVATION, 0).unwrap();
    let reward = slabs.key::<f32>(id::REWARD, 0).unwrap();
    let count = slabs.key::<u32>(id::ENDED_COUNT, NO_GROUP).unwrap();
    let row = slabs.key::<u32>(id::ENDED_ROW, NO_GROUP).unwrap();
    let length = slabs.key::<u32>(id::EPISODE_LENGTH, NO_GROUP).unwrap();
    let total = slabs.key::<f64>(id::EPISODE_RETURN, 0).unwrap();
    let action = match slabs.key::<i32>(id::ACTION, 0) {
        Some(key) => Action::Choice(key),
        None => Action::Real(slabs.key(id::ACTION, 0).unwrap()),
    };
    let width = batch.spec().groups[0].observation.width();

    let mut rng = EnvRng::new(1, 0, 0, purpose::CHECK);
    let mut played = vec![0; INSTANCES];
    let mut done = Episodes {
        returns: Vec::new(),
        lengths: Vec::new(),
    };
    batch.reset(&json!({}), 0).unwrap();
    while done.returns.len() < each * INSTANCES {
        let chosen: Vec<f64> = batch
            .rows(observation, 0)
            .chunks_exact(width)
            .map(|o| policy(o, &mut rng))
            .collect();
        match action {
            Action::Choice(key) => batch
                .rows_mut(key, 0)
                .iter_mut()
                .zip(&chosen)
                .for_each(|(to, &a)| *to = a as i32),
            Action::Real(key) => batch
                .rows_mut(key, 0)
                .iter_mut()
                .zip(&chosen)
                .for_each(|(to, &a)| *to = a as f32),
        }
        batch.step(0, 0).unwrap();
        let seen = batch
            .rows(observation, 0)
            .iter()
            .chain(batch.rows(reward, 0));
        assert!(
            seen.fold(0.0, |sum, x| sum + x * 0.0) == 0.0,
            "{name}: a number that is not finite"
        );
        for entry in 0..batch.rows(count, 0)[0] as usize {
            let instance = batch.rows(row, 0)[entry] as usize;
            played[instance] += 1;
            if played[instance] <= each {
                done.returns.push(batch.rows(total, 0)[entry]);
                done.lengths.push(batch.rows(length, 0)[entry]);
            }
        }
    }
    done
}

/// Uniform over the choices or within the bounds.
pub(crate) fn random(space: &Space) -> impl FnMut(&[f32], &mut EnvRng) -> f64 + use<> {
    let choices = space.choices();
    let (low, high) = space.bounds_of(0);
    move |_, rng| match choices.first() {
        Some(&n) => rng.below(n as u64) as f64,
        None => rng.range(low, high),
    }
}
