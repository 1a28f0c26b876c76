//! Random games through the vtable, many at once.

use serde_json::json;

use super::{
    Subject,
    baseline::{Played, ended},
};
use crate::{
    abi::id,
    client::{EnvironmentBatch, Key, MakeEnvironment, RandomPolicy},
    rng::purpose,
};

/// Instances that play at the same time.
const INSTANCES: usize = 250;
/// Of the environment and of the policy.
const SEED: u64 = 1;

/// The first `games` random games of 250 instances, as many of each. Observations must be finite; where the players of
/// one group take turns exactly one must act.
///
/// # Panics
/// When it is otherwise, or a game cannot be played; also unless `games` is a multiple of 250.
pub fn random_games(subject: &Subject<'_>, games: usize) -> Vec<Played> {
    assert!(
        games.is_multiple_of(INSTANCES),
        "games: expected a multiple of {INSTANCES}, found {games}"
    );
    let mut table = Table::new(subject);
    let (mut played, mut ends) = ([0; INSTANCES], Vec::with_capacity(games));
    while ends.len() < games {
        table.check(&subject.id);
        table.step(&subject.id);
        for (instance, end) in ended(&table.batch) {
            played[instance] += 1;
            if played[instance] <= games / INSTANCES {
                ends.push(end);
            }
        }
    }
    ends
}

/// Instances that random players play.
pub(super) struct Table {
    pub(super) batch: EnvironmentBatch,
    random: RandomPolicy,
    time: u64,
    /// Who acts, where players take turns.
    acting: Option<Key<u8>>,
    observations: Vec<Key<f32>>,
}

impl Table {
    pub(super) fn new(subject: &Subject<'_>) -> Self {
        let what = MakeEnvironment {
            instances: INSTANCES,
            purpose: purpose::CHECK,
            ..subject.request(SEED)
        };
        let made = EnvironmentBatch::new(&what, 1, 1, |part| subject.make(part));
        let started = made.and_then(|mut batch| batch.reset(&json!({}), 0).map(|()| batch));
        let batch = started.unwrap_or_else(|e| panic!("{}: {e}", subject.id));
        let (spec, slabs) = (batch.spec(), batch.slabs());
        let groups = spec.groups.len() as u32;
        let turns = spec.flags.turn_based && groups == 1;
        Self {
            random: RandomPolicy::new(spec, slabs, SEED, 0),
            time: 0,
            acting: turns.then(|| slabs.key(id::ACTING, 0)).flatten(),
            observations: (0..groups)
                .filter_map(|group| slabs.key(id::OBSERVATION, group))
                .collect(),
            batch,
        }
    }

    /// Random actions and a step of all instances.
    pub(super) fn step(&mut self, name: &str) {
        let batch = &mut self.batch;
        let filled = self.random.fill(&mut batch.locate(0).0, 0, self.time);
        filled
            .and_then(|()| batch.step(0, 0))
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        self.time += 1;
    }

    fn check(&self, name: &str) {
        for &key in &self.observations {
            // Whatever is not finite makes the sum no number.
            let sum = self
                .batch
                .rows(key, 0)
                .iter()
                .fold(0.0, |sum, x| sum + x * 0.0);
            assert_eq!(sum, 0.0, "{name}: expected finite observations");
        }
        if let Some(key) = self.acting {
            let rows = self.batch.rows(key, 0);
            let acts = |who: &[u8]| who.iter().filter(|&&acts| acts != 0).count();
            let one = rows
                .chunks_exact(rows.len() / INSTANCES)
                .all(|who| acts(who) == 1);
            assert!(one, "{name}: expected one player to act");
        }
    }
}
