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
mod tests {
    use palaestra_plugin_api::ErrorKind;

    use super::*;
    use crate::runs::subprocess;

    fn save(store: &mut CheckpointStore, step: u64, score: Option<f64>) -> Saved {
        let saved = store
            .save(step, score, |parts| {
                parts.bytes("host.json", step.to_string().as_bytes())
            })
            .unwrap();
        assert_eq!(saved.warnings, []);
        saved
    }

    /// Changes a byte of the first part.
    fn damage(path: &Path) {
        let mut bytes = fs::read(path).unwrap();
        bytes[24] ^= 1;
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn the_last_n_and_the_best_stay() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = CheckpointStore::open(folder.path(), 2).unwrap();
        let scores = [None, Some(3.0), Some(9.0), Some(1.0), None, Some(f64::NAN)];
        for (index, score) in scores.into_iter().enumerate() {
            let step = 100 * (index as u64 + 1);
            let saved = save(&mut store, step, score);
            assert!(saved.path.is_file());
            assert_eq!(saved.best, index == 1 || index == 2);
        }
        assert_eq!(steps(folder.path()).unwrap(), [300, 500, 600]);
        assert!(store.would_be_best(9.0) && !store.would_be_best(8.9));
        // An equal score that is newer takes its place.
        assert!(save(&mut store, 700, Some(9.0)).best);
        assert_eq!(steps(folder.path()).unwrap(), [600, 700]);
        let mut found = latest(folder.path()).unwrap();
        assert_eq!(found.checkpoint.bytes("host.json").unwrap(), b"700");
        assert_eq!(found.fallbacks, []);
        let text = fs::read_to_string(store.index()).unwrap();
        let index: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&index["best"], &index["latest"]),
            (&700.into(), &700.into())
        );
    }

    #[test]
    fn an_index_that_is_lost_or_wrong_is_rebuilt() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = CheckpointStore::open(folder.path(), 1).unwrap();
        save(&mut store, 1, Some(5.0));
        save(&mut store, 2, Some(4.0));
        let index = fs::read(store.index()).unwrap();
        for wrong in [None, Some("{")] {
            fs::remove_file(store.index()).unwrap();
            if let Some(text) = wrong {
                fs::write(store.index(), text).unwrap();
            }
            let mut store = CheckpointStore::open(folder.path(), 1).unwrap();
            assert_eq!(fs::read(store.index()).unwrap(), index);
            assert_eq!(best(folder.path()).unwrap().checkpoint.step(), 1);
            // The best one outlives this, too.
            save(&mut store, 2, Some(4.0));
            assert_eq!(steps(folder.path()).unwrap(), [1, 2]);
        }
    }

    #[test]
    fn damaged_checkpoints_are_passed_over_aloud_and_never_silently_all() {
        let folder = tempfile::tempdir().unwrap();
        let error = latest(folder.path()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Config);
        let mut store = CheckpointStore::open(folder.path(), 3).unwrap();
        for (step, score) in [(1, 1.0), (2, 3.0), (3, 2.0)] {
            save(&mut store, step, Some(score));
        }
        damage(&file(folder.path(), 3));
        let cut = fs::read(file(folder.path(), 2)).unwrap();
        fs::write(file(folder.path(), 2), &cut[..cut.len() - 9]).unwrap();
        for found in [latest(folder.path()), best(folder.path())] {
            let found = found.unwrap();
            assert_eq!(found.checkpoint.step(), 1);
            let mut files: Vec<_> = found.fallbacks.iter().map(|f| &f.file).collect();
            files.sort();
            assert_eq!(files, [&file(folder.path(), 2), &file(folder.path(), 3)]);
            let reasons = found.fallbacks.iter().map(ToString::to_string);
            assert!(reasons.into_iter().any(|r| r.contains("sha256 differs")));
        }
        let fallbacks = latest(folder.path()).unwrap().fallbacks;
        assert!(
            fallbacks[1].reason.contains("bytes, found"),
            "{fallbacks:?}"
        );
        assert!(at(folder.path(), 3).is_err());
        assert_eq!(at(folder.path(), 1).unwrap().step(), 1);
        let error = at(folder.path(), 9).unwrap_err().to_string();
        assert!(error.contains("found 1, 2, 3;"), "{error}");
        damage(&file(folder.path(), 1));
        let error = latest(folder.path()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Io);
        assert!(error.message.contains("found none of 3"), "{error}");
    }

    #[test]
    fn a_run_that_fell_back_does_not_lose_what_it_fell_back_to() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = CheckpointStore::open(folder.path(), 2).unwrap();
        for step in [10, 20, 30] {
            save(&mut store, step, None);
        }
        damage(&file(folder.path(), 30));
        let mut store = CheckpointStore::open(folder.path(), 2).unwrap();
        let step = latest(folder.path()).unwrap().checkpoint.step();
        assert_eq!(step, 20);
        store.rewind(step).unwrap();
        save(&mut store, 25, None);
        assert_eq!(steps(folder.path()).unwrap(), [20, 25]);
        assert_eq!(latest(folder.path()).unwrap().checkpoint.step(), 25);
        assert!(
            file(folder.path(), 30)
                .with_extension("ckpt.superseded")
                .is_file()
        );
    }

    #[test]
    fn a_process_killed_before_the_rename_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = CheckpointStore::open(folder.path(), 2).unwrap();
        save(&mut store, 10, None);
        // All bytes are written, the name is not.
        let half = folder.path().join(".step_000000000020.ckpt.17-3.part");
        fs::copy(file(folder.path(), 10), &half).unwrap();
        assert_eq!(latest(folder.path()).unwrap().checkpoint.step(), 10);
        let store = CheckpointStore::open(folder.path(), 2).unwrap();
        assert!(!half.exists());
        assert_eq!(store.entries.len(), 1);
    }

    #[test]
    fn a_full_disk_leaves_earlier_checkpoints_and_no_half_file() {
        const NAME: &str =
            "runs::checkpoints::tests::a_full_disk_leaves_earlier_checkpoints_and_no_half_file";
        if !subprocess::enter(NAME) {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut store = CheckpointStore::open(folder.path(), 1).unwrap();
        save(&mut store, 10, None);
        let large = |parts: &mut PartsWriter<'_>| {
            // As a plugin's snapshot does: the stream's error comes back as the plugin's own.
            parts.part("algorithm/0", |out| {
                let block = [7; 1 << 12];
                (0..64)
                    .try_for_each(|_| out.write_all(&block))
                    .map_err(|_| Error::plugin("snapshot: could not write"))
            })
        };
        // In the middle of a part, and only when the last buffer is flushed.
        for limit in [100_000, 64 * 4096 + 50] {
            subprocess::limit_file_size(Some(limit));
            let error = store.save(20, Some(1.0), large).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Io, "{error}");
            assert!(error.message.contains("the ones before it are intact"));
            let mut names: Vec<_> = fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            assert_eq!(names, ["index.json", "step_000000000010.ckpt"]);
            assert_eq!(latest(folder.path()).unwrap().checkpoint.step(), 10);
            assert_eq!(store.best(), None);
        }
        subprocess::limit_file_size(None);
        store.save(20, Some(1.0), large).unwrap();
        assert_eq!(steps(folder.path()).unwrap(), [20]);
    }

    #[test]
    fn a_process_killed_at_any_moment_leaves_a_checkpoint_that_verifies() {
        const NAME: &str = "runs::checkpoints::tests::\
                            a_process_killed_at_any_moment_leaves_a_checkpoint_that_verifies";
        const FOLDER: &str = "PALAESTRA_TEST_KILLED";
        let save = |store: &mut CheckpointStore, step| {
            let block = vec![step as u8; 200_000];
            store.save(step, Some(1.0), |parts| parts.bytes("algorithm/0", &block))
        };
        if let Some(folder) = std::env::var_os(FOLDER) {
            let mut store = CheckpointStore::open(Path::new(&folder), 2).unwrap();
            let first = store.entries.last().map_or(1, |entry| entry.step + 1);
            // An end, should nobody kill it.
            for step in first..first + 10_000 {
                save(&mut store, step).unwrap();
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let mut before = 1;
        save(
            &mut CheckpointStore::open(folder.path(), 2).unwrap(),
            before,
        )
        .unwrap();
        for round in 0..8 {
            let mut child = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", NAME])
                .env(FOLDER, folder.path())
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap();
            while latest(folder.path()).unwrap().checkpoint.step() <= before {
                assert!(child.try_wait().unwrap().is_none());
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            std::thread::sleep(std::time::Duration::from_micros(1_700 * round));
            child.kill().unwrap();
            child.wait().unwrap();
            let mut found = latest(folder.path()).unwrap();
            assert_eq!(found.fallbacks, []);
            before = found.checkpoint.step();
            let bytes = found.checkpoint.bytes("algorithm/0").unwrap();
            assert!(bytes == vec![before as u8; 200_000]);
        }
    }
}
