//! What `palaestra new environment` writes builds outside the workspace and is a plugin like any other.

mod common;

use std::process::Command;

use common::Machine;

#[test]
fn a_new_environment_builds_out_of_tree_and_runs() {
    let machine = Machine::new();
    machine
        .run(&["new", "environment", "rescue/BigFlood-v2", "--dir", "flood"])
        .ok();
    let folder = machine.path("work/flood");
    // One folder for all runs of this test: its dependencies are built once.
    let target = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("new-environment");
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(arguments)
            .arg("--offline")
            .arg("--target-dir")
            .arg(&target)
            .current_dir(&folder);
        let output = cargo.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    cargo(&["build"]);
    let tests = cargo(&["test", "--lib"]);
    assert!(
        tests.contains("big_flood_keeps_the_contract_of_an_environment ... ok"),
        "{tests}"
    );

    let file = format!(
        "{}rescue_big_flood{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    let library = machine.put(
        &format!("plugins/{file}"),
        &std::fs::read(target.join("debug").join(file.as_str())).unwrap(),
    );
    let id = "rescue/BigFlood-v2";
    let listed = machine.run(&["list", "--json"]).json();
    assert_eq!(
        (&listed[0]["id"], &listed[0]["trust"]),
        (&id.into(), &"untrusted".into())
    );
    machine.trust(&library);
    assert_eq!(
        machine.run(&["describe", id, "--json"]).json()["spec"]["groups"][0]["name"],
        "walkers"
    );
    machine.run(&["render", id, "--max-steps", "5"]).ok();
    assert!(machine.path("work/BigFlood-v2.gif").is_file());
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
    assert_eq!(std::fs::read(machine.path("work/flood")).unwrap(), b"mine");
    assert!(!machine.path("work/my-flood").exists());
}
