//! `--set a.b=value`: one override of a configuration, shared by all commands.

use palaestra_plugin_api::{Error, Result};
use serde_json::{Map, Value};

/// One override: where, and what.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    path: Vec<String>,
    value: Value,
}

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
}

/// Parses `a.b=value`. The value is read as TOML (`3`, `0.5`, `true`, `[1, 2]`, `{x = 1}`, `"text"`); what is not
/// TOML is text.
///
/// # Errors
/// One line, for text without `=` or with an empty key.
pub fn parse(text: &str) -> Result<Setting, String> {
    let expected = || format!("expected KEY=VALUE such as length=20, found {text:?}");
    let (key, value) = text.split_once('=').ok_or_else(expected)?;
    let path: Vec<String> = key.split('.').map(|part| part.trim().to_owned()).collect();
    if path.iter().any(String::is_empty) {
        return Err(expected());
    }
    Ok(Setting {
        path,
        value: value_of(value.trim()),
    })
}

fn value_of(text: &str) -> Value {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct One {
        v: toml::Value,
    }
    let one = toml::from_str::<One>(&format!("v = {text}"));
    // Dates have no JSON form of their own: they stay text.
    match one.map(|one| one.v) {
        Ok(toml::Value::Datetime(_)) | Err(_) => Value::String(text.to_owned()),
        Ok(value) => serde_json::to_value(value).unwrap_or_else(|_| Value::String(text.to_owned())),
    }
}

/// `config` with every setting, the later ones winning.
///
/// # Errors
/// Kind `Config` when a setting goes into a value that is no table.
pub fn apply(mut config: Value, settings: &[Setting]) -> Result<Value> {
    for Setting { path, value } in settings {
        let mut at = &mut config;
        for (depth, part) in path.iter().enumerate() {
            let Value::Object(map) = at else {
                let (inner, outer) = (path.join("."), path[..depth].join("."));
                return Err(Error::config(format!(
                    "--set {inner}: expected {outer} to be a table, found {at}; set one or the other"
                )));
            };
            at = map
                .entry(part.clone())
                .or_insert_with(|| Value::Object(Map::new()));
        }
        *at = value.clone();
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(settings: &[&str]) -> Result<Value> {
        let settings: Vec<Setting> = settings.iter().map(|s| parse(s).unwrap()).collect();
        apply(json!({}), &settings)
    }

    #[test]
    fn values_are_toml_or_else_text() {
        let read = config(&[
            "a=3",
            "b = -2.5e-3",
            "c=true",
            "d=[1, 2]",
            "e={x = 1}",
            "f=\"3\"",
            "g=plain text",
            "h=",
            "i=1979-05-27",
        ]);
        let expected = json!({"a": 3, "b": -2.5e-3, "c": true, "d": [1, 2], "e": {"x": 1}, "f": "3", "g": "plain text", "h": "", "i": "1979-05-27"});
        assert_eq!(read.unwrap(), expected);
        // A value cannot smuggle in a second key.
        assert_eq!(config(&["a=1\nb=2"]).unwrap(), json!({"a": "1\nb=2"}));
    }

    #[test]
    fn keys_nest_and_the_last_one_wins() {
        assert_eq!(
            config(&["a.b=1", "a.c=2", "a.b=3"]).unwrap(),
            json!({"a": {"b": 3, "c": 2}})
        );
        let error = config(&["a=1", "a.b=2"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--set a.b: expected a to be a table, found 1; set one or the other"
        );
        assert_eq!(error.kind.exit_code(), 2);
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        for text in ["length", "=3", "a..b=1", ""] {
            assert!(
                parse(text).unwrap_err().starts_with("expected KEY=VALUE"),
                "{text}"
            );
        }
    }
}
