//! `trial/Adapting-v0`: learns weights from which a few steps of a task's own gradient go far.
//!
//! First-order MAML for reinforcement learning (Finn, Abbeel and Levine, "Model-agnostic meta-learning for fast
//! adaptation of deep networks", ICML 2017, algorithm 3 and section 5.2). With tasks T and the loss
//! L_T(θ) = -mean(A·log π_θ(a|s)) over episodes of T:
//!
//! ```text
//! support:  episodes of every task by π_θ,    θ_T ← θ - α·∇L_T(θ), several times
//! query:    episodes of every task by π_θ_T,  θ ← Adam(θ, mean over T of ∇L_T at θ_T)
//! ```
//!
//! 1. A turn has two fragments, [`Collect`]s of fresh episodes with the same tasks: what `learn` does depends on which
//!    one it is given, and between the two `act` plays every instance by the weights of its own task.
//! 2. A is the return to go less its mean over the task's steps, in units of its standard deviation.
//! 3. The gradient at θ_T stands for the gradient through the adaptation: second derivatives are left out.
//! 4. Further inner steps reuse the support episodes, without correction for the policy having moved.
//! 5. An evaluator plays by θ: it has not met a task.
//!
//! Not done: several groups, other actions than choices, other devices than the CPU, trust regions. Metrics:
//! `support_return`, `query_return`, and their difference `adaptation_gain`. Weights: `policy/<group>/…`.

mod experience;

use std::io::{Read, Write};

use palaestra_learning::{
    device::Backend as _,
    distributions::Categorical,
    losses::{self, Loss},
    networks::{Activation, Input, Mlp, Module, frozen::FrozenMlp},
    optimisers::{Adam, AdamSettings, AdamState},
    skips::{Skips, all_finite},
    tensor::{self, Cpu, GradientTape, Gradients, matrix},
};
use palaestra_plugin_api::{
    abi::{NO_GROUP, id},
    algorithm::{ActionKind, Algorithm, AlgorithmCapabilities, Collect, Metrics, Role, Setting},
    config::Rate,
    prelude::*,
    rng::purpose,
    table::Table,
};

use self::experience::{Experience, Source};
use crate::one_group::{one_group, read_snapshot, read_weights, write_snapshot, write_weights};

/// Settings of Adapting.
#[config]
pub struct AdaptingConfig {
    /// Tasks that the run lists.
    #[config(default = 4, range = 1..=1_000_000)]
    pub tasks: u32,
    /// Different tasks of a turn; all where there are fewer.
    #[config(default = 4, range = 1..=10_000)]
    pub tasks_per_update: u32,
    /// Episodes of each instance, in either phase.
    #[config(default = 2, range = 1..=1_000)]
    pub episodes: usize,
    /// Discount factor γ.
    #[config(default = 0.99, range = 0.0..=1.0)]
    pub gamma: f64,
    /// Step size α of the adaptation.
    #[config(default = 0.5, above = 0.0)]
    pub inner_lr: f64,
    /// Steps of an adaptation.
    #[config(default = 3, range = 1..=100)]
    pub inner_steps: u32,
    /// Learning rate of Adam on θ.
    #[config(default = 3e-3, above = 0.0)]
    pub lr: Rate,
    /// Width of the two hidden layers.
    #[config(default = 32, range = 1..=4096)]
    pub hidden: usize,
    /// The outer gradient is scaled down to this global norm.
    #[config(default = 0.5, above = 0.0)]
    pub max_grad_norm: f64,
    /// Turns in a row that may be skipped for a number that is not finite.
    #[config(default = 10, range = 0..=1_000_000)]
    pub max_skipped: u32,
}

/// First-order MAML of one group.
pub struct Adapting {
    config: AdaptingConfig,
    group: (u32, String),
    run_seed: u64,
    choices: Categorical,
    source: Source,
    /// θ.
    meta: Mlp<Cpu>,
    /// Takes the place of θ_T while its gradient is computed.
    moved: Mlp<Cpu>,
    adam: Adam<Cpu>,
    /// π_θ.
    actor: FrozenMlp,
    /// π_θ_T of the turn's tasks, in the order of [`Adapted::tasks`]; empty in the support phase.
    actors: Vec<FrozenMlp>,
    progress: Progress,
}

