//! Weights by name, and snapshots: everything that a run needs to go on as if it had not stopped.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
};

use palaestra_learning::{
    device::Backend,
    networks::Module,
    optimisers::AdamState,
    weights::{self, NamedTensor, NamedTensors},
};
use palaestra_plugin_api::{
    Error, Result,
    serde_json::{self, Map, Value},
};

use super::{
    config::PpoConfig,
    learner::{Learner, Progress},
};

const FIRST: &str = "adam/first";
const SECOND: &str = "adam/second";

impl<D: Backend> Learner<D> {
    /// `policy/<unit>/…`, `critic/<unit>/…` and `mechanism/…`; `critic/<unit>/scale` is mean and deviation of the
    /// critic's values.
    pub(crate) fn weights(&self, out: &mut dyn Write) -> Result<()> {
        let mut all = NamedTensors::new();
        let units = self.plans.iter().zip(&self.networks.policies);
        for ((plan, policy), scale) in units.zip(&self.acting.scales) {
            let name = &plan.unit.name;
            weights::collect(&policy.actor, &format!("policy/{name}"), &mut all);
            weights::collect(&policy.critic, &format!("critic/{name}"), &mut all);
            let scale = vec![scale.0 as f32, scale.1 as f32];
            all.insert(format!("critic/{name}/scale"), vector(scale));
        }
        if let Some(channel) = &self.networks.channel {
            weights::collect(channel, "mechanism", &mut all);
        }
        Ok(out.write_all(&weights::to_bytes(&all, &BTreeMap::new())?)?)
    }

    /// Loads the tensors of the units of some groups; of all, and the mechanism's, when `groups` is empty. Critics may
    /// be missing. Nothing changes on an error.
    pub(crate) fn set_weights(&mut self, from: &mut dyn Read, groups: &[String]) -> Result<()> {
        let (tensors, _) = weights::from_bytes(&read_all(from)?)?;
        let before = self.networks.flat();
        let loaded = self.load(&tensors, groups);
        if loaded.is_err() {
            self.networks.set_flat(&before)?;
        }
        self.freeze();
        loaded
    }

    fn load(&mut self, tensors: &NamedTensors, groups: &[String]) -> Result<()> {
        let mut every = true;
        let normalises = self.rules.config.value_norm;
        let units = self.plans.iter().zip(&mut self.networks.policies);
        let scales = self
            .acting
            .scales
            .iter_mut()
            .zip(&mut self.progress.normalisers);
        for ((plan, policy), (scale, normaliser)) in units.zip(scales) {
            let unit = &plan.unit;
            if !groups.is_empty() && !unit.groups.iter().any(|g| groups.contains(g)) {
                every = false;
                continue;
            }
            let (actor, critic) = (
                format!("policy/{}", unit.name),
                format!("critic/{}", unit.name),
            );
            weights::apply(&mut policy.actor, &actor, tensors)?;
            if tensors
                .keys()
                .any(|name| name.starts_with(&format!("{critic}/")))
            {
                weights::apply(&mut policy.critic, &critic, tensors)?;
            }
            let found = tensors.get(&format!("{critic}/scale"));
            let found = found.filter(|_| normalises).map(|t| t.values.as_slice());
            if let Some([mean, deviation]) = found {
                *scale = (f64::from(*mean), f64::from(*deviation));
                normaliser.start_from(scale.0, scale.1);
            }
        }
        match &mut self.networks.channel {
            Some(channel) if every => weights::apply(channel, "mechanism", tensors),
            _ => Ok(()),
        }
    }

    /// Networks, optimiser, progress, settings that may have changed.
    pub(crate) fn snapshot(&mut self, out: &mut dyn Write) -> Result<()> {
        let mut all = NamedTensors::new();
        weights::collect(&self.networks, "networks", &mut all);
        let AdamState {
            steps,
            first,
            second,
        } = self.adam.state(&self.networks)?;
        all.insert(FIRST.into(), vector(first));
        all.insert(SECOND.into(), vector(second));
        let text =
            |value: serde_json::Result<String>| value.map_err(|e| Error::plugin(e.to_string()));
        let metadata = BTreeMap::from([
            ("adam_steps".to_owned(), steps.to_string()),
            (
                "progress".to_owned(),
                text(serde_json::to_string(&self.progress))?,
            ),
            (
                "settings".to_owned(),
                text(serde_json::to_string(&self.tunable()))?,
            ),
        ]);
        Ok(out.write_all(&weights::to_bytes(&all, &metadata)?)?)
    }

    /// Becomes what a snapshot says; the settings that may have changed, for the owner of the configuration.
    pub(crate) fn restore(&mut self, from: &mut dyn Read) -> Result<Map<String, Value>> {
        let (mut all, metadata) = weights::from_bytes(&read_all(from)?)?;
        let text = |name: &str| {
            metadata
                .get(name)
                .map(String::as_str)
                .ok_or_else(|| broken(&name))
        };
        let progress: Progress = serde_json::from_str(text("progress")?).map_err(|e| broken(&e))?;
        if progress.normalisers.len() != self.plans.len() {
            return Err(broken(&"normalisers of other units"));
        }
        let mut moments = |name: &str| {
            all.remove(name)
                .map(|t| t.values)
                .ok_or_else(|| broken(&name))
        };
        let state = AdamState {
            steps: text("adam_steps")?.parse().map_err(|e| broken(&e))?,
            first: moments(FIRST)?,
            second: moments(SECOND)?,
        };
        let settings = serde_json::from_str(text("settings")?).map_err(|e| broken(&e))?;
        weights::apply(&mut self.networks, "networks", &all)?;
        self.adam.restore(&self.networks, &state)?;
        self.progress = progress;
        self.freeze();
        Ok(settings)
    }

    /// The settings that may have been changed.
    fn tunable(&self) -> Map<String, Value> {
        let all = serde_json::to_value(&self.rules.config).unwrap_or_default();
        let pick = |name: &&str| all.get(*name).map(|v| ((*name).to_owned(), v.clone()));
        PpoConfig::TUNABLE.iter().filter_map(pick).collect()
    }
}

fn vector(values: Vec<f32>) -> NamedTensor {
    NamedTensor {
        shape: vec![values.len()],
        values,
    }
}

fn read_all(from: &mut dyn Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn broken(found: &dyn std::fmt::Display) -> Error {
    Error::config(format!(
        "snapshot: expected one of this algorithm and composition, found a fault at {found}"
    ))
}
