//! Whatever is wrong is said in one line, with the exit code of whoever is to blame.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Machine, library, patch};
use palaestra::session::Session;
use palaestra_registry::Options;
use serde_json::json;

/// Commands that make an object of an environment.
const LOADING: [&[&str]; 2] = [&["describe"], &["render", "--text", "--max-steps", "1"]];

/// Runs every loading command on the template's environment.
#[track_caller]
fn each_fails(machine: &Machine, extra: &[&str], code: i32, parts: &[&str]) {
    for command in LOADING {
        let arguments = [command, &["template/Beacon-v0"], extra].concat();
        machine.run(&arguments).fails(code, parts);
    }
}

/// A machine whose plugin folder holds the template, with changed bytes.
fn with_template(change: impl FnOnce(&[u8]) -> Vec<u8>) -> (Machine, PathBuf) {
    let machine = Machine::new();
    let path = machine.put_library("template");
    let changed = change(&fs::read(&path).unwrap());
    fs::write(&path, changed).unwrap();
    (machine, path)
}

/// A file that no plugin can be: a warning when listed, not found when asked for, refused when trusted.
#[track_caller]
fn is_refused(machine: &Machine, path: &Path, what: &[&str]) {
    let list = machine.run(&["list", "--json"]);
    assert_eq!(list.json(), json!([]));
    assert_eq!(list.stderr.lines().count(), 1, "{list:?}");
    what.iter()
        .for_each(|part| assert!(list.stderr.contains(part), "{part:?} in {}", list.stderr));
    each_fails(
        machine,
        &[],
        2,
        &[
            "environment \"template/Beacon-v0\" not found",
            "1 with a problem",
        ],
    );
    machine
        .run(&["registry", "trust", "--yes", path.to_str().unwrap()])
        .fails(3, what);
}

#[test]
fn an_unknown_name() {
    let machine = Machine::of_the_workspace();
    machine.run(&["describe", "template/Becon-v0"]).fails(
        2,
        &["environment \"template/Becon-v0\" not found; did you mean template/Beacon-v0?"],
    );
    machine
        .run(&["render", "template/Beacon-v7"])
        .fails(2, &["did you mean template/Beacon-v0?"]);
    machine
        .run(&["schema", "no such name"])
        .fails(2, &["name \"no such name\": expected [namespace/]Name"]);
    machine
        .run(&["replay", "/no/such/file.json"])
        .fails(4, &["trace /no/such/file.json: "]);
    machine
        .run(&["registry", "trust", "--yes", "/no/such/file.so"])
        .fails(4, &["plugin /no/such/file.so: "]);
}

#[test]
fn a_setting_that_is_unknown_out_of_range_or_mistyped() {
    let machine = Machine::of_the_workspace();
    each_fails(
        &machine,
        &["--set", "lenght=5"],
        2,
        &["config template/Beacon-v0: /lenght: unknown key; did you mean length?"],
    );
    each_fails(
        &machine,
        &["--set", "length=1"],
        2,
        &["/length: expected 2 ≤ x ≤ 1000, found 1"],
    );
    each_fails(
        &machine,
        &["--set", "step_cost=cheap"],
        2,
        &["/step_cost: expected number, found string \"cheap\""],
    );
    each_fails(
        &machine,
        &["--set", "length=5", "--set", "length.x=1"],
        2,
        &["--set length.x: expected length to be a table"],
    );
}

#[test]
fn an_untrusted_plugin() {
    let (machine, path) = with_template(<[u8]>::to_vec);
    let told = ["expected a trusted library", "palaestra registry trust "];
    machine
        .run(&["render", "template/Beacon-v0", "--text"])
        .fails(2, &told);
    let trust = machine.run(&["registry", "trust", path.to_str().unwrap()]);
    trust_needs_yes(&trust.stderr, trust.code);
    machine.trust(&path);
    machine
        .run(&["render", "template/Beacon-v0", "--text"])
        .ok();
    machine.run(&["registry", "untrust", "libtemplate.so"]).ok();
    machine
        .run(&["render", "template/Beacon-v0", "--text"])
        .fails(2, &told);
}

/// Without a terminal nobody can answer: what would be trusted is shown, and `--yes` is asked for.
fn trust_needs_yes(stderr: &str, code: i32) {
    assert_eq!(code, 2);
    assert!(
        stderr.contains("template 0.1.0: template/Beacon-v0; sha256 "),
        "{stderr}"
    );
    assert!(
        stderr
            .lines()
            .last()
            .unwrap()
            .contains("expected a terminal to ask on, found none; pass --yes"),
        "{stderr}"
    );
}

#[test]
fn what_was_built_here_is_trusted_unless_locked() {
    let machine = Machine::of_the_workspace();
    machine
        .run(&["render", "template/Beacon-v0", "--text"])
        .ok();
    machine
        .run(&["render", "template/Beacon-v0", "--text", "--locked"])
        .fails(2, &["expected a trusted library"]);
}

#[test]
fn a_truncated_library() {
    for keep in [4096, 200_000] {
        let (machine, path) = with_template(|bytes| bytes[..keep].to_vec());
        is_refused(&machine, &path, &["libtemplate.so: library: expected"]);
    }
}

