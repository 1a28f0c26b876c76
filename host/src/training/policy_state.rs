//! What a trained policy is apart from its configuration: weights and the statistics of its wrappers.

use palaestra_plugin_api::{Error, Result};
use serde_json::Value;

use super::{player::Player, stage::Stage};

/// One policy's weights (safetensors, mechanism parameters included) and wrapper statistics.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyState {
    /// Named tensors.
    pub weights: Vec<u8>,
    /// Statistics of the policy wrappers.
    pub statistics: Value,
}

impl PolicyState {
    /// The state of a policy without weights and statistics.
    pub fn untrained() -> Self {
        Self {
            weights: Vec::new(),
            statistics: Value::Null,
        }
    }

    /// The state of every learner of a stage.
    ///
    /// # Errors
    /// What an algorithm reports, named.
    pub fn of_learners(stage: &mut Stage) -> Result<Vec<Self>> {
        let learners = stage.players_mut().iter_mut().filter(|p| p.seat == 0);
        learners
            .map(|player| {
                let mut weights = Vec::new();
                let written = player.handle.weights(&mut weights);
                written.map_err(|e| player.blame(e))?;
                Ok(Self {
                    weights,
                    statistics: player.view.statistics(),
                })
            })
            .collect()
    }

    /// Gives the players of a stage their weights and statistics.
    ///
    /// # Errors
    /// Another number of policies, or weights that do not fit.
    pub fn give(states: &[Self], stage: &mut Stage) -> Result<()> {
        let players = stage.players_mut();
        if players.len() != states.len() {
            let (expected, found) = (players.len(), states.len());
            let message = format!("policies: expected {expected}, found {found}");
            return Err(Error::config(message));
        }
        let mut pairs = players.iter_mut().zip(states);
        pairs.try_for_each(|(player, state)| state.give_one(player))
    }

    /// Gives one player its weights and statistics, and freezes them.
    pub(super) fn give_one(&self, player: &mut Player) -> Result<()> {
        if *self == Self::untrained() {
            return Ok(());
        }
        let names = player.group_names();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let taken = player
            .handle
            .set_weights(&mut self.weights.as_slice(), &names);
        taken.map_err(|e| player.blame(e))?;
        player.view.set_statistics(&self.statistics)?;
        player.view.freeze_statistics();
        Ok(())
    }
}
