//! `core/PPO-v0`: proximal policy optimisation, for one agent or many.
//!
//! Schulman, Wolski, Dhariwal, Radford and Klimov, "Proximal policy optimization algorithms" (arXiv 1707.06347). For
//! teams: independent PPO (de Witt et al., "Is independent learning all you need in the StarCraft multi-agent
//! challenge?", arXiv 2011.09533) and MAPPO (Yu et al., "The surprising effectiveness of PPO in cooperative multi-agent
//! games", NeurIPS 2022). A fragment of the present policy's experience is gone through several times with Adam on
//!
//! ```text
//! L = -mean min(ρ·A, clip(ρ, 1 - ε, 1 + ε)·A) + c_v·mean ½(V - R)² - c_e·mean H
//!     ρ = π(a|o)/π_old(a|o)       A by GAE(γ, λ)       R = A + V_old
//! ```
//!
//! | preset | critic | values | passes |
//! |---|---|---|---|
//! | `core/PPO-v0` | own observation | as they are, ½e² | 10 of 4 minibatches |
//! | `core/IPPO-v0` | own observation and agent id | normalised, Huber | 10 of 1 |
//! | `core/MAPPO-v0` | global state (or all observations) and agent id | normalised, Huber | 10 of 1 |
//!
//! 1. *Who shares.* `share`: the agents of a group have one actor and one critic, or all groups do, or nobody does. What
//!    several agents share is told which agent it is (`agent_id`, one-hot): otherwise it cannot play asymmetric roles.
//!    The losses of all units of agents are added up: one optimiser, one norm, one all-reduce.
//! 2. *Networks.* Orthogonal weights, gain √2 in hidden layers, 0.01 for actions, 1 for values; biases 0. Actor and critic
//!    are apart, or with `shared_trunk` have all but the last layers in common (then the critic sees what its agent sees).
//! 3. *Actions.* One or several choices under a mask, bits, or a normal distribution whose standard deviations do not
//!    depend on the state; continuous actions are not bounded here, a wrapper or the environment clips them.
//! 4. *Ends.* A terminated episode is worth 0 afterwards; a truncated one what the critic says of its final observation,
//!    seen with the memory that the agent would have had; with `finite_horizon` a time limit is a terminal state.
//! 5. *Who learns.* Losses and statistics are means over the agents that are controlled, alive and whose action counts.
//!    In turn-based worlds transitions lead from one turn of an agent's own to its next.
//! 6. *Advantages* are standardised once a fragment, over all learners; not once a minibatch.
//! 7. *Values.* With `value_norm` critics learn (R - μ)/σ with running μ and σ of the targets, updated once a fragment.
//!    `clip_vloss` clips V around V_old by the policy's ε, as in the authors' code; `huber_delta` makes e² linear far out.
//! 8. *Memory.* With `recurrent` a GRU follows the hidden layers of actor and critic. Learning unrolls sequences of
//!    `sequence_length` steps from recorded states (as old as the rollout) and clears them where episodes begin.
//!    Minibatches are whole sequences, or else any rows; all agents of an instance stay together.
//! 9. *Messages.* Beside an exchange mechanism each actor sends a linear map of its features and hears an inbox, which
//!    joins the features in front of one more layer. Learning replays what the channel drew, and the gradient goes
//!    through the mechanism to senders and to its parameters; through delay lines within a sequence.
//! 10. *Early stop* behind a pass whose mean (ρ - 1) - log ρ exceeds `target_kl`.
//! 11. *Not finite.* A fragment with NaN is skipped, and so is the rest of an update after a step whose loss or gradient is
//!     not finite; parameters stay as they were. All such decisions are made on numbers of all learners.
//!
//! Not done here: no learning rate that follows the KL divergence, no bounded (Beta or squashed) distributions, no
//! standard deviations that depend on the state, no recomputation of advantages between passes, no dual clip.

mod acting;
mod batch;
mod config;
mod frozen;
mod judging;
mod learner;
mod minibatch;
mod policy;
mod saved;
mod update;

use std::io::{Read, Write};

