//! Ascent: a policy and a critic that learn together (A2C), the smallest learner that is of use.
//!
//! Source: Mnih et al., "Asynchronous methods for deep reinforcement learning" (ICML 2016), the synchronous form, with
//! the advantages of Schulman et al. (2016). A real algorithm names the paper or code it follows here.
//!
//! With A by GAE(γ, λ) and R = A + V, both constants, over all agents that take part:
//!
//! ```text
//! L = mean[ -A·log π(a|s) - ent_coef·H(π(·|s)) + vf_coef·½(V(s) - R)² ]
//! ```
//!
//! 1. The agents of a group share networks; every controlled group has its own.
//! 2. Behind a time limit the final observation's value counts; behind a terminal state, 0.
//! 3. Advantages are standardised over the fragment.
//! 4. Noise comes from the row's key, so neither threads nor shards change an action.
//! 5. An update with a number that is not finite is skipped and counted.
//!
//! Not done: recurrent networks, several updates of a fragment, several learners, other devices than the CPU.
//! Weights: `policy/<group>/actor/…` and `policy/<group>/critic/…`.

use std::io::{Read, Write};

use palaestra_learning::{
    distributions::Categorical,
    keys,
    losses::{self, Loss, ValueError},
    networks::{Activation, Input, Mlp, Module, Parameter, Path, frozen::FrozenMlp},
    normalise::Moments,
    optimisers::{Adam, AdamSettings, AdamState},
    returns::{FinalValue, Fragment, gae, next_values, value_targets},
    skips::Skips,
    tensor::{self, Cpu, GradientTape, matrix},
    weights::{self, NamedTensors},
};
use palaestra_plugin_api::{
    abi::{NO_GROUP, SlabElement, id},
    algorithm::{ActionKind, Algorithm, AlgorithmCapabilities, Collect, Metrics, Setting},
    config::Rate,
    prelude::*,
    rng::purpose,
    serde_json,
    table::Table,
};

/// Settings of Ascent.
#[palaestra_plugin_api::config]
pub struct AscentConfig {
    /// Steps of a fragment, of every instance.
    #[config(default = 32, range = 1..=100_000)]
    pub num_steps: usize,
    /// Learning rate of Adam.
    #[config(default = 2e-3, above = 0.0)]
    pub lr: Rate,
    /// Discount factor γ.
    #[config(default = 0.99, range = 0.0..=1.0)]
    pub gamma: f64,
    /// λ of the advantages.
    #[config(default = 0.95, range = 0.0..=1.0)]
    pub gae_lambda: f64,
    /// Weight of the entropy.
    #[config(default = 0.01, range = 0.0..=1.0)]
    pub ent_coef: f64,
    /// Weight of the value loss.
    #[config(default = 0.5, range = 0.0..=100.0)]
    pub vf_coef: f64,
    /// Gradients are scaled down to this global norm.
    #[config(default = 0.5, above = 0.0)]
    pub max_grad_norm: f64,
    /// Width of the two hidden layers of either network.
    #[config(default = 64, range = 1..=4096)]
    pub hidden: usize,
    /// Updates in a row that may be skipped for a number that is not finite.
    #[config(default = 10, range = 0..=1_000_000)]
    pub max_skipped: u32,
}

/// The learner: one team for each controlled group.
pub struct Ascent {
    config: AscentConfig,
    teams: Vec<Team>,
    /// Environment steps so far; rates may depend on them.
    steps: u64,
    skips: Skips,
}

/// Everything that a run goes on from.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Saved {
    /// Weights and optimiser of each team.
    teams: Vec<(Vec<f32>, AdamState)>,
    steps: u64,
    skips: Skips,
}

impl Algorithm for Ascent {
    const ID: &'static str = "template/Ascent-v0";
    const DESCRIPTION: &'static str = "A policy and a critic that learn together (A2C)";
    type Config = AscentConfig;

    fn capabilities(_: &AscentConfig, _: &Setting) -> Result<AlgorithmCapabilities> {
        Ok(AlgorithmCapabilities {
            actions: vec![ActionKind::Discrete, ActionKind::MultiDiscrete],
            on_policy: true,
            trainable: true,
            needs: vec![id::KEY],
            likes: vec![id::ACTION_MASK, id::ALIVE, id::CONTROLLED],
            ..AlgorithmCapabilities::default()
        })
    }

