//! An update: passes over a fragment, each in minibatches, each of which is a step of Adam.

use palaestra_learning::{
    buffers::{minibatches, sequences},
    device::Backend,
    tensor,
};
use palaestra_plugin_api::{
    Result,
    algorithm::Metrics,
    rng::{self, purpose},
};

use super::{
    batch::Batch,
    learner::Learner,
    minibatch::{Minibatch, Shown, Weights},
};

/// What a pass over a fragment did.
struct Pass {
    shown: Shown,
    minibatches: usize,
    grad_norm: f64,
    skipped: bool,
}

impl<D: Backend> Learner<D> {
    /// All passes; whether something was not finite.
    pub(super) fn passes(
        &mut self,
        batch: &mut Batch,
        weights: Weights,
        rate: f64,
        metrics: &mut Metrics,
    ) -> Result<bool> {
        let length = self.rules.config.sequence_length.min(batch.steps);
        if self.rules.unrolls() {
            batch.pad(length);
        }
        let mut whole = None;
        let (mut shown, mut steps, mut epochs) = (Shown::default(), 0, 0);
        let (mut grad_norm, mut skipped) = (0.0, false);
        for epoch in 0..self.rules.config.update_epochs {
            let pass = self.pass(batch, epoch, length, (weights, rate), &mut whole)?;
            shown.add(pass.shown);
            grad_norm += pass.grad_norm;
            steps += pass.minibatches;
            epochs += 1;
            skipped = pass.skipped;
            if skipped || self.is_far(&pass)? {
                break;
            }
        }
        let shown = shown.mean(steps);
        for (name, value) in [
            ("policy_loss", shown.policy_loss),
            ("value_loss", shown.value_loss),
            ("entropy", shown.entropy),
            ("approx_kl", shown.approx_kl),
            ("clip_fraction", shown.clip_fraction),
            ("grad_norm", grad_norm / f64::from(steps.max(1) as u32)),
            ("epochs", f64::from(epochs)),
        ] {
            metrics.insert(name.into(), value);
        }
        Ok(skipped)
    }

    /// Whether the policy has moved further than it should, in the mean over all learners.
    fn is_far(&self, pass: &Pass) -> Result<bool> {
        let Some(target) = self.rules.config.target_kl else {
            return Ok(false);
        };
        let mut kl = [pass.shown.mean(pass.minibatches).approx_kl];
        self.collective.sum(&mut kl)?;
        Ok(kl[0] / self.collective.world() as f64 > target)
    }

    /// One pass over the fragment. A fragment that is one minibatch is made once, in `whole`.
    fn pass(
        &mut self,
        batch: &Batch,
        epoch: usize,
        length: usize,
        (weights, rate): (Weights, f64),
        whole: &mut Option<Minibatch<D>>,
    ) -> Result<Pass> {
        let mut pass = Pass {
            shown: Shown::default(),
            minibatches: 0,
            grad_norm: 0.0,
            skipped: false,
        };
        let parts = match whole {
            Some(_) => Vec::new(),
            None => self.parts(batch, epoch, length)?,
        };
        let is_whole = whole.is_some() || parts.len() == 1;
        for index in 0..parts.len().max(1) {
            let memories = self.memories();
            let made = match parts.get(index) {
                None => None,
                Some((rows, steps)) => {
                    let how = (self.plans.as_slice(), &self.rules, memories.as_slice());
                    let rows = (rows.clone(), *steps);
                    Some(Minibatch::new(&self.device, batch, how, rows)?)
                }
            };
            if is_whole && made.is_some() {
                *whole = made;
                pass.take(self.step(whole.as_ref(), batch, weights, rate)?);
            } else {
                let minibatch = made.as_ref().or(whole.as_ref());
                pass.take(self.step(minibatch, batch, weights, rate)?);
            }
            if pass.skipped {
                break;
            }
        }
        Ok(pass)
    }

    /// Widths of the memories of each unit's actor and critic.
    pub(super) fn memories(&self) -> Vec<[usize; 2]> {
        let policies = self.networks.policies.iter();
        let widths = policies.map(|p| [p.actor.network.memory(), p.critic.memory()]);
        widths.collect()
    }

    /// The rows of each minibatch of a pass, and how many steps they are.
    pub(super) fn parts(
        &self,
        batch: &Batch,
        epoch: usize,
        length: usize,
    ) -> Result<Vec<(Vec<usize>, usize)>> {
        let key = rng::key(
            self.rules.run_seed,
            self.progress.updates,
            epoch as u64,
            0,
            purpose::LEARNING,
        );
        let wanted = self.rules.config.num_minibatches;
        let learn = batch.rows_to_learn();
        if !self.rules.unrolls() {
            let rows = if learn.is_empty() { vec![0] } else { learn };
            let count = self.count(rows.len(), wanted)?;
            if count == 1 {
                return Ok(vec![(rows, 1)]);
            }
            let parts = minibatches(rows.len(), count, key)?.into_iter();
            let part = |part: Vec<usize>| (part.into_iter().map(|i| rows[i]).collect(), 1);
            return Ok(parts.map(part).collect());
        }
        let all = sequences(batch.steps, batch.instances, length)?;
        let mut has = vec![false; all.count()];
        for row in learn {
            let (t, i) = (row / batch.instances, row % batch.instances);
            has[t / length * batch.instances + i] = true;
        }
        let mut chosen: Vec<usize> = (0..all.count()).filter(|&k| has[k]).collect();
        if chosen.is_empty() {
            chosen.push(0);
        }
        let count = self.count(chosen.len(), wanted)?;
        let parts = if count == 1 {
            vec![chosen]
        } else {
            let parts = minibatches(chosen.len(), count, key)?.into_iter();
            parts
                .map(|part| part.into_iter().map(|i| chosen[i]).collect())
                .collect()
        };
        Ok(parts
            .iter()
            .map(|part: &Vec<usize>| (all.rows(part), length))
            .collect())
    }

    /// As many minibatches as wanted, but none without rows: the same number on every learner.
    fn count(&self, rows: usize, wanted: usize) -> Result<usize> {
        self.collective
            .least(rows)
            .map(|least| wanted.min(least).max(1))
    }

    /// One step of Adam.
    pub(super) fn step(
        &mut self,
        minibatch: Option<&Minibatch<D>>,
        batch: &Batch,
        weights: Weights,
        rate: f64,
    ) -> Result<(Shown, f64, bool)> {
        let minibatch = minibatch.expect("a pass has at least one minibatch");
        let how = (self.plans.as_slice(), &self.rules, batch);
        let (loss, shown) = minibatch.loss(&self.networks, how, weights)?;
        let (value, gradients) = tensor::backward(loss)?;
        if let Some(channel) = &self.rules.channel {
            channel.checked()?;
        }
        let collective = self.collective;
        let mut reduce = |gradients: &mut [f32]| {
            // A loss that is not finite may have gradients that are.
            if let (false, Some(first)) = (value.is_finite(), gradients.first_mut()) {
                *first = f32::NAN;
            }
            collective.mean(gradients)
        };
        let step = self
            .adam
            .step(&mut self.networks, gradients, rate, Some(&mut reduce))?;
        Ok((shown, step.grad_norm, !step.applied))
    }
}

impl Pass {
    fn take(&mut self, (shown, grad_norm, skipped): (Shown, f64, bool)) {
        self.minibatches += 1;
        self.shown.add(shown);
        self.grad_norm += grad_norm;
        self.skipped = skipped;
    }
}
