//! A stage: all instances of a world, the policies that play in it, and the step that they make together.
//!
//! Slot `t` of every slab holds what the policies see and do, slot `t + 1` what came of it. The last slot of one
//! fragment is the first of the next.

mod fragment;
mod learning;

use std::time::Duration;

use palaestra_plugin_api::{
    Result,
    algorithm::Role,
    client::{CoordinationHandle, MakeEnvironment, MakeMechanism},
    rng::purpose,
    spec::EnvironmentSpec,
};
use serde_json::Value;

use super::{
    arbiters::Arbiters,
    composition::{self, Parts},
    ended::EndedEpisodes,
    identity::Identity,
    player::{Casting, Player},
    policy_state::PolicyState,
    seating::Seating,
};
use crate::{
    policy::PolicyView,
    rollout::{Columns, Rollout, RolloutOptions, Statistics, Workers},
    session::MechanismMaker,
};

/// How large a stage is, and what it is for.
#[derive(Clone, Debug)]
pub struct StageOptions {
    /// Seed of the run.
    pub run_seed: u64,
    /// Instances: rows of an inference batch.
    pub instances: usize,
    /// Shards of the environments; chosen when none.
    pub shards: Option<usize>,
    /// Most steps of a fragment.
    pub steps: usize,
    /// Streams of the environments: `RESET_AND_STEP` in training, `EVALUATION` in evaluation.
    pub purpose: u64,
    /// What the algorithm objects are for.
    pub role: Role,
}

/// Where the time of a stage went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Split {
    /// In the environments and their wrappers.
    pub environment: Duration,
    /// In `act`.
    pub inference: Duration,
    /// In `learn`.
    pub learning: Duration,
}

/// A world and its players.
pub struct Stage {
    rollout: Rollout,
    identity: Identity,
    players: Vec<Player>,
    mechanisms: Vec<CoordinationHandle>,
    arbiters: Arbiters,
    ended: EndedEpisodes,
    /// Reset options of every task.
    tasks: Vec<Value>,
    /// Most steps of a fragment.
    capacity: usize,
    /// Episodes since [`take_statistics`](Self::take_statistics).
    statistics: Statistics,
    split: Split,
    seating: Seating,
    /// Scratch: real actions as the environment understands them.
    executed: Vec<f32>,
    begun: bool,
}

impl Stage {
    /// Makes all instances, mechanisms and players. The groups of the players are those of the composition.
    ///
    /// # Errors
    /// What a plugin refuses, or parts that do not fit.
    pub fn new(
        parts: &Parts,
        groups: &[Vec<usize>],
        options: &StageOptions,
        workers: &Workers,
    ) -> Result<Self> {
        let environment = MakeEnvironment {
            run_seed: options.run_seed,
            instances: options.instances,
            purpose: options.purpose,
            ..parts.environment.request()
        };
        let rollout = RolloutOptions {
            wrappers: parts.wrappers.clone(),
            shards: options
                .shards
                .or_else(|| Some(shards(options.instances, workers))),
            steps: Some(options.steps),
            ..RolloutOptions::new(environment, parts.environment.plugin())
        };
        let make = |what: &MakeEnvironment| parts.environment.make(what);
        let rollout = Rollout::new(&rollout, workers, &make)?;
        let place = |maker: &MechanismMaker, spec: EnvironmentSpec| MakeMechanism {
            run_seed: options.run_seed,
            instances: options.instances,
            purpose: options.purpose,
            ..maker.request(spec)
        };
        let (mut mechanisms, specs) = composition::mechanisms(parts, rollout.spec(), place)?;
        let composed = &specs[specs.len() - 1];
        let slots = options.steps + 1;
        let keys = match options.purpose {
            purpose::RESET_AND_STEP => purpose::ACTIONS,
            other => other,
        };
        let seeds = (options.run_seed, 0, keys);
        let identity = Identity::new(rollout.spec(), rollout.batch(), slots, seeds)?;
        let cast = |(policy, groups): (&composition::PolicyParts, &Vec<usize>)| {
            let casting = Casting {
                maker: &policy.algorithm,
                view: PolicyView::new(composed, groups, &policy.wrappers, options.instances)?,
                groups: groups.clone(),
                role: options.role,
                seat: 0,
                run_seed: options.run_seed,
                purpose: options.purpose,
                mechanism: composition::exchange(&mechanisms),
            };
            Player::new(casting, rollout.batch(), &identity, slots)
        };
        let players = parts.policies.iter().zip(groups).map(cast);
        let players = players.collect::<Result<Vec<_>>>()?;
        let arbiters = Arbiters::new(
            parts,
            &mut mechanisms,
            &specs,
            rollout.batch(),
            &identity,
            slots,
        )?;
        Ok(Self {
            ended: EndedEpisodes::new(rollout.spec(), rollout.batch(), options.steps),
            statistics: Statistics::new(Columns::new(rollout.spec()), 1),
            tasks: Vec::new(),
            capacity: options.steps,
            split: Split::default(),
            seating: Seating::Own,
            executed: Vec::new(),
            begun: false,
            rollout,
            identity,
            players,
            mechanisms,
            arbiters,
        })
    }

