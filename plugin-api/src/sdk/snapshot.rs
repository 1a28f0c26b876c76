//! Everything that one instance is: world, generator, books and current rows.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    batch::Batch,
    plane::{Element, Plane},
};
use crate::{
    batch::BatchEnvironment,
    error::{Error, Result},
    rng::EnvRng,
};

/// A snapshot; JSON keeps every finite f64 and f32 exactly.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Saved {
    id: String,
    world: Value,
    rng: EnvRng,
    next_episode: u64,
    steps: u32,
    metrics: Vec<f64>,
    options: Option<Value>,
    waiting: bool,
    groups: Vec<SavedGroup>,
    state: Vec<f32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedGroup {
    returns: Vec<f64>,
    living: Vec<u8>,
    observation: Vec<f32>,
    pixels: Vec<u8>,
    mask: Vec<u8>,
    acting: Vec<u8>,
}

impl<E: BatchEnvironment> Batch<E> {
    pub(crate) fn snapshot(&self, i: usize) -> Result<Saved> {
        if !self.spec.flags.snapshot {
            return Err(Error::unsupported(format!(
                "snapshot: not offered by {}",
                E::ID
            )));
        }
        let slot = self.last_write;
        let out = &self.memory.out;
        let width = self.spec.metrics.len();
        let group = |g: &super::memory::GroupMemory| {
            let rows = i * g.agents..(i + 1) * g.agents;
            SavedGroup {
                returns: g.returns[rows.clone()].to_vec(),
                living: g.living[rows].to_vec(),
                observation: g.observation.instance(slot, i).to_vec(),
                pixels: g.pixels.instance(slot, i).to_vec(),
                mask: g.mask.instance(slot, i).to_vec(),
                acting: g.acting.instance(slot, i).to_vec(),
            }
        };
        Ok(Saved {
            id: E::ID.into(),
            world: self.env.save(i)?,
            rng: self.rngs[i].clone(),
            next_episode: self.books.next_episode[i],
            steps: self.books.steps[i],
            metrics: self.books.metrics[i * width..(i + 1) * width].to_vec(),
            options: self.books.options[i].clone(),
            waiting: self.books.waiting.get(i) == Some(&1),
            groups: out.groups.iter().map(group).collect(),
            state: out.state.instance(slot, i).to_vec(),
        })
    }

    pub(crate) fn restore(&mut self, i: usize, bytes: &[u8], write: u32) -> Result<()> {
        let saved: Saved =
            serde_json::from_slice(bytes).map_err(|e| Error::config(format!("snapshot: {e}")))?;
        self.load(i, saved, write)
    }

    pub(crate) fn load(&mut self, i: usize, saved: Saved, write: u32) -> Result<()> {
        let write = self.memory.check_slot(write)?;
        self.check(&saved)?;
        self.env.load(i, &saved.world)?;
        self.rngs[i] = saved.rng;
        self.books.next_episode[i] = saved.next_episode;
        self.books.steps[i] = saved.steps;
        self.books.set_options(i, saved.options);
        let width = self.spec.metrics.len();
        self.books.metrics[i * width..(i + 1) * width].copy_from_slice(&saved.metrics);
        if let Some(waits) = self.books.waiting.get_mut(i) {
            *waits = u8::from(saved.waiting);
        }
        let out = &mut self.memory.out;
        for (g, from) in out.groups.iter_mut().zip(&saved.groups) {
            let rows = i * g.agents..(i + 1) * g.agents;
            g.returns[rows.clone()].copy_from_slice(&from.returns);
            g.living[rows].copy_from_slice(&from.living);
            g.observation
                .instance_mut(write, i)
                .copy_from_slice(&from.observation);
            g.pixels
                .instance_mut(write, i)
                .copy_from_slice(&from.pixels);
            g.mask.instance_mut(write, i).copy_from_slice(&from.mask);
            g.acting
                .instance_mut(write, i)
                .copy_from_slice(&from.acting);
            g.alive.instance_mut(write, i).copy_from_slice(&from.living);
        }
        out.state
            .instance_mut(write, i)
            .copy_from_slice(&saved.state);
        out.episode.slot_mut(write)[i] = saved.next_episode.saturating_sub(1);
        out.step.slot_mut(write)[i] = saved.steps;
        out.first.slot_mut(write)[i] = u8::from(saved.steps == 0);
        out.terminated.slot_mut(write)[i] = 0;
        out.truncated.slot_mut(write)[i] = 0;
        self.last_write = write;
        self.mark_ready();
        Ok(())
    }

    /// Refuses a snapshot of another environment or of another shape before anything is changed.
    fn check(&self, saved: &Saved) -> Result<()> {
        fn same<T: Element>(plane: &Plane<T>, saved: &[T]) -> bool {
            plane.row() == saved.len()
        }
        if saved.id != E::ID {
            return Err(Error::config(format!(
                "snapshot: expected one of {}, found one of {}",
                E::ID,
                saved.id
            )));
        }
        let out = &self.memory.out;
        let fits = saved.groups.len() == out.groups.len()
            && same(&out.state, &saved.state)
            && saved.metrics.len() == self.spec.metrics.len()
            && out.groups.iter().zip(&saved.groups).all(|(g, s)| {
                s.returns.len() == g.agents
                    && s.living.len() == g.agents
                    && same(&g.observation, &s.observation)
                    && same(&g.pixels, &s.pixels)
                    && same(&g.mask, &s.mask)
                    && same(&g.acting, &s.acting)
            });
        if fits {
            Ok(())
        } else {
            Err(Error::config(
                "snapshot: expected the spaces of this environment, found others",
            ))
        }
    }
}