/// Where a run is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Progress {
    /// Turns so far.
    turns: u64,
    /// Environment steps so far.
    steps: u64,
    /// What the support phase led to; none before it.
    adapted: Option<Adapted>,
    skips: Skips,
}

/// The weights of the tasks of a turn.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Adapted {
    tasks: Vec<u32>,
    /// θ_T of each.
    weights: Vec<Vec<f32>>,
    support_return: f64,
}

/// Everything that a run goes on from.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Saved {
    meta: Vec<f32>,
    adam: AdamState,
    progress: Progress,
}

impl Algorithm for Adapting {
    const ID: &'static str = "trial/Adapting-v0";
    const DESCRIPTION: &'static str =
        "First-order MAML: learns to adapt to a task within a few episodes";
    type Config = AdaptingConfig;

    fn capabilities(_: &AdaptingConfig, setting: &Setting) -> Result<AlgorithmCapabilities> {
        one_group(Self::ID, setting)?;
        Ok(AlgorithmCapabilities {
            actions: vec![ActionKind::Discrete],
            on_policy: true,
            trainable: true,
            needs: vec![id::KEY, id::TASK],
            likes: vec![id::ACTION_MASK],
            ..AlgorithmCapabilities::default()
        })
    }

    fn new(config: &AdaptingConfig, setting: &Setting) -> Result<Self> {
        let (index, group) = one_group(Self::ID, setting)?;
        let tasks = config.tasks.min(config.tasks_per_update) as usize;
        if setting.role == Role::Learner && setting.instances < tasks {
            return Err(Error::config(format!(
                "{}: expected at least {tasks} instances for as many tasks, found {}",
                Self::ID,
                setting.instances
            ))
            .with_next("raise the number of instances or lower tasks_per_update"));
        }
        let sizes = [
            group.observation.width(),
            config.hidden,
            config.hidden,
            group.action.choices()[0],
        ];
        let mut rng = EnvRng::new(setting.run_seed, 0, 0, purpose::INITIALISATION);
        let mut network = || {
            let layers = (Activation::Tanh, Activation::Identity);
            Mlp::orthogonal(&Cpu::default(), &sizes, layers, 0.01, &mut rng)
        };
        let (meta, moved) = (network()?, network()?);
        Ok(Self {
            choices: Categorical::new(sizes[3])?,
            source: Source {
                group: index,
                agents: group.agents,
                has_mask: group.has_action_mask,
                episodes: config.episodes,
                gamma: config.gamma as f32,
            },
            group: (index, group.name.clone()),
            run_seed: setting.run_seed,
            actor: meta.freeze(),
            actors: Vec::new(),
            meta,
            moved,
            adam: Adam::new(AdamSettings {
                max_grad_norm: config.max_grad_norm,
                ..AdamSettings::default()
            }),
            progress: Progress::default(),
            config: config.clone(),
        })
    }

    /// Support and query in turns, both with the tasks of the turn.
    fn next(&mut self) -> Result<Collect> {
        let tasks = match &self.progress.adapted {
            Some(adapted) => adapted.tasks.clone(),
            None => self.draw_tasks(),
        };
        Ok(Collect {
            tasks,
            ..Collect::episodes(self.config.episodes)
        })
    }

