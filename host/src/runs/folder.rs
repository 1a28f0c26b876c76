//! The folder of a run and the names of its parts.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind as IoKind};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use palaestra_plugin_api::{Error, ErrorKind, Result};
use palaestra_registry::{AtomicFile, lock};

/// Longest part of a folder's name that comes from one name, in bytes.
const NAME_LIMIT: usize = 60;

/// `runs/<environment>_<algorithm>_<coordination>_s<seed>_<time>/`, where everything about one
/// training run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

/// Keeps a run to one writing process; the hold ends when it is dropped or the process ends.
#[derive(Debug)]
pub struct RunGuard {
    _file: File,
}

impl RunFolder {
    /// Makes the folder of a new run below `out_root`, or `explicit`, which must be new or empty.
    ///
    /// The name is `<environment>_<algorithm>[_<coordination>]_s<seed>_<UTC time>`, with `-` for
    /// every character of the names that a folder should not have; runs that start within one
    /// second are numbered from 2 on.
    ///
    /// # Errors
    /// Kind `Config` for an `explicit` folder that holds something, kind `Io` for one that cannot
    /// be made.
    pub fn create(
        out_root: &Path,
        environment: &str,
        algorithm: &str,
        coordination: Option<&str>,
        seed: u64,
        explicit: Option<&Path>,
    ) -> Result<Self> {
        let path = match explicit {
            Some(path) => {
                let empty = make_empty(path).map_err(|e| Error::io(path, &e))?;
                if !empty {
                    return Err(Error::config(format!(
                        "run folder {}: expected a new or empty folder, found one with files; \
                         choose another, or go on with it: palaestra resume {0}",
                        path.display()
                    )));
                }
                path.to_owned()
            }
            None => {
                let names = [Some(environment), Some(algorithm), coordination];
                let mut name = String::new();
                for part in names.into_iter().flatten() {
                    name.push_str(&plain(part));
                    name.push('_');
                }
                name.push_str(&format!("s{seed}_{}", timestamp(SystemTime::now())));
                make_unique(out_root, &name).map_err(|e| Error::io(&out_root.join(name), &e))?
            }
        };
        let run = Self { path };
        for folder in [run.checkpoints(), run.report()] {
            fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, &e))?;
        }
        Ok(run)
    }

    /// The folder of a run that was made before.
    ///
    /// # Errors
    /// Kind `Config`: nothing there, or no run, with what seems to be there instead.
    pub fn open(path: &Path) -> Result<Self> {
        let run = Self {
            path: path.to_owned(),
        };
        if run.experiment().is_file() {
            return Ok(run);
        }
        let (found, next) = if path.is_file() {
            let inside = path.ancestors().skip(1).find(|folder| is_run(folder));
            let next = inside.map_or_else(
                || "name the folder that `palaestra train` made".to_owned(),
                |run| format!("did you mean {}?", run.display()),
            );
            ("a file".to_owned(), next)
        } else if path.is_dir() {
            match runs_in(path).as_slice() {
                [] => (
                    "a folder without experiment.resolved.toml".to_owned(),
                    "name the folder that `palaestra train` made".to_owned(),
                ),
                runs @ [.., newest] => (
                    format!("a folder of {} runs", runs.len()),
                    format!("the newest is {}", newest.display()),
                ),
            }
        } else {
            (
                "nothing there".to_owned(),
                "look into the folder runs".to_owned(),
            )
        };
        Err(Error::config(format!(
            "run {}: expected the folder of a run, found {found}; {next}",
            path.display()
        )))
    }

    /// Makes this process the only one that writes to the run, until the guard is dropped.
    ///
    /// # Errors
    /// Kind `Config` when another process holds it, kind `Io` when the folder cannot be written.
    pub fn hold(&self) -> Result<RunGuard> {
        let path = self.path.join(".guard");
        let open = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path);
        let file = open.map_err(|e| Error::io(&path, &e))?;
        match file.try_lock() {
            Ok(()) => Ok(RunGuard { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::config(format!(
                "run {}: expected a run that nobody works on, found a process that does; \
                 stop it first",
                self.path.display()
            ))),
            // Some network file systems have no locks: better no guard than no training.
            Err(TryLockError::Error(e)) if e.kind() == IoKind::Unsupported => {
                Ok(RunGuard { _file: file })
            }
            Err(TryLockError::Error(e)) => Err(Error::io(&path, &e)),
        }
    }

    /// The folder itself; TensorBoard's event files lie here.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder's name.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// Every setting of the run.
    pub fn experiment(&self) -> PathBuf {
        self.path.join("experiment.resolved.toml")
    }

    /// Digests of the plugins it was made with.
    pub fn plugins_lock(&self) -> PathBuf {
        self.path.join("plugins.lock")
    }

    /// Metrics that are the same for the same seed.
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.csv")
    }

    /// Metrics measured with a clock.
    pub fn timing(&self) -> PathBuf {
        self.path.join("timing.csv")
    }

    /// Folder of the checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Folder of pictures and tables.
    pub fn report(&self) -> PathBuf {
        self.path.join("report")
    }

    /// The picture of returns over steps.
    pub fn learning_curve(&self) -> PathBuf {
        self.report().join("learning_curve.png")
    }

    /// Writes the resolved experiment, whole or not at all.
    ///
    /// # Errors
    /// Kind `Io`.
    pub fn write_experiment(&self, text: &str) -> Result<()> {
        write(&self.experiment(), text)
    }

    /// Writes the lock of the plugins, whole or not at all.
    ///
    /// # Errors
    /// Kind `Io`.
    pub fn write_plugins_lock(&self, text: &str) -> Result<()> {
        write(&self.plugins_lock(), text)
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    AtomicFile::write(path, text.as_bytes()).map_err(|e| {
        Error::new(
            ErrorKind::Io,
            format!(
                "{}: expected to write the file, found {e}; check folder and free space",
                path.display()
            ),
        )
    })
}

