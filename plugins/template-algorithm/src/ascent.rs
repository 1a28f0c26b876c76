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
//! Not done: recurrent networks, turns, several updates of a fragment, several learners, other devices than the CPU.
//! Weights: `policy/<group>/actor/…` and `policy/<group>/critic/…`.
//!
//! Here is what the host asks for, in the order of a run; what the agents of one group do and learn is in `team.rs`.

mod team;

use std::io::{Read, Write};

use palaestra_learning::{
    networks::Module,
    optimisers::AdamState,
    sharing::{Share, Unit},
    skips::Skips,
    weights::{self, NamedTensors},
};
use palaestra_plugin_api::{
    abi::id,
    algorithm::{ActionKind, Algorithm, AlgorithmCapabilities, Collect, Metrics, Setting},
    config::Rate,
    prelude::*,
    rng::purpose,
    serde_json,
    table::Table,
};

use self::team::Team;

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
        let units = Unit::all(setting, Share::Group)?.into_iter();
        let teams = units.map(|unit| Team::new(config, unit, &mut rng));
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
        let (own, found) = (self.teams.len(), saved.teams.len());
        if own != found {
            let message = format!("snapshot: expected {own} policies, found {found}");
            return Err(Error::config(message));
        }
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
            weights::collect(&team.networks, &team.place(), &mut all);
        }
        Ok(out.write_all(&weights::to_bytes(&all, &Default::default())?)?)
    }

    fn set_weights(&mut self, from: &mut dyn Read, groups: &[String]) -> Result<()> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes)?;
        let (all, _) = weights::from_bytes(&bytes)?;
        for team in &mut self.teams {
            if groups.is_empty() || groups.contains(&team.unit.name) {
                let place = team.place();
                weights::apply(&mut team.networks, &place, &all)?;
                team.actor = team.networks.actor.freeze();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
