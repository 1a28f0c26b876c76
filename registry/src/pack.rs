//! `registry pack`: one archive of a plugin library and what it says about itself.
//!
//! `<plugin>-<version>-<arch>-<os>.tar.gz` holds one folder of that name with the library,
//! `manifest.json`, `schemas/<kind>/<namespace>/<Name-vN>.json` and the licence and readme files. The same
//! input gives the same bytes: entries are sorted, times and owners are zero.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use serde_json::json;

use crate::admit::Whole;
use crate::atomic;
use crate::error::{Error, ErrorKind, Result};
use crate::hash::Sha256;

/// Beginnings of the file names that are packed when they lie beside the library, in upper case.
const DOCUMENTS: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "README"];

/// A finished archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Where it was written.
    pub archive: PathBuf,
    /// Its digest.
    pub sha256: Sha256,
    /// What is in it, sorted.
    pub files: Vec<String>,
}

/// Packs each plugin library of `files` into an archive in the folder `out`, with `documents` (the
/// crate's licence and readme) and those that lie beside the library.
///
/// Nothing of the plugin runs, and it need not be trusted.
///
/// # Errors
/// Kind `Plugin` for a library that is no sound plugin, `Io` for what cannot be read or written, `Config`
/// when two of the libraries make the same archive.
pub fn pack(files: &[PathBuf], documents: &[PathBuf], out: &Path) -> Result<Vec<Packed>> {
    let mut archives = BTreeMap::new();
    for file in files {
        let whole = Whole::read(file)?;
        let stem = stem(&whole);
        let contents = contents(&whole, documents)?;
        if archives.insert(stem.clone(), contents).is_some() {
            return Err(Error::config(format!(
                "pack: expected different plugins, found {stem} twice"
            )));
        }
    }
    fs::create_dir_all(out).map_err(|e| Error::io(out, &e))?;
    archives
        .iter()
        .map(|(stem, contents)| write(stem, contents, out))
        .collect()
}

/// Paths inside the archive's folder, each with its bytes and mode.
type Contents = BTreeMap<String, (Vec<u8>, u32)>;

fn stem(whole: &Whole) -> String {
    let m = &whole.manifest;
    format!("{}-{}-{}-{}", m.plugin, m.version, m.arch, m.os)
}

fn contents(whole: &Whole, documents: &[PathBuf]) -> Result<Contents> {
    let mut contents = Contents::new();
    let beside = documents_beside(&whole.path)?;
    for path in beside.iter().chain(documents) {
        let bytes = fs::read(path).map_err(|e| Error::io(path, &e))?;
        contents.insert(file_name(path), (bytes, 0o644));
    }
    let library = file_name(&whole.path);
    let about = json!({
        "file": library,
        "sha256": whole.sha256,
        "size": whole.bytes.len(),
        "manifest": whole.manifest,
    });
    contents.insert("manifest.json".to_owned(), (pretty(&about)?, 0o644));
    for export in &whole.manifest.exports {
        let path = format!("schemas/{}/{}.json", export.kind, export.id);
        contents.insert(path, (pretty(&export.schema)?, 0o644));
    }
    contents.insert(library, (whole.bytes.clone(), 0o755));
    Ok(contents)
}

fn documents_beside(library: &Path) -> Result<Vec<PathBuf>> {
    let folder = library.parent().unwrap_or(Path::new("."));
    let io = |e: io::Error| Error::io(folder, &e);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = file_name(&path).to_uppercase();
        if path.is_file() && DOCUMENTS.iter().any(|start| name.starts_with(start)) {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn pretty(value: &serde_json::Value) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|e| Error::new(ErrorKind::Host, format!("pack: {e}")))?;
    text.push(b'\n');
    Ok(text)
}

fn write(stem: &str, contents: &Contents, out: &Path) -> Result<Packed> {
    let archive = out.join(format!("{stem}.tar.gz"));
    let bytes = archive_of(stem, contents).map_err(|e| Error::io(&archive, &e))?;
    atomic::write(&archive, &bytes, readable())?;
    Ok(Packed {
        sha256: Sha256::of(&bytes),
        archive,
        files: contents.keys().cloned().collect(),
    })
}

fn archive_of(stem: &str, contents: &Contents) -> io::Result<Vec<u8>> {
    let compressed = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    let mut tar = tar::Builder::new(compressed);
    for (path, (bytes, mode)) in contents {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(*mode);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        tar.append_data(&mut header, format!("{stem}/{path}"), bytes.as_slice())?;
    }
    tar.into_inner()?.finish()
}

/// An archive is there to be shared.
#[cfg(unix)]
fn readable() -> Option<fs::Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable() -> Option<fs::Permissions> {
    None
}
