//! What `palaestra new` writes builds outside the workspace and is a plugin like any other.

mod common;

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;

use common::{Machine, target_folder, workspace};

const WORLD: &str = "rescue/BigFlood-v2";
const LEARNER: &str = "lab/Climber-v0";
const CHANNEL: &str = "lab/Whisper-v1";

/// Waits for other builds: tests share the crates.
fn alone() -> MutexGuard<'static, ()> {
    static BUILD: Mutex<()> = Mutex::new(());
    BUILD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A crate that `palaestra new` has written, on its own outside of the workspace.
struct Crate {
    folder: PathBuf,
    /// Its library's file.
    library: String,
}

impl Crate {
    /// The crate of this kind and id, kept for all runs of these tests: what has not changed is not built again.
    fn new(machine: &Machine, kind: &str, id: &str) -> Self {
        Self::with_root(machine, kind, id, None)
    }

    /// The same with another `src/lib.rs`.
    fn with_root(machine: &Machine, kind: &str, id: &str, root: Option<&Path>) -> Self {
        let _one = alone();
        let folder = id.replace('/', "-");
        let written = machine
            .run(&["new", kind, id, "--dir", &folder, "--json"])
            .json();
        let new = Self {
            folder: kept().join(&folder),
            library: written["library"].as_str().unwrap().to_owned(),
        };
        for file in written["files"].as_array().unwrap() {
            let file = file.as_str().unwrap();
            let source = machine.path("work").join(&folder).join(file);
            let source = root.filter(|_| file == "src/lib.rs").unwrap_or(&source);
            new.put(file, &fs::read(source).unwrap());
        }
        // The workspace's versions of what it stands on, or cargo would look for newer ones.
        let versions = fs::read(workspace().join("Cargo.lock")).unwrap();
        new.put("Cargo.lock", &versions);
        new
    }

    /// Writes a file, if there is another one or none.
    fn put(&self, file: &str, bytes: &[u8]) {
        let path = self.folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if fs::read(&path).ok().as_deref() != Some(bytes) {
            fs::write(path, bytes).unwrap();
        }
    }

    #[track_caller]
    fn cargo(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Cargo, as an author runs it, but for what makes it cheap here: it finds what the workspace's own build has left of
    /// the same dependencies (from cargo 1.91; older ones build them again), libraries and tests stand on one
    /// build of the project's crates, and the libraries themselves come into a folder of their own.
    fn command(&self, arguments: &[&str]) -> Output {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(arguments)
            .args(["--offline", "--features", "palaestra-plugin-api/testing"])
            .arg("--target-dir")
            .arg(kept().join("target"))
            .arg("--config")
            .arg(profile());
        let build = target_folder().parent().unwrap();
        cargo
            .env_remove("CARGO_TARGET_DIR")
            .env("CARGO_BUILD_BUILD_DIR", build);
        cargo.current_dir(&self.folder).output().unwrap()
    }

    /// Builds the library and puts it into the machine's plugin folder.
    #[track_caller]
    fn build(&self, machine: &Machine) -> PathBuf {
        let _one = alone();
        self.cargo(&["build"]);
        let built = kept().join("target/debug").join(&self.library);
        machine.put(
            &format!("plugins/{}", self.library),
            &fs::read(built).unwrap(),
        )
    }

    /// Runs the crate's own tests; the one named is among them.
    #[track_caller]
    fn test(&self, name: &str) {
        let _one = alone();
        let tests = self.cargo(&["test", "--lib"]);
        assert!(tests.contains(&format!("{name} ... ok")), "{tests}");
    }
}

/// The folder of the crates and their libraries.
fn kept() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-plugins")
}

/// The workspace's profile as a file of settings for cargo: with another one every dependency is built again.
fn profile() -> PathBuf {
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let dev = [("dev".to_owned(), manifest["profile"]["dev"].clone())];
    let profile = toml::Table::from_iter(dev);
    let settings = toml::Table::from_iter([("profile".to_owned(), profile.into())]);
    let path = kept().join("profile.toml");
    fs::create_dir_all(kept()).unwrap();
    fs::write(&path, settings.to_string()).unwrap();
    path
}

#[test]
fn a_new_environment_builds_out_of_tree_and_runs() {
    let machine = Machine::new();
    let new = Crate::new(&machine, "environment", WORLD);
    assert_eq!(
        new.library,
        format!("{DLL_PREFIX}rescue_big_flood{DLL_SUFFIX}")
    );
    let library = new.build(&machine);
    new.test("big_flood_keeps_the_contract_of_an_environment");

    let listed = machine.run(&["list", "--json"]).json();
    assert_eq!(
        (&listed[0]["id"], &listed[0]["trust"]),
        (&WORLD.into(), &"untrusted".into())
    );
    machine.trust(&library);
    let about = machine.run(&["describe", WORLD, "--json"]).json();
    assert_eq!(about["spec"]["groups"][0]["name"], "walkers");
    machine.run(&["check", library.to_str().unwrap()]).ok();
    let rollout = machine
        .run(&["rollout", WORLD, "--episodes", "16", "--json"])
        .json();
    assert_eq!(rollout["episodes"], 16);
    machine.run(&["render", WORLD, "--max-steps", "5"]).ok();
    assert!(machine.path("work/BigFlood-v2.gif").is_file());
}

