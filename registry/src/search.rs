//! The search path: which files might be plugins, in an order that never varies.

use std::collections::HashSet;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::options::Options;

/// A file that is named like a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Path without symbolic links; as found where it cannot be resolved (a dangling link).
    pub path: PathBuf,
    /// Why its folder was searched.
    pub origin: Origin,
}

/// Why a folder is on the search path, in the order of search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// `--plugin-dir`.
    PluginDir,
    /// The variable `PALAESTRA_PLUGIN_PATH`.
    PluginPath,
    /// The folder of the executable, or `plugins/` beside it.
    BesideExecutable,
    /// The user's data folder.
    UserData,
}

/// Everything found on the search path.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The files, by folder in search order, then by file name; each file once.
    pub candidates: Vec<Candidate>,
    /// Folders that were asked for and could not be listed, one line each.
    pub warnings: Vec<String>,
}

/// The folders to search with the reason for each, in order.
pub fn folders(options: &Options) -> Vec<(PathBuf, Origin)> {
    let mut folders = Vec::new();
    let mut add = |path: PathBuf, origin| folders.push((path, origin));
    for dir in &options.plugin_dirs {
        add(dir.clone(), Origin::PluginDir);
    }
    for dir in &options.plugin_path {
        add(dir.clone(), Origin::PluginPath);
    }
    if let Some(dir) = options.executable.as_deref().and_then(Path::parent) {
        add(dir.to_owned(), Origin::BesideExecutable);
        add(dir.join("plugins"), Origin::BesideExecutable);
    }
    if let Some(dir) = &options.user_plugins {
        add(dir.clone(), Origin::UserData);
    }
    folders
}

/// Lists the files on the search path that are named like a library, each once by its real path.
pub fn search(options: &Options) -> Found {
    let mut found = Found::default();
    let mut seen = HashSet::new();
    for (folder, origin) in folders(options) {
        let mut paths = match libraries_in(&folder) {
            Ok(paths) => paths,
            Err(error) => {
                let asked_for = matches!(origin, Origin::PluginDir | Origin::PluginPath);
                if asked_for || error.kind() != io::ErrorKind::NotFound {
                    let line = format!("plugin folder {}: {error}", folder.display());
                    found.warnings.push(crate::error::one_line(line));
                }
                continue;
            }
        };
        paths.sort();
        for path in paths {
            let path = fs::canonicalize(&path).unwrap_or(path);
            if seen.insert(path.clone()) {
                found.candidates.push(Candidate { path, origin });
            }
        }
    }
    found
}

fn libraries_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .file_name()
            .is_some_and(|name| is_library_name(&name.to_string_lossy()))
        {
            paths.push(path);
        }
    }
    Ok(paths)
}

/// Whether a file of this name may be a library here: `lib*.so` on Linux.
fn is_library_name(name: &str) -> bool {
    name.len() > DLL_PREFIX.len() + DLL_SUFFIX.len()
        && name.starts_with(DLL_PREFIX)
        && name.ends_with(DLL_SUFFIX)
}