use palaestra_learning::device::{Backend, DeviceName, Family, Placed};
use palaestra_plugin_api::serde_json::{Map, Value};
use palaestra_plugin_api::{
    Result,
    abi::{LogLevel, id},
    algorithm::{
        Algorithm, AlgorithmCapabilities, Collect, Extra, Metrics, Role, Sees, Setting, changed,
    },
    config::Config,
    table::Table,
};

pub use config::{CriticView, IppoConfig, MappoConfig, PpoConfig};
use learner::{Learner, Rules};

/// A set of defaults with a name of its own.
pub trait Preset: Config + Send + 'static {
    /// `core/Name-v0`.
    const ID: &'static str;
    /// One line.
    const DESCRIPTION: &'static str;
}

impl Preset for PpoConfig {
    const ID: &'static str = "core/PPO-v0";
    const DESCRIPTION: &'static str = "Proximal policy optimisation, for one agent or many";
}

impl Preset for IppoConfig {
    const ID: &'static str = "core/IPPO-v0";
    const DESCRIPTION: &'static str =
        "PPO for teams: shared policies, every agent judged by what it sees itself";
}

impl Preset for MappoConfig {
    const ID: &'static str = "core/MAPPO-v0";
    const DESCRIPTION: &'static str = "PPO for teams: shared policies, a critic that sees all";
}

/// `core/PPO-v0`.
pub type Ppo = Proximal<PpoConfig>;
/// `core/IPPO-v0`.
pub type Ippo = Proximal<IppoConfig>;
/// `core/MAPPO-v0`.
pub type Mappo = Proximal<MappoConfig>;

/// PPO with the defaults of `C`.
pub struct Proximal<C> {
    settings: C,
    learner: Placed<Learners>,
}

/// A learner, whatever its device.
trait OnDevice {
    fn act(&mut self, rows: &mut Table<'_>, slot: usize, greedy: bool) -> Result<()>;
    fn learn(&mut self, fragment: &Table<'_>) -> Result<Metrics>;
    fn set_config(&mut self, config: PpoConfig);
    fn config(&self) -> &PpoConfig;
    fn snapshot(&mut self, out: &mut dyn Write) -> Result<()>;
    fn restore(&mut self, from: &mut dyn Read) -> Result<Map<String, Value>>;
    fn weights(&mut self, out: &mut dyn Write) -> Result<()>;
    fn set_weights(&mut self, from: &mut dyn Read, groups: &[String]) -> Result<()>;
}

impl<D: Backend> OnDevice for Learner<D> {
    fn act(&mut self, rows: &mut Table<'_>, slot: usize, greedy: bool) -> Result<()> {
        self.act(rows, slot, greedy)
    }
    fn learn(&mut self, fragment: &Table<'_>) -> Result<Metrics> {
        self.learn(fragment)
    }
    fn set_config(&mut self, config: PpoConfig) {
        self.rules.config = config;
    }
    fn config(&self) -> &PpoConfig {
        &self.rules.config
    }
    fn snapshot(&mut self, out: &mut dyn Write) -> Result<()> {
        self.snapshot(out)
    }
    fn restore(&mut self, from: &mut dyn Read) -> Result<Map<String, Value>> {
        self.restore(from)
    }
    fn weights(&mut self, out: &mut dyn Write) -> Result<()> {
        Self::weights(self, out)
    }
    fn set_weights(&mut self, from: &mut dyn Read, groups: &[String]) -> Result<()> {
        self.set_weights(from, groups)
    }
}

/// Learners on all devices.
enum Learners {}

impl Family for Learners {
    type From<'a> = (PpoConfig, &'a Setting);
    type On<D: Backend> = Learner<D>;
    type Face = dyn OnDevice;

    fn make<D: Backend>(device: D, (config, setting): Self::From<'_>) -> Result<Learner<D>> {
        Learner::new(device, config, setting)
    }
    fn face<D: Backend>(learner: &Learner<D>) -> &Self::Face {
        learner
    }
    fn face_mut<D: Backend>(learner: &mut Learner<D>) -> &mut Self::Face {
        learner
    }
}

/// A learner on the device of the configuration. Others act only, which the CPU does.
fn place(config: PpoConfig, setting: &Setting) -> Result<Placed<Learners>> {
    let name: DeviceName = config.device.parse()?;
    let name = match setting.role {
        Role::Learner => name,
        _ => DeviceName::Cpu,
    };
    // A level that every host shows.
    let say = |note: &str| setting.host.log(LogLevel::Warn, "device", note);
    Placed::new(name, (config, setting), say)
}

impl<C: Preset> Algorithm for Proximal<C> {
    const ID: &'static str = C::ID;
    const DESCRIPTION: &'static str = C::DESCRIPTION;
    type Config = C;

