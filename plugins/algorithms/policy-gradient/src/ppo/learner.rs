//! The object behind PPO on one device: networks, optimiser, normalisers, and an update.

use palaestra_learning::{
    buffers::{minibatches, sequences},
    central::Central,
    collective::Collective,
    device::Backend,
    exchange::Channel,
    networks::Module,
    normalise::ValueNormaliser,
    optimisers::{Adam, AdamSettings},
    sharing::Unit,
    skips::Skips,
    tensor,
};
use palaestra_plugin_api::{
    Result,
    algorithm::{Metrics, Role, Setting},
    rng::{self, purpose},
    serde::{Deserialize, Serialize},
    table::Table,
};

use super::{
    acting::Acting,
    batch::Batch,
    config::{CriticView, PpoConfig},
    frozen::FrozenPolicy,
    judging::{Judge, judge},
    minibatch::{Minibatch, Shown, Weights},
    policy::{Networks, Plan},
};

/// Settings and what follows from the composition; the same on every device.
pub(crate) struct Rules {
    pub(crate) config: PpoConfig,
    pub(crate) central: Option<Central>,
    pub(crate) channel: Option<Channel>,
    /// Rewards are added up from turn to turn.
    pub(crate) own_turns: bool,
    /// Groups of the environment.
    pub(crate) groups: usize,
    run_seed: u64,
}

impl Rules {
    pub(crate) fn new(config: PpoConfig, setting: &Setting) -> Self {
        let is_central = config.critic == CriticView::Central && !config.shared_trunk;
        let channel = |port: &_| Channel::new(Clone::clone(port), setting.agents());
        Self {
            central: is_central.then(|| Central::of(&setting.spec)),
            channel: setting.exchange.as_ref().map(channel),
            own_turns: setting.spec.flags.turn_based,
            groups: setting.spec.groups.len(),
            run_seed: setting.run_seed,
            config,
        }
    }

    /// Values of `RECURRENT` of each agent: the memories of actor and critic, then the channel's state.
    pub(crate) fn recurrent_width(&self) -> usize {
        let networks = if self.config.shared_trunk { 1 } else { 2 };
        let channel = self
            .channel
            .as_ref()
            .map_or(0, |c| c.description().state_width);
        networks * self.config.recurrent + channel
    }

    /// Whether learning unrolls sequences: something is remembered from step to step.
    fn unrolls(&self) -> bool {
        self.recurrent_width() > 0
    }
}

/// How far training has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde")]
pub(crate) struct Progress {
    /// Environment steps that were learned from, over all learners.
    pub(crate) steps: u64,
    /// Fragments.
    pub(crate) updates: u64,
    pub(crate) skips: Skips,
    /// One for each unit.
    pub(crate) normalisers: Vec<ValueNormaliser>,
}

/// PPO on one device.
pub(crate) struct Learner<D: Backend> {
    pub(super) device: D,
    pub(crate) rules: Rules,
    pub(crate) plans: Vec<Plan>,
    pub(crate) networks: Networks<D>,
    pub(crate) adam: Adam<D>,
    pub(crate) progress: Progress,
    pub(crate) acting: Acting,
    pub(crate) learns: bool,
    collective: Collective,
}

/// What a pass over a fragment did.
struct Pass {
    shown: Shown,
    minibatches: usize,
    grad_norm: f64,
    skipped: bool,
}

impl<D: Backend> Learner<D> {
    pub(crate) fn new(device: D, config: PpoConfig, setting: &Setting) -> Result<Self> {
        let rules = Rules::new(config, setting);
        let config = &rules.config;
        let plan = |unit| Plan::new(unit, config, rules.central.as_ref());
        let units = Unit::all(setting, config.share)?;
        let plans: Vec<_> = units.into_iter().map(plan).collect::<Result<_>>()?;
        let described = rules.channel.as_ref().map(Channel::description);
        let networks = Networks::new(&device, &plans, config, described, setting.run_seed)?;
        let adam = Adam::new(AdamSettings {
            epsilon: config.adam_eps,
            max_grad_norm: config.max_grad_norm.unwrap_or(f64::INFINITY),
            ..AdamSettings::default()
        });
        let normaliser = |_: &Plan| ValueNormaliser::new(config.value_norm_beta);
        let progress = Progress {
            normalisers: plans.iter().map(normaliser).collect::<Result<_>>()?,
            ..Progress::default()
        };
        let judges = setting.role != Role::Evaluator;
        let mut learner = Self {
            acting: Acting::new(&plans, Vec::new(), judges),
            learns: setting.role == Role::Learner,
            collective: Collective::new(setting.host),
            device,
            plans,
            networks,
            adam,
            progress,
            rules,
        };
        learner.freeze();
        Ok(learner)
    }

