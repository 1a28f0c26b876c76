//! `plugins.lock`: the libraries a user trusts, by sha256 and wherever they lie.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::atomic;
use crate::error::{Error, Result};
use crate::hash::Sha256;

/// Version of the lock file's format.
const FORMAT: u32 = 1;

/// The contents of a lock file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Version of the lock file's format, 1.
    version: u32,
    /// The trusted libraries.
    #[serde(default, rename = "plugin")]
    plugins: Vec<LockedPlugin>,
}

/// One trusted library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockedPlugin {
    /// File name of the library, without its folder.
    pub file: String,
    /// Name of the plugin.
    pub plugin: String,
    /// Version of the plugin.
    #[schemars(with = "String")]
    pub version: Version,
    /// Digest of the whole file, 64 lower-case hexadecimal digits.
    #[schemars(with = "String", regex(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: Sha256,
    /// Length of the file in bytes.
    pub size: u64,
    /// Day on which it was trusted, UTC, as YYYY-MM-DD.
    pub trusted: String,
}

impl Default for Lock {
    fn default() -> Self {
        Self {
            version: FORMAT,
            plugins: Vec::new(),
        }
    }
}

impl Lock {
    /// Reads a lock file; one that is not there trusts nothing.
    ///
    /// # Errors
    /// Kind `Config` when it is not a lock file of this format, `Io` when it cannot be read. Neither is
    /// ever taken for an empty lock.
    pub fn read(path: &Path) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(Error::io(path, &e)),
        };
        Self::parse(&text).map_err(|e| e.within(format_args!("lock file {}", path.display())))
    }

    fn parse(text: &str) -> Result<Self> {
        let lock: Self = toml::from_str(text).map_err(|e| {
            Error::config(format!("expected plugins as TOML, found: {}", e.message()))
        })?;
        if lock.version != FORMAT {
            return Err(Error::config(format!(
                "version: expected {FORMAT}, found {}",
                lock.version
            )));
        }
        Ok(lock)
    }

    /// The trusted libraries, by file name, then version, then digest.
    pub fn plugins(&self) -> &[LockedPlugin] {
        &self.plugins
    }

    /// The entry of the library with this digest.
    pub fn by_sha256(&self, sha256: &Sha256) -> Option<&LockedPlugin> {
        self.plugins.iter().find(|p| p.sha256 == *sha256)
    }

    /// Whether a library of `size` bytes can be in here at all: saves hashing those that cannot.
    pub fn has_size(&self, size: u64) -> bool {
        self.plugins.iter().any(|p| p.size == size)
    }

    /// Whether a library of this file name is in here, whatever its digest.
    pub fn has_file(&self, file: &str) -> bool {
        self.plugins.iter().any(|p| p.file == file)
    }

    /// Adds `plugin` and returns the entry it replaces: the one with the same digest, or the same file
    /// name, plugin and version (a plugin that was built again).
    pub(crate) fn insert(&mut self, plugin: LockedPlugin) -> Option<LockedPlugin> {
        let same = |p: &LockedPlugin| {
            p.sha256 == plugin.sha256
                || (&p.file, &p.plugin, &p.version)
                    == (&plugin.file, &plugin.plugin, &plugin.version)
        };
        let replaced = self.plugins.iter().position(same);
        let replaced = replaced.map(|index| self.plugins.remove(index));
        self.plugins.push(plugin);
        replaced
    }

    /// Takes out the entries for which `leaves` holds and returns them.
    pub(crate) fn remove(&mut self, leaves: impl Fn(&LockedPlugin) -> bool) -> Vec<LockedPlugin> {
        let (out, stay) = std::mem::take(&mut self.plugins)
            .into_iter()
            .partition(|p| leaves(p));
        self.plugins = stay;
        out
    }

    /// Applies `change` to the lock file at `path` and writes it atomically. Other processes that change
    /// it wait, so none loses what another wrote. Nothing is written when `change` fails.
    ///
    /// # Errors
    /// Those of [`Lock::read`] and of `change`; kind `Io` when it cannot be written.
    pub fn update<T>(path: &Path, change: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let _guard = guard(path)?;
        let mut lock = Self::read(path)?;
        let result = change(&mut lock)?;
        lock.plugins.sort_by(|a, b| {
            (&a.file, &a.version, &a.sha256).cmp(&(&b.file, &b.version, &b.sha256))
        });
        let text = toml::to_string(&lock)
            .map_err(|e| Error::new(crate::ErrorKind::Host, format!("lock file: {e}")))?;
        atomic::write(path, text.as_bytes(), None)?;
        Ok(result)
    }
}

/// JSON Schema of the lock file.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Lock).to_value()
}

/// Creates the folder of the lock file and holds an advisory lock beside it until dropped.
fn guard(path: &Path) -> Result<File> {
    let beside: PathBuf = {
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(".guard");
        path.with_file_name(name)
    };
    let open = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&beside)?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(|e: io::Error| Error::io(&beside, &e))
}

/// Today's date, UTC, as YYYY-MM-DD.
pub(crate) fn today() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    date(seconds / 86_400)
}

/// The civil date `days` after 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date algorithms").
pub fn date(days: u64) -> String {
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (19_722, "2023-12-31"),
            (19_782, "2024-02-29"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date(days), expected);
        }
    }

    #[test]
    fn a_lock_that_cannot_be_understood_is_an_error_not_an_empty_lock() {
        for text in [
            "version = 2",
            "plugin = 3",
            "version = 1\nplugins = []",
            "[[[",
        ] {
            let error = Lock::parse(text).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{error}");
        }
        assert!(Lock::parse("version = 1").unwrap().plugins().is_empty());
    }

    #[test]
    fn a_lock_with_a_mistyped_digest_names_it() {
        let entry = "version = 1\n[[plugin]]\nfile = 'libx.so'\nplugin = 'x'\nversion = '1.0.0'\n\
                     sha256 = 'abc'\nsize = 3\ntrusted = '2025-01-01'\n";
        let error = Lock::parse(entry).unwrap_err();
        assert!(error.message.contains("64 lower-case"), "{error}");
    }
}
