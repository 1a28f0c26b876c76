//! `trial/TinyQmix-v0`: QMIX in its smallest whole form, over the learning kit.
//!
//! Rashid et al., "QMIX: Monotonic value function factorisation for deep multi-agent reinforcement learning"
//! (ICML 2018). With y = r + γ(1 - terminated)·Q_tot'(s', argmax_a Q_a(s', ·)), the mean over all steps of ½(Q_tot - y)².
//!
//! 1. All agents share one network: a layer, a GRU, a layer; the agent's number is part of its input.
//! 2. Hypernetworks of the state give the mixer's weights; absolute values make it monotone
//!    (a pure function with its derivatives, in `mixing.rs`). Without a state it is all observations side by side.
//! 3. Whole episodes are replayed from their beginning. The last row of an episode is its final observation, which only
//!    targets read: a truncated episode goes on behind its end.
//! 4. Double Q (van Hasselt et al. 2016): the online network chooses, the target network values.
//! 5. A team's reward is the mean of its agents' learning rewards.
//! 6. Exploration is ε-greedy, by the row's key.
//!
//! Not done: several groups, agents that end before their episode does, the last action as an input, other devices
//! than the CPU, sharing the work between learners. Weights: `policy/<group>/encoder|memory|head/…` and
//! `policy/<group>/mixer/…`.

mod episode;
mod mixing;
mod network;

use std::io::{Read, Write};

use palaestra_learning::{
    buffers::{EpisodeBatch, EpisodeBuffer},
    keys,
    losses::{self, ValueError},
    networks::Module,
    optimisers::{Adam, AdamSettings, AdamState},
    skips::Skips,
    tensor::{self, Cpu, GradientTape, Matrix, NoneTape, Scalar, values},
};
use palaestra_plugin_api::{
    abi::{NO_GROUP, id},
    algorithm::{
        ActionKind, Algorithm, AlgorithmCapabilities, Collect, LearnsFrom, Metrics, Setting,
    },
    config::Rate,
    prelude::*,
    rng::{self, purpose},
    table::Table,
};

use self::{
    episode::Fields,
    mixing::mix,
    network::{Actor, Network, Sizes},
};
use crate::one_group::{one_group, read_snapshot, read_weights, write_snapshot, write_weights};

/// Settings of TinyQmix.
#[config]
pub struct TinyQmixConfig {
    /// Discount factor γ.
    #[config(default = 0.99, range = 0.0..=1.0)]
    pub gamma: f64,
    /// Learning rate of Adam.
    #[config(default = 5e-3, above = 0.0)]
    pub lr: Rate,
    /// Probability of a random action.
    #[config(default = Rate::linear(1.0, 0.05, 2_000), range = 0.0..=1.0)]
    pub epsilon: Rate,
    /// Width of the agents' layers.
    #[config(default = 16, range = 1..=1024)]
    pub hidden: usize,
    /// Width of the mixer.
    #[config(default = 8, range = 1..=1024)]
    pub embed: usize,
    /// Episodes that replay keeps.
    #[config(default = 500, range = 1..=1_000_000)]
    pub buffer_size: usize,
    /// Episodes of an update.
    #[config(default = 32, range = 1..=100_000)]
    pub batch_size: usize,
    /// Updates after each fragment.
    #[config(default = 2, range = 1..=1_000)]
    pub updates: u64,
    /// Updates from one copy into the target network to the next.
    #[config(default = 50, range = 1..=1_000_000)]
    pub target_update_interval: u64,
    /// Gradients are scaled down to this global norm.
    #[config(default = 10.0, above = 0.0)]
    pub max_grad_norm: f64,
    /// Updates in a row that may be skipped for a number that is not finite.
    #[config(default = 10, range = 0..=1_000_000)]
    pub max_skipped: u32,
}

