//! Learning from fragments, and what to collect next.

use std::time::Instant;

use palaestra_plugin_api::{
    Error, Result,
    algorithm::{Amount, Collect, Metrics},
};
use serde_json::json;

use super::Stage;
use crate::training::player::Player;

impl Stage {
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
