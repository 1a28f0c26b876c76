//! `a.b=value`: one override, of an experiment or of the configuration of one plugin.

use palaestra_plugin_api::{Error, Result};
use serde_json::{Map, Value};

use super::read::{json_of, value_of_toml};

/// One override: where, and what.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    path: Vec<String>,
    value: Value,
}

impl Setting {
    /// The same setting of a part of something larger.
    #[must_use]
    pub fn below(mut self, part: &str) -> Self {
        self.path.insert(0, part.to_owned());
        self
    }

    /// The part of an experiment that it belongs to.
    pub fn part(&self) -> &str {
        &self.path[0]
    }
}

/// Parses `a.b=value`. The value is read as TOML (`3`, `0.5`, `true`, `[1, 2]`, `{x = 1}`, `"text"`), then as JSON;
/// what is neither is text.
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
    let toml = value_of_toml(text).and_then(|value| json_of(value).ok());
    let json = || serde_json::from_str(text).ok();
    toml.or_else(json)
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

/// `config` with every setting, the later ones winning. A part of a path that goes into a list is an index, one
/// more than there are for a new element; it may be left out where the list has at most one.
///
/// # Errors
/// Kind `Config` when a setting goes into a value that is neither table nor list, or beyond a list.
pub fn apply(mut config: Value, settings: &[Setting]) -> Result<Value> {
    for Setting { path, value } in settings {
        let mut at = &mut config;
        for (depth, part) in path.iter().enumerate() {
            at = enter(at, part).map_err(|problem| {
                let (inner, outer) = (path.join("."), path[..depth].join("."));
                Error::config(format!("--set {inner}: {}", problem.of(&outer)))
            })?;
        }
        *at = value.clone();
    }
    Ok(config)
}

/// Why a part of a path leads nowhere.
enum Problem {
    /// Into a value.
    Value(String),
    /// Into a list of so many elements.
    Index(usize, String),
}

impl Problem {
    fn of(&self, outer: &str) -> String {
        match self {
            Self::Value(found) => {
                format!("expected {outer} to be a table, found {found}; set one or the other")
            }
            Self::Index(len, found) => format!(
                "expected an index up to {len} after {outer}, found {found}; write for example {outer}.0"
            ),
        }
    }
}

/// The place that a part of a path names.
fn enter<'a>(at: &'a mut Value, part: &str) -> Result<&'a mut Value, Problem> {
    match at {
        Value::Object(map) => Ok(map.entry(part).or_insert_with(|| Value::Object(Map::new()))),
        Value::Array(list) => {
            let len = list.len();
            let (index, inside) = match part.parse::<usize>() {
                Ok(index) if index <= len => (index, None),
                Err(_) if len <= 1 => (0, Some(part)),
                _ => return Err(Problem::Index(len, part.to_owned())),
            };
            if index == len {
                list.push(Value::Object(Map::new()));
            }
            match inside {
                None => Ok(&mut list[index]),
                Some(part) => enter(&mut list[index], part),
            }
        }
        other => Err(Problem::Value(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(config: Value, settings: &[&str]) -> Result<Value> {
        let settings: Vec<Setting> = settings.iter().map(|s| parse(s).unwrap()).collect();
        apply(config, &settings)
    }

    #[test]
    fn values_are_toml_or_else_text() {
        let read = set(
            json!({}),
            &[
                "a=3",
                "b = -2.5e-3",
                "c=true",
                "d=[1, 2]",
                "e={x = 1}",
                "f=\"3\"",
                "g=plain text",
                "h=",
                "i=1979-05-27",
                "j={\"x\": [1]}",
                "k=null",
                "l=inf",
            ],
        );
        let expected = json!({"a": 3, "b": -2.5e-3, "c": true, "d": [1, 2], "e": {"x": 1}, "f": "3", "g": "plain text",
            "h": "", "i": "1979-05-27", "j": {"x": [1]}, "k": null, "l": "inf"});
        assert_eq!(read.unwrap(), expected);
        // A value cannot smuggle in a second key.
        assert_eq!(
            set(json!({}), &["a=1\nb=2"]).unwrap(),
            json!({"a": "1\nb=2"})
        );
    }

    #[test]
    fn keys_nest_and_the_last_one_wins() {
        assert_eq!(
            set(json!({}), &["a.b=1", "a.c=2", "a.b=3"]).unwrap(),
            json!({"a": {"b": 3, "c": 2}})
        );
        let error = set(json!({}), &["a=1", "a.b=2"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--set a.b: expected a to be a table, found 1; set one or the other"
        );
        assert_eq!(error.kind.exit_code(), 2);
    }

    #[test]
    fn lists_are_entered_by_index_or_as_their_only_element() {
        let list = || json!({"a": [{"x": 1}, {"x": 2}], "b": [{"x": 1}], "c": []});
        let read = set(list(), &["a.1.x=5", "a.2.x=6", "b.x=7", "b.0.y=8", "c.x=9"]);
        assert_eq!(
            read.unwrap(),
            json!({"a": [{"x": 1}, {"x": 5}, {"x": 6}], "b": [{"x": 7, "y": 8}], "c": [{"x": 9}]})
        );
        let says = |setting: &str| set(list(), &[setting]).unwrap_err().message;
        assert_eq!(
            says("a.x=1"),
            "--set a.x: expected an index up to 2 after a, found x; write for example a.0"
        );
        assert!(says("a.3.x=1").contains("found 3"));
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
