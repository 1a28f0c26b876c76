//! The plugins that learn on CUDA: builds them with a compiler that is fetched for that, and checks that they load and
//! say the right thing where there is no GPU.

mod library;
mod toolkit;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::{Result, cargo};
use toolkit::Toolkit;

/// The plugin that is checked.
const PLUGIN: &str = "policy-gradient";
/// What it is asked to learn.
const ENVIRONMENT: (&str, &str) = ("classic-control", "classic/CartPole-v1");
/// Start of what the program says where there is no GPU.
const MISSING: &str = "device: expected cuda:0, found ";

/// Builds and checks, or runs cargo with the compiler when there are arguments for it. Where the compiler cannot be had
/// says so and is content; with arguments it fails.
///
/// # Errors
/// A build or a check that fails.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let target = cargo::artifacts()?.target;
    let toolkit = match Toolkit::fetch(&target.join("cuda-toolkit")) {
        Ok(toolkit) => toolkit,
        Err(found) if arguments.is_empty() => {
            println!("cuda: skipped: expected the CUDA compiler's wheels, found {found}");
            return Ok(());
        }
        Err(found) => {
            return Err(format!(
                "cuda: expected the CUDA compiler's wheels, found {found}"
            ));
        }
    };
    if !arguments.is_empty() {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        return toolkit.cargo(&arguments);
    }
    // The whole workspace, so that what other chores have built is not built again with other features.
    let features = format!("{PLUGIN}/cuda,palaestra-learning/cuda");
    let build = ["--workspace", "--features", &features];
    toolkit.cargo(&[&["build"], &build[..]].concat())?;
    let place = Place::assemble(&target)?;
    library::check(&place.plugin)?;
    place.check_devices()?;
    toolkit.cargo(
        &[
            &["test"],
            &build[..],
            &["--test", "cuda", "--", "--nocapture"],
        ]
        .concat(),
    )?;
    // The ordinary libraries take their places again.
    cargo::run(&["build", "--workspace"])
}

/// A folder with the program and the two plugins that are needed.
struct Place {
    program: PathBuf,
    plugin: PathBuf,
    runs: PathBuf,
}

impl Place {
    /// Copies what was built: plugins beside a program are trusted, and nothing else is found there.
    fn assemble(target: &Path) -> Result<Self> {
        let (debug, folder) = (target.join("debug"), target.join("cuda"));
        let failed = |what: &Path, e: std::io::Error| format!("cuda: {}: {e}", what.display());
        fs::create_dir_all(&folder).map_err(|e| failed(&folder, e))?;
        let copy = |name: &str| {
            let (from, to) = (debug.join(name), folder.join(name));
            // A new file: the old one may be a program that runs.
            let _ = fs::remove_file(&to);
            fs::copy(&from, &to)
                .map(|_| to)
                .map_err(|e| failed(&from, e))
        };
        copy(&cargo::library(ENVIRONMENT.0))?;
        Ok(Self {
            program: copy(&format!("palaestra{}", std::env::consts::EXE_SUFFIX))?,
            plugin: copy(&cargo::library(PLUGIN))?,
            runs: folder.join("runs"),
        })
    }

    /// What training says on each device.
    fn check_devices(&self) -> Result<()> {
        let has_gpu = self.check_cuda()?;
        let wrong = |device: &str, found: &Output| {
            let text = String::from_utf8_lossy(&found.stderr);
            format!(
                "cuda: train --device {device}: expected success, found {}: {text}",
                found.status
            )
        };
        let cpu = self.train("cpu")?;
        if !cpu.status.success() {
            return Err(wrong("cpu", &cpu));
        }
        let auto = self.train("auto")?;
        let said = String::from_utf8_lossy(&auto.stderr);
        let took = if has_gpu {
            "auto took cuda:0"
        } else {
            "auto took cpu"
        };
        if !auto.status.success() || !said.contains(took) {
            return Err(wrong("auto", &auto) + &format!("; expected the words {took:?}"));
        }
        println!("cuda: one library trains on the CPU, and {took}");
        Ok(())
    }

    /// Whether there is a GPU; without one the program must say so in one line and fail.
    fn check_cuda(&self) -> Result<bool> {
        let found = self.train("cuda:0")?;
        if found.status.success() {
            return Ok(true);
        }
        let text = String::from_utf8_lossy(&found.stderr);
        let said: Vec<&str> = text.lines().filter(|line| line.contains(MISSING)).collect();
        match (said.as_slice(), found.status.code()) {
            ([line], Some(2)) => {
                println!("cuda: {line}");
                Ok(false)
            }
            (_, code) => Err(format!(
                "cuda: train --device cuda:0: expected one line with {MISSING:?} and exit code 2, found {code:?}: {text}"
            )),
        }
    }

    fn train(&self, device: &str) -> Result<Output> {
        let _ = fs::remove_dir_all(&self.runs);
        Command::new(&self.program)
            .args([
                "train",
                ENVIRONMENT.1,
                "core/PPO-v0",
                "--device",
                device,
                "--out",
            ])
            .arg(&self.runs)
            .args([
                "--steps",
                "512",
                "--num-envs",
                "2",
                "--threads",
                "1",
                "--quiet",
            ])
            .args(["--set", "evaluation.episodes=1"])
            .env_remove("PALAESTRA_PLUGIN_PATH")
            .output()
            .map_err(|e| format!("cuda: {}: {e}", self.program.display()))
    }
}
