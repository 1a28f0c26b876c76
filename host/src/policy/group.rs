//! One group of a policy: its chain of wrappers.

use palaestra_plugin_api::{
    Error, ErrorKind, Result,
    spec::{GroupSpec, Space},
};
use serde_json::{Map, Value, json};

use super::{
    ActionRows, Settings,
    action::ActionWrapper,
    agent_id::AgentId,
    frame_stack::FrameStack,
    last_action::LastAction,
    moments::Running,
    normalise_observation::NormaliseObservation,
    normalise_reward::NormaliseReward,
    observation::ObservationWrapper,
    rows::{Encoding, Rows},
};
use crate::{exact, wrappers::WrapperSpec};

/// See the module.
pub(super) struct GroupView {
    agents: usize,
    /// Rows of the batch: instances times agents.
    rows: usize,
    /// Features of the world's observation.
    base: usize,
    width: usize,
    /// Elements of the policy's actions of the whole batch, for `LastAction`.
    action_elements: usize,
    normalise: Option<NormaliseObservation>,
    /// After normalisation, the first closest to it.
    observation: Vec<Box<dyn ObservationWrapper>>,
    /// What each observation wrapper, normalisation included, gives; the last one's is never used.
    between: Vec<Vec<f32>>,
    /// The first is closest to the world.
    action: Vec<ActionWrapper>,
    pub(super) reward: Option<NormaliseReward>,
}

impl GroupView {
    /// Composes the wrappers with a group; `group` becomes what the policy sees.
    pub(super) fn new(
        group: &mut GroupSpec,
        wrappers: &[(&WrapperSpec, Settings)],
        instances: usize,
    ) -> Result<Self> {
        let rows = instances * group.agents;
        let mut view = Self {
            agents: group.agents,
            rows,
            base: group.observation.width(),
            width: 0,
            action_elements: 0,
            normalise: None,
            observation: Vec::new(),
            between: Vec::new(),
            action: Vec::new(),
            reward: None,
        };
        // Actions first: `LastAction` shows them as the policy gives them, outside of all wrappers.
        for on_actions in [true, false] {
            let action = group.action.clone();
            for (spec, settings) in wrappers
                .iter()
                .filter(|(_, s)| s.on_actions() == on_actions)
            {
                view.add(settings, group, &action).map_err(|e| {
                    e.within(format!("wrapper {} (group {})", spec.name, group.name))
                })?;
            }
        }
        view.width = group.observation.width();
        view.action_elements = Encoding::new(&group.action).elements(rows);
        let normalised = view.normalise.iter().map(|_| view.base);
        let widths = normalised.chain(view.observation.iter().map(|w| w.width()));
        view.between = widths.map(|width| vec![0.0; rows * width]).collect();
        Ok(view)
    }

    fn add(&mut self, settings: &Settings, group: &mut GroupSpec, action: &Space) -> Result<()> {
        match settings {
            Settings::NormaliseObservation(config) => {
                if self.normalise.is_some() {
                    return Err(Error::config("expected once, found twice"));
                }
                if !self.observation.is_empty() {
                    return Err(Error::config(
                        "expected before wrappers that add features, found after one; \
                         it normalises the world's own features, list it first",
                    ));
                }
                self.normalise = Some(NormaliseObservation::new(config, group)?);
            }
            Settings::NormaliseReward(config) => {
                if self.reward.is_some() {
                    return Err(Error::config("expected once, found twice"));
                }
                self.reward = Some(NormaliseReward::new(config, self.rows));
            }
            Settings::FrameStack(config) => {
                let stack = FrameStack::new(config, group, self.rows)?;
                self.observation.push(Box::new(stack));
            }
            Settings::AgentId => self.observation.push(Box::new(AgentId::new(group)?)),
            Settings::LastAction => {
                let last = LastAction::new(group, action)?;
                self.observation.push(Box::new(last));
            }
            Settings::ClipAction => self.action.push(ActionWrapper::clip(group)?),
            Settings::RescaleAction => self.action.push(ActionWrapper::rescale(group)?),
        }
        Ok(())
    }

    pub(super) fn changes_observation(&self) -> bool {
        self.normalise.is_some() || !self.observation.is_empty()
    }

    pub(super) fn changes_action(&self) -> bool {
        !self.action.is_empty()
    }

    pub(super) fn observe(
        &mut self,
        base: &[f32],
        first: &[u8],
        action: Option<ActionRows<'_>>,
        out: &mut [f32],
    ) -> Result<()> {
        let rows = self.rows;
        self.check(rows, base, action, out)?;
        if first.len() != rows {
            return Err(wrong("flags of first rows", rows, first.len()));
        }
        let rows = Rows {
            range: 0..rows,
            first: Some(first),
            action,
        };
        self.chain(base, out, |wrapper, from, to| {
            wrapper.observe(&rows, from, to)
        });
        Ok(())
    }

