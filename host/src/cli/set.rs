//! `--set a.b=value`: one override of a configuration, shared by all commands.

use palaestra_plugin_api::Result;
use serde_json::{Map, Value};

use crate::experiment::{Setting, apply, parse};

/// Options of every command that configures an environment.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ConfigArgs {
    /// A setting of the environment, such as `length=20` (repeatable; the value is TOML, or else text).
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = parse)]
    settings: Vec<Setting>,
}

impl ConfigArgs {
    /// The configuration that the options stand for, an object.
    ///
    /// # Errors
    /// Kind `Config` when one setting goes into another that is no table.
    pub fn config(&self) -> Result<Value> {
        apply(Value::Object(Map::new()), &self.settings)
    }

    /// The same options as settings of an experiment: `environment.a.b=value`.
    pub(crate) fn of_environment(&self) -> Vec<Setting> {
        let settings = self.settings.iter().cloned();
        settings.map(|s| s.below("environment")).collect()
    }
}
