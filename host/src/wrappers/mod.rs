//! World wrappers: changes to the environment itself, between host and plugin.
//!
//! A world wrapper acts once on the environment, whoever plays in it (what belongs to a policy, such as
//! normalisation, travels with the policy instead). Wrappers are listed from the inside out: the first is
//! closest to the environment, so actions pass the last one first, and rewards the first one first.
//!
//! Noise comes from keys (run seed, global instance, episode, step), never from call order; nothing is
//! allocated per step.

mod actions;
mod fail_agents;
mod noise;
mod spec;
mod sticky_action;
mod team_reward;
mod time_limit;

use palaestra_plugin_api::{
    Error, Result,
    client::{ShardMut, Slabs},
    config::Config,
    spec::EnvironmentSpec,
};
use serde_json::Value;

use crate::{policy, rollout::Place};

pub use fail_agents::{FailAgents, FailAgentsConfig};
pub use spec::WrapperSpec;
pub use sticky_action::{StickyAction, StickyActionConfig};
pub use team_reward::{Reduction, Team, TeamReward, TeamRewardConfig};
pub use time_limit::{TimeLimit, TimeLimitConfig};

/// One wrapper around one shard.
pub trait WorldWrapper: Send {
    /// The spec that the world has from outside; the slabs stay as they are.
    ///
    /// # Errors
    /// When the wrapper does not fit the environment.
    fn compose(&mut self, spec: EnvironmentSpec) -> Result<EnvironmentSpec>;

    /// Finds slabs and takes memory. `spec` is that of the world inside, `position` the wrapper's in the
    /// list.
    fn bind(&mut self, spec: &EnvironmentSpec, slabs: &Slabs, place: &Place, position: usize);

    /// New episodes have begun everywhere at slot `write`.
    fn after_reset(&mut self, shard: &mut ShardMut<'_>, write: usize) {
        let _ = (shard, write);
    }

    /// Changes the actions at slot `read`.
    ///
    /// # Errors
    /// What keeps the world from stepping.
    fn before_step(&mut self, shard: &mut ShardMut<'_>, read: usize) -> Result<()> {
        let _ = (shard, read);
        Ok(())
    }

    /// Changes what the step from slot `read` has written at slot `write` and in the list of ended
    /// episodes.
    ///
    /// # Errors
    /// What the plugin reports.
    fn after_step(&mut self, shard: &mut ShardMut<'_>, read: usize, write: usize) -> Result<()> {
        let _ = (shard, read, write);
        Ok(())
    }

    /// What the wrapper remembers of one instance of the shard; null when it remembers nothing.
    fn save(&self, instance: usize) -> Value {
        let _ = instance;
        Value::Null
    }

    /// Remembers what [`save`](Self::save) gave for an instance of a wrapper of the same settings.
    ///
    /// # Errors
    /// Kind `Config` for the state of something else.
    fn load(&mut self, instance: usize, saved: &Value) -> Result<()> {
        let _ = instance;
        match saved {
            Value::Null => Ok(()),
            _ => Err(Error::config(format!(
                "saved state: expected null, found {saved}"
            ))),
        }
    }
}

/// One kind of wrapper.
#[derive(Clone, Copy)]
pub struct WrapperKind {
    /// Its name.
    pub name: &'static str,
    /// One line on what it does.
    pub description: &'static str,
    /// JSON Schema of its configuration.
    pub schema: &'static str,
    make: fn(&WrapperSpec) -> Result<Box<dyn WorldWrapper>>,
}

/// All kinds.
pub const KINDS: &[WrapperKind] = &[
    kind::<TimeLimitConfig>(
        "TimeLimit",
        "Truncates episodes after a number of steps.",
        |spec| Ok(Box::new(TimeLimit::new(spec.settings()?))),
    ),
    kind::<StickyActionConfig>(
        "StickyAction",
        "Repeats an agent's previous action by chance.",
        |spec| Ok(Box::new(StickyAction::new(spec.settings()?))),
    ),
    kind::<FailAgentsConfig>(
        "FailAgents",
        "Makes agents fail within an episode by chance.",
        |spec| Ok(Box::new(FailAgents::new(spec.settings()?))),
    ),
    kind::<TeamRewardConfig>(
        "TeamReward",
        "Gives every agent the reward of its team.",
        |spec| Ok(Box::new(TeamReward::new(spec.settings()?))),
    ),
];

const fn kind<C: Config>(
    name: &'static str,
    description: &'static str,
    make: fn(&WrapperSpec) -> Result<Box<dyn WorldWrapper>>,
) -> WrapperKind {
    WrapperKind {
        name,
        description,
        schema: C::SCHEMA,
        make,
    }
}

/// Makes a wrapper by its name and configuration.
///
/// # Errors
/// Kind `Config` for an unknown name or a wrong configuration.
pub fn make(spec: &WrapperSpec) -> Result<Box<dyn WorldWrapper>> {
    let Some(kind) = KINDS.iter().find(|kind| kind.name == spec.name) else {
        let names = KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>();
        let others = policy::KINDS
            .iter()
            .map(|kind| kind.name)
            .collect::<Vec<_>>();
        let elsewhere = "it belongs to a policy: list it among the wrappers of the algorithm";
        return Err(spec.unknown(&names, (&others, elsewhere)));
    };
    (kind.make)(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_made_by_its_name_and_has_a_schema() {
        for kind in KINDS {
            serde_json::from_str::<Value>(kind.schema).unwrap();
            make(&WrapperSpec::new(kind.name)).map(|_| ()).unwrap();
        }
    }

    #[test]
    fn wrong_names_and_settings_are_refused_on_one_line() {
        let refused = |text: &str| {
            let error = text
                .parse()
                .and_then(|spec| make(&spec).map(|_| ()))
                .unwrap_err();
            assert_eq!(error.kind.exit_code(), 2);
            error.message
        };
        assert_eq!(
            refused("TimeLimt"),
            "wrapper \"TimeLimt\" not found; did you mean TimeLimit?"
        );
        assert_eq!(
            refused("Frames"),
            "wrapper \"Frames\" not found; expected one of TimeLimit, StickyAction, FailAgents, TeamReward"
        );
        let message = refused("TimeLimit.max_episode_steps=0");
        assert!(
            message.starts_with("config TimeLimit: /max_episode_steps: expected 1 ≤ x"),
            "{message}"
        );
        let message = refused("StickyAction.probability=1.5");
        assert!(
            message.starts_with("config StickyAction: /probability: expected 0 ≤ x ≤ 1"),
            "{message}"
        );
        assert!(refused("StickyAction.chance=0.5").contains("chance"));
        assert_eq!(
            refused("FrameStack.frames=4"),
            "wrapper \"FrameStack\" not found; it belongs to a policy: list it among the wrappers of the algorithm"
        );
    }
}
