//! Kills training at random moments, resumes it, and compares the bytes with those of a run that was left alone.

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use palaestra::runs::checkpoints;

use crate::{Result, cargo, program::Program};

/// What is trained: a checkpoint after every fragment, so that many kills meet one that is being written.
const RUNS: [(&str, &[&str]); 3] = [
    (
        "cart pole",
        &[
            "classic/CartPole-v1",
            "core/PPO-v0",
            "--policy-wrapper=NormaliseObservation",
            "--steps=8192",
            "--num-envs=4",
            "--set=algorithm.num_steps=32",
            "--set=algorithm.update_epochs=2",
            "--set=algorithm.hidden=[256,256]",
            "--set=training.checkpoint_every=128",
            "--set=evaluation.every=1024",
        ],
    ),
    (
        "self-play",
        &[
            "cards/KuhnPoker-v0",
            "core/PPO-v0",
            "--steps=8192",
            "--num-envs=4",
            "--set=algorithm.num_steps=32",
            "--set=algorithm.update_epochs=2",
            "--set=training.self_play.refresh=1000",
            "--set=training.checkpoint_every=128",
            "--set=evaluation.every=1024",
        ],
    ),
    (
        "recurrent team with messages",
        &[
            "mpe/SimpleSpread-v3",
            "core/MAPPO-v0",
            "--coordination=comm/Broadcast-v0",
            "--steps=2000",
            "--num-envs=4",
            "--set=algorithm.recurrent=16",
            "--set=algorithm.update_epochs=2",
            "--set=training.checkpoint_every=100",
            "--set=evaluation.every=500",
            "--set=evaluation.episodes=8",
        ],
    ),
];

/// Kills that many runs.
///
/// # Errors
/// A run that fails, or ends otherwise than one that was left alone.
pub(crate) fn run(count: u32) -> Result<()> {
    let program = Program::dev()?;
    let folder = cargo::artifacts()?.target.join("tmp/kills");
    clear(&folder)?;
    let mut whole = Vec::new();
    for (name, arguments) in RUNS {
        let start = Instant::now();
        let out = folder.join(name);
        finish(start_training(&program, arguments, &out)?)?;
        let time = start.elapsed();
        eprintln!("{name}: {:.1} s when left alone", time.as_secs_f64());
        whole.push((Outcome::of(&found(&out)?.ok_or("no run")?)?, time));
    }
    let mut tally = Tally::default();
    let mut trial = 0;
    while tally.kills < count {
        let n = trial % RUNS.len();
        let out = folder.join(format!("trial-{trial}"));
        trial += 1;
        let (name, arguments) = RUNS[n];
        let (expected, time) = &whole[n];
        let (run, moments) = killed(&program, arguments, &out, *time, &mut tally)?;
        Outcome::of(&run)?.compare(expected).map_err(|difference| {
            let run = run.display();
            format!("{name}, killed after {moments:?}: {difference}; the run is {run}")
        })?;
        eprintln!("{name}: killed after {moments:?}, same bytes");
        clear(&out)?;
    }
    println!("{tally}: metrics and all parts of the last checkpoint have the same bytes");
    Ok(())
}

/// What the kills met.
#[derive(Default)]
struct Tally {
    kills: u32,
    before_settings: u32,
    before_checkpoint: u32,
    while_writing: u32,
    too_late: u32,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} kills ({} before the run had its settings, {} before its first checkpoint, {} while a file was \
             being written; {} runs were faster than their kill)",
            self.kills,
            self.before_settings,
            self.before_checkpoint,
            self.while_writing,
            self.too_late
        )
    }
}

