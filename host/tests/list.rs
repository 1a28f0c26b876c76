//! Listing is fast and runs nothing.

mod common;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{Machine, corridor, patch};

/// Many plugins, each with its own name and id, made from one compiled library.
fn fill(machine: &Machine, count: usize) {
    let constructor = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/constructor.c");
    let library = machine.compile(&[&corridor(), &constructor], "libcorridor.so");
    let bytes = fs::read(&library).unwrap();
    fs::remove_file(&library).unwrap();
    for i in 0..count {
        let named = patch(&bytes, "corridor-c", &format!("corridor{i:02}"));
        let named = patch(&named, "c/Corridor-v0", &format!("c/Corrid{i:02}-v0"));
        machine.put(&format!("plugins/libcorridor{i:02}.so"), &named);
    }
}

#[test]
fn fifty_plugins_are_listed_in_under_a_tenth_of_a_second() {
    let machine = Machine::new();
    fill(&machine, 50);
    let mut times: Vec<Duration> = (0..9)
        .map(|_| {
            let start = Instant::now();
            let list = machine.run(&["list", "environments", "--json"]).json();
            let time = start.elapsed();
            assert_eq!(list.as_array().unwrap().len(), 50);
            time
        })
        .collect();
    times.sort();
    println!(
        "list with 50 plugins: median {:?}, longest {:?}",
        times[4], times[8]
    );
    assert!(
        times[4] < Duration::from_millis(100),
        "median {:?}",
        times[4]
    );
}

#[test]
fn no_plugin_code_runs_before_it_is_trusted() {
    let machine = Machine::new();
    fill(&machine, 1);
    let trace = machine.path("work/the-constructor-ran");
    let run = |arguments: &[&str]| {
        let output = machine
            .command(arguments)
            .env("PALAESTRA_TEST_TRACE", &trace)
            .output()
            .unwrap();
        (output.status.code().unwrap(), trace.exists())
    };
    let library = machine.path("plugins/libcorridor00.so");
    let library = library.to_str().unwrap();
    for arguments in [
        &["list"][..],
        &["describe", "c/Corrid00-v0"],
        &["schema", "c/Corrid00-v0"],
        &["registry", "list"],
        &["registry", "pack", library],
        &["registry", "trust", "--yes", library],
        &["registry", "verify"],
        &["list"],
    ] {
        assert_eq!(run(arguments), (0, false), "{arguments:?}");
    }
    // The proof can be had: a trusted plugin is opened to be described.
    assert_eq!(run(&["describe", "c/Corrid00-v0"]), (0, true));
    fs::remove_file(&trace).unwrap();
    assert_eq!(run(&["registry", "untrust", library]), (0, false));
    assert_eq!(run(&["render", "c/Corrid00-v0", "--text"]), (2, false));
    assert_eq!(run(&["describe", "c/Corrid00-v0"]), (0, false));
}

#[test]
fn one_bad_file_hides_no_good_one() {
    let machine = Machine::new();
    fill(&machine, 2);
    machine.put("plugins/libbroken.so", b"\x7fELF and then nothing");
    let listed = machine.run(&["list", "--json"]);
    let ids: Vec<_> = listed
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["id"].clone())
        .collect();
    assert_eq!(ids, ["c/Corrid00-v0", "c/Corrid01-v0"]);
    let warnings: Vec<&str> = listed.stderr.lines().collect();
    assert!(
        matches!(warnings[..], [line] if line.starts_with("warning: plugin ") && line.contains("libbroken.so: ")),
        "{listed:?}"
    );
}
