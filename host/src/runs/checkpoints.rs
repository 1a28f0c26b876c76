//! The checkpoints of a run: the last N and the best, and which of them to trust.
//!
//! `checkpoints/step_<12 digits>.ckpt` is written aside, brought to the disk and renamed: it is
//! whole or not there. Each file carries its own step and score, so `index.json`, which says the
//! same to people and other programs, is rebuilt whenever it is lost.

mod find;

use std::fs;
use std::path::{Path, PathBuf};

use palaestra_plugin_api::{Error, Result};
use palaestra_registry::AtomicFile;
use serde::{Deserialize, Serialize};

use super::Warning;
use super::container::{self, PartsWriter};
pub use find::{Fallback, Loaded, any, at, best, latest};

/// What is added to the name of a checkpoint that a resumed run did not start from and must not
/// meet again.
const SUPERSEDED: &str = "superseded";

/// What became of a save.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// The new file.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// Whether it is now the best.
    pub best: bool,
    /// What went wrong beside the checkpoint, which is safe.
    pub warnings: Vec<Warning>,
}

/// Step and score of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    step: u64,
    score: Option<f64>,
}

/// `index.json`.
#[derive(Debug, Serialize)]
struct Index<'a> {
    latest: Option<u64>,
    best: Option<u64>,
    checkpoints: &'a [Entry],
}

/// Saves checkpoints of one run, and removes those that are neither among the last N nor the best.
///
/// Only for the process that holds the run; [`latest`] and [`best`] are for all others.
#[derive(Debug)]
pub struct CheckpointStore {
    folder: PathBuf,
    keep: usize,
    /// By step.
    entries: Vec<Entry>,
}

impl CheckpointStore {
    /// The store in `folder`, which is made if needed; `keep` of the newest checkpoints stay, at
    /// least one. What a killed process left half written is removed.
    ///
    /// # Errors
    /// Kind `Io`.
    pub fn open(folder: &Path, keep: usize) -> Result<Self> {
        let io = |e| Error::io(folder, &e);
        fs::create_dir_all(folder).map_err(io)?;
        AtomicFile::remove_leftovers(folder).map_err(io)?;
        let mut entries: Vec<Entry> = steps(folder)?
            .into_iter()
            .filter_map(|step| {
                // A damaged one is nothing to keep another one for, nor to count.
                let contents = container::contents(&file(folder, step)).ok()?;
                let score = contents.score;
                (contents.step == step).then_some(Entry { step, score })
            })
            .collect();
        entries.sort_by_key(|entry| entry.step);
        let store = Self {
            folder: folder.to_owned(),
            keep: keep.max(1),
            entries,
        };
        if !store.entries.is_empty() {
            store.write_index().map_err(io)?;
        }
        Ok(store)
    }

    /// Writes a checkpoint at `step` environment steps; `parts` streams its parts. `score` is the
    /// latest evaluation's, higher is better; one that is not finite counts as none. Of equal
    /// scores the newer is the best. A checkpoint of the same step is replaced.
    ///
    /// # Errors
    /// Those of `parts`; kind `Io` when the disk is full or fails. All earlier checkpoints are
    /// then intact and nothing half written is left.
    pub fn save(
        &mut self,
        step: u64,
        score: Option<f64>,
        parts: impl FnOnce(&mut PartsWriter<'_>) -> Result<()>,
    ) -> Result<Saved> {
        let score = score.filter(|score| score.is_finite());
        let path = file(&self.folder, step);
        let bytes = container::write(&path, step, score, parts)?;
        self.entries.retain(|entry| entry.step != step);
        self.entries.push(Entry { step, score });
        self.entries.sort_by_key(|entry| entry.step);
        let mut warnings = self.prune(step);
        if let Err(error) = self.write_index() {
            warnings.push(Warning::new(format!(
                "{}: expected to write the index, found {error}; it is rebuilt later",
                self.index().display()
            )));
        }
        Ok(Saved {
            path,
            bytes,
            best: self.best() == Some(step),
            warnings,
        })
    }

    /// Step of the best checkpoint, if any has a score.
    pub fn best(&self) -> Option<u64> {
        best_of(&self.entries).map(|entry| entry.step)
    }

    /// Whether a checkpoint with this score would be the best.
    pub fn would_be_best(&self, score: f64) -> bool {
        let best = best_of(&self.entries).and_then(|entry| entry.score);
        score.is_finite() && best.is_none_or(|best| score >= best)
    }

    /// To be called when a run goes on from `step`: newer checkpoints, damaged ones or ones of a
    /// future that is given up, get the ending `.superseded`, so that no later resume takes them.
    ///
    /// # Errors
    /// Kind `Io`.
    pub fn rewind(&mut self, step: u64) -> Result<()> {
        for newer in steps(&self.folder)?.into_iter().filter(|s| *s > step) {
            let path = file(&self.folder, newer);
            let aside = path.with_extension(format!("ckpt.{SUPERSEDED}"));
            fs::rename(&path, aside).map_err(|e| Error::io(&path, &e))?;
        }
        self.entries.retain(|entry| entry.step <= step);
        self.write_index().map_err(|e| Error::io(&self.index(), &e))
    }

    /// Removes all but the last N, the best and the one that was just written.
    fn prune(&mut self, written: u64) -> Vec<Warning> {
        let best = self.best();
        let first_kept = self.entries.len().saturating_sub(self.keep);
        let mut warnings = Vec::new();
        let mut index = 0;
        self.entries.retain(|entry| {
            index += 1;
            if index > first_kept || Some(entry.step) == best || entry.step == written {
                return true;
            }
            let path = file(&self.folder, entry.step);
            if let Err(error) = fs::remove_file(&path) {
                warnings.push(Warning::new(format!(
                    "{}: expected to remove an old checkpoint, found {error}; remove it by hand",
                    path.display()
                )));
            }
            false
        });
        warnings
    }

    fn index(&self) -> PathBuf {
        self.folder.join("index.json")
    }

    fn write_index(&self) -> std::io::Result<()> {
        let index = Index {
            latest: self.entries.last().map(|entry| entry.step),
            best: self.best(),
            checkpoints: &self.entries,
        };
        let mut text = serde_json::to_string_pretty(&index)?;
        text.push('\n');
        AtomicFile::write(&self.index(), text.as_bytes())
    }
}

/// The entry with the highest score, the newest of equals.
fn best_of(entries: &[Entry]) -> Option<&Entry> {
    let scored = entries
        .iter()
        .filter_map(|entry| entry.score.map(|score| (score, entry)));
    scored
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, entry)| entry)
}

fn file(folder: &Path, step: u64) -> PathBuf {
    folder.join(format!("step_{step:012}.ckpt"))
}

/// Steps of the checkpoints in a folder, oldest first.
fn steps(folder: &Path) -> Result<Vec<u64>> {
    let io = |e| Error::io(folder, &e);
    let mut steps = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let name = entry.map_err(io)?.file_name();
        let step: Option<u64> = name
            .to_str()
            .and_then(|name| name.strip_prefix("step_")?.strip_suffix(".ckpt"))
            .filter(|digits| digits.len() >= 12)
            .and_then(|digits| digits.parse().ok());
        steps.extend(step);
    }
    steps.sort_unstable();
    Ok(steps)
}

#[cfg(test)]
mod tests;
