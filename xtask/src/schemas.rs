//! `schemas/`: the JSON Schema of every configuration, as the built plugins have them, of the experiment file
//! and of the lock file.
//!
//! Plugins are configured by their ids, so `schemas/classic/CartPole-v1.json` is that of
//! `classic/CartPole-v1`. Nothing of a plugin runs: schemas are read from manifests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use palaestra::experiment;
use palaestra_registry::{inspect, lock};
use serde_json::Value;

use crate::{Result, cargo};

/// Path below `schemas/`, and text.
type Files = BTreeMap<PathBuf, String>;

/// Writes the schemas, or with `check` compares only.
///
/// # Errors
/// A plugin that cannot be read, a file that cannot be written; with `check`, one that differs.
pub(crate) fn run(check: bool) -> Result<()> {
    cargo::run(&["build", "--workspace"])?;
    let artifacts = cargo::artifacts()?;
    let folder = artifacts.target.join("debug");
    let libraries: Vec<PathBuf> = artifacts
        .libraries
        .iter()
        .map(|name| folder.join(name))
        .collect();
    let wanted = wanted(&libraries)?;
    let root = cargo::workspace().join("schemas");
    let present = present(&root)?;
    if check {
        return compare(&wanted, &present);
    }
    for path in present.keys().filter(|path| !wanted.contains_key(*path)) {
        let path = root.join(path);
        fs::remove_file(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    wanted
        .iter()
        .try_for_each(|(path, text)| write(&root.join(path), text))?;
    println!("{} schemas in {}", wanted.len(), root.display());
    Ok(())
}

fn wanted(libraries: &[PathBuf]) -> Result<Files> {
    let mut files = Files::new();
    files.insert("plugins.lock.json".into(), text(&lock::schema()));
    files.insert("experiment.json".into(), text(&experiment::schema()));
    for library in libraries {
        let about = |e: palaestra_registry::Error| format!("{}: {e}", library.display());
        let (file, metadata) = inspect::open(library).map_err(about)?;
        let manifest = inspect::inspect_file(file, &metadata).map_err(about)?;
        let exports = manifest.map(|m| m.exports).unwrap_or_default();
        for export in exports {
            let path = PathBuf::from(format!("{}.json", export.id));
            if files.insert(path, text(&export.schema)).is_some() {
                return Err(format!(
                    "{}: expected one schema, found another of that name",
                    export.id
                ));
            }
        }
    }
    Ok(files)
}

fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

/// The JSON files there are.
fn present(root: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |e: std::io::Error| format!("{}: {e}", folder.display());
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "json") {
                let below = path.strip_prefix(root).unwrap_or(&path).to_owned();
                files.insert(below, fs::read_to_string(&path).map_err(failed)?);
            }
        }
    }
    Ok(files)
}

/// Every file that differs, in one line.
fn compare(wanted: &Files, present: &Files) -> Result<()> {
    let missing_or_old = wanted
        .iter()
        .filter_map(|(path, text)| match present.get(path) {
            Some(there) if there == text => None,
            Some(_) => Some(format!("{} is not what the plugin has", path.display())),
            None => Some(format!("{} is missing", path.display())),
        });
    let left_over = present.keys().filter(|path| !wanted.contains_key(*path));
    let left_over = left_over.map(|path| format!("{} belongs to no plugin", path.display()));
    let drift: Vec<String> = missing_or_old.chain(left_over).collect();
    match drift.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "schemas: {}; run cargo xtask schemas and commit the result",
            drift.join(", ")
        )),
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, text)
    };
    write().map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> Files {
        list.iter()
            .map(|(path, text)| (PathBuf::from(path), (*text).to_owned()))
            .collect()
    }

    #[test]
    fn drift_names_every_file() {
        let wanted = files(&[("a/X-v0.json", "1"), ("a/Y-v0.json", "2"), ("b.json", "3")]);
        assert_eq!(compare(&wanted, &wanted), Ok(()));
        let message = compare(
            &wanted,
            &files(&[("a/X-v0.json", "1"), ("b.json", "4"), ("c.json", "5")]),
        )
        .unwrap_err();
        for part in [
            "a/Y-v0.json is missing",
            "b.json is not what",
            "c.json belongs to no plugin",
        ] {
            assert!(message.contains(part), "{message}");
        }
        assert!(!message.contains("X-v0"));
    }

    #[test]
    fn what_is_written_is_what_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = files(&[("a/X-v0.json", "{}\n"), ("plugins.lock.json", "[]\n")]);
        wanted
            .iter()
            .for_each(|(path, text)| write(&folder.path().join(path), text).unwrap());
        assert_eq!(present(folder.path()).unwrap(), wanted);
    }
}
