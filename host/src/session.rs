//! From a name to objects: resolve, validate, admit, load, make.

use palaestra_plugin_api::{
    Error, ErrorKind, Result,
    abi::EnvironmentFactory,
    client::{Context, EnvironmentBatch, EnvironmentHandle, MakeEnvironment},
};
use palaestra_registry::{
    Kind, Options, Registry, loader, manifest::Export, registry::Entry, validate::ConfigSchema,
};
use serde_json::Value;

/// A scanned registry, and the services that its plugins are given.
pub struct Session {
    registry: Registry,
    context: Context,
}

impl Session {
    /// Looks through the search path; runs no plugin code.
    ///
    /// # Errors
    /// Those of [`Registry::scan`].
    pub fn open(options: Options) -> Result<Self> {
        Ok(Self {
            registry: Registry::scan(options)?,
            context: Context::default(),
        })
    }

    /// What is on the search path.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Resolves an environment, checks its configuration, and loads its plugin.
    ///
    /// # Errors
    /// An unknown name, a wrong configuration, an untrusted plugin, or one that cannot be loaded.
    pub fn environment(&self, name: &str, config: &Value) -> Result<EnvironmentMaker> {
        let resolution = self.registry.resolve(Kind::Environment, name)?;
        let Entry {
            export,
            manifest,
            plugin,
        } = resolution.entry;
        let config = complete(export, config)?;
        let loaded = loader::load(&self.registry.admit(plugin)?)?;
        let factory = loaded.environments.ok_or_else(|| {
            Error::plugin(format!(
                "plugin {}: expected a factory of environments, found none",
                manifest.plugin
            ))
        })?;
        Ok(EnvironmentMaker {
            id: export.id.to_string(),
            plugin: manifest.plugin.clone(),
            config,
            notes: resolution.notes,
            factory,
            context: self.context.clone(),
        })
    }
}

/// Checks a configuration against the schema in the manifest and fills in its defaults.
fn complete(export: &Export, config: &Value) -> Result<Value> {
    ConfigSchema::new(export.id.to_string(), &export.schema)?.complete(config)
}

/// Makes objects of one configured environment.
#[derive(Clone)]
pub struct EnvironmentMaker {
    id: String,
    plugin: String,
    config: Value,
    notes: Vec<String>,
    factory: &'static EnvironmentFactory,
    context: Context,
}

impl EnvironmentMaker {
    /// Full id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Name of the plugin.
    pub fn plugin(&self) -> &str {
        &self.plugin
    }

    /// The configuration with all defaults.
    pub fn config(&self) -> &Value {
        &self.config
    }

    /// Remarks on how the name was understood.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// A request for this environment with seed 0 and one instance.
    pub fn request(&self) -> MakeEnvironment {
        MakeEnvironment {
            config: self.config.clone(),
            ..MakeEnvironment::new(&self.id)
        }
    }

    /// Makes one object; id and configuration of the request are taken as they are.
    ///
    /// # Errors
    /// What the plugin refuses, named.
    pub fn make(&self, what: &MakeEnvironment) -> Result<EnvironmentHandle> {
        EnvironmentHandle::make(self.factory, &self.context, what).map_err(|e| self.blame(e))
    }

    /// Makes a batch of shards with `slots` time slots.
    ///
    /// # Errors
    /// As [`make`](Self::make).
    pub fn batch(
        &self,
        what: &MakeEnvironment,
        shards: usize,
        slots: usize,
    ) -> Result<EnvironmentBatch> {
        EnvironmentBatch::new(what, shards, slots, |part| self.make(part))
    }

    /// The factory behind it.
    pub fn factory(&self) -> &'static EnvironmentFactory {
        self.factory
    }

    /// Puts the plugin's name before an error that is its fault.
    pub fn blame(&self, error: Error) -> Error {
        match error.kind {
            ErrorKind::Plugin | ErrorKind::Panicked => {
                let gap = if error.message.starts_with('(') {
                    " "
                } else {
                    ": "
                };
                Error {
                    message: format!("plugin {}{gap}{}", self.plugin, error.message),
                    ..error
                }
            }
            _ => error,
        }
    }
}