    fn act(&mut self, rows: &mut Table<'_>, slot: usize, greedy: bool) -> Result<()> {
        let (g, agents) = (self.group.0, self.source.agents);
        let keys = rows.rows::<u64>(id::KEY, NO_GROUP, slot)?.to_vec();
        let tasks = rows.rows::<u32>(id::TASK, NO_GROUP, slot)?;
        let observations = rows.rows::<f32>(id::OBSERVATION, g, slot)?;
        let mut logits = vec![0.0; keys.len() * agents * self.choices.width()];
        let each = tasks
            .iter()
            .zip(observations.chunks_exact(observations.len() / keys.len()));
        for ((task, seen), logits) in
            each.zip(logits.chunks_exact_mut(agents * self.choices.width()))
        {
            self.policy_of(*task).infer(seen, logits);
        }
        let mask = match self.source.has_mask {
            true => Some(rows.rows::<u8>(id::ACTION_MASK, g, slot)?.to_vec()),
            false => None,
        };
        let agent_keys: Vec<u64> = (0..keys.len() * agents)
            .map(|i| palaestra_learning::keys::word(keys[i / agents], (i % agents) as u64))
            .collect();
        let actions = rows.rows_mut::<i32>(id::PROPOSED_ACTION, g, slot)?;
        let mut log_prob = vec![0.0; agent_keys.len()];
        match greedy {
            true => self
                .choices
                .greedy(&logits, mask.as_deref(), actions, &mut log_prob),
            false => self.choices.sample(
                &logits,
                mask.as_deref(),
                &agent_keys,
                actions,
                &mut log_prob,
            ),
        }
    }

    fn learn(&mut self, fragment: &Table<'_>) -> Result<Metrics> {
        self.progress.steps += (fragment.steps()? * fragment.instances()) as u64;
        match self.progress.adapted.take() {
            None => self.adapt(fragment),
            Some(adapted) => self.learn_from_query(fragment, adapted),
        }
    }

    fn snapshot(&mut self, out: &mut dyn Write) -> Result<()> {
        let saved = Saved {
            meta: self.meta.flat(),
            adam: self.adam.state(&self.meta)?,
            progress: self.progress.clone(),
        };
        write_snapshot(&saved, out)
    }

    fn restore(&mut self, from: &mut dyn Read) -> Result<()> {
        let saved: Saved = read_snapshot(from)?;
        self.meta.set_flat(&saved.meta)?;
        self.adam.restore(&self.meta, &saved.adam)?;
        self.progress = saved.progress;
        self.freeze()
    }

    fn weights(&mut self, out: &mut dyn Write) -> Result<()> {
        write_weights(&self.meta, &self.group.1, out)
    }

    fn set_weights(&mut self, from: &mut dyn Read, groups: &[String]) -> Result<()> {
        read_weights(&mut self.meta, &self.group.1, from, groups)?;
        self.freeze()
    }
}

impl Adapting {
    /// Different tasks for this turn, ascending.
    fn draw_tasks(&self) -> Vec<u32> {
        let mut tasks: Vec<u32> = (0..self.config.tasks).collect();
        EnvRng::new(self.run_seed, 0, self.progress.turns, purpose::TASK).shuffle(&mut tasks);
        tasks.truncate(self.config.tasks_per_update as usize);
        tasks.sort_unstable();
        tasks
    }

    /// The policy of a task: adapted in the query phase, π_θ otherwise.
    fn policy_of(&self, task: u32) -> &FrozenMlp {
        let adapted = self.progress.adapted.as_ref();
        let position = adapted.and_then(|a| a.tasks.iter().position(|&t| t == task));
        position.map_or(&self.actor, |position| &self.actors[position])
    }

    /// Makes the acting copies what the weights are.
    fn freeze(&mut self) -> Result<()> {
        self.actor = self.meta.freeze();
        self.actors.clear();
        for weights in self.progress.adapted.iter().flat_map(|a| &a.weights) {
            self.moved.set_flat(weights)?;
            self.actors.push(self.moved.freeze());
        }
        Ok(())
    }

