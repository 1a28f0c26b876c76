//! Finds a checkpoint to trust: the newest, the best, or that of one step.

use std::fmt;
use std::path::{Path, PathBuf};

use palaestra_plugin_api::{Error, ErrorKind, Result};

use super::super::container::{self, Checkpoint, Contents};
use super::{Entry, file, steps};

/// A checkpoint that was passed over because it is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl Fallback {
    /// None for a file that is no longer there: a training process has removed it.
    fn of(file: PathBuf, error: Error) -> Option<Self> {
        file.exists().then_some(Self {
            file,
            reason: error.message,
        })
    }
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "checkpoint {}; using another one", self.reason)
    }
}

/// A verified checkpoint, and the ones that were passed over to find it.
#[derive(Debug)]
pub struct Loaded {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Damaged ones, to be reported.
    pub fallbacks: Vec<Fallback>,
}

/// Whether there is any checkpoint, whole or damaged.
///
/// # Errors
/// Kind `Io` for a folder that cannot be read.
pub fn any(folder: &Path) -> Result<bool> {
    Ok(!steps(folder)?.is_empty())
}

/// The newest checkpoint that verifies.
///
/// # Errors
/// Kind `Config` when there is none at all, kind `Io` when none verifies, with the reason for the
/// newest.
pub fn latest(folder: &Path) -> Result<Loaded> {
    search(folder, |steps| {
        (steps.iter().rev().copied().collect(), Vec::new())
    })
}

/// The best checkpoint that verifies, by the score it was saved with; without any score the newest.
///
/// # Errors
/// As [`latest`].
pub fn best(folder: &Path) -> Result<Loaded> {
    search(folder, |steps| by_score(folder, steps))
}

/// Steps from the highest score to the lowest, the newest of equals first and those without a
/// score last; and the files that do not tell theirs.
fn by_score(folder: &Path, steps: &[u64]) -> (Vec<u64>, Vec<Fallback>) {
    let mut entries: Vec<Entry> = Vec::new();
    let mut unreadable = Vec::new();
    for &step in steps {
        let path = file(folder, step);
        match container::contents(&path) {
            Ok(Contents { score, .. }) => entries.push(Entry { step, score }),
            Err(error) => unreadable.extend(Fallback::of(path, error)),
        }
    }
    entries.sort_by(|a, b| {
        let by_score = match (a.score, b.score) {
            (Some(a), Some(b)) => b.total_cmp(&a),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        by_score.then(b.step.cmp(&a.step))
    });
    let steps = entries.into_iter().map(|entry| entry.step);
    (steps.collect(), unreadable)
}

/// The checkpoint of a certain step.
///
/// # Errors
/// Kind `Config` when there is none, with those there are; kind `Io` when it is damaged.
pub fn at(folder: &Path, step: u64) -> Result<Checkpoint> {
    let steps = steps(folder)?;
    if steps.contains(&step) {
        return Checkpoint::open(&file(folder, step));
    }
    let steps: Vec<_> = steps.iter().map(u64::to_string).collect();
    Err(Error::config(format!(
        "checkpoints {}: expected one of step {step}, found {}; choose one of these",
        folder.display(),
        if steps.is_empty() {
            "none".to_owned()
        } else {
            steps.join(", ")
        }
    )))
}

/// The first checkpoint that verifies, in the order that `order` gives to the steps; what it
/// returns besides has been passed over already.
fn search(folder: &Path, order: impl Fn(&[u64]) -> (Vec<u64>, Vec<Fallback>)) -> Result<Loaded> {
    loop {
        let listed = steps(folder)?;
        let (candidates, mut fallbacks) = order(&listed);
        for step in candidates {
            let path = file(folder, step);
            match Checkpoint::open(&path) {
                Ok(checkpoint) => {
                    return Ok(Loaded {
                        checkpoint,
                        fallbacks,
                    });
                }
                Err(error) => fallbacks.extend(Fallback::of(path, error)),
            }
        }
        // A training process may have replaced them all meanwhile.
        if steps(folder)? == listed {
            return Err(none_good(folder, &fallbacks));
        }
    }
}

fn none_good(folder: &Path, fallbacks: &[Fallback]) -> Error {
    match fallbacks {
        [] => Error::config(format!(
            "checkpoints {}: expected at least one, found none; train first",
            folder.display()
        )),
        [newest, ..] => Error::new(
            ErrorKind::Io,
            format!(
                "checkpoints {}: expected one that is undamaged, found none of {} ({}); \
                 restore a file from a copy, or train anew in another folder",
                folder.display(),
                fallbacks.len(),
                newest.reason
            ),
        ),
    }
}
