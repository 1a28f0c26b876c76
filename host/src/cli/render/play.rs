//! Who acts in a rendered instance: a simple actor, or trained policies.

use palaestra_plugin_api::algorithm::Collect;
use palaestra_plugin_api::client::EnvironmentBatch;
use palaestra_plugin_api::{Error, Result};
use serde_json::json;

use super::actions::Actor;
use crate::session::EnvironmentMaker;
use crate::training::stage::Stage;

/// One instance that can be stepped.
pub(crate) trait Play {
    /// Starts the first episode.
    ///
    /// # Errors
    /// What the plugin reports.
    fn begin(&mut self) -> Result<()>;

    /// Chooses actions and steps; false when there are no further actions.
    ///
    /// # Errors
    /// What the plugin reports.
    fn step(&mut self) -> Result<bool>;

    /// Gives the present episode up and starts the next.
    ///
    /// # Errors
    /// What the plugin reports.
    fn restart(&mut self) -> Result<()>;

    /// The instance.
    fn batch(&mut self) -> &mut EnvironmentBatch;

    /// The slot of its present rows.
    fn slot(&self) -> usize;
}

/// An actor that needs no policy.
pub(crate) struct Acted {
    maker: EnvironmentMaker,
    batch: EnvironmentBatch,
    actor: Actor,
    /// Steps over all episodes.
    time: u64,
}

impl Acted {
    /// An actor in an instance that has not begun.
    pub(crate) fn new(maker: &EnvironmentMaker, batch: EnvironmentBatch, actor: Actor) -> Self {
        Self {
            maker: maker.clone(),
            batch,
            actor,
            time: 0,
        }
    }

    fn blame<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|e: Error| self.maker.blame(e))
    }
}

impl Play for Acted {
    fn begin(&mut self) -> Result<()> {
        // So that the end of an episode can be seen before the next one begins.
        let begun = self.batch.reset(&json!({"manual_reset": true}), 0);
        self.blame(begun)
    }

    fn step(&mut self) -> Result<bool> {
        if !self.actor.act(&mut self.batch, self.time)? {
            return Ok(false);
        }
        let stepped = self.batch.step(0, 0);
        self.blame(stepped)?;
        self.time += 1;
        Ok(true)
    }

    fn restart(&mut self) -> Result<()> {
        let begun = self.batch.reset(&json!({}), 0);
        self.blame(begun)
    }

    fn batch(&mut self) -> &mut EnvironmentBatch {
        &mut self.batch
    }

    fn slot(&self) -> usize {
        0
    }
}

/// Trained policies on a stage of one instance.
pub(crate) struct Trained {
    stage: Stage,
    greedy: bool,
}

impl Trained {
    /// Policies that choose their best actions, or explore.
    pub(crate) fn new(stage: Stage, greedy: bool) -> Self {
        Self { stage, greedy }
    }
}

impl Play for Trained {
    fn begin(&mut self) -> Result<()> {
        self.stage.reset(&[])
    }

    fn step(&mut self) -> Result<bool> {
        let collect = Collect {
            greedy: self.greedy,
            ..Collect::steps(1)
        };
        self.stage.collect(&collect)?;
        Ok(true)
    }

    fn restart(&mut self) -> Result<()> {
        self.stage.reset(&[])
    }

    fn batch(&mut self) -> &mut EnvironmentBatch {
        self.stage.rollout_mut().batch_mut()
    }

    fn slot(&self) -> usize {
        self.stage.rollout().now()
    }
}
