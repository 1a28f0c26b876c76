//! Tasks: the physics of one instance, chosen by reset options.

use palaestra_plugin_api::{
    algorithm::changed,
    prelude::*,
    serde_json::{Map, Value},
};

use super::{CartPoleConfig, Physics};

/// The physics of an episode if `options` change any: the settings with those changes.
///
/// # Errors
/// A value that the settings would refuse, and the time limit, which no task changes.
pub(super) fn physics(
    config: &CartPoleConfig,
    options: &ResetOptions<'_>,
) -> Result<Option<Physics>> {
    let changes = options.options::<Map<String, Value>>()?;
    let Some(changes) = changes.filter(|changes| !changes.is_empty()) else {
        return Ok(None);
    };
    if let Some(limit) = changes.get("max_episode_steps") {
        return Err(Error::config(format!(
            "reset /options/max_episode_steps: expected none in a task, found {limit}; wrap the environment in TimeLimit"
        )));
    }
    let config = changed(config, &changes).map_err(|e| e.within("reset /options"))?;
    Ok(Some(Physics::from(&config)))
}

/// The physics of the instances of a shard: one for all until a task differs.
pub(super) struct Tasks {
    config: CartPoleConfig,
    /// As configured.
    pub(super) common: Physics,
    /// `[n]`; empty as long as every instance has the common ones.
    own: Vec<Physics>,
}

impl Tasks {
    pub(super) fn new(config: &CartPoleConfig) -> Self {
        Self {
            config: config.clone(),
            common: Physics::from(config),
            own: Vec::new(),
        }
    }

    /// The physics of each instance, if any differ.
    #[inline(always)]
    pub(super) fn own(&self) -> Option<&[Physics]> {
        (!self.own.is_empty()).then_some(&self.own)
    }

    /// The physics of one instance.
    pub(super) fn of(&self, instance: usize) -> &Physics {
        self.own.get(instance).unwrap_or(&self.common)
    }

    /// Chooses the physics of a new episode of one of `n` instances.
    ///
    /// # Errors
    /// As for [`physics`].
    pub(super) fn begin(
        &mut self,
        instance: usize,
        n: usize,
        options: &ResetOptions<'_>,
    ) -> Result<&Physics> {
        let physics = physics(&self.config, options)?;
        if physics.is_some() || !self.own.is_empty() {
            self.set(instance, n, physics.unwrap_or(self.common));
        }
        Ok(self.of(instance))
    }

    /// Gives one of `n` instances its physics.
    pub(super) fn set(&mut self, instance: usize, n: usize, physics: Physics) {
        if self.own.is_empty() {
            if physics == self.common {
                return;
            }
            self.own = vec![self.common; n];
        }
        self.own[instance] = physics;
    }
}
