//! Explicit consent: `registry trust`, `registry untrust` and `registry verify`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::admit::Whole;
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Sha256;
use crate::inspect;
use crate::lock::{Lock, LockedPlugin, today};
use crate::options::Options;
use crate::search::search;

/// Fewest digits of a sha256 that `untrust` takes.
const SHORTEST_PREFIX: usize = 6;

/// A library that was trusted.
#[derive(Clone, Debug, PartialEq)]
pub struct Trusted {
    /// Its new entry.
    pub entry: LockedPlugin,
    /// The entry it replaced: the same library, or the same plugin version built differently.
    pub replaced: Option<LockedPlugin>,
}

/// What became of a locked library.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Found with the sha256 it was trusted with.
    Present(PathBuf),
    /// A file of its name was found, but none with its sha256.
    Changed(PathBuf, Sha256),
    /// No file of its name was found.
    Missing,
}

/// Writes the libraries `files` into the lock file: all of them, or none if one is no sound plugin.
///
/// # Errors
/// Kind `Plugin` for a damaged library or faulty manifest, `Io` for an unreadable one, and those of
/// [`Lock::update`].
pub fn trust(files: &[PathBuf], options: &Options) -> Result<Vec<Trusted>> {
    let entries = files
        .iter()
        .map(|file| Whole::read(file).map(|whole| entry_of(&whole)))
        .collect::<Result<Vec<_>>>()?;
    Lock::update(lock_path(options)?, |lock| {
        let insert = |entry: LockedPlugin| Trusted {
            replaced: lock.insert(entry.clone()),
            entry,
        };
        Ok(entries.into_iter().map(insert).collect())
    })
}

fn entry_of(whole: &Whole) -> LockedPlugin {
    let file = whole.path.file_name().unwrap_or_default();
    LockedPlugin {
        file: file.to_string_lossy().into_owned(),
        plugin: whole.manifest.plugin.clone(),
        version: whole.manifest.version.clone(),
        sha256: whole.sha256,
        size: whole.bytes.len() as u64,
        trusted: today(),
    }
}

/// Takes libraries out of the lock file, all of them or none, and returns their entries.
///
/// Each of `what` is a path (the entry with the file's sha256 goes, or where there is none, those with
/// its name), a file name in the lock, or the first digits of a sha256, at least six.
///
/// # Errors
/// Kind `Config` when one fits nothing or, as digits, several libraries; those of [`Lock::update`].
pub fn untrust(what: &[String], options: &Options) -> Result<Vec<LockedPlugin>> {
    Lock::update(lock_path(options)?, |lock| {
        let mut out = Vec::new();
        for word in what {
            let chosen = choose(lock, word)?;
            out.extend(lock.remove(|p| chosen.contains(&p.sha256)));
        }
        Ok(out)
    })
}

/// Digests of the entries that `word` means.
fn choose(lock: &Lock, word: &str) -> Result<Vec<Sha256>> {
    let all = |fits: &dyn Fn(&LockedPlugin) -> bool| -> Vec<Sha256> {
        let fitting = lock.plugins().iter().filter(|p| fits(p));
        fitting.map(|p| p.sha256).collect()
    };
    let path = Path::new(word);
    if let Some(sha256) = hash_file(path).ok().filter(|s| lock.by_sha256(s).is_some()) {
        return Ok(vec![sha256]);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let named = all(&|p| p.file == name);
    if !named.is_empty() {
        return Ok(named);
    }
    let digits = word.len() >= SHORTEST_PREFIX && word.bytes().all(|b| b.is_ascii_hexdigit());
    let prefix = word.to_ascii_lowercase();
    let prefixed = all(&|p| digits && p.sha256.to_string().starts_with(&prefix));
    match prefixed.len() {
        1 => Ok(prefixed),
        0 => Err(Error::config(format!(
            "untrust \"{word}\": expected a path, file name or at least {SHORTEST_PREFIX} digits of a \
             sha256 in plugins.lock, found none that fits; see palaestra registry list"
        ))),
        several => Err(Error::config(format!(
            "untrust \"{word}\": expected the digits of one library, found {several}; give more digits"
        ))),
    }
}

/// Looks for every locked library on the search path, hashing the files anew.
///
/// # Errors
/// Those of [`Lock::read`], and kind `Config` when there is no place for a lock file.
pub fn verify(options: &Options) -> Result<Vec<(LockedPlugin, State)>> {
    let lock = Lock::read(lock_path(options)?)?;
    let files: Vec<(PathBuf, String, Option<Sha256>)> = search(options)
        .candidates
        .into_iter()
        .filter_map(|candidate| {
            let name = candidate.path.file_name()?.to_string_lossy().into_owned();
            let size = fs::metadata(&candidate.path).ok()?.len();
            let wanted = lock.has_file(&name) || lock.has_size(size);
            let sha256 = wanted.then(|| hash_file(&candidate.path).ok())?;
            Some((candidate.path, name, sha256))
        })
        .collect();
    let state = |entry: &LockedPlugin| {
        let present = files.iter().find(|(.., sha)| *sha == Some(entry.sha256));
        let named = files.iter().find(|(_, name, _)| *name == entry.file);
        match (present, named) {
            (Some((path, ..)), _) => State::Present(path.clone()),
            (None, Some((path, _, Some(sha256)))) => State::Changed(path.clone(), *sha256),
            _ => State::Missing,
        }
    };
    Ok(lock
        .plugins()
        .iter()
        .map(|entry| (entry.clone(), state(entry)))
        .collect())
}

/// Digest of the regular file at `path`.
///
/// # Errors
/// Kind `Io` when it cannot be read.
pub fn hash_file(path: &Path) -> Result<Sha256> {
    let (file, _) = inspect::open(path)?;
    Sha256::of_reader(file).map_err(|e| Error::io(path, &e))
}

fn lock_path(options: &Options) -> Result<&Path> {
    options.lock_file.as_deref().ok_or_else(|| {
        Error::new(
            ErrorKind::Config,
            "plugins.lock: expected a place for it, found no home folder; set PALAESTRA_LOCK",
        )
    })
}
