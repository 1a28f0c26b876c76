//! Finds the reference traces of an environment and replays all of them, for a plugin's own tests.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::replay_case;
use crate::{
    batch::BatchEnvironment,
    client::{EnvironmentHandle, MakeEnvironment},
    environment::Environment,
    sdk::{EnvironmentEntry, PerInstance},
};

/// What was replayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Trace files of the environment.
    pub files: usize,
    /// Cases in them.
    pub cases: usize,
    /// Values compared.
    pub values: usize,
}

/// The reference folder: `PALAESTRA_REFERENCE`, or `reference` above a crate's manifest folder.
///
/// # Panics
/// When there is none.
pub fn reference_folder(manifest_dir: &str) -> PathBuf {
    let asked = std::env::var_os("PALAESTRA_REFERENCE").map(PathBuf::from);
    asked
        .or_else(|| project_folder(manifest_dir))
        .unwrap_or_else(|| {
            panic!("reference folder: none above {manifest_dir}; set PALAESTRA_REFERENCE")
        })
}

/// The nearest `reference` above a crate's manifest folder.
fn project_folder(manifest_dir: &str) -> Option<PathBuf> {
    let mut folders = Path::new(manifest_dir)
        .ancestors()
        .map(|folder| folder.join("reference"));
    folders.find(|folder| folder.is_dir())
}

/// Replays every trace that an environment claims, in a plugin's own tests: the files of the folder that
/// `PALAESTRA_REFERENCE` names, if any, and those of the project's `reference` that are not there.
///
/// # Panics
/// On the first difference, and on a file that cannot be read.
pub fn replay_claimed<E: Environment>(manifest_dir: &str) -> Replayed {
    replay_claimed_batch::<PerInstance<E>>(manifest_dir)
}

/// As [`replay_claimed`], of a batch environment.
///
/// # Panics
/// As [`replay_claimed`].
pub fn replay_claimed_batch<E: BatchEnvironment>(manifest_dir: &str) -> Replayed {
    let entry = EnvironmentEntry::of_batch::<E>();
    let mut make = |what: &MakeEnvironment| EnvironmentHandle::in_process(&entry, what);
    let mut replayed = Replayed::default();
    for path in trace_files(manifest_dir) {
        let fail = |error: &dyn fmt::Display| -> ! { panic!("{}: {error}", path.display()) };
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| fail(&e));
        let document: Value = serde_json::from_str(&text).unwrap_or_else(|e| fail(&e));
        let claimed = |env: &str| E::TRACES.contains(&env);
        if !document["env"].as_str().is_some_and(claimed) {
            continue;
        }
        replayed.files += 1;
        for case in E::trace_cases(&document).unwrap_or_else(|e| fail(&e)) {
            replayed.cases += 1;
            replayed.values += replay_case(&mut make, E::ID, &case).unwrap_or_else(|e| fail(&e));
        }
    }
    println!("{}: {replayed:?}", E::ID);
    replayed
}

/// One file of each name, in the order of the names.
fn trace_files(manifest_dir: &str) -> Vec<PathBuf> {
    let mut files = BTreeMap::new();
    // What is asked for comes last: it replaces the project's copy.
    let own = project_folder(manifest_dir);
    for folder in own.into_iter().chain([reference_folder(manifest_dir)]) {
        let traces = folder.join("traces");
        let entries =
            std::fs::read_dir(&traces).unwrap_or_else(|e| panic!("{}: {e}", traces.display()));
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let traces = paths.filter(|path| path.extension().is_some_and(|e| e == "json"));
        files.extend(traces.map(|path| (path.file_name().map(ToOwned::to_owned), path)));
    }
    files.into_values().collect()
}
