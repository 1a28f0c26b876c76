//! What a plugin says about itself: the JSON object of its `.rlmeta` section, checked.
//!
//! Fields this version does not know are ignored, so a newer plugin still reads.

use std::collections::BTreeSet;
use std::env::consts;
use std::fmt;

use semver::Version;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::names::Id;

/// Version of the manifest's own format.
pub const FORMAT: u32 = 1;
/// Major version of the ABI that this host speaks.
pub const EXPECTED_ABI_MAJOR: u64 = 1;
/// Draft number of the ABI: while the ABI is a draft, host and plugin must agree exactly.
pub const EXPECTED_DRAFT: u32 = palaestra_plugin_api::abi::ABI_DRAFT;

/// The manifest of one plugin library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the manifest's format, [`FORMAT`].
    pub palaestra: u32,
    /// The ABI it was built for.
    pub abi: Abi,
    /// Name of the plugin, usually the crate's.
    pub plugin: String,
    /// Version of the plugin.
    pub version: Version,
    /// Licence, an SPDX expression; empty when not given.
    #[serde(default)]
    pub license: String,
    /// One line about the plugin; empty when not given.
    #[serde(default)]
    pub description: String,
    /// Panic strategy it was built with, `unwind` or `abort`.
    pub panic: String,
    /// Processor architecture in the words of [`std::env::consts::ARCH`].
    pub arch: String,
    /// Operating system in the words of [`std::env::consts::OS`].
    pub os: String,
    /// Build profile, `release` or `debug`.
    #[serde(default)]
    pub profile: String,
    /// How it is entered.
    pub door: Door,
    /// What it offers, ids unique within a kind. In the section, nulls may stand among them: they let a
    /// manifest that is joined at compile time end every export with a comma.
    #[serde(deserialize_with = "exports_without_nulls")]
    pub exports: Vec<Export>,
}

fn exports_without_nulls<'de, D>(deserializer: D) -> std::result::Result<Vec<Export>, D::Error>
where
    D: Deserializer<'de>,
{
    let exports = Vec::<Option<Export>>::deserialize(deserializer)?;
    Ok(exports.into_iter().flatten().collect())
}

/// Version of the plugin ABI.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abi {
    /// `major.minor`.
    pub version: String,
    /// Draft number; absent once the ABI is frozen.
    #[serde(default)]
    pub draft: Option<u32>,
}

/// How the host enters a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// The layout-checked root module of a Rust plugin.
    Rust,
    /// The entry symbol of the C header.
    C,
}

/// The three kinds of things a plugin offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A world in which agents act.
    Environment,
    /// What learns a policy.
    Algorithm,
    /// A mechanism between agents.
    Coordination,
}

impl Kind {
    /// Every kind, in the order in which they are listed.
    pub const ALL: [Kind; 3] = [Kind::Environment, Kind::Algorithm, Kind::Coordination];