/// QMIX of one group.
pub struct TinyQmix {
    config: TinyQmixConfig,
    sizes: Sizes,
    group: (u32, String),
    fields: Fields,
    run_seed: u64,
    online: Network,
    target: Network,
    actor: Actor,
    adam: Adam<Cpu>,
    buffer: EpisodeBuffer,
    /// Environment steps of the fragments so far.
    steps: u64,
    updates: u64,
    skips: Skips,
}

/// Everything that a run goes on from.
#[derive(Serialize, Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Saved {
    online: Vec<f32>,
    target: Vec<f32>,
    adam: AdamState,
    buffer: EpisodeBuffer,
    steps: u64,
    updates: u64,
    skips: Skips,
}

impl Algorithm for TinyQmix {
    const ID: &'static str = "trial/TinyQmix-v0";
    const DESCRIPTION: &'static str =
        "QMIX in its smallest form: episode replay, recurrent agents, a monotone mixer";
    type Config = TinyQmixConfig;

    fn capabilities(config: &TinyQmixConfig, setting: &Setting) -> Result<AlgorithmCapabilities> {
        one_group(Self::ID, setting)?;
        Ok(AlgorithmCapabilities {
            actions: vec![ActionKind::Discrete],
            off_policy: true,
            recurrent: vec![config.hidden],
            learns_from: LearnsFrom::Executed,
            trainable: true,
            needs: vec![id::KEY],
            likes: vec![id::STATE, id::ACTION_MASK, id::CONTROLLED],
            ..AlgorithmCapabilities::default()
        })
    }

    fn new(config: &TinyQmixConfig, setting: &Setting) -> Result<Self> {
        let (index, group) = one_group(Self::ID, setting)?;
        let observation = group.observation.width();
        let state = setting.spec.state.as_ref().map(|s| s.width());
        let sizes = Sizes {
            agents: group.agents,
            observation,
            choices: group.action.choices()[0],
            state: state.unwrap_or(group.agents * observation),
            hidden: config.hidden,
            embed: config.embed,
        };
        let mut rng = EnvRng::new(setting.run_seed, 0, 0, purpose::INITIALISATION);
        let online = Network::new(sizes, &mut rng)?;
        let mut target = Network::new(sizes, &mut rng)?;
        target.copy_from(&online)?;
        let fields = Fields::new(index, sizes, state.is_some(), group.has_action_mask);
        Ok(Self {
            buffer: EpisodeBuffer::new(fields.list(), config.buffer_size)?,
            config: config.clone(),
            sizes,
            group: (index, group.name.clone()),
            fields,
            run_seed: setting.run_seed,
            actor: online.freeze(),
            online,
            target,
            adam: Adam::new(AdamSettings {
                max_grad_norm: config.max_grad_norm,
                ..AdamSettings::default()
            }),
            steps: 0,
            updates: 0,
            skips: Skips::default(),
        })
    }

    fn next(&mut self) -> Result<Collect> {
        Ok(Collect::episodes(1))
    }

    fn act(&mut self, rows: &mut Table<'_>, slot: usize, greedy: bool) -> Result<()> {
        let (g, agents, choices) = (self.group.0, self.sizes.agents, self.sizes.choices);
        let observations = rows.rows::<f32>(id::OBSERVATION, g, slot)?.to_vec();
        let keys = rows.rows::<u64>(id::KEY, NO_GROUP, slot)?.to_vec();
        let available = self.fields.available(rows, slot)?;
        let ours = match rows.has(id::CONTROLLED, g) {
            true => rows.rows::<u8>(id::CONTROLLED, g, slot)?.to_vec(),
            false => vec![1; keys.len() * agents],
        };
        let (hidden, next) =
            rows.read_write((id::RECURRENT, g, slot), (id::RECURRENT, g, slot + 1))?;
        let q = self.actor.step(&observations, hidden, next);
        let epsilon = if greedy {
            0.0
        } else {
            self.config.epsilon.at(self.steps)
        };
        let actions = rows.rows_mut::<i32>(id::PROPOSED_ACTION, g, slot)?;
        for (i, action) in actions
            .iter_mut()
            .enumerate()
            .filter(|(i, _)| ours[*i] != 0)
        {
            let (key, agent) = (keys[i / agents], (i % agents) as u64);
            let allowed = &available[i * choices..][..choices];
            *action = if keys::uniform(key, 2 * agent) < epsilon {
                any(allowed, keys::uniform(key, 2 * agent + 1)) as i32
            } else {
                best(&q[i * choices..][..choices], allowed) as i32
            };
        }
        Ok(())
    }

