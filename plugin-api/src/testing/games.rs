//! Games through the vtable, many at once: random ones, and those of any policy.

use serde_json::json;

use super::{
    Subject,
    baseline::{Played, ended},
};
use crate::{
    abi::{NO_GROUP, id},
    client::{EnvironmentBatch, Key, MakeEnvironment, RandomPolicy},
    error::Result,
    rng::purpose,
};

/// Instances that play at the same time.
const INSTANCES: usize = 250;
/// Of the environment and of the policy.
const SEED: u64 = 1;

/// The first `games` games of 250 instances, as many of each. Before every step `act` fills the actions at slot 0; it
/// is given the number of the step, and finds zeros at the first. Observations, states, rewards and metrics must be
/// finite; where the players of one group take turns exactly one must act.
///
/// # Panics
/// When it is otherwise, or a game cannot be played; also unless `games` is a multiple of 250.
pub fn games(
    subject: &Subject<'_>,
    games: usize,
    act: impl FnMut(&mut EnvironmentBatch, u64) -> Result<()>,
) -> Vec<Played> {
    collect(Table::new(subject), games, act)
}

/// [`games`] of agents that act at random.
///
/// # Panics
/// As [`games`] does.
pub fn random_games(subject: &Subject<'_>, games: usize) -> Vec<Played> {
    let table = Table::new(subject);
    let act = table.random();
    collect(table, games, act)
}

fn collect(
    mut table: Table<'_>,
    games: usize,
    mut act: impl FnMut(&mut EnvironmentBatch, u64) -> Result<()>,
) -> Vec<Played> {
    assert!(
        games.is_multiple_of(INSTANCES),
        "games: expected a multiple of {INSTANCES}, found {games}"
    );
    let (mut played, mut ends) = ([0; INSTANCES], Vec::with_capacity(games));
    while ends.len() < games {
        table.step(&mut act);
        for (instance, end) in ended(&table.batch) {
            played[instance] += 1;
            if played[instance] <= games / INSTANCES {
                ends.push(end);
            }
        }
    }
    ends
}

/// Instances that play.
pub(super) struct Table<'a> {
    pub(super) batch: EnvironmentBatch,
    id: &'a str,
    time: u64,
    /// Who acts, where players take turns.
    acting: Option<Key<u8>>,
    /// Slabs that must hold finite numbers.
    numbers: Vec<Key<f32>>,
}

impl<'a> Table<'a> {
    pub(super) fn new(subject: &'a Subject<'_>) -> Self {
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
        let of_groups =
            (0..groups).flat_map(|group| [(id::OBSERVATION, group), (id::REWARD, group)]);
        let numbers = of_groups.chain([(id::STATE, NO_GROUP), (id::METRICS, NO_GROUP)]);
        let table = Self {
            id: &subject.id,
            time: 0,
            acting: turns.then(|| slabs.key(id::ACTING, 0)).flatten(),
            numbers: numbers
                .filter_map(|(slab, group)| slabs.key(slab, group))
                .collect(),
            batch,
        };
        table.check();
        table
    }

    /// Acts at random; makes room at its first use.
    pub(super) fn random(&self) -> impl FnMut(&mut EnvironmentBatch, u64) -> Result<()> + use<> {
        let mut random = RandomPolicy::new(self.batch.spec(), self.batch.slabs(), SEED, 0);
        move |batch, time| random.fill(&mut batch.locate(0).0, 0, time)
    }

    /// A step of all instances; allocates nothing itself.
    pub(super) fn step(&mut self, act: &mut impl FnMut(&mut EnvironmentBatch, u64) -> Result<()>) {
        act(&mut self.batch, self.time)
            .and_then(|()| self.batch.step(0, 0))
            .unwrap_or_else(|e| panic!("{}: {e}", self.id));
        self.time += 1;
        self.check();
    }

    fn check(&self) {
        let name = self.id;
        for &key in &self.numbers {
            // Whatever is not finite makes the sum no number.
            let sum = self
                .batch
                .rows(key, 0)
                .iter()
                .fold(0.0, |sum, x| sum + x * 0.0);
            assert_eq!(
                sum, 0.0,
                "{name}: expected finite observations, states, rewards and metrics"
            );
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
