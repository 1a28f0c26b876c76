//! The `palaestra` program on a machine of its own: home folder, lock file, cache, plugin folder.

#![allow(dead_code, reason = "every test file uses a part of it")]

pub(crate) mod composed;
pub(crate) mod training;

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use palaestra::session::Session;
use palaestra_registry::Options;
use serde_json::Value;
use tempfile::TempDir;

/// Where the build puts program and plugin libraries.
pub(crate) fn target_folder() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_palaestra")).parent().unwrap()
}

/// A plugin library of the workspace by its crate's name.
pub(crate) fn library(name: &str) -> PathBuf {
    let path = target_folder().join(format!(
        "{DLL_PREFIX}{}{DLL_SUFFIX}",
        name.replace('-', "_")
    ));
    assert!(
        path.is_file(),
        "{} is not built; run the tests with cargo xtask test",
        path.display()
    );
    path
}

/// A session over the libraries beside the program; the folder is its cache.
pub(crate) fn session() -> (Session, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        executable: Some(env!("CARGO_BIN_EXE_palaestra").into()),
        lock_file: Some(folder.path().join("plugins.lock")),
        cache: Some(folder.path().join("cache")),
        ..Options::default()
    };
    (Session::open(options).unwrap(), folder)
}

/// The workspace's folder.
pub(crate) fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// What a run of the program gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// Asserts success and gives standard output.
    #[track_caller]
    pub(crate) fn ok(&self) -> &str {
        assert_eq!(self.code, 0, "{self:?}");
        &self.stdout
    }

    /// Asserts a failure with this code, said in one line that has all `parts`.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, parts: &[&str]) {
        let lines: Vec<&str> = self
            .stderr
            .lines()
            .filter(|l| l.starts_with("palaestra: "))
            .collect();
        assert_eq!((self.code, lines.len()), (code, 1), "{self:?}");
        let others = |l: &&str| {
            !["palaestra: ", "note: ", "warning: "]
                .iter()
                .any(|start| l.starts_with(start))
        };
        assert_eq!(
            self.stderr.lines().find(others),
            None,
            "expected one line, {self:?}"
        );
        for part in parts {
            assert!(lines[0].contains(part), "expected {part:?} in {}", lines[0]);
        }
    }
}

/// The program in a folder of its own, so that it finds only what a test gives it.
pub(crate) struct Machine {
    folder: TempDir,
    program: PathBuf,
}

impl Machine {
    /// A machine whose program stands alone; plugins are put into `plugins/`, its `--plugin-dir`.
    pub(crate) fn new() -> Self {
        // Beside the program, so that a hard link does for a copy.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        for name in ["bin", "plugins", "home", "work"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let program = folder.path().join("bin/palaestra");
        let built = env!("CARGO_BIN_EXE_palaestra");
        fs::hard_link(built, &program)
            .or_else(|_| fs::copy(built, &program).map(drop))
            .unwrap();
        Self { folder, program }
    }

    /// A machine on which the program runs from where it was built, among the workspace's plugins.
    pub(crate) fn of_the_workspace() -> Self {
        Self {
            program: env!("CARGO_BIN_EXE_palaestra").into(),
            ..Self::new()
        }
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes a file below the machine's folder and gives its path.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(path);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Copies a library of the workspace into the plugin folder.
    pub(crate) fn put_library(&self, name: &str) -> PathBuf {
        let from = library(name);
        let file = from.file_name().unwrap().to_string_lossy().into_owned();
        self.put(&format!("plugins/{file}"), &fs::read(&from).unwrap())
    }

    /// The program, with the machine's folders and nothing of the surrounding settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        let home = self.path("home");
        for name in [
            "PALAESTRA_PLUGIN_PATH",
            "PALAESTRA_LOCKED",
            "XDG_DATA_HOME",
            "RUST_BACKTRACE",
            "NO_COLOR",
        ] {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .arg("--plugin-dir")
            .arg(self.path("plugins"))
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("PALAESTRA_LOCK", home.join("plugins.lock"))
            .env("PALAESTRA_CACHE", home.join("cache"))
            .current_dir(self.path("work"))
            .stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Trusts a library.
    #[track_caller]
    pub(crate) fn trust(&self, library: &Path) {
        self.run(&["registry", "trust", "--yes", library.to_str().unwrap()])
            .ok();
    }

    /// Compiles C sources into a plugin library in the plugin folder.
    #[track_caller]
    pub(crate) fn compile(&self, sources: &[&Path], file: &str) -> PathBuf {
        let library = self.path("plugins").join(file);
        let include = workspace().join("plugin-api/include");
        let mut cc = Command::new("cc");
        cc.args([
            "-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-fPIC", "-shared", "-I",
        ]);
        let output = cc
            .arg(include)
            .args(sources)
            .arg("-o")
            .arg(&library)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        library
    }
}

/// The C environment that comes with the header.
pub(crate) fn corridor() -> PathBuf {
    workspace().join("plugin-api/examples/c/corridor.c")
}

/// Replaces every `from` in a file by `to` of the same length; there must be one.
#[track_caller]
pub(crate) fn patch(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut patched = bytes.to_vec();
    let mut at = 0;
    let mut found = 0;
    while let Some(next) = patched[at..]
        .windows(from.len())
        .position(|w| w == from.as_bytes())
    {
        patched[at + next..at + next + to.len()].copy_from_slice(to.as_bytes());
        at += next + to.len();
        found += 1;
    }
    assert!(found > 0, "expected {from:?} in the library");
    patched
}