    /// The word of the command line and of manifests.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Environment => "environment",
            Kind::Algorithm => "algorithm",
            Kind::Coordination => "coordination",
        }
    }

    /// The word for many of them, as in `palaestra list environments`.
    pub fn plural(self) -> &'static str {
        match self {
            Kind::Environment => "environments",
            Kind::Algorithm => "algorithms",
            Kind::Coordination => "coordination",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One environment, algorithm or mechanism of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Export {
    /// What it is.
    pub kind: Kind,
    /// Its full name.
    pub id: Id,
    /// One line about it; empty when not given.
    #[serde(default)]
    pub description: String,
    /// Names that recorded traces may call it by.
    #[serde(default)]
    pub traces: Vec<String>,
    /// JSON Schema of its configuration; an empty object accepts everything.
    #[serde(default = "accept_everything")]
    pub schema: Value,
}

fn accept_everything() -> Value {
    Value::Object(serde_json::Map::new())
}

/// The fields that tell whether the others can be understood at all.
#[derive(Deserialize)]
struct Header {
    palaestra: u32,
    abi: Abi,
}

impl Manifest {
    /// Parses and checks the bytes of a `.rlmeta` section; NULs and white space may follow the object.
    ///
    /// # Errors
    /// Kind `Plugin`: not JSON, a missing or mistyped field, another format, ABI, architecture or
    /// operating system, a Rust plugin that does not unwind, a name outside the grammar, an id twice.
    pub fn parse(section: &[u8]) -> Result<Self> {
        let end = section
            .iter()
            .rposition(|b| *b != 0 && !b.is_ascii_whitespace())
            .map_or(0, |last| last + 1);
        let json = &section[..end];
        let header: Header = serde_json::from_slice(json).map_err(|e| not_a_manifest(&e))?;
        check_header(&header)?;
        let manifest: Self = serde_json::from_slice(json).map_err(|e| not_a_manifest(&e))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<()> {
        if !is_plugin_name(&self.plugin) {
            return Err(expected(
                "plugin",
                "a name of letters, digits, _ and -",
                &self.plugin,
            ));
        }
        if self.door == Door::Rust && self.panic != "unwind" {
            let next = "set panic = \"unwind\" in the plugin's build profile";
            return Err(expected("panic", "unwind", &self.panic).with_next(next));
        }
        if self.arch != consts::ARCH {
            return Err(expected("arch", consts::ARCH, &self.arch));
        }
        if self.os != consts::OS {
            return Err(expected("os", consts::OS, &self.os));
        }
        for text in [&self.license, &self.description, &self.profile] {
            check_text(text)?;
        }
        let mut seen = BTreeSet::new();
        for export in &self.exports {
            if !seen.insert((export.kind, &export.id)) {
                let found = format!("{} {} twice", export.kind, export.id);
                return Err(expected("exports", "every id once", &found));
            }
            if !export.schema.is_object() {
                let subject = format!("{}: schema", export.id);
                return Err(expected(&subject, "an object", &export.schema.to_string()));
            }
            check_text(&export.description)?;
            export.traces.iter().try_for_each(|t| check_text(t))?;
        }
        Ok(())
    }
}

fn check_header(header: &Header) -> Result<()> {
    const REBUILD: &str = "rebuild the plugin with this version of palaestra-plugin-api";
    if header.palaestra != FORMAT {
        let found = header.palaestra.to_string();
        return Err(expected("format", &FORMAT.to_string(), &found).with_next(REBUILD));
    }
    let major = header.abi.version.split('.').next().unwrap_or_default();
    if major.parse() != Ok(EXPECTED_ABI_MAJOR) {
        let wanted = format!("{EXPECTED_ABI_MAJOR}.x");
        return Err(expected("abi version", &wanted, &header.abi.version).with_next(REBUILD));
    }
    if header.abi.draft != Some(EXPECTED_DRAFT) {
        let found = header
            .abi
            .draft
            .map_or_else(|| "none".to_owned(), |d| d.to_string());
        return Err(expected("abi draft", &EXPECTED_DRAFT.to_string(), &found).with_next(REBUILD));
    }
    Ok(())
}

/// Manifests are read before they are trusted, so their texts must not steer a terminal.
fn check_text(text: &str) -> Result<()> {
    match text.chars().find(|c| c.is_control()) {
        Some(c) => {
            let found = format!("{:?} in {text:?}", c);
            Err(expected("texts", "no control characters", &found))
        }
        None => Ok(()),
    }
}

/// File names are made from plugin names, hence the narrow grammar.
fn is_plugin_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn not_a_manifest(error: &serde_json::Error) -> Error {
    expected("json", "a manifest object", &format!("an error: {error}"))
}

fn expected(subject: &str, expected: &str, found: &str) -> Error {
    let found = if found.is_empty() { "nothing" } else { found };
    Error::plugin(format!(
        "manifest {subject}: expected {expected}, found {found}"
    ))
}

#[cfg(test)]
mod tests;
