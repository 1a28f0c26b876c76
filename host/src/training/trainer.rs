//! The training loop, one fragment at a time: collect, learn, count. Knows nothing of files and clocks.

use std::collections::BTreeMap;

use palaestra_plugin_api::{
    Result,
    algorithm::{Metrics, Role},
    rng::purpose,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    composition::{Composition, Parts},
    policy_state::PolicyState,
    seating::Seating,
    self_play::{SelfPlay, SelfPlayPlan},
    stage::{Split, Stage, StageOptions},
};
use crate::rollout::{Moments, Statistics, Workers};

/// What to train with.
#[derive(Clone, Debug)]
pub struct TrainingPlan {
    /// Seed of the run.
    pub run_seed: u64,
    /// Instances.
    pub num_envs: usize,
    /// Shards of the environments; one a thread when none.
    pub shards: Option<usize>,
    /// Reset options of each task.
    pub tasks: Vec<Value>,
    /// Frozen opponents in some seats.
    pub self_play: Option<SelfPlayPlan>,
}

/// How far training has come. Everything that decides what happens next is here or in the stage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// Env steps, over all instances.
    pub steps: u64,
    /// Fragments learned from.
    pub updates: u64,
    /// Episodes that have ended.
    pub episodes: u64,
}

/// A stage and the learning that goes on in it.
pub struct Trainer {
    pub(super) stage: Stage,
    pub(super) counters: Counters,
    pub(super) self_play: Option<SelfPlay>,
    /// Metrics of learning since the last row, per learner.
    pub(super) learned: BTreeMap<String, Moments>,
    /// Prefix of each learner's metrics.
    prefixes: Vec<String>,
    parts: Parts,
    run_seed: u64,
}

impl Trainer {
    /// Makes everything; nothing has begun.
    ///
    /// # Errors
    /// What a plugin refuses.
    pub fn new(
        parts: &Parts,
        composition: &Composition,
        plan: &TrainingPlan,
        workers: &Workers,
    ) -> Result<Self> {
        let options = StageOptions {
            run_seed: plan.run_seed,
            instances: plan.num_envs,
            shards: plan.shards,
            steps: composition.steps,
            purpose: purpose::RESET_AND_STEP,
            role: Role::Learner,
        };
        let mut stage = Stage::new(parts, &composition.groups, &options, workers)?;
        stage.set_tasks(&plan.tasks);
        let prefix = |groups: &Vec<usize>| match parts.policies.len() {
            1 => "learn/".to_owned(),
            _ => {
                let names = groups
                    .iter()
                    .map(|&g| composition.world.groups[g].name.as_str());
                format!("learn/{}/", names.collect::<Vec<_>>().join("+"))
            }
        };
        Ok(Self {
            stage,
            counters: Counters::default(),
            self_play: plan.self_play.clone().map(SelfPlay::new),
            learned: BTreeMap::new(),
            prefixes: composition.groups.iter().map(prefix).collect(),
            parts: parts.clone(),
            run_seed: plan.run_seed,
        })
    }

    /// How far training has come.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Frozen opponents, by seat from 1 on.
    pub fn opponents(&self) -> &[PolicyState] {
        self.self_play.as_ref().map_or(&[], SelfPlay::all)
    }

    /// The world and its players.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Collects one fragment and learns from it.
    ///
    /// # Errors
    /// What a plugin reports.
    pub fn advance(&mut self) -> Result<()> {
        self.invite_opponents()?;
        let collect = self.stage.what_next()?;
        let steps = self.stage.collect(&collect)?;
        self.counters.steps += (steps * self.stage.rollout().batch().instances()) as u64;
        let learned = self.stage.learn(steps)?;
        self.counters.updates += 1;
        for (prefix, metrics) in self.prefixes.iter().zip(learned) {
            note(&mut self.learned, prefix, metrics);
        }
        Ok(())
    }

    /// Freezes the learner as an opponent whenever its time has come.
    fn invite_opponents(&mut self) -> Result<()> {
        let Some(self_play) = &mut self.self_play else {
            return Ok(());
        };
        if !self_play.is_due(self.counters.steps) {
            return Ok(());
        }
        let mut states = PolicyState::of_learners(&mut self.stage)?;
        let state = states.swap_remove(0);
        let seat = self_play.invite(state, self.counters.steps);
        self.seat(seat)
    }

    /// Makes the players what the opponents are, from that seat on.
    pub(super) fn seat(&mut self, seat: u32) -> Result<()> {
        let Some(self_play) = &self.self_play else {
            return Ok(());
        };
        self.stage
            .set_opponent(&self.parts, self.run_seed, seat, self_play.opponent(seat))?;
        self.stage.set_seating(Seating::SelfPlay {
            share: self_play.share(),
            opponents: self_play.opponents() as u32,
        });
        Ok(())
    }

    /// Metrics since the last call: episodes that ended, and what learning reported.
    pub fn take_row(&mut self) -> BTreeMap<String, f64> {
        let statistics = self.stage.take_statistics();
        self.counters.episodes += statistics.episodes();
        let mut row = episode_row(&statistics, &self.stage);
        row.insert("train/episodes".into(), self.counters.episodes as f64);
        row.insert("train/updates".into(), self.counters.updates as f64);
        let learned = std::mem::take(&mut self.learned);
        row.extend(learned.into_iter().map(|(name, m)| (name, m.mean)));
        row
    }

    /// Where the time went since the last call.
    pub fn take_split(&mut self) -> Split {
        self.stage.take_split()
    }

    /// The learners' present policies.
    ///
    /// # Errors
    /// What an algorithm reports.
    pub fn policies(&mut self) -> Result<Vec<PolicyState>> {
        PolicyState::of_learners(&mut self.stage)
    }
}

fn note(learned: &mut BTreeMap<String, Moments>, prefix: &str, metrics: Metrics) {
    for (name, value) in metrics {
        let moments = learned.entry(format!("{prefix}{name}")).or_default();
        moments.push(value);
    }
}

/// Means over the episodes; nothing when none has ended.
fn episode_row(statistics: &Statistics, stage: &Stage) -> BTreeMap<String, f64> {
    let (columns, spec) = (statistics.columns(), stage.spec());
    let mut row = BTreeMap::new();
    if statistics.episodes() == 0 {
        return row;
    }
    let mut add = |name: String, column: usize| {
        row.insert(name, statistics.column(column).mean);
    };
    add("train/return_mean".into(), columns.total());
    add("train/length_mean".into(), columns.length());
    if spec.groups.len() > 1 {
        for (g, group) in spec.groups.iter().enumerate() {
            add(
                format!("train/{}/return_mean", group.name),
                columns.group(g),
            );
        }
    }
    for (m, metric) in spec.metrics.iter().enumerate() {
        add(format!("train/metric/{}", metric.name), columns.metric(m));
    }
    row
}