/// Trains, kills and resumes until the run has come to its end; the run and when it was killed.
fn killed(
    program: &Program,
    arguments: &[&str],
    out: &Path,
    time: Duration,
    tally: &mut Tally,
) -> Result<(PathBuf, Vec<Duration>)> {
    let mut moments = Vec::new();
    loop {
        let run = found(out)?;
        let mut child = match &run {
            Some(run) => spawn(program, &["resume", "--quiet"], &[run.as_os_str()])?,
            None => start_training(program, arguments, out)?,
        };
        // One kill in any case, and each further one with a chance of one half.
        if let (true, Some(run)) = (!moments.is_empty() && chance(2) == 0, run) {
            finish(child)?;
            return Ok((run, moments));
        }
        let moment = Duration::from_micros(chance(time.as_micros() as u64));
        sleep(moment);
        let ended = child.try_wait().map_err(|e| e.to_string())?.is_some();
        if ended {
            tally.too_late += 1;
            finish(child)?;
            continue;
        }
        child.kill().map_err(|e| e.to_string())?;
        child.wait().map_err(|e| e.to_string())?;
        moments.push(moment);
        tally.kills += 1;
        match found(out)? {
            None => tally.before_settings += 1,
            Some(run) => {
                let (checkpoints, unfinished) = files(&run.join("checkpoints"));
                tally.before_checkpoint += u32::from(checkpoints == 0);
                tally.while_writing += u32::from(unfinished > 0);
            }
        }
    }
}

/// Number of checkpoints in a folder, and of files that were being written.
fn files(folder: &Path) -> (usize, usize) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names: Vec<_> = entries.map(|entry| entry.path()).collect();
    let count = |ending: &str| {
        let has = |path: &&PathBuf| path.extension().is_some_and(|e| e == ending);
        names.iter().filter(has).count()
    };
    (count("ckpt"), count("part"))
}

/// A number that is another one each time, below `below`.
fn chance(below: u64) -> u64 {
    RandomState::new().hash_one(()) % below.max(1)
}

/// What a run has come to, byte by byte.
struct Outcome {
    metrics: Vec<u8>,
    parts: Vec<(String, Vec<u8>)>,
}

impl Outcome {
    fn of(run: &Path) -> Result<Self> {
        let metrics = run.join("metrics.csv");
        let metrics = fs::read(&metrics).map_err(|e| format!("{}: {e}", metrics.display()))?;
        let loaded = checkpoints::latest(&run.join("checkpoints")).map_err(|e| e.to_string())?;
        let mut checkpoint = loaded.checkpoint;
        let names: Vec<_> = checkpoint.names().map(str::to_owned).collect();
        let part = |name: String| {
            let bytes = checkpoint.bytes(&name).map_err(|e| e.to_string())?;
            Ok((name, bytes))
        };
        let parts = names.into_iter().map(part).collect::<Result<_>>()?;
        Ok(Self { metrics, parts })
    }

    fn compare(&self, expected: &Self) -> Result<()> {
        if self.metrics != expected.metrics {
            return Err("metrics.csv differs".into());
        }
        if self.parts.len() != expected.parts.len() {
            return Err("the last checkpoint has other parts".into());
        }
        let mut pairs = self.parts.iter().zip(&expected.parts);
        match pairs.find(|(one, other)| one != other) {
            Some(((name, _), _)) => Err(format!("{name} of the last checkpoint differs")),
            None => Ok(()),
        }
    }
}

/// The run in a folder that has its settings.
fn found(out: &Path) -> Result<Option<PathBuf>> {
    let Ok(entries) = fs::read_dir(out) else {
        return Ok(None);
    };
    let paths = entries.flatten().map(|entry| entry.path());
    let mut runs = paths.filter(|path| path.join("experiment.resolved.toml").is_file());
    let run = runs.next();
    match runs.next() {
        None => Ok(run),
        Some(_) => Err(format!("{}: expected one run, found more", out.display())),
    }
}

fn start_training(program: &Program, arguments: &[&str], out: &Path) -> Result<Child> {
    let command = [&["train", "--quiet"], arguments, &["--out"]].concat();
    spawn(program, &command, &[out.as_os_str()])
}

fn spawn(program: &Program, arguments: &[&str], more: &[&std::ffi::OsStr]) -> Result<Child> {
    let mut command = Command::new(program.path());
    command
        .args(arguments)
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
        .spawn()
        .map_err(|e| format!("{}: {e}", program.path().display()))
}

fn finish(mut child: Child) -> Result<()> {
    match child.wait().map_err(|e| e.to_string())? {
        status if status.success() => Ok(()),
        status => Err(format!("palaestra: expected success, found {status}")),
    }
}

/// Removes a folder, if it is there.
fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {e}", folder.display()))
        }
        _ => Ok(()),
    }
}