fn is_run(folder: &Path) -> bool {
    folder.join("experiment.resolved.toml").is_file()
}

/// The runs directly below a folder, by age.
fn runs_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut runs: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| is_run(path))
        .map(|path| (fs::metadata(&path).and_then(|m| m.modified()).ok(), path))
        .collect();
    runs.sort();
    runs.into_iter().map(|(_, path)| path).collect()
}

/// Makes a folder unless it is there; tells whether it is empty.
fn make_empty(path: &Path) -> io::Result<bool> {
    fs::create_dir_all(path)?;
    Ok(fs::read_dir(path)?.next().is_none())
}

/// Makes a folder that was not there: `name`, or `name-2` and so on.
fn make_unique(root: &Path, name: &str) -> io::Result<PathBuf> {
    fs::create_dir_all(root)?;
    let mut path = root.join(name);
    for number in 2_u64.. {
        match fs::create_dir(&path) {
            Err(error) if error.kind() == IoKind::AlreadyExists => {
                path = root.join(format!("{name}-{number}"));
            }
            made => return made.map(|()| path),
        }
    }
    unreachable!("numbers do not run out")
}

/// A name with nothing in it that means something to file systems or shells.
fn plain(name: &str) -> String {
    let keep = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+');
    let mut text: String = name
        .chars()
        .map(|c| if keep(c) { c } else { '-' })
        .collect();
    text.truncate(NAME_LIMIT);
    let text = text.trim_start_matches('.');
    if text.is_empty() { "-" } else { text }.to_owned()
}

/// UTC as `YYYYMMDD-HHMMSS`.
fn timestamp(now: SystemTime) -> String {
    let seconds = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let of_day = seconds % 86_400;
    let date = lock::date(seconds / 86_400).replace('-', "");
    let (hours, minutes) = (of_day / 3600, of_day / 60 % 60);
    format!("{date}-{hours:02}{minutes:02}{:02}", of_day % 60)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn create(root: &Path, explicit: Option<&Path>) -> Result<RunFolder> {
        RunFolder::create(
            root,
            "mpe/SimpleSpread-v3",
            "core/MAPPO-v0",
            Some("comm/Broadcast-v0"),
            3,
            explicit,
        )
    }

    #[test]
    fn folders_are_named_after_the_run_and_never_shared() {
        let root = tempfile::tempdir().unwrap();
        let runs: Vec<_> = (0..4)
            .map(|_| create(&root.path().join("runs"), None).unwrap())
            .collect();
        for (index, run) in runs.iter().enumerate() {
            let start = "mpe-SimpleSpread-v3_core-MAPPO-v0_comm-Broadcast-v0_s3_2";
            assert!(run.name().starts_with(start), "{}", run.name());
            assert!(runs[..index].iter().all(|other| other != run));
            assert!(run.checkpoints().is_dir() && run.report().is_dir());
        }
        let bare = RunFolder::create(root.path(), "../..", "", None, 0, None).unwrap();
        assert!(bare.name().starts_with("-.._-_s0_"), "{}", bare.name());
        let at = UNIX_EPOCH + Duration::from_secs(951_868_799);
        assert_eq!(timestamp(at), "20000229-235959");
    }

    #[test]
    fn a_chosen_folder_must_be_empty() {
        let root = tempfile::tempdir().unwrap();
        let chosen = root.path().join("a/b");
        let run = create(root.path(), Some(&chosen)).unwrap();
        assert_eq!(run.path(), chosen);
        let error = create(root.path(), Some(&chosen)).unwrap_err();
        assert!(error.message.contains("found one with files"), "{error}");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn opening_says_what_is_there_instead() {
        let root = tempfile::tempdir().unwrap();
        let run = create(root.path(), None).unwrap();
        let message = |path: &Path| RunFolder::open(path).unwrap_err().to_string();
        assert!(message(run.path()).contains("without experiment.resolved.toml"));
        assert!(message(&root.path().join("x")).contains("found nothing there"));
        run.write_experiment("seed = 3\n").unwrap();
        assert_eq!(RunFolder::open(run.path()).unwrap(), run);
        assert!(message(root.path()).contains("found a folder of 1 runs; the newest is"));
        let inside = run.checkpoints().join("a.ckpt");
        fs::write(&inside, "").unwrap();
        assert!(message(&inside).contains("found a file; did you mean"));
    }

    #[test]
    fn one_process_works_on_a_run() {
        let root = tempfile::tempdir().unwrap();
        let run = create(root.path(), None).unwrap();
        let guard = run.hold().unwrap();
        let error = run.hold().unwrap_err().to_string();
        assert!(error.contains("found a process that does"), "{error}");
        drop(guard);
        run.hold().unwrap();
    }
}