    fn new(config: &AscentConfig, setting: &Setting) -> Result<Self> {
        let mut rng = EnvRng::new(setting.run_seed, 0, 0, purpose::INITIALISATION);
        let groups = setting.controlled_groups();
        let teams = groups.map(|(index, group)| Team::new(config, index, group, &mut rng));
        Ok(Self {
            teams: teams.collect::<Result<_>>()?,
            config: config.clone(),
            steps: 0,
            skips: Skips::default(),
        })
    }

    fn next(&mut self) -> Result<Collect> {
        Ok(Collect::steps(self.config.num_steps))
    }

    fn act(&mut self, rows: &mut Table<'_>, slot: usize, greedy: bool) -> Result<()> {
        let mut teams = self.teams.iter();
        teams.try_for_each(|team| team.act(rows, slot, greedy))
    }

    fn learn(&mut self, fragment: &Table<'_>) -> Result<Metrics> {
        self.steps += (fragment.steps()? * fragment.instances()) as u64;
        let mut metrics = Metrics::new();
        for team in &mut self.teams {
            let applied = team.learn(fragment, &self.config, self.steps, &mut metrics)?;
            self.skips.record(!applied, self.config.max_skipped)?;
        }
        metrics.insert("skipped_updates".into(), self.skips.total() as f64);
        Ok(metrics)
    }

    fn snapshot(&mut self, out: &mut dyn Write) -> Result<()> {
        let teams = self.teams.iter_mut();
        let teams = teams.map(|team| Ok((team.networks.flat(), team.adam.state(&team.networks)?)));
        let saved = Saved {
            teams: teams.collect::<Result<_>>()?,
            steps: self.steps,
            skips: self.skips,
        };
        serde_json::to_writer(out, &saved).map_err(|e| Error::plugin(format!("snapshot: {e}")))
    }

    fn restore(&mut self, from: &mut dyn Read) -> Result<()> {
        let saved: Saved =
            serde_json::from_reader(from).map_err(|e| Error::config(format!("snapshot: {e}")))?;
        for (team, (weights, adam)) in self.teams.iter_mut().zip(&saved.teams) {
            team.networks.set_flat(weights)?;
            team.adam.restore(&team.networks, adam)?;
            team.actor = team.networks.actor.freeze();
        }
        (self.steps, self.skips) = (saved.steps, saved.skips);
        Ok(())
    }

    fn weights(&mut self, out: &mut dyn Write) -> Result<()> {
        let mut all = NamedTensors::new();
        for team in &self.teams {
            weights::collect(&team.networks, &format!("policy/{}", team.name), &mut all);
        }
        Ok(out.write_all(&weights::to_bytes(&all, &Default::default())?)?)
    }

    fn set_weights(&mut self, from: &mut dyn Read, groups: &[String]) -> Result<()> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes)?;
        let (all, _) = weights::from_bytes(&bytes)?;
        for team in &mut self.teams {
            if groups.is_empty() || groups.contains(&team.name) {
                weights::apply(&mut team.networks, &format!("policy/{}", team.name), &all)?;
                team.actor = team.networks.actor.freeze();
            }
        }
        Ok(())
    }
}