    /// Puts a frozen policy like the first one into a seat (1, 2, …): a new one, or one whose player it replaces.
    ///
    /// # Errors
    /// What the plugin refuses.
    pub(super) fn set_opponent(
        &mut self,
        parts: &Parts,
        run_seed: u64,
        seat: u32,
        state: &PolicyState,
    ) -> Result<()> {
        let there = self.players.iter().position(|player| player.seat == seat);
        let there = match there {
            Some(there) => there,
            None => {
                let player = self.opponent(parts, run_seed, seat)?;
                self.players.push(player);
                self.players.len() - 1
            }
        };
        state.give_one(&mut self.players[there])
    }

    fn opponent(&self, parts: &Parts, run_seed: u64, seat: u32) -> Result<Player> {
        let (policy, batch) = (&parts.policies[0], self.rollout.batch());
        let groups: Vec<_> = self.players[0].groups().collect();
        let composed = self.arbiters.composed();
        let casting = Casting {
            maker: &policy.algorithm,
            view: PolicyView::new(composed, &groups, &policy.wrappers, batch.instances())?,
            groups,
            role: Role::Evaluator,
            seat,
            run_seed,
            purpose: purpose::RESET_AND_STEP,
            mechanism: composition::exchange(&self.mechanisms),
        };
        let slots = self.capacity + 1;
        let mut player = Player::new(casting, batch, &self.identity, slots)?;
        if self.begun {
            let now = self.rollout.now();
            player.take_seats(&self.identity, now);
            player.see(batch, &self.arbiters, now)?;
        }
        Ok(player)
    }

    /// Reset options of every task that an algorithm may ask for; instance `i` plays task `i mod tasks` unless it does.
    pub fn set_tasks(&mut self, tasks: &[Value]) {
        self.tasks = tasks.to_vec();
    }

    /// Seats of the episodes that start from now on.
    pub fn set_seating(&mut self, seating: Seating) {
        self.identity.set_seating(seating.clone());
        self.seating = seating;
    }

    /// The environment as the world wrappers leave it.
    pub fn spec(&self) -> &EnvironmentSpec {
        self.rollout.spec()
    }

    /// The instances.
    pub fn rollout(&self) -> &Rollout {
        &self.rollout
    }

    /// The instances, to keep episodes of.
    pub fn rollout_mut(&mut self) -> &mut Rollout {
        &mut self.rollout
    }

    /// Where the time went since the last call.
    pub fn take_split(&mut self) -> Split {
        std::mem::take(&mut self.split)
    }

    /// Statistics of the episodes that ended since the last call.
    pub fn take_statistics(&mut self) -> Statistics {
        let empty = Statistics::new(Columns::new(self.rollout.spec()), 1);
        std::mem::replace(&mut self.statistics, empty)
    }

    pub(super) fn players_mut(&mut self) -> &mut [Player] {
        &mut self.players
    }

    pub(super) fn identity_mut(&mut self) -> &mut Identity {
        &mut self.identity
    }

    pub(super) fn mechanisms_mut(&mut self) -> &mut [CoordinationHandle] {
        &mut self.mechanisms
    }

    pub(super) fn statistics_mut(&mut self) -> &mut Statistics {
        &mut self.statistics
    }

    pub(super) fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Whether there are present rows.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Marks a stage whose rows were loaded as begun.
    pub(super) fn set_begun(&mut self) {
        self.begun = true;
    }
}

/// As many shards as threads, so that each thread has one call a step; no more than instances.
fn shards(instances: usize, workers: &Workers) -> usize {
    workers.threads().clamp(1, instances)
}
