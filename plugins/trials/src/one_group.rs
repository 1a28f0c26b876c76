//! What learners of one group have in common: whom they learn for, snapshots as JSON, weights under the group's name.

use std::io::{Read, Write};

use palaestra_learning::{
    networks::Module,
    tensor::Cpu,
    weights::{self, NamedTensors},
};
use palaestra_plugin_api::{
    algorithm::Setting,
    prelude::*,
    serde::de::DeserializeOwned,
    serde_json,
    spec::{Element, GroupSpec},
};

/// The controlled group and the number of its slabs, for the algorithm called `id`.
///
/// # Errors
/// There is not exactly one, or it sees bytes.
pub(crate) fn one_group<'a>(id: &str, setting: &'a Setting) -> Result<(u32, &'a GroupSpec)> {
    let [(index, group)] = setting.controlled_groups().collect::<Vec<_>>()[..] else {
        return Err(Error::config(format!(
            "{id}: expected one controlled group, found {}",
            setting.controlled.len()
        )));
    };
    if group.observation.element() != Element::F32 {
        return Err(Error::config(format!(
            "{id}: expected observations of numbers, found bytes in group {:?}",
            group.name
        )));
    }
    Ok((index, group))
}

/// Writes everything that a run goes on from.
pub(crate) fn write_snapshot(saved: &impl Serialize, out: &mut dyn Write) -> Result<()> {
    serde_json::to_writer(out, saved).map_err(|e| Error::plugin(format!("snapshot: {e}")))
}

/// What [`write_snapshot`] wrote.
pub(crate) fn read_snapshot<S: DeserializeOwned>(from: &mut dyn Read) -> Result<S> {
    serde_json::from_reader(from).map_err(|e| Error::config(format!("snapshot: {e}")))
}

/// Writes a network as `policy/<group>/…`.
pub(crate) fn write_weights(
    network: &impl Module<Cpu>,
    group: &str,
    out: &mut dyn Write,
) -> Result<()> {
    let mut all = NamedTensors::new();
    weights::collect(network, &format!("policy/{group}"), &mut all);
    Ok(out.write_all(&weights::to_bytes(&all, &Default::default())?)?)
}

/// Sets a network to what [`write_weights`] wrote, if its group is one of `wanted` (all, where that is empty).
pub(crate) fn read_weights(
    network: &mut impl Module<Cpu>,
    group: &String,
    from: &mut dyn Read,
    wanted: &[String],
) -> Result<()> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes)?;
    let (all, _) = weights::from_bytes(&bytes)?;
    if wanted.is_empty() || wanted.contains(group) {
        weights::apply(network, &format!("policy/{group}"), &all)?;
    }
    Ok(())
}
