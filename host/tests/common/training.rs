//! Training runs as a user starts them, and what they leave behind.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use palaestra::runs::{Checkpoint, checkpoints};
use rustix::process::{Pid, Signal, kill_process};
use safetensors::SafeTensors;
use serde_json::Value;

use super::{Machine, Run};

/// A run on a machine.
#[derive(Debug)]
pub(crate) struct Trained {
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// What `--json` said of it; null for one that was found.
    pub(crate) document: Value,
}

impl Machine {
    /// Trains to the end.
    #[track_caller]
    pub(crate) fn train(&self, arguments: &[&str]) -> Trained {
        let document = self.run(&[&["train", "--json"], arguments].concat()).json();
        self.trained(document)
    }

    /// Resumes a run to its end.
    #[track_caller]
    pub(crate) fn resume(&self, run: &Trained, arguments: &[&str]) -> Trained {
        let command = ["resume", "--json", run.path()];
        let document = self.run(&[&command, arguments].concat()).json();
        self.trained(document)
    }

    /// The run that a document is about.
    pub(crate) fn trained(&self, document: Value) -> Trained {
        let folder = self.path("work").join(document["run"].as_str().unwrap());
        Trained { folder, document }
    }

    /// The folders of all runs below `runs/`, by name.
    pub(crate) fn runs(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("work/runs"));
        let entries = entries.into_iter().flatten().flatten();
        let mut runs: Vec<_> = entries.map(|entry| entry.path()).collect();
        runs.retain(|path| path.is_dir());
        runs.sort();
        runs
    }

    /// The only run.
    #[track_caller]
    pub(crate) fn only_run(&self) -> Trained {
        let runs = self.runs();
        let [folder] = runs.as_slice() else {
            panic!("expected one run, found {runs:?}");
        };
        let document = Value::Null;
        let folder = folder.clone();
        Trained { folder, document }
    }

    /// Starts the program and goes on.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }
}

impl Trained {
    /// The folder as an argument.
    pub(crate) fn path(&self) -> &str {
        self.folder.to_str().unwrap()
    }

    /// The text of a file of the run.
    #[track_caller]
    pub(crate) fn text(&self, file: &str) -> String {
        let path = self.folder.join(file);
        fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// `metrics.csv`.
    #[track_caller]
    pub(crate) fn metrics(&self) -> String {
        self.text("metrics.csv")
    }

    /// The cells of a column of `metrics.csv` that hold a number.
    #[track_caller]
    pub(crate) fn column(&self, name: &str) -> Vec<f64> {
        let text = self.metrics();
        let mut lines = text.lines();
        let header = lines.next().unwrap();
        let at = header.split(',').position(|column| column == name);
        let at = at.unwrap_or_else(|| panic!("{name} is not in {header}"));
        let cells = lines.filter_map(|line| line.split(',').nth(at));
        cells.filter_map(|cell| cell.parse().ok()).collect()
    }

    /// The files of the checkpoints, oldest first.
    pub(crate) fn checkpoints(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.join("checkpoints")).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|ending| ending == "ckpt"));
        files.sort();
        files
    }

    /// The newest checkpoint.
    #[track_caller]
    pub(crate) fn latest(&self) -> Checkpoint {
        let loaded = checkpoints::latest(&self.folder.join("checkpoints")).unwrap();
        assert_eq!(loaded.fallbacks, []);
        loaded.checkpoint
    }

    /// All parts of the newest checkpoint.
    #[track_caller]
    pub(crate) fn parts(&self) -> Vec<(String, Vec<u8>)> {
        let mut checkpoint = self.latest();
        let names: Vec<_> = checkpoint.names().map(str::to_owned).collect();
        let part = |name: String| {
            let bytes = checkpoint.bytes(&name).unwrap();
            (name, bytes)
        };
        names.into_iter().map(part).collect()
    }

    /// The parts of the newest checkpoint that say what was learned.
    #[track_caller]
    pub(crate) fn learned(&self) -> Vec<(String, Vec<u8>)> {
        let mut parts = self.parts();
        parts.retain(|(name, _)| {
            let state = name.starts_with("player/") && name.ends_with("/algorithm");
            state || name.starts_with("policy/") || name == "trainer.json"
        });
        assert!(parts.len() >= 4, "{:?}", self.latest());
        parts
    }

    /// The bytes of the first policy's tensors whose names have `part` in them.
    #[track_caller]
    pub(crate) fn tensors(&self, part: &str) -> BTreeMap<String, Vec<u8>> {
        let bytes = self.latest().bytes("policy/0/weights").unwrap();
        let all = SafeTensors::deserialize(&bytes).unwrap().tensors();
        let named = all.into_iter().filter(|(name, _)| name.contains(part));
        named
            .map(|(name, tensor)| (name, tensor.data().to_vec()))
            .collect()
    }

    /// The numbers of the first policy's weights.
    #[track_caller]
    pub(crate) fn weights(&self) -> Vec<f32> {
        let bytes = self.latest().bytes("policy/0/weights").unwrap();
        let (length, rest) = bytes.split_at(8);
        let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
        let numbers = rest[length..].as_chunks::<4>().0.iter();
        numbers.map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }
}

/// Asserts that two runs went the same way: the bytes of their metrics, and all parts of their last checkpoints.
#[track_caller]
pub(crate) fn assert_same_run(one: &Trained, other: &Trained, about: &str) {
    assert_eq!(one.metrics(), other.metrics(), "{about}");
    assert_same_parts(&one.parts(), &other.parts(), about);
}

/// Asserts that parts have the same names and bytes, without printing them.
#[track_caller]
pub(crate) fn assert_same_parts(
    one: &[(String, Vec<u8>)],
    other: &[(String, Vec<u8>)],
    about: &str,
) {
    let names = |parts: &[(String, Vec<u8>)]| parts.iter().map(|p| p.0.clone()).collect::<Vec<_>>();
    assert_eq!(names(one), names(other), "{about}");
    for ((name, one), (_, other)) in one.iter().zip(other) {
        assert!(one == other, "{about}: {name} differs");
    }
}

/// Waits until something is so, at most half a minute.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        let waited = start.elapsed();
        assert!(waited < Duration::from_secs(30), "waited for {what}");
        sleep(Duration::from_millis(2));
    }
}

/// Whether a file of the run has that many lines.
pub(crate) fn has_lines(file: &Path, lines: usize) -> bool {
    fs::read_to_string(file).is_ok_and(|text| text.lines().count() >= lines)
}

/// Sends a signal to a program that was started.
pub(crate) fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Waits for a program that was started.
pub(crate) fn finish(child: Child) -> Run {
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
