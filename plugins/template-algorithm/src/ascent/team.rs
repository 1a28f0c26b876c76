//! The agents of one group: the networks they share, what they do, and what they learn from a fragment.
//!
//! Rows are time-major, `[steps, instances, agents, …]`; a column is one agent of one instance.

use std::ops::Range;

use palaestra_learning::{
    distributions::Categorical,
    keys,
    losses::{self, Loss, ValueError},
    networks::{Activation, Input, Mlp, Module, Parameter, Path, frozen::FrozenMlp},
    normalise::Moments,
    optimisers::{Adam, AdamSettings},
    returns::{FinalValue, Fragment, gae, next_values, value_targets},
    sharing::Unit,
    tensor::{self, Cpu, GradientTape, matrix},
    transitions::{Transitions, cuts},
};
use palaestra_plugin_api::{
    abi::{NO_GROUP, SlabElement, id},
    algorithm::Metrics,
    prelude::*,
    table::Table,
};

use super::AscentConfig;

/// What is trained.
pub(super) struct Networks {
    pub(super) actor: Mlp<Cpu>,
    critic: Mlp<Cpu>,
}

impl Module<Cpu> for Networks {
    fn visit<'a>(&'a self, at: &Path<'_>, visitor: &mut dyn FnMut(&Path<'_>, &'a Parameter<Cpu>)) {
        self.actor.visit(&at.part("actor"), visitor);
        self.critic.visit(&at.part("critic"), visitor);
    }

    fn visit_mut<'a>(&'a mut self, visitor: &mut dyn FnMut(&'a mut Parameter<Cpu>)) {
        self.actor.visit_mut(visitor);
        self.critic.visit_mut(visitor);
    }
}

/// The agents of one group.
pub(super) struct Team {
    /// Who they are, and the way between their slabs and the networks' rows.
    pub(super) unit: Unit,
    choices: Categorical,
    pub(super) networks: Networks,
    /// The actor as it plays: renewed after each update.
    pub(super) actor: FrozenMlp,
    pub(super) adam: Adam<Cpu>,
}

/// What is learned from.
struct Rollout {
    observations: Vec<f32>,
    actions: Vec<i32>,
    mask: Option<Vec<u8>>,
    /// 1 where the agent is ours and takes part.
    active: Vec<u8>,
    /// Standardised.
    advantages: Vec<f32>,
    /// What the critic should have said.
    targets: Vec<f32>,
}

impl Team {
    pub(super) fn new(config: &AscentConfig, unit: Unit, rng: &mut EnvRng) -> Result<Self> {
        let (inputs, hidden) = (unit.spec.observation.width(), config.hidden);
        let mut network = |outputs: usize, gain: f64| {
            let layers = (Activation::Tanh, Activation::Identity);
            let sizes = [inputs, hidden, hidden, outputs];
            Mlp::orthogonal(&Cpu::default(), &sizes, layers, gain, rng)
        };
        let choices = Categorical::multi(&unit.spec.action.choices())?;
        let networks = Networks {
            actor: network(choices.width(), 0.01)?,
            critic: network(1, 1.0)?,
        };
        Ok(Self {
            unit,
            choices,
            actor: networks.actor.freeze(),
            networks,
            adam: Adam::new(AdamSettings {
                epsilon: 1e-5,
                max_grad_norm: config.max_grad_norm,
                ..AdamSettings::default()
            }),
        })
    }

    /// Where its weights are among all.
    pub(super) fn place(&self) -> String {
        format!("policy/{}", self.unit.name)
    }

    pub(super) fn act(&self, rows: &mut Table<'_>, slot: usize, greedy: bool) -> Result<()> {
        let mut observations = Vec::new();
        let here = slot..slot + 1;
        self.unit
            .gather_observations(rows, here.clone(), &mut observations)?;
        let mask = self.mask(rows, here)?;
        // Numbers of its own for every agent of every row, whatever rows are beside it.
        let mut keys = Vec::new();
        for &key in rows.rows::<u64>(id::KEY, NO_GROUP, slot)? {
            let members = self.unit.members.iter();
            keys.extend(members.map(|m| keys::of_agent(key, m.group, m.agent)));
        }

        let mut logits = vec![0.0; keys.len() * self.choices.width()];
        self.actor.infer(&observations, &mut logits);
        let mut actions = vec![0; keys.len() * self.choices.choices()];
        let (mask, mut log_prob) = (mask.as_deref(), vec![0.0; keys.len()]);
        if greedy {
            self.choices
                .greedy(&logits, mask, &mut actions, &mut log_prob)?;
        } else {
            self.choices
                .sample(&logits, mask, &keys, &mut actions, &mut log_prob)?;
        }
        self.unit
            .scatter(rows, id::PROPOSED_ACTION, slot, &actions, None)
    }