/// A crate as somebody might write who goes round the layout check.
#[test]
fn a_library_without_layouts_is_refused() {
    let machine = Machine::new();
    let root = workspace().join("host/tests/data/no_layout.rs");
    let new = Crate::with_root(&machine, "environment", "no/Layout", Some(&root));
    let library = new.build(&machine);
    machine.trust(&library);
    let told = ["plugin no-layout: expected type layouts to check, found none"];
    machine.run(&["describe", "no/Layout-v0"]).fails(3, &told);
    let check = machine.run(&["check", library.to_str().unwrap(), "--json"]);
    assert!(
        check.code == 1 && check.stdout.contains("layout-present"),
        "{check:?}"
    );
}

/// One stranger's algorithm on another stranger's environment, and nothing of ours beside them.
#[test]
fn a_new_algorithm_learns_in_a_new_environment() {
    let machine = Machine::new();
    let world = Crate::new(&machine, "environment", WORLD).build(&machine);
    let new = Crate::new(&machine, "algorithm", LEARNER);
    let learner = new.build(&machine);
    new.test("the_right_buttons_are_learned_from_every_seed");

    let train = [
        WORLD,
        LEARNER,
        "--steps=40000",
        "--set=environment.length=5",
        "--set=algorithm.lr=3e-3",
    ];
    machine.trust(&world);
    let refused = machine.run(&[&["train"], &train[..]].concat());
    refused.fails(2, &["lab_climber", "palaestra registry trust"]);
    assert!(machine.runs().is_empty(), "nothing was begun");

    machine.trust(&learner);
    let listed = machine.run(&["list", "algorithms", "--json"]).json();
    assert_eq!(
        (&listed[0]["id"], listed[1].is_null()),
        (&LEARNER.into(), true)
    );
    let about = machine.run(&["describe", LEARNER]);
    assert!(about.ok().contains("gae_lambda"), "{about:?}");

    let run = machine.train(&train);
    let evaluation = &run.document["evaluation"];
    let of = |name: &str| evaluation[name].as_f64().unwrap();
    // Two agents that go straight to the light earn 1.9; after so many steps every seed does.
    let (learned, random) = (of("mean_return"), of("random_return_mean"));
    assert!(learned > 1.85 && random < 0.7, "{evaluation}");
    let again = machine.run(&["eval", run.path(), "--json"]).json();
    assert!(again["mean_return"].as_f64().unwrap() > 1.85, "{again}");
}

/// A stranger's mechanism between our environment and our algorithm.
#[test]
fn a_new_mechanism_learns_inside_a_policy() {
    let machine = Machine::of_the_workspace();
    let new = Crate::new(&machine, "coordination", CHANNEL);
    let library = new.build(&machine);
    new.test("backward_is_the_slope_of_exchange");
    machine.trust(&library);
    let about = machine.run(&["describe", CHANNEL]);
    assert!(about.ok().contains("message_width"), "{about:?}");

    let train = |steps: &str| {
        let run = machine.train(&[
            "mpe/SimpleSpread-v3",
            "core/MAPPO-v0",
            &format!("--coordination={CHANNEL}"),
            &format!("--steps={steps}"),
            "--num-envs=4",
            "--set=algorithm.hidden=[16]",
            "--set=coordination.0.message_width=4",
            "--set=evaluation.episodes=4",
        ]);
        let named = &run.document["coordination"];
        assert_eq!(named, &json!([CHANNEL]));
        let skipped = run.column("learn/skipped_updates");
        assert_eq!(skipped.last(), Some(&0.0), "{skipped:?}");
        run.tensors("mechanism/")
    };
    // Whole episodes of 25 steps, four at a time: one fragment, and four of them.
    let (first, last) = (train("100"), train("400"));
    let names: Vec<_> = first
        .keys()
        .filter(|name| name.ends_with("weight"))
        .collect();
    assert!(!names.is_empty(), "{:?}", first.keys());
    for (name, values) in &last {
        assert_ne!(values, &first[name], "{name} was not learned");
    }
}

#[test]
fn help_shows_how_each_kind_is_made() {
    let machine = Machine::new();
    for kind in ["environment", "algorithm", "coordination"] {
        let help = machine.run(&["new", kind, "--help"]);
        let example = format!("palaestra new {kind} ");
        assert!(help.ok().contains(&example), "{help:?}");
    }
    let taken = machine.run(&["new", "algorithm", "lab/Adam"]);
    taken.fails(2, &["found a word that Rust or palaestra-plugin-api needs"]);
}

#[test]
fn a_folder_that_is_there_is_left_alone() {
    let machine = Machine::new();
    machine.put("work/flood", b"mine");
    machine
        .run(&["new", "environment", "Flood", "--dir", "flood"])
        .fails(2, &["folder flood: expected none, found one"]);
    machine
        .run(&["new", "environment", "Flood", "--api-path", "/no/such"])
        .fails(
            2,
            &["--api-path /no/such: expected the folder of palaestra-plugin-api"],
        );
    assert_eq!(fs::read(machine.path("work/flood")).unwrap(), b"mine");
    assert!(!machine.path("work/my-flood").exists());
}