/// What is trained for one group.
struct Networks {
    actor: Mlp<Cpu>,
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
struct Team {
    /// Number of its slabs.
    group: u32,
    name: String,
    agents: usize,
    has_mask: bool,
    choices: Categorical,
    networks: Networks,
    /// The actor as it plays: renewed after each update.
    actor: FrozenMlp,
    adam: Adam<Cpu>,
}

/// A fragment's rows, time-major: `[steps, instances, agents, …]`.
struct Rollout {
    observations: Vec<f32>,
    actions: Vec<i32>,
    mask: Option<Vec<u8>>,
    /// 1 where the agent is ours and takes part.
    active: Vec<u8>,
}

impl Team {
    fn new(config: &AscentConfig, index: u32, group: &GroupSpec, rng: &mut EnvRng) -> Result<Self> {
        let choices = Categorical::multi(&group.action.choices())?;
        let mut network = |outputs: usize, gain: f64| {
            let sizes = [
                group.observation.width(),
                config.hidden,
                config.hidden,
                outputs,
            ];
            let layers = (Activation::Tanh, Activation::Identity);
            Mlp::orthogonal(&Cpu::default(), &sizes, layers, gain, rng)
        };
        let networks = Networks {
            actor: network(choices.width(), 0.01)?,
            critic: network(1, 1.0)?,
        };
        Ok(Self {
            group: index,
            name: group.name.clone(),
            agents: group.agents,
            has_mask: group.has_action_mask,
            actor: networks.actor.freeze(),
            networks,
            choices,
            adam: Adam::new(AdamSettings {
                epsilon: 1e-5,
                max_grad_norm: config.max_grad_norm,
                ..AdamSettings::default()
            }),
        })
    }

    fn act(&self, rows: &mut Table<'_>, slot: usize, greedy: bool) -> Result<()> {
        let instance_keys = rows.rows::<u64>(id::KEY, NO_GROUP, slot)?;
        let each = instance_keys.iter().flat_map(|key| {
            (0..self.agents as u64)
                .map(|agent| keys::word(*key, agent ^ (u64::from(self.group) << 32)))
        });
        let keys: Vec<u64> = each.collect();
        let mut logits = vec![0.0; keys.len() * self.choices.width()];
        self.actor
            .infer(rows.rows(id::OBSERVATION, self.group, slot)?, &mut logits);
        let mask = self.mask(rows, slot..slot + 1)?;
        let actions = rows.rows_mut::<i32>(id::PROPOSED_ACTION, self.group, slot)?;
        let mut log_prob = vec![0.0; keys.len()];
        if greedy {
            self.choices
                .greedy(&logits, mask.as_deref(), actions, &mut log_prob)
        } else {
            self.choices
                .sample(&logits, mask.as_deref(), &keys, actions, &mut log_prob)
        }
    }