    /// One update at step `now` of the run; whether it was applied.
    pub(super) fn learn(
        &mut self,
        fragment: &Table<'_>,
        config: &AscentConfig,
        now: u64,
        metrics: &mut Metrics,
    ) -> Result<bool> {
        let rollout = self.read(fragment, config)?;
        let (rows, active) = (rollout.active.len(), Some(&rollout.active[..]));
        let (data, inputs) = (rollout.observations, self.actor.inputs());
        let x = matrix(&Cpu::default(), data, rows, inputs)?;
        let Networks { actor, critic } = &self.networks;
        let logits = actor.forward::<GradientTape<Cpu>>(Input::Data(x.clone()))?;
        let mask = rollout.mask.as_deref();
        let (log_prob, entropy) = self.choices.on_tape(logits, mask, &rollout.actions)?;
        let values = tensor::column(critic.forward(Input::Data(x))?)?;

        let mut report = |name: &str, loss: Result<Loss>| {
            let loss = loss?;
            let name = format!("{}/{name}", self.unit.name);
            metrics.insert(name, f64::from(loss.value));
            Ok(loss)
        };
        let policy = losses::on_tape(log_prob, |l| {
            let loss = policy_loss(l, &rollout.advantages, &rollout.active);
            report("policy_loss", loss)
        })?;
        let entropy = losses::on_tape(entropy, |h| report("entropy", losses::mean(h, active)))?;
        let value = losses::on_tape(values, |v| {
            let loss = losses::value(v, &rollout.targets, active, ValueError::Square, None);
            report("value_loss", loss)
        })?;
        let loss = tensor::combine([
            (1.0, policy),
            (-config.ent_coef as f32, entropy),
            (config.vf_coef as f32, value),
        ])?;
        let (_, gradients) = tensor::backward(loss)?;
        let lr = config.lr.at(now);
        let step = self.adam.step(&mut self.networks, gradients, lr, None)?;
        self.actor = self.networks.actor.freeze();
        metrics.insert(format!("{}/grad_norm", self.unit.name), step.grad_norm);
        Ok(step.applied)
    }

    /// The rows of a fragment, with what the critic makes of them.
    fn read(&self, fragment: &Table<'_>, config: &AscentConfig) -> Result<Rollout> {
        let (unit, steps) = (&self.unit, fragment.steps()?);
        let (mut observations, mut last, mut finals) = (Vec::new(), Vec::new(), Vec::new());
        unit.gather_observations(fragment, 0..steps, &mut observations)?;
        unit.gather_observations(fragment, steps..steps + 1, &mut last)?;
        unit.gather_final_observations(fragment, &mut finals)?;
        let critic = self.networks.critic.freeze();
        let value = |observations: &[f32]| {
            let mut values = vec![0.0; observations.len() / critic.inputs()];
            critic.infer(observations, &mut values);
            values
        };
        let (values, last, finals) = (value(&observations), value(&last), value(&finals));
        // An episode that was cut off goes on behind its final observation, not behind the reset that was recorded.
        let mut cut_off = Vec::new();
        for cut in cuts(fragment)? {
            let of_cut = &finals[cut.entry * unit.len()..][..unit.len()];
            cut_off.extend(of_cut.iter().enumerate().map(|(agent, &value)| FinalValue {
                step: cut.step,
                column: cut.instance * unit.len() + agent,
                value,
            }));
        }

        let transitions = Transitions::read(fragment, unit, false)?;
        let columns = Fragment {
            columns: transitions.columns,
            rewards: &transitions.rewards,
            next_values: &next_values(&values, &last, &cut_off)?,
            values: &values,
            terminated: &transitions.terminated,
            truncated: &transitions.truncated,
        };
        let mut advantages = gae(&columns, config.gamma as f32, config.gae_lambda as f32)?;
        let targets = value_targets(&advantages, &values);
        let mut active = Vec::new();
        unit.gather_flags(
            fragment,
            &[id::ALIVE, id::CONTROLLED],
            0..steps,
            &mut active,
        )?;
        let moments = Moments::of(1, &advantages, Some(&active))?;
        moments.normalise(&mut advantages, f32::INFINITY);
        Ok(Rollout {
            observations,
            actions: self.rows(fragment, id::PROPOSED_ACTION, 0..steps)?,
            mask: self.mask(fragment, 0..steps)?,
            active,
            advantages,
            targets,
        })
    }

    /// Which choices are available; none where all are.
    fn mask(&self, table: &Table<'_>, slots: Range<usize>) -> Result<Option<Vec<u8>>> {
        let has_mask = self.unit.spec.has_action_mask;
        let mask = has_mask.then(|| self.rows(table, id::ACTION_MASK, slots));
        mask.transpose()
    }

    /// Some slots of the agents' slabs.
    fn rows<T: SlabElement>(&self, table: &Table<'_>, id: u32, at: Range<usize>) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        self.unit.gather(table, id, at, &mut rows)?;
        Ok(rows)
    }
}

/// -mean A·log π(a|s) over the active rows, and its derivative by each log π(a|s).
pub(super) fn policy_loss(log_prob: &[f32], advantages: &[f32], active: &[u8]) -> Result<Loss> {
    let products = log_prob.iter().zip(advantages).map(|(l, a)| l * a);
    let mean = losses::mean(&products.collect::<Vec<f32>>(), Some(active))?;
    let slopes = mean.gradient.iter().zip(advantages);
    Ok(Loss {
        value: -mean.value,
        gradient: slopes.map(|(slope, a)| -slope * a).collect(),
    })
}
