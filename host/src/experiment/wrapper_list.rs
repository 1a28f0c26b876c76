//! Wrappers as they may be written in a file: tables, or text as on the command line.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};

use crate::wrappers::WrapperSpec;

/// A wrapper, by its name with its settings.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Wrapper")]
pub(super) enum Form {
    /// In one line, such as TimeLimit.max_episode_steps=50.
    Text(String),
    /// Name and settings.
    Table(Table),
}

/// Name and settings.
#[derive(Deserialize, JsonSchema)]
#[schemars(inline, extend("additionalProperties" = true))]
pub(super) struct Table {
    /// Name of the wrapper.
    name: String,
    /// Its settings.
    #[serde(flatten)]
    config: Map<String, Value>,
}

pub(super) fn read<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<WrapperSpec>, D::Error> {
    let read = |form| match form {
        Form::Text(text) => text.parse().map_err(D::Error::custom),
        Form::Table(Table { name, config }) => Ok(WrapperSpec {
            name,
            config: Value::Object(config),
        }),
    };
    Vec::<Form>::deserialize(deserializer)?
        .into_iter()
        .map(read)
        .collect()
}