    /// Brings the copies that act up to date.
    pub(crate) fn freeze(&mut self) {
        let policies = self.networks.policies.iter();
        self.acting.policies = policies.map(FrozenPolicy::new).collect();
        self.acting.parameters = self
            .networks
            .channel
            .as_ref()
            .map_or(Vec::new(), Module::flat);
        if self.rules.config.value_norm && self.learns {
            let scales = self.progress.normalisers.iter();
            self.acting.scales = scales.map(ValueNormaliser::mean_and_std).collect();
        }
    }

    /// Acts at a slot.
    pub(crate) fn act(&mut self, rows: &mut Table<'_>, slot: usize, greedy: bool) -> Result<()> {
        let Rules {
            central, channel, ..
        } = &self.rules;
        let ways = (central.as_ref(), channel.as_ref());
        self.acting.act(rows, slot, greedy, &self.plans, ways)
    }

    /// One update.
    pub(crate) fn learn(&mut self, table: &Table<'_>) -> Result<Metrics> {
        let mut batch = Batch::read(table, &self.rules, &self.plans)?;
        let steps = batch.steps * batch.instances * self.collective.world();
        let weights = self.weights_now();
        let rate = self.rules.config.lr.at(self.progress.steps);
        self.progress.steps += steps as u64;
        self.progress.updates += 1;

        let is_finite = batch.is_finite() && self.judge(table, &mut batch)?;
        let mut metrics = Metrics::new();
        let skipped = if self.collective.any(!is_finite)? {
            true
        } else {
            self.scale(&mut batch)?;
            let explained = self.explained_variance(&batch)?;
            metrics.insert("explained_variance".into(), explained);
            self.passes(&mut batch, weights, rate, &mut metrics)?
        };
        self.progress
            .skips
            .record(skipped, self.rules.config.max_skipped)?;
        self.freeze();
        metrics.insert("learning_rate".into(), rate);
        metrics.insert("skipped_updates".into(), self.progress.skips.total() as f64);
        Ok(metrics)
    }

    pub(super) fn weights_now(&self) -> Weights {
        let (config, steps) = (&self.rules.config, self.progress.steps);
        Weights {
            clip: config.clip_coef.at(steps) as f32,
            entropy: config.ent_coef.at(steps) as f32,
            value: config.vf_coef as f32,
        }
    }

    /// Advantages and targets of all units, in units of reward; whether all are finite.
    pub(super) fn judge(&self, table: &Table<'_>, batch: &mut Batch) -> Result<bool> {
        let Batch { units, common, .. } = batch;
        let mut is_finite = true;
        for (k, unit) in units.iter_mut().enumerate() {
            let by = Judge {
                plan: &self.plans[k],
                policy: &self.acting.policies[k],
                scale: self.acting.scales[k],
            };
            is_finite &= judge(&by, &self.rules, table, common, unit)?;
        }
        Ok(is_finite)
    }

    /// Advantages standardised, targets and old values in the critics' units: over all learners, once a fragment.
    pub(super) fn scale(&mut self, batch: &mut Batch) -> Result<()> {
        for k in 0..self.plans.len() {
            let unit = &mut batch.units[k];
            let active = Some(unit.transitions.active.as_slice());
            if self.rules.config.norm_adv {
                unit.advantages = self.collective.standardise(&unit.advantages, active)?;
            }
            if self.rules.config.value_norm {
                let (count, mean, variance) = self.collective.moments(&unit.targets, active)?;
                let normaliser = &mut self.progress.normalisers[k];
                if count > 0.0 {
                    normaliser.update(mean, variance + mean * mean);
                }
                batch.scale(k, |values| normaliser.normalise(values));
            } else {
                unit.old.clone_from(&unit.values);
            }
        }
        Ok(())
    }

    /// 1 - Var(R - V)/Var(R) over all units: what the critics knew beforehand.
    fn explained_variance(&self, batch: &Batch) -> Result<f64> {
        let (mut rest, mut all) = (0.0, 0.0);
        for unit in &batch.units {
            let active = Some(unit.transitions.active.as_slice());
            let both = unit.targets.iter().zip(&unit.old);
            let errors: Vec<f32> = both.map(|(target, value)| target - value).collect();
            rest += self.collective.moments(&errors, active)?.2;
            all += self.collective.moments(&unit.targets, active)?.2;
        }
        Ok(if all > 0.0 {
            1.0 - rest / all
        } else {
            f64::NAN
        })
    }

    /// All passes; whether something was not finite.
    fn passes(
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