    fn learn(&mut self, fragment: &Table<'_>) -> Result<Metrics> {
        self.steps += (fragment.steps()? * fragment.instances()) as u64;
        self.fields.store(fragment, &mut self.buffer)?;
        let mut metrics = Metrics::new();
        if self.buffer.len() >= self.config.batch_size {
            let mut sum = 0.0;
            for _ in 0..self.config.updates {
                sum += f64::from(self.update()?);
            }
            self.actor = self.online.freeze();
            metrics.insert("loss".into(), sum / self.config.updates as f64);
        }
        metrics.insert("epsilon".into(), self.config.epsilon.at(self.steps));
        metrics.insert("episodes_kept".into(), self.buffer.len() as f64);
        metrics.insert("skipped_updates".into(), self.skips.total() as f64);
        Ok(metrics)
    }

    fn snapshot(&mut self, out: &mut dyn Write) -> Result<()> {
        let saved = Saved {
            online: self.online.flat(),
            target: self.target.flat(),
            adam: self.adam.state(&self.online)?,
            buffer: self.buffer.clone(),
            steps: self.steps,
            updates: self.updates,
            skips: self.skips,
        };
        write_snapshot(&saved, out)
    }

    fn restore(&mut self, from: &mut dyn Read) -> Result<()> {
        let saved: Saved = read_snapshot(from)?;
        self.online.set_flat(&saved.online)?;
        self.target.set_flat(&saved.target)?;
        self.adam.restore(&self.online, &saved.adam)?;
        self.actor = self.online.freeze();
        (self.buffer, self.skips) = (saved.buffer, saved.skips);
        (self.steps, self.updates) = (saved.steps, saved.updates);
        Ok(())
    }

    fn weights(&mut self, out: &mut dyn Write) -> Result<()> {
        write_weights(&self.online, &self.group.1, out)
    }

    fn set_weights(&mut self, from: &mut dyn Read, groups: &[String]) -> Result<()> {
        read_weights(&mut self.online, &self.group.1, from, groups)?;
        self.actor = self.online.freeze();
        Ok(())
    }
}

impl TinyQmix {
    /// One gradient step on sampled episodes; the loss.
    fn update(&mut self) -> Result<f32> {
        let key = rng::key(self.run_seed, 0, 0, self.updates, purpose::LEARNING);
        let batch = self.buffer.sample(self.config.batch_size, key)?;
        let (observations, states) = (self.fields.observations(&batch), self.fields.states(&batch));
        let q = self
            .online
            .choices::<GradientTape<Cpu>>(observations, batch.columns)?;
        let hyper = self.online.hyper::<GradientTape<Cpu>>(states)?;
        let (online, weights) = (values(&q), network::numbers(&hyper));

        let actions = self.fields.actions(&batch);
        let chosen: Vec<f32> = self.each_choice(actions.iter().map(|&a| a as usize), &online);
        let mixed = mix(&chosen, &weights, self.sizes.agents);
        let targets = self.targets(&batch, &online)?;
        let valid = self.fields.valid(&batch);
        let loss = losses::value(
            &mixed.total,
            &targets,
            Some(&valid),
            ValueError::Square,
            None,
        )?;

        // dL/dQ_tot times Q_tot's derivatives is the gradient of each network's output.
        let scaled = |d: &[f32]| -> Vec<f32> {
            let width = d.len() / loss.gradient.len();
            let each = d.iter().enumerate();
            each.map(|(i, d)| d * loss.gradient[i / width]).collect()
        };
        let mut d_q = vec![0.0; online.len()];
        for ((i, d), &action) in scaled(&mixed.d_values).iter().enumerate().zip(actions) {
            d_q[i * self.sizes.choices + action as usize] = *d;
        }
        let d = &mixed.d_weights;
        let d_hyper = [&d.first, &d.bias, &d.second, &d.value].map(|d| scaled(d));
        let mut parts = vec![(1.0, pulled(q, actions.len(), d_q)?)];
        for (weights, d) in hyper.into_iter().zip(d_hyper) {
            parts.push((1.0, pulled(weights, targets.len(), d)?));
        }
        let (_, gradients) = tensor::backward(tensor::combine(parts)?)?;
        let lr = self.config.lr.at(self.steps);
        let step = self.adam.step(&mut self.online, gradients, lr, None)?;
        self.skips.record(!step.applied, self.config.max_skipped)?;
        self.updates += 1;
        if self
            .updates
            .is_multiple_of(self.config.target_update_interval)
        {
            self.target.copy_from(&self.online)?;
        }
        Ok(loss.value)
    }

