//! Reads what a library file is and says of itself, without running or mapping any of it.
//!
//! Only headers, segment table and the `.rlmeta` section are read, so listing many plugins is fast.

use std::fs::{self, File, Metadata};
use std::path::Path;

use object::read::{ReadCache, ReadRef};
use object::{Architecture, Object, ObjectKind, ObjectSection, ObjectSegment};

use crate::error::{Error, Result};
use crate::manifest::Manifest;

/// Name of the section that holds the manifest.
pub const SECTION: &str = ".rlmeta";

/// Longest manifest that is read, in bytes.
const MAX_MANIFEST: u64 = 16 << 20;

/// Opens `path` for reading if it leads to a regular file; pipes and devices are never opened.
///
/// # Errors
/// Kind `Io`, the message without the path: missing, unreadable, or not a regular file.
pub fn open(path: &Path) -> Result<(File, Metadata)> {
    let io = |e: std::io::Error| Error::new(crate::ErrorKind::Io, e.to_string());
    let not_a_file = |m: &Metadata| {
        let found = if m.is_dir() {
            "a folder"
        } else {
            "a device or pipe"
        };
        let message = format!("expected a regular file, found {found}");
        Error::new(crate::ErrorKind::Io, message)
    };
    let before = fs::metadata(path).map_err(io)?;
    if !before.is_file() {
        return Err(not_a_file(&before));
    }
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(not_a_file(&metadata));
    }
    Ok((file, metadata))
}

/// The manifest of an open library file; `None` for a sound library without one.
///
/// # Errors
/// As [`inspect_bytes`].
pub fn inspect_file(file: File, metadata: &Metadata) -> Result<Option<Manifest>> {
    let cache = ReadCache::new(file);
    inspect(&cache, metadata.len())
}

/// The manifest of a library held in memory; `None` for a sound library without one.
///
/// # Errors
/// Kind `Plugin`: no shared library, damaged or cut off, built for another machine, or with a manifest
/// that [`Manifest::parse`] refuses.
pub fn inspect_bytes(bytes: &[u8]) -> Result<Option<Manifest>> {
    inspect(bytes, bytes.len() as u64)
}

fn inspect<'data>(data: impl ReadRef<'data>, length: u64) -> Result<Option<Manifest>> {
    let file = object::File::parse(data).map_err(|e| damaged(&e))?;
    for segment in file.segments() {
        let (offset, size) = segment.file_range();
        let end = offset.saturating_add(size);
        if end > length {
            return Err(Error::plugin(format!(
                "library: expected at least {end} bytes, found {length}; the file is cut off"
            )));
        }
    }
    let Some(section) = file.section_by_name(SECTION) else {
        return Ok(None);
    };
    let arch = architecture(file.architecture());
    if arch != std::env::consts::ARCH {
        return Err(Error::plugin(format!(
            "library: expected one for {}, found one for {arch}; rebuild it for this machine",
            std::env::consts::ARCH
        )));
    }
    if file.kind() != ObjectKind::Dynamic {
        return Err(Error::plugin(format!(
            "library: expected a shared library, found {:?}; set crate-type = [\"cdylib\"]",
            file.kind()
        )));
    }
    if section.size() > MAX_MANIFEST {
        return Err(Error::plugin(format!(
            "manifest: expected at most {MAX_MANIFEST} bytes, found {}",
            section.size()
        )));
    }
    let json = section.data().map_err(|e| damaged(&e))?;
    Manifest::parse(json).map(Some)
}

fn damaged(error: &object::Error) -> Error {
    Error::plugin(format!(
        "library: expected a whole shared library, found a damaged, cut off or foreign file ({error})"
    ))
}

/// The architecture in the words of [`std::env::consts::ARCH`], as far as Rust has one.
fn architecture(architecture: Architecture) -> String {
    match architecture {
        Architecture::X86_64 => "x86_64".to_owned(),
        Architecture::I386 => "x86".to_owned(),
        Architecture::Aarch64 => "aarch64".to_owned(),
        Architecture::Arm => "arm".to_owned(),
        Architecture::Riscv64 => "riscv64".to_owned(),
        Architecture::PowerPc64 => "powerpc64".to_owned(),
        Architecture::S390x => "s390x".to_owned(),
        Architecture::LoongArch64 => "loongarch64".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}
