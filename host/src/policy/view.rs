//! The world as one policy sees it.

use palaestra_plugin_api::{Error, ErrorKind, Result, spec::EnvironmentSpec};
use serde_json::{Map, Value};

use super::{ActionRows, group::GroupView, read};
use crate::wrappers::WrapperSpec;

/// The wrappers of one policy object, on all groups it controls, for all instances.
///
/// All rows are those of a whole batch, `[n, agents, …]`, and nothing is allocated once it is made. Within a
/// fragment the order of calls for each group is, after every step: [`reward`](Self::reward),
/// [`observe_final`](Self::observe_final) for every episode that ended in it, then [`observe`](Self::observe);
/// after the fragment [`learn_statistics`](Self::learn_statistics). Every slot is observed once: the first slot of a
/// fragment is the last one of the fragment before it.
///
/// Groups are numbered as in the environment's spec; those that the policy does not control pass unchanged.
pub struct PolicyView {
    spec: EnvironmentSpec,
    /// One per group of the spec; none where the policy does not play.
    groups: Vec<Option<GroupView>>,
    frozen: bool,
}

impl PolicyView {
    /// Composes `wrappers` (the first closest to the world) with the `groups` of `base` that the policy controls.
    ///
    /// # Errors
    /// Kind `Config` for an unknown wrapper, a wrong setting, or a wrapper that does not fit a group.
    pub fn new(
        base: &EnvironmentSpec,
        groups: &[usize],
        wrappers: &[WrapperSpec],
        instances: usize,
    ) -> Result<Self> {
        let read = |spec| Ok((spec, read(spec)?));
        let wrappers = wrappers.iter().map(read).collect::<Result<Vec<_>>>()?;
        let mut spec = base.clone();
        let mut views: Vec<Option<GroupView>> = base.groups.iter().map(|_| None).collect();
        for &g in groups {
            let Some(group) = spec.groups.get_mut(g) else {
                return Err(Error::new(
                    ErrorKind::Host,
                    format!(
                        "policy view: expected a group below {}, found {g}",
                        base.groups.len()
                    ),
                ));
            };
            views[g] = Some(GroupView::new(group, &wrappers, instances)?);
        }
        if let Some(reward) = views.iter().flatten().find_map(|view| view.reward.as_ref()) {
            let (low, high) = reward.range(base.reward_range);
            spec.reward_range = (Some(low), Some(high));
        }
        Ok(Self {
            spec,
            groups: views,
            frozen: false,
        })
    }

    /// What the algorithm sees.
    pub fn spec(&self) -> &EnvironmentSpec {
        &self.spec
    }

    /// Whether observations and actions of a group pass unchanged: then nothing needs to be copied.
    pub fn is_identity(&self, g: usize) -> bool {
        !self.changes_observation(g) && !self.changes_action(g)
    }

    /// Whether [`observe`](Self::observe) changes anything for a group.
    pub fn changes_observation(&self, g: usize) -> bool {
        self.group(g).is_some_and(GroupView::changes_observation)
    }

    /// Whether [`act`](Self::act) changes anything for a group.
    pub fn changes_action(&self, g: usize) -> bool {
        self.group(g).is_some_and(GroupView::changes_action)
    }

    /// Whether [`reward`](Self::reward) changes anything.
    pub fn changes_reward(&self) -> bool {
        self.groups.iter().flatten().any(|g| g.reward.is_some())
    }

    /// Whether [`learn_statistics`](Self::learn_statistics) has anything to learn for a group.
    pub fn learns_statistics(&self, g: usize) -> bool {
        !self.frozen && self.group(g).is_some_and(GroupView::has_statistics)
    }

    /// The policy's observations at a slot: `base` `[n, agents, features]` becomes `out` `[n, agents, width]`.
    ///
    /// `first` `[n · agents]` is 1 where the agent starts an episode with this row; `action` is what the policy
    /// itself proposed in the step before, of all instances, and none before its first. Advances stacks.
    ///
    /// # Errors
    /// Kind `Host` for slices of another size.
    pub fn observe(
        &mut self,
        g: usize,
        base: &[f32],
        first: &[u8],
        action: Option<ActionRows<'_>>,
        out: &mut [f32],
    ) -> Result<()> {
        match self.group_mut(g) {
            Some(group) => group.observe(base, first, action, out),
            None => copy(base, out),
        }
    }

    /// The policy's view of the last observations `base` `[agents, features]` of the episode of `instance` that
    /// ended in this step; `action` is that of the step, of all instances. To be called before `observe` of the
    /// new slot; what later calls give does not change.
    ///
    /// # Errors
    /// Kind `Host` for slices of another size.
    pub fn observe_final(
        &mut self,
        g: usize,
        instance: usize,
        base: &[f32],
        action: ActionRows<'_>,
        out: &mut [f32],
    ) -> Result<()> {
        match self.group_mut(g) {
            Some(group) => group.observe_final(instance, base, action, out),
            None => copy(base, out),
        }
    }

