//! A wrapper as people write it.

use std::str::FromStr;

use palaestra_plugin_api::{
    Error, Result,
    config::{self, Config},
};
use palaestra_registry::suggest::nearest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Name and configuration of a wrapper. In files `{"name": "TimeLimit", "max_episode_steps": 50}`, on the command
/// line `TimeLimit.max_episode_steps=50`, several settings as `FailAgents.probability=0.5,within_steps=20`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WrapperSpec {
    /// One of [`KINDS`](super::KINDS).
    pub name: String,
    /// Its settings, a JSON object.
    #[serde(flatten)]
    pub config: Value,
}

impl WrapperSpec {
    /// A wrapper with its defaults.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            config: Value::Object(Map::new()),
        }
    }

    /// The settings as a struct.
    ///
    /// # Errors
    /// Kind `Config`, with the pointer to the setting at fault.
    pub(crate) fn settings<C: Config>(&self) -> Result<C> {
        config::parse(&self.config.to_string())
            .map_err(|e| Error::config(format!("config {}: {e}", self.name)))
    }

    /// The error for a name that is none of `known`; `elsewhere` says what to do about names of the other
    /// sort of wrappers.
    #[cold]
    pub(crate) fn unknown(&self, known: &[&str], (others, elsewhere): (&[&str], &str)) -> Error {
        let hint = match nearest(&self.name, known.iter().copied()) {
            Some(name) => format!("did you mean {name}?"),
            None if others.contains(&self.name.as_str()) => elsewhere.to_owned(),
            None => format!("expected one of {}", known.join(", ")),
        };
        Error::config(format!("wrapper {:?} not found; {hint}", self.name))
    }
}

impl FromStr for WrapperSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let Some((name, settings)) = text.split_once('.') else {
            return Ok(Self::new(text));
        };
        let mut config = Map::new();
        for setting in settings.split(',') {
            let Some((key, value)) = setting.split_once('=') else {
                return Err(Error::config(format!(
                    "wrapper {name}: expected key=value, found {setting:?}; write for example TimeLimit.max_episode_steps=50"
                )));
            };
            // What is no JSON is text: `TeamReward.reduction=mean`.
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.into()));
            if config.insert(key.into(), value).is_some() {
                return Err(Error::config(format!(
                    "wrapper {name}: /{key}: expected one value, found two"
                )));
            }
        }
        Ok(Self {
            name: name.into(),
            config: Value::Object(config),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_command_line_form_gives_typed_settings() {
        let spec: WrapperSpec = "TeamReward.reduction=mean,team=group".parse().unwrap();
        assert_eq!(
            (spec.name.as_str(), spec.config),
            ("TeamReward", json!({"reduction": "mean", "team": "group"}))
        );
        let spec: WrapperSpec = "StickyAction.probability=0.25".parse().unwrap();
        assert_eq!(spec.config, json!({"probability": 0.25}));
        assert_eq!(
            "TimeLimit".parse::<WrapperSpec>().unwrap(),
            WrapperSpec::new("TimeLimit")
        );
        assert!("TimeLimit.50".parse::<WrapperSpec>().is_err());
        assert!("TimeLimit.a=1,a=2".parse::<WrapperSpec>().is_err());
    }

    #[test]
    fn files_say_the_same() {
        let file = json!({"name": "TimeLimit", "max_episode_steps": 50});
        let spec: WrapperSpec = serde_json::from_value(file.clone()).unwrap();
        assert_eq!(spec, "TimeLimit.max_episode_steps=50".parse().unwrap());
        assert_eq!(serde_json::to_value(&spec).unwrap(), file);
    }
}
