//! What `palaestra new` writes builds outside the workspace and is a plugin like any other.

mod common;

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::Machine;

const ID: &str = "rescue/BigFlood-v2";

/// A new crate in the machine's folder.
struct Crate<'a> {
    machine: &'a Machine,
    folder: PathBuf,
    target: PathBuf,
    /// Its library, without prefix and suffix.
    library: &'static str,
}

impl<'a> Crate<'a> {
    fn new(machine: &'a Machine, kind: &str, id: &str, library: &'static str) -> Self {
        machine.run(&["new", kind, id, "--dir", "crate"]).ok();
        // One folder for all runs of these tests: dependencies are built once.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-environment");
        Self {
            machine,
            folder: machine.path("work/crate"),
            target,
            library,
        }
    }

    #[track_caller]
    fn cargo(&self, arguments: &[&str]) -> String {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(arguments)
            .arg("--offline")
            .arg("--target-dir")
            .arg(&self.target);
        let output = cargo.current_dir(&self.folder).output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Builds the library and puts it into the machine's plugin folder.
    #[track_caller]
    fn build(&self) -> PathBuf {
        self.cargo(&["build"]);
        let file = format!("{DLL_PREFIX}{}{DLL_SUFFIX}", self.library);
        let built = fs::read(self.target.join("debug").join(&file)).unwrap();
        self.machine.put(&format!("plugins/{file}"), &built)
    }
}

#[test]
fn a_new_environment_builds_out_of_tree_and_runs() {
    let machine = Machine::new();
    let new = Crate::new(&machine, "environment", ID, "rescue_big_flood");
    let library = new.build();
    let tests = new.cargo(&["test", "--lib"]);
    assert!(
        tests.contains("big_flood_keeps_the_contract_of_an_environment ... ok"),
        "{tests}"
    );

    let listed = machine.run(&["list", "--json"]).json();
    assert_eq!(
        (&listed[0]["id"], &listed[0]["trust"]),
        (&ID.into(), &"untrusted".into())
    );
    machine.trust(&library);
    let about = machine.run(&["describe", ID, "--json"]).json();
    assert_eq!(about["spec"]["groups"][0]["name"], "walkers");
    machine.run(&["check", library.to_str().unwrap()]).ok();
    let rollout = machine
        .run(&["rollout", ID, "--episodes", "16", "--json"])
        .json();
    assert_eq!(rollout["episodes"], 16);
    machine.run(&["render", ID, "--max-steps", "5"]).ok();
    assert!(machine.path("work/BigFlood-v2.gif").is_file());

    // The same crate as somebody might write who goes round the layout check.
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/no_layout.rs");
    fs::copy(source, new.folder.join("src/lib.rs")).unwrap();
    let library = new.build();
    machine.trust(&library);
    let told = ["plugin no-layout: expected type layouts to check, found none"];
    machine.run(&["describe", "no/Layout-v0"]).fails(3, &told);
    let check = machine.run(&["check", library.to_str().unwrap(), "--json"]);
    assert!(
        check.code == 1 && check.stdout.contains("layout-present"),
        "{check:?}"
    );
}

#[test]
fn a_new_algorithm_builds_out_of_tree_and_learns() {
    let machine = Machine::new();
    let new = Crate::new(&machine, "algorithm", "lab/Climber-v0", "lab_climber");
    let library = new.build();
    let tests = new.cargo(&["test", "--lib"]);
    assert!(
        tests.contains("the_right_buttons_are_learned_from_every_seed ... ok"),
        "{tests}"
    );
    machine.trust(&library);
    let listed = machine.run(&["list", "--json"]).json();
    assert_eq!(
        (&listed[0]["id"], &listed[0]["kind"]),
        (&"lab/Climber-v0".into(), &"algorithm".into())
    );
    let about = machine.run(&["describe", "lab/Climber-v0"]);
    assert!(about.ok().contains("gae_lambda"), "{about:?}");
}

#[test]
fn a_new_mechanism_builds_out_of_tree_and_is_described() {
    let machine = Machine::new();
    let new = Crate::new(&machine, "coordination", "lab/Whisper-v1", "lab_whisper");
    let library = new.build();
    let tests = new.cargo(&["test", "--lib"]);
    assert!(
        tests.contains("backward_is_the_slope_of_exchange ... ok"),
        "{tests}"
    );
    machine.trust(&library);
    let listed = machine.run(&["list", "--json"]).json();
    assert_eq!(
        (&listed[0]["id"], &listed[0]["kind"]),
        (&"lab/Whisper-v1".into(), &"coordination".into())
    );
    let about = machine.run(&["describe", "lab/Whisper-v1"]);
    assert!(about.ok().contains("message_width"), "{about:?}");
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