    /// What the world executes, `[n, agents, components]`, for the real actions that the policy proposed.
    ///
    /// # Panics
    /// When the slices differ in length.
    pub fn act(&self, g: usize, proposed: &[f32], executed: &mut [f32]) {
        executed.copy_from_slice(proposed);
        if let Some(group) = self.group(g) {
            group.act(executed);
        }
    }

    /// The rewards to learn from, `[n · agents]`, of one step. `ended` is 1 where the agent's episode ended in the
    /// step, terminated or truncated; `counted` is 1 where the reward is one of this policy (it acted and was
    /// alive), everywhere without it.
    ///
    /// # Panics
    /// When the slices differ in length.
    pub fn reward(
        &mut self,
        g: usize,
        reward: &[f32],
        ended: &[u8],
        counted: Option<&[u8]>,
        out: &mut [f32],
    ) {
        let learn = !self.frozen;
        match self.group_mut(g).and_then(|group| group.reward.as_mut()) {
            Some(normalise) => normalise.reward(reward, ended, counted, learn, out),
            None => out.copy_from_slice(reward),
        }
    }

    /// Updates the statistics of a group, once after a fragment: with the world's observations
    /// `[n, agents, features]` slot by slot in the order of time, each with 1 where a row counts (the agent is
    /// alive and this policy's; all without it), and with the rewards since the last time. Nothing happens while
    /// statistics are frozen.
    pub fn learn_statistics<'a>(
        &mut self,
        g: usize,
        rows: &mut dyn Iterator<Item = (&'a [f32], Option<&'a [u8]>)>,
    ) {
        if !self.frozen
            && let Some(group) = self.group_mut(g)
        {
            group.learn(rows);
        }
    }

    /// Freezes the statistics for good: for evaluation, opponents and exported policies.
    pub fn freeze_statistics(&mut self) {
        self.frozen = true;
    }

    /// The statistics, which travel in a bundle: by name of the group `observation` and `reward`, each with `count`,
    /// `mean` and `variance`; `{}` for groups without.
    pub fn statistics(&self) -> Value {
        self.each(GroupView::statistics)
    }

    /// Takes the statistics of another view with these wrappers; groups that this one does not have are
    /// ignored.
    ///
    /// # Errors
    /// Kind `Config` for a group that is missing or has other features.
    pub fn set_statistics(&mut self, statistics: &Value) -> Result<()> {
        self.each_mut("policy statistics", statistics, GroupView::set_statistics)
    }

    /// Everything: statistics, stacks and returns under way, exactly.
    pub fn save(&self) -> Value {
        self.each(GroupView::save)
    }

    /// Goes on where the view was that gave `saved`: one of the same spec, wrappers and instances.
    ///
    /// # Errors
    /// Kind `Config` for the state of another view.
    pub fn load(&mut self, saved: &Value) -> Result<()> {
        self.each_mut("saved policy view", saved, GroupView::load)
    }

    fn group(&self, g: usize) -> Option<&GroupView> {
        self.groups.get(g)?.as_ref()
    }

    fn group_mut(&mut self, g: usize) -> Option<&mut GroupView> {
        self.groups.get_mut(g)?.as_mut()
    }

    fn each(&self, of: impl Fn(&GroupView) -> Value) -> Value {
        let names = self.spec.groups.iter().map(|group| &group.name);
        let named = names.zip(&self.groups);
        let named = named.filter_map(|(name, group)| Some((name.clone(), of(group.as_ref()?))));
        Value::Object(named.collect::<Map<_, _>>())
    }

    fn each_mut(
        &mut self,
        subject: &str,
        values: &Value,
        to: impl Fn(&mut GroupView, &Value) -> Result<()>,
    ) -> Result<()> {
        let names = self.spec.groups.iter().map(|group| &group.name);
        for (name, group) in names.zip(&mut self.groups) {
            let Some(group) = group else { continue };
            let value = values.get(name).ok_or_else(|| {
                Error::config(format!("{subject}: /{name}: expected a value, found none"))
            })?;
            to(group, value).map_err(|e| e.within(format_args!("{subject} of {name}")))?;
        }
        Ok(())
    }
}

fn copy(base: &[f32], out: &mut [f32]) -> Result<()> {
    if base.len() != out.len() {
        return Err(Error::new(
            ErrorKind::Host,
            format!(
                "policy view: expected {} features to write, found {}",
                base.len(),
                out.len()
            ),
        ));
    }
    out.copy_from_slice(base);
    Ok(())
}
