//! Private copies of plugin libraries, `<root>/<sha256>/<file name>`: the only files ever opened as
//! libraries.
//!
//! A copy is made from the very bytes that were hashed and inspected, so whatever happens to the
//! original between hash and load cannot matter, and a plugin that is rebuilt loads as a new file.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::atomic;
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Sha256;

/// A folder of private copies.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The store below `root`, which is created with the first copy.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Path of the copy of `bytes`, whose digest is `sha256`, under the name `file_name`.
    ///
    /// A copy that is there already is compared byte by byte and written anew if it differs.
    ///
    /// # Errors
    /// Kind `Io`: a folder that others may write to, or one that cannot be written.
    pub fn keep(&self, bytes: &[u8], sha256: &Sha256, file_name: &OsStr) -> Result<PathBuf> {
        private_folder(&self.root, Open::Readable)?;
        let folder = self.root.join(sha256.to_string());
        private_folder(&folder, Open::Narrow)?;
        let copy = folder.join(file_name);
        if !holds(&copy, bytes) {
            atomic::write(&copy, bytes, read_only())?;
        }
        Ok(copy)
    }
}

/// Whether `path` is a regular file of exactly these bytes; any failure counts as no.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    fs::symlink_metadata(path).is_ok_and(|m| m.is_file() && m.len() == bytes.len() as u64)
        && fs::read(path).is_ok_and(|there| there == bytes)
}

/// What to do with a folder that is there already and open to others.
#[derive(Clone, Copy, PartialEq)]
enum Open {
    /// Others may read it, as a folder that the user chose, but not write to it.
    Readable,
    /// Take away what others may do.
    Narrow,
}

#[cfg(unix)]
fn private_folder(path: &Path, open: Open) -> Result<()> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
    let io = |e: io::Error| Error::io(path, &e);
    let mut builder = fs::DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(io)?;
    let metadata = fs::metadata(path).map_err(io)?;
    let refuse = |expected: &str, found: String| {
        let message = format!(
            "cache {}: expected a folder {expected}, found {found}; \
             choose another with PALAESTRA_CACHE",
            path.display()
        );
        Err(Error::new(ErrorKind::Io, message))
    };
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() != user {
        return refuse(
            &format!("of user {user}"),
            format!("user {}", metadata.uid()),
        );
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if open == Open::Narrow && mode & 0o077 != 0 {
        return fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(io);
    }
    if mode & 0o022 != 0 {
        return refuse("that only its owner can write to", format!("mode {mode:o}"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn private_folder(path: &Path, _open: Open) -> Result<()> {
    fs::create_dir_all(path).map_err(|e| Error::io(path, &e))
}

#[cfg(unix)]
fn read_only() -> Option<fs::Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(fs::Permissions::from_mode(0o400))
}

#[cfg(not(unix))]
fn read_only() -> Option<fs::Permissions> {
    None
}
