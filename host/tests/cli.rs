//! The command line as a user meets it: help with examples, JSON that parses, pipes that close early.

mod common;

use std::io::Read;
use std::process::Stdio;

use common::Machine;
use serde_json::Value;

/// Every command, by the words that lead to it.
fn commands(machine: &Machine) -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    let mut at = 0;
    while at < found.len() {
        let words = found[at].clone();
        for word in subcommands(&help(machine, &words)) {
            found.push([words.clone(), vec![word]].concat());
        }
        at += 1;
    }
    found
}

fn help(machine: &Machine, words: &[String]) -> String {
    let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
    arguments.push("--help");
    machine.run(&arguments).ok().to_owned()
}

/// The words of the help's list of commands.
fn subcommands(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    lines
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| *word != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_explains_itself_with_examples() {
    let machine = Machine::new();
    let commands = commands(&machine);
    let names: Vec<String> = commands.iter().map(|words| words.join(" ")).collect();
    for expected in [
        "list",
        "describe",
        "schema",
        "replay",
        "render",
        "new environment",
        "registry trust",
        "registry verify",
        "check",
        "rollout",
        "bench environment",
    ] {
        assert!(
            names.iter().any(|name| name == expected),
            "{expected} in {names:?}"
        );
    }
    for words in commands {
        let help = help(&machine, &words);
        let example = format!("palaestra {}", words.join(" "));
        let examples = help.split("Examples:").nth(1).unwrap_or_default();
        assert!(
            examples.contains(example.trim_end()),
            "{example:?} has no example:\n{help}"
        );
        let about = help.lines().next().unwrap_or_default();
        assert!(
            !about.is_empty() && !about.starts_with("Usage"),
            "{example:?} has no description:\n{help}"
        );
    }
}

#[test]
fn json_parses_and_has_the_documented_fields() {
    let machine = Machine::of_the_workspace();
    let fields = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let list = machine.run(&["list", "environments", "--json"]).json();
    assert_eq!(
        fields(&list[0]),
        ["description", "id", "kind", "plugin", "trust", "version"]
    );
    let beacon = list
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["id"] == "template/Beacon-v0")
        .unwrap();
    assert_eq!(
        (&beacon["plugin"], &beacon["trust"]),
        (&"template".into(), &"built-here".into())
    );
    let schema = machine
        .run(&["schema", "template/Beacon-v0", "--json"])
        .json();
    assert_eq!(schema["properties"]["length"]["default"], 11);
    let about = machine
        .run(&[
            "describe",
            "template/Beacon-v0",
            "--set",
            "length=5",
            "--json",
        ])
        .json();
    assert_eq!(about["config"]["length"], 5);
    assert_eq!(about["spec"]["groups"][0]["agents"], 2);
    assert_eq!(about["sha256"].as_str().unwrap().len(), 64);
    let rendered = machine
        .run(&[
            "render",
            "template/Beacon-v0",
            "--json",
            "--max-steps",
            "3",
            "--episodes",
            "2",
        ])
        .json();
    assert_eq!(
        (&rendered["file"], &rendered["pictures"]),
        (&"Beacon-v0.gif".into(), &8.into())
    );
    assert!(
        std::fs::read(machine.path("work/Beacon-v0.gif"))
            .unwrap()
            .starts_with(b"GIF89a")
    );
    let made = machine
        .run(&["new", "environment", "rescue/Flood-v0", "--json"])
        .json();
    assert_eq!(
        (&made["id"], &made["folder"]),
        (&"rescue/Flood-v0".into(), &"rescue-flood".into())
    );
}

#[test]
fn rollouts_checks_and_benchmarks_have_the_documented_fields() {
    let machine = Machine::of_the_workspace();
    let has = |value: &Value, fields: &[&str]| {
        for field in fields {
            assert!(value.get(field).is_some(), "{field} in {value}");
        }
    };
    let rollout = machine.run(&["rollout", "template/Beacon-v0", "--episodes", "8", "--json"]);
    let rollout = rollout.json();
    let fields = [
        "episodes",
        "mean_return",
        "std_return",
        "returns",
        "mean_length",
        "metrics",
    ];
    has(&rollout, &fields);
    assert_eq!(rollout["returns"].as_array().unwrap().len(), 8);
    assert!(
        rollout.to_string().contains("walkers"),
        "by group too: {rollout}"
    );
    let scripted = [
        "rollout",
        "template/Beacon-v0",
        "--policy",
        "scripted",
        "--json",
    ];
    let scripted = machine.run(&scripted).json();
    assert_eq!(scripted["metrics"]["met"]["mean"], 1.0, "{scripted}");
    for command in ["rollout", "render"] {
        let arguments = [command, "stress/Turns-v0", "--policy", "scripted"];
        let named = ["stress/Turns-v0", "scripted baseline, found none"];
        machine.run(&arguments).fails(2, &named);
    }
    let bench = [
        "bench",
        "environment",
        "template/Beacon-v0",
        "--json",
        "--num-envs",
        "64",
        "--seconds",
        "0.05",
    ];
    let bench = machine.run(&bench).json();
    let fields = [
        "environment",
        "num_envs",
        "threads",
        "env_steps_per_second",
        "agent_steps_per_second",
    ];
    has(&bench, &fields);
    let steps = |field: &str| bench[field].as_f64().unwrap();
    assert!(steps("env_steps_per_second") > 0.0);
    assert!((steps("agent_steps_per_second") / steps("env_steps_per_second") - 2.0).abs() < 1e-9);
    let check = machine.run(&[
        "check",
        "template",
        "--check",
        "reset-determinism",
        "--json",
    ]);
    assert!(check.json().to_string().contains("reset-determinism"));
}

