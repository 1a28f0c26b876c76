//! The gate between a file and the loader: read once, hash, inspect, decide, copy.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::hash::Sha256;
use crate::inspect;
use crate::manifest::Manifest;
use crate::options::Options;
use crate::store::Store;
use crate::trust::{Policy, Trust};

/// A library that may be loaded.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// Where it was found.
    pub path: PathBuf,
    /// The private copy, the only file to open as a library.
    pub copy: PathBuf,
    /// Digest of the copy's bytes.
    pub sha256: Sha256,
    /// The manifest inside these very bytes.
    pub manifest: Manifest,
    /// Why it may be loaded.
    pub trust: Trust,
}

/// A library read whole: bytes, digest and manifest belong together whatever happens to the file.
pub(crate) struct Whole {
    pub(crate) path: PathBuf,
    pub(crate) metadata: fs::Metadata,
    pub(crate) bytes: Vec<u8>,
    pub(crate) sha256: Sha256,
    pub(crate) manifest: Manifest,
}

impl Whole {
    /// Reads the plugin at `path`.
    ///
    /// # Errors
    /// Kind `Io` when it cannot be read, `Plugin` when it is no sound plugin.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let about = |e: Error| e.within(format_args!("plugin {}", path.display()));
        let real = fs::canonicalize(path)
            .map_err(|e| about(Error::new(crate::ErrorKind::Io, e.to_string())))?;
        let (file, metadata) = inspect::open(&real).map_err(about)?;
        let bytes = read_whole(file, metadata.len())
            .map_err(|e| about(Error::new(crate::ErrorKind::Io, e.to_string())))?;
        let manifest = inspect::inspect_bytes(&bytes)
            .map_err(about)?
            .ok_or_else(|| about(no_manifest()))?;
        Ok(Self {
            path: real,
            metadata,
            sha256: Sha256::of(&bytes),
            bytes,
            manifest,
        })
    }
}

fn read_whole(mut file: File, length: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The error for a library that is no plugin.
pub(crate) fn no_manifest() -> Error {
    Error::plugin(format!(
        "expected a {} section, found none; export something with export_plugin!",
        inspect::SECTION
    ))
}

/// Reads the plugin at `path` once, decides whether it may be loaded and keeps a private copy of the
/// bytes that were hashed.
///
/// # Errors
/// Kind `Plugin`: no sound plugin, or changed since it was trusted; `Config`: not trusted, or no cache
/// folder; `Io`: not readable, or the copy not writable.
pub fn admit(path: &Path, policy: &Policy, options: &Options) -> Result<Admitted> {
    let whole = Whole::read(path)?;
    let trust = policy.decide(&whole.path, &whole.metadata, || Ok(whole.sha256));
    trust.check(&whole.path)?;
    let root = options.cache.as_ref().ok_or_else(|| {
        Error::config(
            "cache: expected a folder for private copies, found no home folder; set PALAESTRA_CACHE",
        )
    })?;
    let file_name = whole.path.file_name().unwrap_or_default();
    let copy = Store::new(root).keep(&whole.bytes, &whole.sha256, file_name)?;
    Ok(Admitted {
        path: whole.path,
        copy,
        sha256: whole.sha256,
        manifest: whole.manifest,
        trust,
    })
}
