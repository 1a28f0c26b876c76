//! A stage: all instances of a world, the policies that play in it, and the step that they make together.
//!
//! Slot `t` of every slab holds what the policies see and do, slot `t + 1` what came of it. The last slot of one
//! fragment is the first of the next.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use palaestra_plugin_api::{
    Error, ErrorKind, Result,
    algorithm::{Amount, Collect, Metrics, Role},
    client::{CoordinationHandle, MakeEnvironment, MakeMechanism},
    spec::EnvironmentSpec,
};
use serde_json::{Value, json};

use super::{
    arbiters::{Arbiters, put},
    composition::{self, Parts},
    ended::EndedEpisodes,
    identity::Identity,
    player::{Action, Casting, Player},
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
    /// Streams of the environments: 0 in training, `purpose::EVALUATION` in evaluation.
    pub purpose: u64,
    /// Keys of the actions.
    pub key_purpose: u64,
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
        let seeds = (options.run_seed, 0, options.key_purpose);
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
            purpose: 0,
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

    /// Starts new episodes everywhere at slot 0. `tasks` as in [`Collect`].
    ///
    /// # Errors
    /// What a plugin reports, or a task that is not listed.
    pub fn reset(&mut self, tasks: &[u32]) -> Result<()> {
        self.set_options(tasks)?;
        self.gather_statistics();
        self.rollout.reset()?;
        self.ended.clear();
        self.begun = true;
        self.prepare(0)
    }

    fn set_options(&mut self, tasks: &[u32]) -> Result<()> {
        let listed = self.tasks.len();
        if let Some(task) = tasks.iter().find(|&&task| task as usize >= listed) {
            let message = format!("/training/tasks: expected task {task}, found {listed} tasks");
            return Err(Error::config(message));
        }
        if listed == 0 {
            return Ok(());
        }
        let all: Vec<u32> = (0..listed as u32).collect();
        let tasks = if tasks.is_empty() { &all } else { tasks };
        let task_of = |i: usize| tasks[i % tasks.len()];
        self.identity.set_tasks(task_of);
        for mut shard in self.rollout.batch_mut().shards_mut() {
            for (task, options) in (0..).zip(&self.tasks) {
                let mask: Vec<u8> = shard
                    .range()
                    .map(|i| u8::from(task_of(i) == task))
                    .collect();
                if mask.contains(&1) {
                    shard.set_options(Some(&mask), options)?;
                }
            }
        }
        Ok(())
    }

    /// Collects a fragment and tells how many steps it has.
    ///
    /// # Errors
    /// What a plugin reports, or an amount beyond the capacity.
    pub fn collect(&mut self, collect: &Collect) -> Result<usize> {
        if collect.fresh || !self.begun {
            self.reset(&collect.tasks)?;
        } else {
            self.carry()?;
        }
        let steps = match collect.amount {
            Amount::Steps(steps) if steps <= self.capacity => {
                for _ in 0..steps {
                    self.step(collect.greedy)?;
                }
                steps
            }
            Amount::Episodes(episodes) => self.whole_episodes(episodes, collect.greedy)?,
            Amount::Steps(steps) => {
                let capacity = self.capacity;
                let message = format!("collect: expected at most {capacity} steps, found {steps}");
                return Err(Error::new(ErrorKind::Host, message));
            }
        };
        self.gather_statistics();
        Ok(steps)
    }

    /// Steps until every instance has finished that many episodes.
    fn whole_episodes(&mut self, episodes: usize, greedy: bool) -> Result<usize> {
        let instances = self.rollout.batch().instances();
        let (mut finished, mut left, mut listed) = (vec![0; instances], instances, 0);
        while left > 0 {
            if self.rollout.now() == self.capacity {
                let message = format!(
                    "collect: expected {episodes} episodes to end within {} steps, found one that did not",
                    self.capacity
                );
                return Err(
                    Error::config(message).with_next("add --wrapper TimeLimit.max_episode_steps=N")
                );
            }
            self.step(greedy)?;
            for &row in &self.ended.rows()[listed..] {
                let count = &mut finished[row as usize % instances];
                *count += 1;
                left -= usize::from(*count == episodes);
            }
            listed = self.ended.len();
        }
        Ok(self.rollout.now())
    }

    /// Carries the present rows to slot 0.
    fn carry(&mut self) -> Result<()> {
        let now = self.rollout.now();
        self.rollout.carry()?;
        if now != 0 {
            self.identity.memory_mut().copy_slot(now, 0);
            let players = self.players.iter_mut();
            players.for_each(|player| player.memory.copy_slot(now, 0));
        }
        self.ended.clear();
        Ok(())
    }

    /// One step of everybody: see, act, arbitrate, step, share.
    ///
    /// # Errors
    /// What a plugin reports.
    pub fn step(&mut self, greedy: bool) -> Result<()> {
        let slot = self.rollout.now();
        let begun = Instant::now();
        for player in &mut self.players {
            let batch = self.rollout.batch_mut();
            player.act(batch, &mut self.identity, slot, greedy)?;
        }
        let acted = Instant::now();
        self.split.inference += acted - begun;
        self.execute(slot)?;
        let written = Instant::now();
        self.rollout.step().map_err(|e| self.blame_actions(e))?;
        self.split.environment += written.elapsed();
        let listed = self.ended.len();
        self.ended.join(self.rollout.batch_mut(), slot)?;
        for player in &mut self.players {
            player.see_finals(&self.ended, listed, slot)?;
        }
        self.prepare(slot + 1)
    }

    /// An action outside its space is the fault of whoever acts.
    fn blame_actions(&self, error: Error) -> Error {
        if error.kind != ErrorKind::BadAction {
            return error;
        }
        if self.arbiters.arbitrates() {
            return self.arbiters.blame(error);
        }
        let plugins: BTreeSet<_> = self.players.iter().map(Player::plugin).collect();
        let plugins: Vec<_> = plugins.into_iter().collect();
        Error::plugin(error.message).within(format_args!("plugin {} (act)", plugins.join(" or ")))
    }

    /// What the players see at a slot that the environments have just written.
    fn prepare(&mut self, slot: usize) -> Result<()> {
        self.identity.fill(self.rollout.batch(), slot);
        if slot > 0 && self.arbiters.shares() {
            let (batch, identity) = (self.rollout.batch_mut(), &mut self.identity);
            self.arbiters
                .share(&mut self.mechanisms, batch, identity, slot)?;
        }
        for player in &mut self.players {
            if self.seating != Seating::Own {
                player.take_seats(&self.identity, slot);
            }
            player.see(self.rollout.batch(), &self.arbiters, slot)?;
        }
        Ok(())
    }

    /// From proposals to the actions of the environment.
    fn execute(&mut self, slot: usize) -> Result<()> {
        if self.arbiters.arbitrates() {
            let (identity, players) = (&mut self.identity, &self.players);
            let batch = self.rollout.batch_mut();
            return self
                .arbiters
                .arbitrate(&mut self.mechanisms, batch, identity, players, slot);
        }
        for player in &self.players {
            for g in player.groups() {
                let seats = match self.seating {
                    Seating::Own => None,
                    Seating::SelfPlay { .. } => Some((self.identity.seats(g, slot), player.seat)),
                };
                let batch = self.rollout.batch_mut();
                match player.action(g) {
                    Some(Action::Choices(own, to)) => {
                        let (from, to) = (player.memory.rows(own, slot), batch.rows_mut(to, slot));
                        put(from, to, seats);
                    }
                    Some(Action::Real(own, to)) => {
                        let (from, to) = (player.memory.rows(own, slot), batch.rows_mut(to, slot));
                        self.executed.resize(to.len(), 0.0);
                        player.view.act(g, from, &mut self.executed);
                        put(&self.executed, to, seats);
                    }
                    None => {}
                }
            }
        }
        Ok(())
    }

    /// Every learner learns from the last fragment, of `steps` steps; metrics of each algorithm, none of those that only
    /// act.
    ///
    /// # Errors
    /// What an algorithm reports.
    pub fn learn(&mut self, steps: usize) -> Result<Vec<Metrics>> {
        let begun = Instant::now();
        let (batch, identity, ended) = (self.rollout.batch(), &self.identity, &self.ended);
        let learners = self.players.iter_mut().filter(|player| player.seat == 0);
        let learned = learners
            .map(|player| {
                if !player.learns() {
                    return Ok(Metrics::default());
                }
                let overridden = self.arbiters.overridden();
                let metrics = player.learn(batch, identity, ended, overridden, steps)?;
                player.learn_statistics(batch, steps);
                Ok(metrics)
            })
            .collect();
        self.split.learning += begun.elapsed();
        learned
    }

    /// What to collect next; the learners have to agree.
    ///
    /// # Errors
    /// What an algorithm reports, or learners that want different fragments.
    pub fn what_next(&mut self) -> Result<Collect> {
        let next = what_next(&mut self.players)?;
        match next.amount {
            Amount::Steps(steps) if steps > self.capacity => {
                let capacity = self.capacity;
                let message = format!(
                    "(next): expected at most the {capacity} steps that were asked for first, found {steps}"
                );
                Err(self.players[0].blame(Error::plugin(message)))
            }
            _ => Ok(next),
        }
    }

    fn gather_statistics(&mut self) {
        self.rollout.statistics().merge_into(&mut self.statistics);
        self.rollout.clear_statistics();
    }
}

fn what_next(players: &mut [Player]) -> Result<Collect> {
    let mut wanted: Option<Collect> = None;
    for player in players.iter_mut().filter(|player| player.learns()) {
        let next = player.what_next()?;
        match &wanted {
            Some(first) if *first != next => {
                let (first, next) = (json!(first), json!(next));
                let message =
                    format!("algorithms: expected the same fragments, found {first} and {next}");
                return Err(Error::config(message).with_next("give them the same num_steps"));
            }
            _ => wanted = Some(next),
        }
    }
    wanted.ok_or_else(|| Error::config("algorithms: expected one that learns, found none"))
}

/// As many shards as threads, so that each thread has one call a step; no more than instances.
fn shards(instances: usize, workers: &Workers) -> usize {
    workers.threads().clamp(1, instances)
}
