//! Finds the reference traces of an environment and replays all of them, for a plugin's own tests.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{Make, replay_case};
use crate::{error::Result, trace::TraceCase};

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
    if let Some(folder) = std::env::var_os("PALAESTRA_REFERENCE") {
        return folder.into();
    }
    let folders = Path::new(manifest_dir)
        .ancestors()
        .map(|folder| folder.join("reference"));
    let found = folders.into_iter().find(|folder| folder.is_dir());
    found.unwrap_or_else(|| {
        panic!("reference folder: none above {manifest_dir}; set PALAESTRA_REFERENCE")
    })
}

/// Replays every case of every file in `folder/traces` whose `env` is one of `names`; `cases_of` is the
/// environment's `trace_cases`.
///
/// # Panics
/// On the first difference, and on a file that cannot be read: this is for tests.
pub fn replay_files(
    folder: &Path,
    id: &str,
    names: &[&str],
    cases_of: impl Fn(&Value) -> Result<Vec<TraceCase>>,
    make: Make<'_>,
) -> Replayed {
    let mut replayed = Replayed::default();
    for path in trace_files(folder) {
        let fail = |error: &dyn fmt::Display| -> ! { panic!("{}: {error}", path.display()) };
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| fail(&e));
        let document: Value = serde_json::from_str(&text).unwrap_or_else(|e| fail(&e));
        if !document["env"]
            .as_str()
            .is_some_and(|env| names.contains(&env))
        {
            continue;
        }
        replayed.files += 1;
        for case in cases_of(&document).unwrap_or_else(|e| fail(&e)) {
            replayed.cases += 1;
            replayed.values += replay_case(make, id, &case).unwrap_or_else(|e| fail(&e));
        }
    }
    replayed
}

fn trace_files(folder: &Path) -> Vec<PathBuf> {
    let traces = folder.join("traces");
    let entries =
        std::fs::read_dir(&traces).unwrap_or_else(|e| panic!("{}: {e}", traces.display()));
    let mut files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "json"));
    files.sort();
    files
}
