//! Reading and writing experiment files.

use std::{fs, path::Path};

use palaestra_plugin_api::{Error, ErrorKind, Result};
use palaestra_registry::validate::ConfigSchema;
use serde_json::{Map, Value};

use super::{Experiment, Setting, apply, parse, schema};

impl Experiment {
    /// Reads a `.toml` or `.json` file.
    ///
    /// # Errors
    /// Kind `Config`, with file and JSON pointer, for what is no experiment; `Io` when it cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let subject = path.display();
        let text = || fs::read_to_string(path).map_err(|e| Error::io(path, &e));
        match path.extension().and_then(|e| e.to_str()) {
            Some("toml") => Self::from_toml(&text()?),
            Some("json") => Self::from_json(&text()?),
            _ => Err(Error::config(
                "expected a file .toml or .json, found another",
            )),
        }
        .map_err(|e| match e.kind {
            ErrorKind::Io => e,
            _ => e.within(subject),
        })
    }

    /// Reads TOML.
    ///
    /// # Errors
    /// Kind `Config`, with the line or the JSON pointer.
    pub fn from_toml(text: &str) -> Result<Self> {
        let table: toml::Table = toml::from_str(text).map_err(|e| {
            let line = e
                .span()
                .map_or(0, |span| text[..span.start].matches('\n').count());
            Error::config(format!(
                "line {}: expected TOML, found: {}",
                line + 1,
                e.message()
            ))
        })?;
        let value = json_of(toml::Value::Table(table)).map_err(Error::config)?;
        Self::from_value(value)
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// Kind `Config`, with line or JSON pointer.
    pub fn from_json(text: &str) -> Result<Self> {
        let value = serde_json::from_str(text)
            .map_err(|e| Error::config(format!("expected JSON, found: {e}")))?;
        Self::from_value(value)
    }

    fn from_value(value: Value) -> Result<Self> {
        ConfigSchema::new("experiment", &schema())?.check(&value)?;
        let experiment: Self = serde_json::from_value(value)
            .map_err(|e| Error::config(format!("config experiment: {e}")))?;
        experiment.check_groups()?;
        Ok(experiment)
    }

    /// Changes one field, as `algorithm.lr=3e-4`; elements of lists by their index, as `algorithm.0.lr`. The value is
    /// TOML or JSON, or else text. Settings of plugins are checked when the experiment is
    /// [resolved](Self::resolve).
    ///
    /// # Errors
    /// Kind `Config` for a field that does not exist or cannot have this value; nothing is changed then.
    pub fn set(&mut self, text: &str) -> Result<()> {
        let setting = parse(text).map_err(|e| Error::config(format!("--set: {e}")))?;
        self.apply(&[setting])
    }

    /// Changes several fields at once: only what they make together has to be valid.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn apply(&mut self, settings: &[Setting]) -> Result<()> {
        let mut value = self.to_value()?;
        // Lists as lists, so that indices work whether there is one element or more.
        for key in ["algorithm", "coordination", "wrappers"] {
            let list = match value[key].take() {
                Value::Null => Value::Array(Vec::new()),
                Value::Object(one) => Value::Array(vec![Value::Object(one)]),
                other => other,
            };
            value[key] = list;
        }
        for algorithm in value["algorithm"].as_array_mut().into_iter().flatten() {
            if algorithm.get("wrappers").is_none() {
                algorithm["wrappers"] = Value::Array(Vec::new());
            }
        }
        if value["training"].get("tasks").is_none() {
            value["training"]["tasks"] = Value::Array(Vec::new());
        }
        *self = Self::from_value(apply(value, settings)?)?;
        Ok(())
    }

    fn to_value(&self) -> Result<Value> {
        serde_json::to_value(self)
            .map_err(|e| Error::new(ErrorKind::Host, format!("experiment: {e}")))
    }

    /// The experiment as TOML, which reads back to the same.
    ///
    /// # Errors
    /// Kind `Config` for a value that TOML does not have: null inside of a list, or an integer beyond 64 bits
    /// with sign.
    pub fn to_toml(&self) -> Result<String> {
        let mut plain = self.clone();
        let algorithms = plain.algorithm.iter_mut();
        let mechanisms = plain
            .coordination
            .iter_mut()
            .map(|section| &mut section.config);
        let configs = algorithms
            .map(|section| &mut section.config)
            .chain(mechanisms)
            .chain([&mut plain.environment.config])
            .chain(&mut plain.training.tasks);
        for config in configs {
            *config = without_nulls(std::mem::take(config));
        }
        let wrappers = plain.algorithm.iter_mut().flat_map(|a| &mut a.wrappers);
        for wrapper in wrappers.chain(&mut plain.wrappers) {
            if let Value::Object(config) = wrapper.config.take() {
                wrapper.config = Value::Object(without_nulls(config));
            }
        }
        toml::to_string(&plain).map_err(|e| {
            Error::config(format!(
                "experiment: expected values that TOML has, found: {e}"
            ))
        })
    }
}

/// An object without its keys that are null, at every level: TOML has no null.
pub(super) fn without_nulls(object: Map<String, Value>) -> Map<String, Value> {
    fn clean(value: Value) -> Value {
        match value {
            Value::Object(object) => Value::Object(without_nulls(object)),
            Value::Array(list) => list.into_iter().map(clean).collect(),
            other => other,
        }
    }
    let given = object.into_iter().filter(|(_, value)| !value.is_null());
    given.map(|(key, value)| (key, clean(value))).collect()
}

/// TOML as JSON; dates have no JSON form of their own and become text.
///
/// # Errors
/// One line for a number that is not finite.
pub(super) fn json_of(value: toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => serde_json::Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| format!("expected finite numbers, found {number}"))?,
        toml::Value::Boolean(value) => Value::Bool(value),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Array(list) => {
            Value::Array(list.into_iter().map(json_of).collect::<Result<_, _>>()?)
        }
        toml::Value::Table(table) => {
            let entries = table
                .into_iter()
                .map(|(key, value)| Ok((key, json_of(value)?)));
            Value::Object(entries.collect::<Result<_, String>>()?)
        }
    })
}

/// One value as TOML writes it behind a key.
pub(super) fn value_of_toml(text: &str) -> Option<toml::Value> {
    let mut table: toml::Table = toml::from_str(&format!("v = {text}")).ok()?;
    let value = table.remove("v");
    value.filter(|value| table.is_empty() && !matches!(value, toml::Value::Datetime(_)))
}
