//! The object behind PPO on one device: networks, optimiser, normalisers.

use palaestra_learning::{
    central::Central,
    collective::Collective,
    device::Backend,
    exchange::Channel,
    networks::Module,
    normalise::ValueNormaliser,
    optimisers::{Adam, AdamSettings},
    sharing::Unit,
    skips::Skips,
    threads,
};
use palaestra_plugin_api::{
    Result,
    algorithm::{Metrics, Role, Setting},
    serde::{Deserialize, Serialize},
    table::Table,
};

use super::{
    acting::Acting,
    batch::Batch,
    config::{CriticView, PpoConfig},
    frozen::FrozenPolicy,
    judging::{Judge, judge},
    minibatch::Weights,
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
    pub(super) run_seed: u64,
}

impl Rules {
    pub(crate) fn new(config: PpoConfig, setting: &Setting) -> Self {
        let is_central = config.critic == CriticView::Central;
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
    pub(super) fn unrolls(&self) -> bool {
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
    pub(super) collective: Collective,
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
        if setting.role == Role::Learner {
            threads::allow(setting.host.threads());
        }
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
        let mut metrics = Metrics::from([("rows".to_owned(), batch.active() as f64)]);
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
}