    /// One update; whether it was applied.
    fn learn(
        &mut self,
        fragment: &Table<'_>,
        config: &AscentConfig,
        now: u64,
        metrics: &mut Metrics,
    ) -> Result<bool> {
        let rollout = self.read(fragment)?;
        let (advantages, targets) = self.estimate(fragment, &rollout, config)?;
        let (rows, active) = (rollout.active.len(), Some(&rollout.active[..]));
        let x = matrix(
            &Cpu::default(),
            rollout.observations,
            rows,
            self.actor.inputs(),
        )?;
        let logits = self
            .networks
            .actor
            .forward::<GradientTape<Cpu>>(Input::Data(x.clone()))?;
        let (log_prob, entropy) =
            self.choices
                .on_tape(logits, rollout.mask.as_deref(), &rollout.actions)?;
        let values = tensor::column(self.networks.critic.forward(Input::Data(x))?)?;

        let mut report = |name: &str, loss: Result<Loss>| {
            let loss = loss?;
            metrics.insert(format!("{}/{name}", self.name), f64::from(loss.value));
            Ok(loss)
        };
        let policy = losses::on_tape(log_prob, |l| {
            report("policy_loss", policy_loss(l, &advantages, &rollout.active))
        })?;
        let entropy = losses::on_tape(entropy, |h| report("entropy", losses::mean(h, active)))?;
        let value = losses::on_tape(values, |v| {
            let loss = losses::value(v, &targets, active, ValueError::Square, None);
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
        metrics.insert(format!("{}/grad_norm", self.name), step.grad_norm);
        Ok(step.applied)
    }

    fn read(&self, fragment: &Table<'_>) -> Result<Rollout> {
        let (g, steps) = (self.group, fragment.steps()?);
        let mut active = vec![1; steps * fragment.instances() * self.agents];
        for id in [id::ALIVE, id::CONTROLLED] {
            if fragment.has(id, g) {
                let flags = slots::<u8>(fragment, (id, g), 0..steps)?;
                let both = active.iter_mut().zip(flags);
                both.for_each(|(active, flag)| *active &= u8::from(flag != 0));
            }
        }
        Ok(Rollout {
            observations: slots(fragment, (id::OBSERVATION, g), 0..steps)?,
            actions: slots(fragment, (id::PROPOSED_ACTION, g), 0..steps)?,
            mask: self.mask(fragment, 0..steps)?,
            active,
        })
    }

    fn mask(&self, table: &Table<'_>, at: std::ops::Range<usize>) -> Result<Option<Vec<u8>>> {
        let mask = self
            .has_mask
            .then(|| slots(table, (id::ACTION_MASK, self.group), at));
        mask.transpose()
    }

    /// Standardised advantages, and what the critic should have said.
    fn estimate(
        &self,
        fragment: &Table<'_>,
        rollout: &Rollout,
        config: &AscentConfig,
    ) -> Result<(Vec<f32>, Vec<f32>)> {
        let (g, steps) = (self.group, fragment.steps()?);
        let critic = self.networks.critic.freeze();
        let value = |observations: &[f32]| {
            let mut values = vec![0.0; observations.len() / critic.inputs()];
            critic.infer(observations, &mut values);
            values
        };
        let values = value(&rollout.observations);
        let last = value(fragment.rows(id::OBSERVATION, g, steps)?);
        let finals = value(fragment.ended_rows(id::FINAL_OBSERVATION, g)?);
        let rows = fragment
            .ended()?
            .iter()
            .zip(finals.chunks_exact(self.agents));
        let finals: Vec<FinalValue> = rows
            .flat_map(|(&row, values)| {
                let (step, instance) = (
                    row as usize / fragment.instances(),
                    row as usize % fragment.instances(),
                );
                values
                    .iter()
                    .enumerate()
                    .map(move |(agent, &value)| FinalValue {
                        step,
                        column: instance * self.agents + agent,
                        value,
                    })
            })
            .collect();
        // An agent that ends for itself ends for the critic too.
        let flags = |of_all: u32, of_agent: u32| -> Result<Vec<u8>> {
            let all = slots::<u8>(fragment, (of_all, NO_GROUP), 1..steps + 1)?;
            let mut flags: Vec<u8> = all.iter().flat_map(|&f| vec![f; self.agents]).collect();
            if fragment.has(of_agent, g) {
                let own = slots::<u8>(fragment, (of_agent, g), 1..steps + 1)?;
                flags.iter_mut().zip(own).for_each(|(f, own)| *f |= own);
            }
            Ok(flags)
        };
        let columns = Fragment {
            columns: last.len(),
            rewards: &slots(fragment, (id::LEARNING_REWARD, g), 1..steps + 1)?,
            next_values: &next_values(&values, &last, &finals)?,
            values: &values,
            terminated: &flags(id::TERMINATED, id::AGENT_TERMINATED)?,
            truncated: &flags(id::TRUNCATED, id::AGENT_TRUNCATED)?,
        };
        let mut advantages = gae(&columns, config.gamma as f32, config.gae_lambda as f32)?;
        let targets = value_targets(&advantages, &values);
        let moments = Moments::of(1, &advantages, Some(&rollout.active))?;
        moments.normalise(&mut advantages, f32::INFINITY);
        Ok((advantages, targets))
    }
}

/// -mean A·log π(a|s) over the active rows, and its derivative by each log π(a|s).
fn policy_loss(log_prob: &[f32], advantages: &[f32], active: &[u8]) -> Result<Loss> {
    let products: Vec<f32> = log_prob
        .iter()
        .zip(advantages)
        .map(|(l, a)| l * a)
        .collect();
    let mean = losses::mean(&products, Some(active))?;
    let slopes = mean.gradient.iter().zip(advantages);
    Ok(Loss {
        value: -mean.value,
        gradient: slopes.map(|(slope, a)| -slope * a).collect(),
    })
}

/// Some slots of a slab, one after the other.
fn slots<T: SlabElement>(
    table: &Table<'_>,
    (id, group): (u32, u32),
    at: std::ops::Range<usize>,
) -> Result<Vec<T>> {
    let mut all = Vec::new();
    for slot in at {
        all.extend_from_slice(table.rows(id, group, slot)?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
