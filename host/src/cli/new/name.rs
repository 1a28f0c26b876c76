//! All the names that follow from one: id, package, library, module, type.

use palaestra_plugin_api::{Error, Result};
use palaestra_registry::Query;

/// Namespace where none is typed.
const NAMESPACE: &str = "my";
/// Types of the author's prelude and of the language, which nothing new can be called.
pub(crate) const PRELUDE: [&str; 27] = [
    "Actions",
    "BatchEnvironment",
    "BatchStep",
    "Canvas",
    "Color",
    "Deserialize",
    "EnvRng",
    "Environment",
    "EnvironmentBatch",
    "EnvironmentSpec",
    "Err",
    "Error",
    "Flags",
    "GroupSpec",
    "Init",
    "Metric",
    "None",
    "Observe",
    "Ok",
    "Option",
    "ResetOptions",
    "Result",
    "Self",
    "Serialize",
    "Some",
    "Space",
    "StepWriter",
];
/// Further words that cannot name a module here: keywords, and the crate's own parts.
const KEYWORDS: [&str; 40] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "type", "use", "while",
];

/// The names of a new plugin and its crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    /// Namespace of the id.
    pub(crate) namespace: String,
    /// Name proper, as typed.
    pub(crate) name: String,
    /// Number of the id.
    pub(crate) version: u32,
    /// Cargo package.
    pub(crate) package: String,
    /// Rust module of the one type.
    pub(crate) module: String,
    /// Rust type of what is new.
    pub(crate) type_name: String,
}

impl Names {
    /// Parses `[namespace/]Name[-vN]`; the type cannot be one of `taken`, which its source needs.
    ///
    /// # Errors
    /// Kind `Config`: outside the grammar, or a name that Rust or the template needs.
    pub(crate) fn parse(text: &str, taken: &[&str]) -> Result<Self> {
        let Query {
            namespace,
            name,
            version,
            plugin_version,
        } = text.parse()?;
        let refused = |found: &str| {
            Error::config(format!(
                "name \"{text}\": expected [namespace/]Name[-vN], such as rescue/Flood-v0, found {found}"
            ))
        };
        if plugin_version.is_some() {
            return Err(refused("a plugin version"));
        }
        let namespace = namespace.unwrap_or_else(|| NAMESPACE.to_owned());
        let words = words(&name);
        let (module, type_name) = (
            words.join("_"),
            words.iter().map(|w| capitalised(w)).collect::<String>(),
        );
        let is_taken = PRELUDE.iter().chain(taken).any(|t| *t == type_name);
        if is_taken || KEYWORDS.contains(&module.as_str()) {
            return Err(refused("a word that Rust or palaestra-plugin-api needs"));
        }
        let package = format!("{}-{}", namespace.replace('_', "-"), words.join("-"));
        Ok(Self {
            namespace,
            name,
            version: version.unwrap_or(0),
            package,
            module,
            type_name,
        })
    }

    /// The id.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}-v{}", self.namespace, self.name, self.version)
    }

    /// File name of the library on this machine.
    pub(crate) fn library(&self) -> String {
        let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
        format!("{prefix}{}{suffix}", self.package.replace('-', "_"))
    }
}

/// The words of a name in lower case: `SimpleSpread`, `simple-spread` and `simple_spread` have the same.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for part in name.split(['-', '_']).filter(|part| !part.is_empty()) {
        let characters: Vec<char> = part.chars().collect();
        for (i, c) in characters.iter().enumerate() {
            let after_lower = i > 0 && !characters[i - 1].is_ascii_uppercase();
            let before_lower = characters.get(i + 1).is_some_and(char::is_ascii_lowercase);
            let begins = i == 0 || (c.is_ascii_uppercase() && (after_lower || before_lower));
            match words.last_mut() {
                Some(word) if !begins => word.push(c.to_ascii_lowercase()),
                _ => words.push(c.to_ascii_lowercase().to_string()),
            }
        }
    }
    words
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters
        .next()
        .map(|first| first.to_ascii_uppercase().to_string() + characters.as_str())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_names_follow_from_one() {
        let names = Names::parse("search_rescue/BigFlood-v3", &[]).unwrap();
        assert_eq!(names.id(), "search_rescue/BigFlood-v3");
        assert_eq!(
            (
                names.package.as_str(),
                names.module.as_str(),
                names.type_name.as_str()
            ),
            ("search-rescue-big-flood", "big_flood", "BigFlood")
        );
        assert!(names.library().contains("search_rescue_big_flood"));
        assert_eq!(Names::parse("Flood", &[]).unwrap().id(), "my/Flood-v0");
    }

    #[test]
    fn words_of_names() {
        for (name, expected) in [
            ("SimpleSpread", "simple spread"),
            ("simple-spread", "simple spread"),
            ("MPESpread2", "mpe spread2"),
            ("flood", "flood"),
            ("A_b", "a b"),
        ] {
            assert_eq!(words(name).join(" "), expected);
        }
    }

    #[test]
    fn what_would_not_compile_is_refused() {
        for name in [
            "Canvas",
            "Mlp",
            "loop",
            "a/b/c",
            "Flood@1.0.0",
            "9Lives",
            "",
        ] {
            let error = Names::parse(name, &["Mlp"]).unwrap_err();
            assert!(
                error.to_string().contains("expected [namespace/]Name"),
                "{error}"
            );
            assert_eq!(error.kind.exit_code(), 2);
        }
    }
}