    pub(super) fn observe_final(
        &mut self,
        instance: usize,
        base: &[f32],
        action: ActionRows<'_>,
        out: &mut [f32],
    ) -> Result<()> {
        self.check(self.agents, base, Some(action), out)?;
        let rows = Rows {
            range: instance * self.agents..(instance + 1) * self.agents,
            first: None,
            action: Some(action),
        };
        if rows.range.end > self.rows {
            return Err(wrong(
                "an instance below",
                self.rows / self.agents,
                instance,
            ));
        }
        self.chain(base, out, |wrapper, from, to| {
            wrapper.observe_final(&rows, from, to);
        });
        Ok(())
    }

    /// Passes observations through all wrappers; the last one writes to `out`.
    fn chain(
        &mut self,
        base: &[f32],
        out: &mut [f32],
        mut step: impl FnMut(&mut dyn ObservationWrapper, &[f32], &mut [f32]),
    ) {
        let rows = base.len() / self.base;
        let normalise = self
            .normalise
            .iter_mut()
            .map(|n| n as &mut dyn ObservationWrapper);
        let others = self
            .observation
            .iter_mut()
            .map(|w| &mut **w as &mut dyn ObservationWrapper);
        let last = self.between.len().checked_sub(1);
        if last.is_none() {
            out.copy_from_slice(base);
        }
        for (i, wrapper) in normalise.chain(others).enumerate() {
            let width = wrapper.width();
            let (before, after) = self.between.split_at_mut(i);
            let from = match before.last() {
                Some(buffer) => &buffer[..rows * (buffer.len() / self.rows)],
                None => base,
            };
            let to = match Some(i) == last {
                true => &mut *out,
                false => &mut after[0][..rows * width],
            };
            step(wrapper, from, to);
        }
    }

    /// Refuses slices of another size.
    fn check(
        &self,
        rows: usize,
        base: &[f32],
        action: Option<ActionRows<'_>>,
        out: &[f32],
    ) -> Result<()> {
        if base.len() != rows * self.base {
            return Err(wrong("observations", rows * self.base, base.len()));
        }
        if out.len() != rows * self.width {
            return Err(wrong("features to write", rows * self.width, out.len()));
        }
        let elements = action.map(|action| match action {
            ActionRows::Choices(rows) => rows.len(),
            ActionRows::Real(rows) => rows.len(),
        });
        match elements {
            Some(found) if found != self.action_elements => {
                Err(wrong("action components", self.action_elements, found))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn act(&self, actions: &mut [f32]) {
        for wrapper in self.action.iter().rev() {
            wrapper.apply(actions);
        }
    }

    /// Whether there is anything to learn from observations or rewards.
    pub(super) fn has_statistics(&self) -> bool {
        self.normalise.is_some() || self.reward.is_some()
    }

    pub(super) fn learn<'a>(
        &mut self,
        rows: &mut dyn Iterator<Item = (&'a [f32], Option<&'a [u8]>)>,
    ) {
        if let Some(normalise) = &mut self.normalise {
            rows.for_each(|(rows, counted)| normalise.push(rows, counted));
            normalise.merge();
        }
        if let Some(reward) = &mut self.reward {
            reward.merge();
        }
    }

    pub(super) fn statistics(&self) -> Value {
        let observation = self
            .normalise
            .as_ref()
            .map(|n| ("observation", n.statistics()));
        let reward = self.reward.as_ref().map(|r| ("reward", r.statistics()));
        let named = observation.into_iter().chain(reward);
        let named = named.map(|(name, running)| (name.to_owned(), running.to_json()));
        Value::Object(named.collect::<Map<_, _>>())
    }

    pub(super) fn set_statistics(&mut self, statistics: &Value) -> Result<()> {
        let read = |running: &mut Running, name: &str| {
            let value = statistics.get(name).unwrap_or(&Value::Null);
            running
                .read(value)
                .map_err(|e| Error::config(format!("/{name}{}", glue(&e.message))))
        };
        if let Some(normalise) = &mut self.normalise {
            normalise.set(|running| read(running, "observation"))?;
        }
        if let Some(reward) = &mut self.reward {
            read(reward.statistics_mut(), "reward")?;
        }
        Ok(())
    }

    pub(super) fn save(&self) -> Value {
        json!({
            "statistics": self.statistics(),
            "observation": self.observation.iter().map(|w| w.save()).collect::<Value>(),
            "reward": self.reward.as_ref().map(NormaliseReward::save),
        })
    }

    pub(super) fn load(&mut self, saved: &Value) -> Result<()> {
        self.set_statistics(&saved["statistics"])?;
        let wrappers = exact::elements(saved, "observation", self.observation.len())?;
        for (wrapper, saved) in self.observation.iter_mut().zip(wrappers) {
            wrapper.load(saved)?;
        }
        match &mut self.reward {
            Some(reward) => reward.load(&saved["reward"]),
            None => Ok(()),
        }
    }
}

/// A pointer goes on, a sentence comes after a colon.
fn glue(message: &str) -> String {
    match message.starts_with('/') {
        true => message.to_owned(),
        false => format!(": {message}"),
    }
}

#[cold]
fn wrong(what: &str, expected: usize, found: usize) -> Error {
    Error::new(
        ErrorKind::Host,
        format!("policy view: expected {expected} {what}, found {found}"),
    )
}
