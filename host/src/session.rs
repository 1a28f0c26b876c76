//! From a name to objects: resolve, validate, admit, load, make.

mod makers;

use std::sync::Arc;

use palaestra_plugin_api::{
    Error, Result,
    client::{Context, Services},
};
use palaestra_registry::{
    Kind, Options, Registry,
    loader::{self, Plugin},
    manifest::Export,
    registry::Entry,
    validate::ConfigSchema,
};
use serde_json::Value;

use makers::Origin;
pub use makers::{AlgorithmMaker, EnvironmentMaker, MechanismMaker};

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

    /// With other services for the plugins of everything that is made from now on.
    #[must_use]
    pub fn with_services(self, services: impl Services) -> Self {
        Self {
            context: Context::new(services),
            ..self
        }
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
        let (origin, plugin) = self.find(Kind::Environment, name, config)?;
        let factory = plugin
            .environments
            .ok_or_else(|| origin.lacks("environments"))?;
        Ok(EnvironmentMaker { origin, factory })
    }

    /// Resolves an algorithm, checks its configuration, and loads its plugin.
    ///
    /// # Errors
    /// As [`environment`](Self::environment).
    pub fn algorithm(&self, name: &str, config: &Value) -> Result<AlgorithmMaker> {
        let (origin, plugin) = self.find(Kind::Algorithm, name, config)?;
        let factory = plugin
            .algorithms
            .ok_or_else(|| origin.lacks("algorithms"))?;
        Ok(AlgorithmMaker { origin, factory })
    }

    /// Resolves a coordination mechanism, checks its configuration, and loads its plugin.
    ///
    /// # Errors
    /// As [`environment`](Self::environment).
    pub fn mechanism(&self, name: &str, config: &Value) -> Result<MechanismMaker> {
        let (origin, plugin) = self.find(Kind::Coordination, name, config)?;
        let factory = plugin
            .coordination
            .ok_or_else(|| origin.lacks("mechanisms"))?;
        Ok(MechanismMaker {
            origin,
            factory,
            described: Arc::default(),
        })
    }

    fn find(&self, kind: Kind, name: &str, config: &Value) -> Result<(Origin, Plugin)> {
        let resolution = self.registry.resolve(kind, name)?;
        let Entry {
            export,
            manifest,
            plugin,
        } = resolution.entry;
        let config = complete(export, config)?;
        let loaded = loader::load(&self.registry.admit(plugin)?)?;
        let origin = Origin {
            id: export.id.to_string(),
            plugin: manifest.plugin.clone(),
            version: manifest.version.to_string(),
            sha256: loaded.sha256.to_string(),
            config,
            notes: resolution.notes,
            context: self.context.clone(),
        };
        Ok((origin, loaded))
    }
}

/// Checks a configuration against the schema in the manifest and fills in its defaults.
fn complete(export: &Export, config: &Value) -> Result<Value> {
    ConfigSchema::new(export.id.to_string(), &export.schema)?.complete(config)
}

impl Origin {
    fn lacks(&self, what: &str) -> Error {
        let plugin = &self.plugin;
        Error::plugin(format!(
            "plugin {plugin}: expected a factory of {what}, found none"
        ))
    }
}
