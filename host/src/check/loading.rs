//! From a plugin's file to its factories, within a worker.

use std::path::Path;

use palaestra_plugin_api::{
    Error, Result,
    abi::EnvironmentFactory,
    client::{Context, EnvironmentHandle},
    testing::Subject,
};
use palaestra_registry::{Admitted, Options, Plugin, admit, loader, trust::Policy};
use serde_json::Value;

/// Decides on the bytes of the file as they are now, and keeps a private copy.
///
/// # Errors
/// Those of [`admit::admit`].
pub(super) fn admitted(file: &Path, options: &Options) -> Result<Admitted> {
    admit::admit(file, &Policy::of(options)?, options)
}

/// Admits and loads.
///
/// # Errors
/// Those of [`admit::admit`] and [`loader::load`].
pub(super) fn load(file: &Path, options: &Options) -> Result<Plugin> {
    loader::load(&admitted(file, options)?)
}

/// The factory of environments.
///
/// # Errors
/// When the plugin has none.
pub(super) fn environments(plugin: &Plugin) -> Result<&'static EnvironmentFactory> {
    plugin.environments.ok_or_else(|| {
        Error::plugin(format!(
            "plugin {}: expected a factory of environments, found none",
            plugin.manifest.plugin
        ))
    })
}

/// One environment of a loaded plugin, to be checked.
///
/// # Errors
/// As [`environments`].
pub(super) fn subject(plugin: &Plugin, id: &str, config: Value) -> Result<Subject<'static>> {
    let factory = environments(plugin)?;
    let context = Context::default();
    Ok(Subject::new(id, config, move |what| {
        EnvironmentHandle::make(factory, &context, what)
    }))
}