    /// y of every row `[steps, columns]`; 0 where nothing follows in the batch.
    fn targets(&self, batch: &EpisodeBatch, online: &[f32]) -> Result<Vec<f32>> {
        let choices = self.sizes.choices;
        let available = self.fields.masks(batch);
        let allowed: Vec<u8> = available.iter().map(|&a| u8::from(a != 0.0)).collect();
        let greedy = online
            .chunks_exact(choices)
            .zip(allowed.chunks_exact(choices));
        let greedy = greedy.map(|(q, allowed)| best(q, allowed));
        let q = self
            .target
            .choices::<NoneTape>(self.fields.observations(batch), batch.columns)?;
        let following = self.each_choice(greedy, &values(&q));
        let weights = network::numbers(&self.target.hyper::<NoneTape>(self.fields.states(batch))?);
        let following = mix(&following, &weights, self.sizes.agents).total;
        let (rewards, terminated) = self.fields.outcomes(batch);
        let gamma = self.config.gamma as f32;
        let target = |i: usize| match following.get(i + batch.columns) {
            Some(next) => rewards[i] + gamma * (1.0 - terminated[i]) * next,
            None => 0.0,
        };
        Ok((0..following.len()).map(target).collect())
    }

    /// The values of one choice each.
    fn each_choice(&self, chosen: impl Iterator<Item = usize>, q: &[f32]) -> Vec<f32> {
        let each = chosen.enumerate();
        each.map(|(i, a)| q[i * self.sizes.choices + a]).collect()
    }
}

/// A function of x's rows whose gradient by x is `gradient`; its value means nothing.
fn pulled(
    x: Matrix<Cpu, GradientTape<Cpu>>,
    rows: usize,
    gradient: Vec<f32>,
) -> Result<Scalar<Cpu, GradientTape<Cpu>>> {
    let each = tensor::rows_with_gradient(x, vec![0.0; rows], gradient)?;
    tensor::mean_with_gradient(each, 0.0, vec![1.0; rows])
}

/// The available choice of the largest value, the first of equals; among all where none is available.
fn best(q: &[f32], allowed: &[u8]) -> usize {
    let none = allowed.iter().all(|&a| a == 0);
    let choices = (0..q.len()).filter(|&a| none || allowed[a] != 0);
    choices
        .reduce(|best, a| if q[a] > q[best] { a } else { best })
        .unwrap_or(0)
}

/// The available choice at `share` of the way through them.
fn any(allowed: &[u8], share: f64) -> usize {
    let choices: Vec<usize> = (0..allowed.len()).filter(|&a| allowed[a] != 0).collect();
    let nth = (share * choices.len() as f64) as usize;
    choices.get(nth).copied().unwrap_or(0)
}
