//! The name grammar, one for environments, algorithms and coordination mechanisms.
//!
//! ```text
//! id        = namespace "/" name "-v" number        classic/CartPole-v1
//! query     = [namespace "/"] name ["-v" number] ["@" plugin-version]
//! namespace = [a-z][a-z0-9_-]*
//! name      = [A-Za-z][A-Za-z0-9_]* ("-" [A-Za-z0-9_]+)*, no "-" part reads like a version
//! number    = "0" | [1-9][0-9]*                     up to 4294967295
//! ```

use std::fmt;
use std::str::FromStr;

use semver::Version;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Error;

/// Full name of an environment, algorithm or mechanism; ordered by namespace, name, then number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    /// The family's namespace, such as `classic`.
    pub namespace: String,
    /// The name proper, such as `CartPole`.
    pub name: String,
    /// Raised by every change that alters learning results.
    pub version: u32,
}

/// What a user may type for an [`Id`]: any part but the name may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The namespace, where one is given.
    pub namespace: Option<String>,
    /// The name proper.
    pub name: String,
    /// The version number, where one is given.
    pub version: Option<u32>,
    /// The version of the plugin to take it from, where one is given.
    pub plugin_version: Option<Version>,
}

impl Query {
    /// Whether `id` fits every part that is given, the plugin version left aside.
    pub fn matches(&self, id: &Id) -> bool {
        self.name == id.name
            && self.namespace.as_ref().is_none_or(|n| *n == id.namespace)
            && self.version.is_none_or(|v| v == id.version)
    }
}

impl FromStr for Id {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text)
            .and_then(|query| match query {
                Query {
                    namespace: Some(namespace),
                    name,
                    version: Some(version),
                    plugin_version: None,
                } => Some(Id {
                    namespace,
                    name,
                    version,
                }),
                _ => None,
            })
            .ok_or_else(|| {
                Error::config(format!(
                    "id \"{text}\": expected namespace/Name-vN, such as classic/CartPole-v1"
                ))
            })
    }
}

impl FromStr for Query {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| {
            Error::config(format!(
                "name \"{text}\": expected [namespace/]Name[-vN][@plugin-version], \
                 such as classic/CartPole-v1"
            ))
        })
    }
}

/// Parses the widest form; `None` when `text` is not in the grammar.
fn parse(text: &str) -> Option<Query> {
    let (text, plugin_version) = match text.split_once('@') {
        Some((text, version)) => (text, Some(Version::parse(version).ok()?)),
        None => (text, None),
    };
    let (namespace, rest) = match text.split_once('/') {
        Some((namespace, rest)) => (Some(namespace), rest),
        None => (None, text),
    };
    let (name, version) = match rest.rsplit_once('-') {
        Some((name, part)) if reads_like_version(part) => (name, Some(number(&part[1..])?)),
        _ => (rest, None),
    };
    (namespace.is_none_or(is_namespace) && is_name(name)).then(|| Query {
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
        version,
        plugin_version,
    })
}

fn is_namespace(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.split('-').all(|part| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
        && !text.split('-').skip(1).any(reads_like_version)
}

/// Whether `part` is a `v` with digits, well-formed as a number or not.
fn reads_like_version(part: &str) -> bool {
    part.strip_prefix('v')
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// A decimal number without leading zeros.
fn number(digits: &str) -> Option<u32> {
    let canonical = digits == "0" || !digits.starts_with('0');
    digits.parse().ok().filter(|_| canonical)
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}-v{}", self.namespace, self.name, self.version)
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(&self.name)?;
        if let Some(version) = self.version {
            write!(f, "-v{version}")?;
        }
        if let Some(version) = &self.plugin_version {
            write!(f, "@{version}")?;
        }
        Ok(())
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
