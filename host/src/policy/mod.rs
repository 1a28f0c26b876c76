//! Policy wrappers: what stands between a policy and its world, and travels in its bundle.
//!
//! A policy wrapper belongs to one policy (a *world* wrapper acts once on the environment, whoever plays in
//! it). The same policy sees the world through the same wrappers, with the same statistics, wherever it is
//! used: as a learner, an opponent, in evaluation, or exported.
//!
//! Wrappers are listed from the inside out, as world wrappers are: the first is closest to the world, so
//! observations pass the first one first and actions the last one first. `{name = "FrameStack", frames = 4}` in
//! a file is `FrameStack.frames=4` on the command line.
//!
//! | wrapper | does |
//! |---|---|
//! | `NormaliseObservation` | (x − mean) / √(variance + ε) per feature of a group, clipped |
//! | `NormaliseReward` | divides by the standard deviation of the discounted return, clipped |
//! | `FrameStack` | the last observations side by side, the newest last |
//! | `AgentId` | which agent of its group it is, one-hot, at the end |
//! | `LastAction` | what the policy itself proposed last, at the end |
//! | `ClipAction` | the policy's actions are unbounded and are cut to the world's bounds |
//! | `RescaleAction` | the policy acts in [−1, 1], which is mapped to the world's bounds |
//!
//! Statistics are frozen while a fragment is collected and updated once after it, in the order (t, instance,
//! agent): threads and shards change no bit.

mod action;
mod agent_id;
mod frame_stack;
mod group;
mod last_action;
mod moments;
mod normalise_observation;
mod normalise_reward;
mod observation;
mod rows;
mod view;

#[cfg(test)]
mod tests;

use palaestra_plugin_api::{Result, config::Config};

use crate::wrappers::{self, WrapperSpec};

pub use action::{ClipActionConfig, RescaleActionConfig};
pub use agent_id::AgentIdConfig;
pub use frame_stack::{FrameStackConfig, Padding};
pub use last_action::LastActionConfig;
pub use normalise_observation::NormaliseObservationConfig;
pub use normalise_reward::NormaliseRewardConfig;
pub use rows::ActionRows;
pub use view::PolicyView;

/// One kind of policy wrapper.
#[derive(Clone, Copy)]
pub struct PolicyWrapperKind {
    /// Its name.
    pub name: &'static str,
    /// One line on what it does.
    pub description: &'static str,
    /// JSON Schema of its settings.
    pub schema: &'static str,
    read: fn(&WrapperSpec) -> Result<Settings>,
}

/// All kinds.
pub const KINDS: &[PolicyWrapperKind] = &[
    kind::<NormaliseObservationConfig>(
        "NormaliseObservation",
        "Normalises each feature by its running mean and variance.",
        |spec| spec.settings().map(Settings::NormaliseObservation),
    ),
    kind::<NormaliseRewardConfig>(
        "NormaliseReward",
        "Divides rewards by the running deviation of the discounted return.",
        |spec| spec.settings().map(Settings::NormaliseReward),
    ),
    kind::<FrameStackConfig>(
        "FrameStack",
        "Shows the last observations side by side.",
        |spec| spec.settings().map(Settings::FrameStack),
    ),
    kind::<AgentIdConfig>(
        "AgentId",
        "Appends which agent of its group it is, one-hot.",
        |spec| spec.settings().map(|AgentIdConfig {}| Settings::AgentId),
    ),
    kind::<LastActionConfig>(
        "LastAction",
        "Appends the action that the agent proposed last.",
        |spec| {
            spec.settings()
                .map(|LastActionConfig {}| Settings::LastAction)
        },
    ),
    kind::<ClipActionConfig>(
        "ClipAction",
        "Cuts unbounded actions to the bounds of the world.",
        |spec| {
            spec.settings()
                .map(|ClipActionConfig {}| Settings::ClipAction)
        },
    ),
    kind::<RescaleActionConfig>(
        "RescaleAction",
        "Maps actions in [-1, 1] to the bounds of the world.",
        |spec| {
            spec.settings()
                .map(|RescaleActionConfig {}| Settings::RescaleAction)
        },
    ),
];

const fn kind<C: Config>(
    name: &'static str,
    description: &'static str,
    read: fn(&WrapperSpec) -> Result<Settings>,
) -> PolicyWrapperKind {
    PolicyWrapperKind {
        name,
        description,
        schema: C::SCHEMA,
        read,
    }
}

/// A wrapper with its settings, not yet on a policy.
#[derive(Clone, Debug)]
enum Settings {
    NormaliseObservation(NormaliseObservationConfig),
    NormaliseReward(NormaliseRewardConfig),
    FrameStack(FrameStackConfig),
    AgentId,
    LastAction,
    ClipAction,
    RescaleAction,
}

impl Settings {
    /// Whether it changes actions and nothing else.
    fn on_actions(&self) -> bool {
        matches!(self, Self::ClipAction | Self::RescaleAction)
    }
}

/// Checks name and settings of a wrapper, without a world that it would have to fit.
///
/// # Errors
/// Kind `Config` for an unknown name or a wrong setting.
pub fn check(spec: &WrapperSpec) -> Result<()> {
    read(spec).map(drop)
}

fn read(spec: &WrapperSpec) -> Result<Settings> {
    let Some(kind) = KINDS.iter().find(|kind| kind.name == spec.name) else {
        let names = KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>();
        let others = wrappers::KINDS.iter().map(|kind| kind.name);
        let elsewhere = "it changes the world: list it under wrappers, outside of the algorithm";
        return Err(spec.unknown(&names, (&others.collect::<Vec<_>>(), elsewhere)));
    };
    (kind.read)(spec)
}