#[test]
fn trust_and_its_opposite_speak_json_too() {
    let machine = Machine::new();
    let library = machine.put_library("template");
    let path = library.to_str().unwrap();
    let file = |run: common::Run| run.json()[0].clone();
    let trusted = file(machine.run(&["registry", "trust", "--yes", path, "--json"]));
    assert_eq!(
        (&trusted["plugin"], &trusted["file"]),
        (&"template".into(), &"libtemplate.so".into())
    );
    assert_eq!(
        file(machine.run(&["registry", "list", "--json"]))["trust"],
        "locked"
    );
    assert_eq!(
        file(machine.run(&["registry", "verify", "--json"]))["state"],
        "present"
    );
    let packed = file(machine.run(&["registry", "pack", path, "--out", "dist", "--json"]));
    assert!(
        machine
            .path("work")
            .join(packed["archive"].as_str().unwrap())
            .is_file()
    );
    let sha256 = trusted["sha256"].as_str().unwrap();
    assert_eq!(
        file(machine.run(&["registry", "untrust", &sha256[..12], "--json"]))["sha256"],
        trusted["sha256"]
    );
    assert_eq!(
        file(machine.run(&["registry", "list", "--json"]))["trust"],
        "untrusted"
    );
}

#[test]
fn an_untrusted_plugin_is_described_from_its_manifest() {
    let machine = Machine::new();
    machine.put_library("template");
    let about = machine.run(&["describe", "Beacon", "--json"]).json();
    assert_eq!(
        (&about["trust"], &about["spec"]),
        (&"untrusted".into(), &Value::Null)
    );
    assert_eq!(about["config"]["length"], 11);
    let text = machine.run(&["describe", "Beacon"]);
    for part in [
        "untrusted",
        "step_cost",
        "0 ≤ x ≤ 1",
        "What every step costs each agent.",
        "palaestra registry trust",
    ] {
        assert!(text.ok().contains(part), "{part} in {text:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let machine = Machine::of_the_workspace();
    let endless = [
        "render",
        "template/Beacon-v0",
        "--text",
        "--episodes",
        "100000",
    ];
    for arguments in [
        &["list"][..],
        &["schema", "Beacon"],
        &["describe", "Beacon"],
        &["--help"],
        &endless,
    ] {
        let mut command = machine.command(arguments);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut stderr = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        let code = child.wait().unwrap().code();
        assert!(
            code == Some(0) && !stderr.contains("panicked"),
            "{arguments:?}: {code:?} {stderr}"
        );
    }
}

#[test]
fn a_trace_is_replayed_and_a_difference_is_found() {
    let machine = Machine::of_the_workspace();
    let trace = reference().join("traces/gym_CartPole_v1.json");
    let replayed = machine
        .run(&["replay", trace.to_str().unwrap(), "--json"])
        .json();
    assert_eq!(
        (&replayed["passed"], &replayed["first_difference"]),
        (&replayed["cases"], &Value::Null)
    );
    let mut document: Value =
        serde_json::from_str(&std::fs::read_to_string(&trace).unwrap()).unwrap();
    let reward = &mut document["cases"][0]["rewards"][3];
    assert_eq!(*reward, 1.0);
    *reward = 1.5.into();
    let wrong = machine.put("work/wrong.json", document.to_string().as_bytes());
    let run = machine.run(&[
        "replay",
        wrong.to_str().unwrap(),
        "--json",
        "--id",
        "classic/CartPole-v1",
    ]);
    assert_eq!(run.code, 1, "{run:?}");
    let replayed: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        replayed["passed"].as_u64().unwrap() + 1,
        replayed["cases"].as_u64().unwrap()
    );
    let difference = &replayed["first_difference"];
    assert_eq!(
        (&difference["step"], &difference["expected"]),
        (&3.into(), &"1.5".into())
    );
}

/// The folder of reference files.
fn reference() -> std::path::PathBuf {
    std::env::var_os("PALAESTRA_REFERENCE")
        .map_or_else(|| common::workspace().join("reference"), Into::into)
}
