//! Collecting fragments: all policies see and act, mechanisms arbitrate, all instances step.

use std::{collections::BTreeSet, time::Instant};

use palaestra_plugin_api::{
    Error, ErrorKind, Result,
    algorithm::{Amount, Collect},
};

use super::Stage;
use crate::training::{
    arbiters::put,
    player::{Action, Player},
    seating::Seating,
};

impl Stage {
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

    fn gather_statistics(&mut self) {
        self.rollout.statistics().merge_into(&mut self.statistics);
        self.rollout.clear_statistics();
    }
}