    fn capabilities(config: &C, setting: &Setting) -> Result<AlgorithmCapabilities> {
        let rules = Rules::new(PpoConfig::of(config)?, setting);
        let (channel, central) = (&rules.channel, &rules.central);
        let groups = setting.controlled.len();
        let recurrent = match rules.recurrent_width() {
            0 => Vec::new(),
            width => vec![width; groups],
        };
        let sees_all = central.as_ref().is_some_and(|c| c.sees_all_groups());
        let mut needs = vec![id::KEY];
        if central.is_some() && !sees_all {
            needs.extend([id::STATE, id::FINAL_STATE]);
        }
        let mut likes = vec![id::ACTION_MASK, id::ALIVE, id::ACTING, id::CONTROLLED];
        likes.extend([id::AGENT_TERMINATED, id::AGENT_TRUNCATED, id::AGENT_FIRST]);
        likes.push(id::FINAL_OBSERVATION);
        let mut message_width = 0;
        if let Some(channel) = channel {
            let described = channel.description();
            message_width = described.message_width;
            likes.extend(described.needs.iter().chain(&described.likes));
            likes.extend((described.extras_width > 0).then_some(id::MECHANISM_EXTRAS));
        }
        Ok(AlgorithmCapabilities {
            on_policy: true,
            trainable: true,
            data_parallel: true,
            own_turns: true,
            recurrent,
            message_width,
            extras: acting::EXTRAS.map(|name| Extra::new(name, 1)).to_vec(),
            sees: match sees_all && groups < setting.spec.groups.len() {
                true => Sees::All,
                false => Sees::Own,
            },
            tunable: PpoConfig::TUNABLE.map(str::to_owned).to_vec(),
            needs,
            likes,
            ..AlgorithmCapabilities::default()
        })
    }

    fn new(config: &C, setting: &Setting) -> Result<Self> {
        Ok(Self {
            learner: place(PpoConfig::of(config)?, setting)?,
            settings: config.clone(),
        })
    }

    fn next(&mut self) -> Result<Collect> {
        let config = self.learner.get().config();
        Ok(match config.whole_episodes {
            true => Collect::episodes(1),
            false => Collect::steps(config.num_steps),
        })
    }

    fn act(&mut self, rows: &mut Table<'_>, slot: usize, greedy: bool) -> Result<()> {
        self.learner.get_mut().act(rows, slot, greedy)
    }

    fn learn(&mut self, fragment: &Table<'_>) -> Result<Metrics> {
        self.learner.get_mut().learn(fragment)
    }

    fn configure(&mut self, changes: &Map<String, Value>) -> Result<()> {
        let settings = changed(&self.settings, changes)?;
        self.learner.get_mut().set_config(PpoConfig::of(&settings)?);
        self.settings = settings;
        Ok(())
    }

    fn snapshot(&mut self, out: &mut dyn Write) -> Result<()> {
        self.learner.get_mut().snapshot(out)
    }

    fn restore(&mut self, from: &mut dyn Read) -> Result<()> {
        let changes = self.learner.get_mut().restore(from)?;
        self.configure(&changes)
    }

    fn weights(&mut self, out: &mut dyn Write) -> Result<()> {
        self.learner.get_mut().weights(out)
    }

    fn set_weights(&mut self, from: &mut dyn Read, groups: &[String]) -> Result<()> {
        self.learner.get_mut().set_weights(from, groups)
    }
}

#[cfg(test)]
mod tests;
