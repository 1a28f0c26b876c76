//! `palaestra check`: plugins that crash, hang, lie or keep all rules, each check in a process of its own.

mod common;

use std::{fs, time::Instant};

use common::{Machine, Run, corridor};
use serde_json::Value;

const MISBEHAVING: &str = "stress/Misbehaving-v0";

/// Checks the stress plugin from where it was built.
fn check(arguments: &[&str]) -> Run {
    let mut all = vec!["check", "stress", "--json"];
    all.extend(arguments);
    Machine::of_the_workspace().run(&all)
}

fn report(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|e| panic!("{e}: {run:?}"))
}

/// Names and details of the checks with this status.
fn of_status(report: &Value, status: &str) -> Vec<(String, String)> {
    let subjects = report["subjects"].as_array().unwrap().iter();
    let checks = subjects.flat_map(|s| s["checks"].as_array().unwrap());
    let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    checks
        .filter(|c| c["status"] == status)
        .map(|c| (text(c, "check"), text(c, "detail")))
        .collect()
}

fn names(report: &Value, status: &str) -> Vec<String> {
    of_status(report, status)
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn sound_environments_pass_every_check_of_library_configuration_and_rules() {
    for id in ["stress/Sound-v0", "stress/Spaces-v0", "stress/Turns-v0"] {
        let run = check(&["--environment", id]);
        let report = report(&run);
        assert_eq!(run.code, 0, "{run:?}");
        assert_eq!(names(&report, "warning"), ["hash-locked"]);
        let counts = &report["counts"];
        assert!(counts["passed"].as_u64().unwrap() >= 25, "{counts}");
        assert_eq!(
            (&counts["failed"], &counts["crashed"]),
            (&0.into(), &0.into())
        );
    }
}

/// Runs one check that steps with a fault and gives what it found.
fn strike(fault: &str, time_limit: &str) -> (Run, String) {
    let fault = format!("fault={fault}");
    let arguments = [
        "--environment",
        MISBEHAVING,
        "--set",
        &fault,
        "--check",
        "step-in-space",
        "--time-limit",
        time_limit,
    ];
    let run = check(&arguments);
    let crashed = of_status(&report(&run), "crashed");
    assert_eq!((run.code, crashed.len()), (3, 1), "{run:?}");
    let detail = crashed.into_iter().next().unwrap().1;
    assert!(!detail.contains('\n'));
    (run, detail)
}

#[test]
fn what_ends_the_process_is_named_and_this_one_lives() {
    assert_eq!(strike("exit", "60").1, "the process exited with code 7");
    assert_eq!(
        strike("abort", "60").1,
        "the process was killed by SIGABRT (6)"
    );
    let (_, overflow) = strike("stack_overflow", "60");
    assert!(
        overflow.starts_with("the process was killed by SIG") && overflow.contains("stack"),
        "{overflow}"
    );
    let (_, bomb) = strike("allocation_bomb", "60");
    assert!(
        bomb.starts_with("the process was killed by SIGABRT") && bomb.contains("memory allocation"),
        "{bomb}"
    );
}

#[test]
fn a_step_that_never_returns_is_killed_in_time() {
    let started = Instant::now();
    let (_, detail) = strike("endless_loop", "0.5");
    assert_eq!(detail, "no answer within 0.5 s; the process was killed");
    assert!(started.elapsed().as_secs() < 30);
}

#[test]
fn a_panic_says_where() {
    for (fault, place, file) in [
        ("panic_in_step", "(step, env 0): panicked at ", "process.rs"),
        ("panic_payload", "(step, env 0): panicked at ", "process.rs"),
        (
            "panic_in_reset",
            "(reset, env 0): panicked at ",
            "misbehaving.rs",
        ),
    ] {
        let (_, detail) = strike(fault, "60");
        assert!(
            detail.starts_with(place) && detail.contains(file),
            "{detail}"
        );
    }
}

#[test]
fn a_panic_while_made_is_told_once() {
    let run = check(&["--environment", MISBEHAVING, "--set", "fault=panic_in_new"]);
    let report = report(&run);
    // The defaults have no fault, but random configurations reach one.
    let crashed = names(&report, "crashed");
    assert_eq!(
        (run.code, crashed.last().unwrap().as_str()),
        (3, "spaces-well-formed")
    );
    assert!(
        crashed
            .iter()
            .all(|c| c == "config-fuzz" || c == "spaces-well-formed"),
        "{crashed:?}"
    );
}

#[test]
fn a_fault_fails_its_check_and_the_seed_repeats_it() {
    let rules: Vec<String> = [
        "spaces-well-formed",
        "reset-in-space",
        "step-in-space",
        "reward-finite",
        "episode-determinism",
        "vector-equals-scalar",
        "snapshot-roundtrip-mid-episode",
    ]
    .iter()
    .flat_map(|c| ["--check".to_owned(), (*c).to_owned()])
    .collect();
    for (fault, expected) in [
        ("step_outside_space", "step-in-space"),
        ("reward_not_finite", "reward-finite"),
        ("step_varies", "episode-determinism"),
        ("batch_size_matters", "vector-equals-scalar"),
        ("snapshot_forgets", "snapshot-roundtrip-mid-episode"),
    ] {
        let fault = format!("fault={fault}");
        let mut arguments = vec!["--environment", MISBEHAVING, "--set", &fault, "--seed", "3"];
        arguments.extend(rules.iter().map(String::as_str));
        let (first, again) = (check(&arguments), check(&arguments));
        assert_eq!(first.code, 1, "{first:?}");
        assert_eq!(names(&report(&first), "failed"), [expected]);
        assert_eq!(names(&report(&first), "crashed"), [""; 0]);
        assert_eq!(
            of_status(&report(&first), "failed"),
            of_status(&report(&again), "failed")
        );
    }
}

#[test]
fn the_table_tells_how_to_repeat_a_failure() {
    let arguments = [
        "check",
        "stress",
        "--environment",
        MISBEHAVING,
        "--set",
        "fault=reward_not_finite",
    ];
    let run = Machine::of_the_workspace()
        .run(&[&arguments[..], &["--check", "reward-finite", "--seed", "5"]].concat());
    assert_eq!(run.code, 1);
    assert!(
        run.stdout.contains("✗  reward-finite  reward at step "),
        "{}",
        run.stdout
    );
    let repeat = format!(
        "--environment {MISBEHAVING} --set 'fault=\"reward_not_finite\"' --check reward-finite --seed 5\n"
    );
    assert!(run.stdout.contains(&repeat), "{}", run.stdout);
    assert!(
        run.stdout.ends_with("0 passed, 1 failed\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn nothing_of_a_file_runs_before_it_is_trusted() {
    let machine = Machine::new();
    let library = machine.put_library("stress");
    let file = library.to_str().unwrap();
    let check = |arguments: &[&str]| machine.run(&[&["check", file, "--json"], arguments].concat());
    let one = [
        "--environment",
        "stress/Sound-v0",
        "--check",
        "hash-locked",
        "--check",
        "abi-compatible",
    ];
    check(&one).fails(
        2,
        &["expected a trusted library", "palaestra registry trust"],
    );
    machine.trust(&library);
    let trusted = check(&one);
    assert_eq!(
        (trusted.code, names(&report(&trusted), "passed").len()),
        (0, 2),
        "{trusted:?}"
    );
    // Changed since it was trusted: the file is looked at, nothing of it runs.
    let mut bytes = fs::read(&library).unwrap();
    bytes.push(0);
    fs::write(&library, &bytes).unwrap();
    let changed = check(&[]);
    assert_eq!(changed.code, 1);
    assert_eq!(names(&report(&changed), "failed"), ["hash-locked"]);
    assert!(
        names(&report(&changed), "skipped").contains(&"abi-compatible".to_owned()),
        "{changed:?}"
    );
}

#[test]
fn a_damaged_file_fails_the_check_that_it_is_about() {
    let machine = Machine::new();
    let library = machine.put_library("stress");
    let bytes = fs::read(&library).unwrap();
    let failed = |name: &str, bytes: &[u8]| {
        let file = machine.put(&format!("work/{name}.so"), bytes);
        let run = machine.run(&["check", file.to_str().unwrap(), "--json"]);
        assert_eq!(run.code, 1, "{run:?}");
        names(&report(&run), "failed")
    };
    assert_eq!(
        failed("cut", &bytes[..bytes.len() / 2]),
        ["hash-locked", "elf-valid"]
    );
    assert_eq!(
        failed("text", b"not a library"),
        ["hash-locked", "elf-valid"]
    );
    let draft = common::patch(&bytes, "\"draft\":1", "\"draft\":7");
    assert_eq!(failed("draft", &draft), ["hash-locked", "abi-compatible"]);
    let aborting = common::patch(&bytes, "\"panic\":\"unwind\"", "\"panic\":\"abortt\"");
    assert_eq!(
        failed("abort", &aborting),
        ["hash-locked", "abi-compatible"]
    );
    let twice = common::patch(&bytes, "stress/Sound-v0", "stress/Turns-v0");
    assert_eq!(failed("twice", &twice), ["hash-locked", "descriptor-valid"]);
}

#[test]
fn names_that_nothing_has_are_refused_with_what_was_meant() {
    let machine = Machine::of_the_workspace();
    let run = |arguments: &[&str]| machine.run(&[&["check"], arguments].concat());
    run(&["stres"]).fails(2, &["plugin \"stres\" not found; did you mean stress?"]);
    run(&["stress", "--check", "reward-finit"]).fails(2, &["did you mean reward-finite?"]);
    run(&["stress", "--environment", "stress/Sond-v0"])
        .fails(2, &["did you mean stress/Sound-v0?"]);
    run(&["stress", "--set", "fault=exit"]).fails(2, &["--environment"]);
    run(&["stress", "--environment", MISBEHAVING, "--set", "fault=ext"])
        .fails(2, &["/fault: expected"]);
    run(&["/nowhere/at/all.so"]).fails(4, &["/nowhere/at/all.so"]);
    let list = run(&["--list"]);
    assert_eq!(list.ok().lines().count(), 30);
}

/// Compiles the corridor with one thing changed and gives what its checks found.
fn corridor_with(changes: &[(&str, &str)]) -> (i32, Value) {
    let machine = Machine::new();
    let mut source = fs::read_to_string(corridor()).unwrap();
    for (from, to) in changes {
        assert!(source.contains(from), "expected {from:?} in the corridor");
        source = source.replace(from, to);
    }
    let source = machine.put("work/corridor.c", source.as_bytes());
    let library = machine.compile(&[&source], "libcorridor.so");
    machine.trust(&library);
    let run = machine.run(&[
        "check",
        library.to_str().unwrap(),
        "--json",
        "--time-limit",
        "20",
    ]);
    (run.code, report(&run))
}

#[test]
fn an_environment_in_c_passes_the_same_checks() {
    let (code, report) = corridor_with(&[]);
    assert_eq!(
        (code, names(&report, "failed"), names(&report, "crashed")),
        (0, vec![], vec![]),
        "{report:#}"
    );
    // The corridor has no chance in it.
    assert_eq!(names(&report, "warning"), ["seed-divergence"]);
}

/// Faults that the SDK makes impossible in Rust.
#[test]
fn faults_of_an_environment_in_c_fail_their_checks() {
    let fails = |changes: &[(&str, &str)], expected: &str| {
        let (code, report) = corridor_with(changes);
        assert_eq!(
            (code, names(&report, "failed")),
            (1, vec![expected.to_owned()]),
            "{report:#}"
        );
    };
    fails(
        &[("action[i] < 0 || action[i] > 1", "action[i] < -100")],
        "bad-action-refused",
    );
    fails(
        &[(
            "    if (terminated) terminated[i] = 0;",
            "    if (terminated) terminated[i] = 1;",
        )],
        "flags-clear-after-reset",
    );
    fails(
        &[("w->steps >= LIMIT;", "w->steps >= LIMIT + 3;")],
        "truncation-at-limit",
    );
    fails(
        &[("if (count) count[0] = ended;", "if (count) count[0] = 0;")],
        "final-observation-kept",
    );
    fails(
        &[(
            "if (final) final[ended] = ",
            "if (final && 0) final[ended] = ",
        )],
        "final-observation-kept",
    );
    fails(
        &[(
            "if (total) total[ended] = w->sum;",
            "if (total) total[ended] = 7.0;",
        )],
        "returns-within-bounds",
    );
    fails(
        &[(
            "if (reward) reward[i] = earned;",
            "if (reward && 0) reward[i] = earned;",
        )],
        "reward-finite",
    );
    fails(
        &[("read == 0 || line[read] || ", "")],
        "snapshot-invalid-refused",
    );
    fails(
        &[(
            "return \"id: expected c/Corridor-v0, found another\";",
            "return NULL;",
        )],
        "unknown-name-refused",
    );
}

#[test]
fn a_segmentation_fault_in_c_is_named() {
    let wild = "  if (count) ((volatile uint32_t *)(uintptr_t)ended)[2] = ended;";
    let (code, report) = corridor_with(&[("  if (count) count[0] = ended;", wild)]);
    let crashed = of_status(&report, "crashed");
    assert_eq!((code, crashed.is_empty()), (3, false), "{report:#}");
    assert!(
        crashed
            .iter()
            .all(|(_, detail)| detail == "the process was killed by SIGSEGV (11)"),
        "{crashed:?}"
    );
}

#[test]
fn a_second_plugin_with_the_same_id_fails_names_unique() {
    let machine = Machine::new();
    let source = fs::read_to_string(corridor()).unwrap();
    let mut libraries = Vec::new();
    for plugin in ["corridor-c", "imitation"] {
        let renamed = source.replace("corridor-c", plugin);
        let source = machine.put("work/corridor.c", renamed.as_bytes());
        let library = machine.compile(&[&source], &format!("lib{plugin}.so"));
        machine.trust(&library);
        libraries.push(library);
    }
    let run = machine.run(&["check", libraries[1].to_str().unwrap(), "--json"]);
    let failed = of_status(&report(&run), "failed");
    assert_eq!(
        (run.code, failed.len(), failed[0].0.as_str()),
        (1, 1, "names-unique"),
        "{run:?}"
    );
    assert!(failed[0].1.contains("c/Corridor-v0"), "{failed:?}");
}