    /// The support phase: weights for every task of the turn.
    fn adapt(&mut self, fragment: &Table<'_>) -> Result<Metrics> {
        let tasks = self.draw_tasks();
        let support = self.source.read(fragment, &tasks)?;
        let mut adapted = Adapted {
            weights: Vec::with_capacity(tasks.len()),
            tasks,
            support_return: mean_total(&support),
        };
        for experience in &support {
            let mut weights = self.meta.flat();
            for _ in 0..self.config.inner_steps {
                let gradient = self.gradient(&weights, experience)?;
                let step = self.config.inner_lr as f32;
                // A gradient that is not finite moves nothing; the outer step counts what comes of it.
                if all_finite(&gradient) {
                    let both = weights.iter_mut().zip(&gradient);
                    both.for_each(|(weight, d)| *weight -= step * d);
                }
            }
            adapted.weights.push(weights);
        }
        let metrics = [("support_return".to_owned(), adapted.support_return)];
        self.progress.adapted = Some(adapted);
        self.freeze()?;
        Ok(metrics.into())
    }

    /// The query phase: a step of θ, and the end of the turn.
    fn learn_from_query(&mut self, fragment: &Table<'_>, adapted: Adapted) -> Result<Metrics> {
        let query = self.source.read(fragment, &adapted.tasks)?;
        let mut mean = vec![0.0; self.meta.size()];
        for (experience, weights) in query.iter().zip(&adapted.weights) {
            let gradient = self.gradient(weights, experience)?;
            let share = 1.0 / query.len() as f32;
            let both = mean.iter_mut().zip(&gradient);
            both.for_each(|(mean, d)| *mean += share * d);
        }
        let lr = self.config.lr.at(self.progress.steps);
        let gradients = as_gradients(&self.meta, &mean)?;
        let step = self.adam.step(&mut self.meta, gradients, lr, None)?;
        self.progress
            .skips
            .record(!step.applied, self.config.max_skipped)?;
        self.progress.turns += 1;
        self.freeze()?;
        let query_return = mean_total(&query);
        let gain = query_return - adapted.support_return;
        Ok([
            ("query_return", query_return),
            ("adaptation_gain", gain),
            ("grad_norm", step.grad_norm),
            ("skipped_updates", self.progress.skips.total() as f64),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into())
    }

    /// ∇L_T at `weights`; zero where nothing was played.
    fn gradient(&mut self, weights: &[f32], experience: &Experience) -> Result<Vec<f32>> {
        let rows = experience.actions.len();
        let mut flat = vec![0.0; weights.len()];
        if rows == 0 {
            return Ok(flat);
        }
        self.moved.set_flat(weights)?;
        let width = self.moved.inputs();
        let x = matrix(
            &Cpu::default(),
            experience.observations.clone(),
            rows,
            width,
        )?;
        let logits = self.moved.forward::<GradientTape<Cpu>>(Input::Data(x))?;
        let mask = self.source.has_mask.then_some(&experience.masks[..]);
        let (log_prob, _) = self.choices.on_tape(logits, mask, &experience.actions)?;
        let advantages = experience.advantages();
        let loss = losses::on_tape(log_prob, |log_prob| {
            let scale = 1.0 / rows as f32;
            let products = log_prob.iter().zip(&advantages).map(|(l, a)| l * a);
            Ok(Loss {
                value: -scale * products.sum::<f32>(),
                gradient: advantages.iter().map(|a| -scale * a).collect(),
            })
        })?;
        let (_, mut gradients) = tensor::backward(loss)?;
        let mut rest = flat.as_mut_slice();
        for parameter in self.moved.parameters() {
            let (part, after) = rest.split_at_mut(parameter.len());
            Cpu::read_gradient(&mut gradients, parameter, part)?;
            rest = after;
        }
        Ok(flat)
    }
}

/// A flat gradient as that of the network's parameters.
fn as_gradients(network: &Mlp<Cpu>, flat: &[f32]) -> Result<Gradients<f32, Cpu>> {
    let mut gradients = Gradients::leaky();
    let mut rest = flat;
    for parameter in network.parameters() {
        let (part, after) = rest.split_at(parameter.len());
        Cpu::write_gradient(&mut gradients, parameter, part)?;
        rest = after;
    }
    Ok(gradients)
}

/// Mean return of all episodes of all tasks; NaN without any.
fn mean_total(all: &[Experience]) -> f64 {
    let totals = || all.iter().flat_map(|e| &e.totals);
    totals().sum::<f64>() / totals().count() as f64
}