#[test]
fn a_library_of_another_architecture() {
    let (machine, path) = with_template(|bytes| {
        // e_machine of the ELF header.
        let mut bytes = bytes.to_vec();
        bytes[18..20].copy_from_slice(&183u16.to_le_bytes());
        bytes
    });
    is_refused(
        &machine,
        &path,
        &["library: expected one for x86_64, found one for aarch64"],
    );
}

#[test]
fn a_library_that_aborts_on_panic() {
    let (machine, path) =
        with_template(|bytes| patch(bytes, "\"panic\":\"unwind\"", "\"panic\":\"abort\" "));
    is_refused(
        &machine,
        &path,
        &["manifest panic: expected unwind, found abort"],
    );
}

#[test]
fn a_library_of_another_abi_version() {
    let (machine, path) = with_template(|bytes| {
        patch(
            bytes,
            "\"abi\":{\"version\":\"1.0\"",
            "\"abi\":{\"version\":\"2.0\"",
        )
    });
    is_refused(
        &machine,
        &path,
        &["manifest abi version: expected 1.x, found 2.0; rebuild the plugin"],
    );
}

#[test]
fn a_library_of_another_abi_draft() {
    let (machine, path) = with_template(|bytes| patch(bytes, "\"draft\":1}", "\"draft\":9}"));
    is_refused(
        &machine,
        &path,
        &["manifest abi draft: expected 1, found 9; rebuild the plugin"],
    );
}

#[test]
fn a_bit_flipped_after_it_was_trusted() {
    let (machine, path) = with_template(<[u8]>::to_vec);
    machine.trust(&path);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&path, bytes).unwrap();
    let told = ["expected the sha256 in plugins.lock, found another"];
    machine
        .run(&["render", "template/Beacon-v0", "--text"])
        .fails(3, &told);
    let verify = machine.run(&["registry", "verify", "--json"]);
    assert_eq!(verify.code, 1, "{verify:?}");
    assert!(verify.stdout.contains("\"changed\""), "{verify:?}");
}

#[test]
fn a_library_swapped_between_hash_and_load() {
    let machine = Machine::new();
    let path = machine.put_library("template");
    machine.trust(&path);
    let session = Session::open(Options {
        plugin_dirs: vec![machine.path("plugins")],
        lock_file: Some(machine.path("home/plugins.lock")),
        cache: Some(machine.path("home/cache")),
        ..Options::default()
    })
    .unwrap();
    assert!(
        session
            .environment("template/Beacon-v0", &json!({}))
            .is_ok(),
        "trusted when it was hashed"
    );
    fs::remove_file(&path).unwrap();
    fs::copy(library("classic-control"), &path).unwrap();
    let error = session
        .environment("template/Beacon-v0", &json!({}))
        .err()
        .unwrap();
    assert_eq!(error.kind.exit_code(), 3, "{error}");
    assert!(
        error
            .to_string()
            .contains("expected the sha256 in plugins.lock, found another"),
        "{error}"
    );
}

#[test]
fn two_plugins_with_one_id() {
    let machine = Machine::new();
    let path = machine.put_library("template");
    let other = patch(
        &fs::read(&path).unwrap(),
        "\"plugin\":\"template\"",
        "\"plugin\":\"impostor\"",
    );
    machine.put("plugins/libimpostor.so", &other);
    let list = machine.run(&["list", "--json"]);
    assert_eq!(list.json().as_array().unwrap().len(), 2);
    assert!(
        list.stderr.contains("expected one plugin, found impostor"),
        "{list:?}"
    );
    each_fails(
        &machine,
        &[],
        2,
        &[
            "template/Beacon-v0: expected one plugin, found ",
            "impostor",
        ],
    );
}

#[test]
fn a_lock_file_that_cannot_be_understood() {
    let (machine, _) = with_template(<[u8]>::to_vec);
    machine.put("home/plugins.lock", b"version = 1\nplugin = 3\n");
    machine
        .run(&["list"])
        .fails(2, &["lock file ", "plugins.lock: expected plugins as TOML"]);
}

#[test]
fn scripts_traces_and_files_that_do_not_fit() {
    let machine = Machine::of_the_workspace();
    let short = machine.put("work/short.json", b"[[0]]");
    machine
        .run(&[
            "render",
            "template/Beacon-v0",
            "--actions",
            short.to_str().unwrap(),
        ])
        .fails(2, &["short.json: /0: trace: expected 2 agents, found [0]"]);
    machine
        .run(&["render", "template/Beacon-v0", "--out", "film.mp4"])
        .fails(2, &["film.mp4: expected a name that ends in .gif or .png"]);
    machine
        .run(&["render", "template/Beacon-v0", "--size", "3x3"])
        .fails(2, &["expected 16 to 4096 pixels a side, found 3 × 3"]);
    machine
        .run(&[
            "render",
            "template/Beacon-v0",
            "--out",
            "/no/such/folder/film.gif",
        ])
        .fails(4, &["/no/such/folder/film.gif: "]);
    let nobody = machine.put(
        "work/nobody.json",
        br#"{"format": "marl-trace-1", "env": "Nobody", "cases": []}"#,
    );
    machine.run(&["replay", nobody.to_str().unwrap()]).fails(
        2,
        &["expected an environment that claims \"Nobody\", found none"],
    );
}
