//! Files that are either whole or not there: written aside, flushed to the disk, then renamed.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// Replaces `path` by a file of `bytes`; `permissions`, where given, before it gets its name.
///
/// # Errors
/// Kind `Io`; a file that was at `path` is then untouched.
pub(crate) fn write(path: &Path, bytes: &[u8], permissions: Option<Permissions>) -> Result<()> {
    try_write(path, bytes, permissions).map_err(|e| Error::io(path, &e))
}

fn try_write(path: &Path, bytes: &[u8], permissions: Option<Permissions>) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut aside = tempfile::Builder::new()
        .prefix(".aside-")
        .tempfile_in(folder)?;
    aside.write_all(bytes)?;
    if let Some(permissions) = permissions {
        aside.as_file().set_permissions(permissions)?;
    }
    aside.as_file().sync_all()?;
    aside.persist(path).map_err(|e| e.error)?;
    // Without this the name may be lost in a power cut, though not the bytes behind it.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
