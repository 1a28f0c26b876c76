//! What goes wrong in training: refused before a folder is made where that can be known, named, and never at the cost of
//! what was saved before.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use common::{
    Machine, Run,
    training::{Trained, assert_same_run},
};
use serde_json::json;

/// A short run of CartPole; the algorithm follows.
const CART_POLE: [&str; 8] = [
    "classic/CartPole-v1",
    "--steps=1024",
    "--num-envs=4",
    "--set=algorithm.num_steps=32",
    "--set=evaluation.episodes=2",
    "--set=evaluation.every=512",
    "--set=training.log_every=128",
    "--set=training.checkpoint_every=256",
];

/// A short run of a team whose channel fails.
const TEAM: [&str; 10] = [
    "mpe/SimpleSpread-v3",
    "core/IPPO-v0",
    "--coordination=stress/FaultyExchange-v0",
    "--steps=1200",
    "--num-envs=4",
    "--set=algorithm.update_epochs=4",
    "--set=algorithm.hidden=[16]",
    "--set=evaluation.episodes=2",
    "--set=evaluation.every=0",
    "--set=training.checkpoint_every=100",
];

fn ppo<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [
        &CART_POLE[..1],
        &["core/PPO-v0", "--set=algorithm.update_epochs=2"],
        &CART_POLE[1..],
        more,
    ]
    .concat()
}

fn run(machine: &Machine, arguments: &[&str]) -> Run {
    machine.run(&[&["train", "--quiet"], arguments].concat())
}

#[test]
fn what_does_not_fit_is_refused_before_a_folder_is_made() {
    let machine = Machine::of_the_workspace();
    let cases: &[(&[&str], &str)] = &[
        (
            &["classic/Pendulum-v1", "trial/TinyQmix-v0"],
            "algorithm trial/TinyQmix-v0: expected discrete actions, found continuous ones in group \"agent\"; \
             choose another algorithm",
        ),
        (
            &[
                "classic/CartPole-v1",
                "stress/Faulty-v0",
                "--set=algorithm.fault=unknown_need",
            ],
            "algorithm stress/Faulty-v0: expected slabs of this host, found a need for 9999",
        ),
        (
            &[
                "classic/CartPole-v1",
                "stress/Faulty-v0",
                "--coordination=comm/Broadcast-v0",
            ],
            "algorithm stress/Faulty-v0: expected no exchange of messages, found comm/Broadcast-v0",
        ),
        (
            &[
                "mpe/SimpleSpread-v3",
                "core/PPO-v0",
                "--coordination=comm/Broadcast-v0",
                "--coordination=stress/FaultyExchange-v0",
            ],
            "mechanism stress/FaultyExchange-v0: expected one mechanism that exchanges messages, found two",
        ),
        (
            &[
                "classic/CartPole-v1",
                "core/PPO-v0",
                "--policy-wrapper=RescaleAction",
            ],
            "wrapper RescaleAction (group agent): expected real actions, found choices; leave it out",
        ),
        (
            &[
                "mpe/SimpleAdversary-v3",
                "core/PPO-v0",
                "--set=algorithm.groups=[\"good\"]",
            ],
            "/algorithm/0/groups/0: expected a group of the environment, found good; the environment has adversary, agent",
        ),
        (
            &[
                "mpe/SimpleAdversary-v3",
                "core/PPO-v0",
                "--set=algorithm.groups=[\"agent\"]",
            ],
            "/algorithm: expected an algorithm for group adversary, found none",
        ),
        (
            &[
                "classic/CartPole-v1",
                "core/PPO-v0",
                "--num-envs=100000",
                "--set=algorithm.num_steps=1000000",
            ],
            "memory: expected a fragment of 1000001 slots of 100000 instances to fit into ",
        ),
        (
            &["classic/CartPole-v1", "core/Random-v0"],
            "algorithm: expected one that learns, found core/Random-v0, which only acts; see what it is worth: \
             palaestra eval classic/CartPole-v1 core/Random-v0",
        ),
        (
            &["classic/CartPole-v1", "core/PPO-v0", "--device=cuda:0"],
            "device: expected cuda:0, found ",
        ),
        (
            &["classic/CartPole-v1", "core/PPO-v0", "--device=gpu"],
            "device: expected cpu, cuda:N or auto, found \"gpu\"",
        ),
    ];
    for (arguments, part) in cases {
        run(&machine, arguments).fails(2, &[part]);
    }
    assert!(!machine.path("work/runs").exists());
}

#[test]
fn unknown_keys_and_wrong_values_are_named_by_their_pointer() {
    let machine = Machine::of_the_workspace();
    for (setting, part) in [
        (
            "trainingg.steps=1",
            "config experiment: /trainingg: unknown key; did you mean training?",
        ),
        (
            "training.stepss=1",
            "config experiment: /training/stepss: unknown key; did you mean steps?",
        ),
        (
            "training.self_play.shared=1",
            "/training/self_play/shared: unknown key; did you mean share?",
        ),
        (
            "evaluation.episodes=0",
            "/evaluation/episodes: expected 1 ≤ x, found 0",
        ),
        (
            "algorithm.lrr=1",
            "config core/PPO-v0: /lrr: unknown key; did you mean lr?",
        ),
        (
            "algorithm.clip_coef=-1",
            "config core/PPO-v0: /clip_coef: expected 0 < x, found -1",
        ),
        (
            "environment.gravty=1",
            "config classic/CartPole-v1: /gravty: unknown key; did you mean gravity?",
        ),
    ] {
        run(&machine, &ppo(&["--set", setting])).fails(2, &[part]);
    }
    for (file, text, part) in [
        (
            "a.toml",
            "[environment]\nname = \"CartPole\"\n[algorithm]\nname = \"PPO\"\nlerning_rate = 1",
            "/lerning_rate: unknown key",
        ),
        (
            "b.toml",
            "[environment]\nname = \"CartPole\"\n[algoritm]\nname = \"PPO\"",
            "/algoritm: unknown key; did you mean algorithm?",
        ),
        ("c.toml", "[environment\n", "c.toml: line 1"),
        (
            "d.json",
            "{\"environment\": {\"name\": \"CartPole\"},",
            "d.json: ",
        ),
        ("e.json", "[1]", "e.json: config experiment: expected "),
    ] {
        let path = machine.put(&format!("work/{file}"), text.as_bytes());
        run(&machine, &[path.to_str().unwrap()]).fails(2, &[part]);
    }
    run(&machine, &["none.toml"]).fails(4, &["none.toml: "]);
    run(&machine, &["classic/CartPole-v1"]).fails(
        2,
        &["expected an algorithm after the environment, found none"],
    );
    assert!(!machine.path("work/runs").exists());
}

#[test]
fn a_folder_that_is_no_run_is_told() {
    let machine = Machine::of_the_workspace();
    let trained = machine.train(&ppo(&[]));
    let inside = trained.folder.join("metrics.csv");
    for command in ["resume", "eval"] {
        let fails = |path: &str, parts: &[&str]| machine.run(&[command, path]).fails(2, parts);
        fails(
            "nowhere",
            &["run nowhere: expected the folder of a run, found nothing there"],
        );
        fails(
            "runs",
            &["found a folder of 1 runs; the newest is runs/classic-CartPole-v1_core-PPO-v0_s0_"],
        );
        fails(".", &["found a folder without experiment.resolved.toml"]);
        fails(
            inside.to_str().unwrap(),
            &["found a file; did you mean ", trained.path()],
        );
    }
}

#[test]
fn updates_that_are_not_finite_are_skipped_and_counted() {
    let machine = Machine::of_the_workspace();
    // Gradients, or messages, that are NaN from some call on; evaluations make objects of their own.
    for (fault, at_call) in [("gradient_not_a_number", 9), ("inbox_not_a_number", 120)] {
        let (fault, at_call) = (
            format!("coordination.fault={fault}"),
            format!("coordination.at_call={at_call}"),
        );
        let settings = [
            "--set",
            &fault,
            "--set",
            &at_call,
            "--set=training.log_every=100",
        ];
        let trained = machine.train(&[&TEAM[..], &settings].concat());
        let skipped = trained.column("learn/skipped_updates");
        assert_eq!(skipped.len(), 12, "{fault}: {skipped:?}");
        assert_eq!(skipped[0], 0.0, "{fault}");
        assert!(skipped[11] > 3.0, "{fault}: {skipped:?}");
        assert!(skipped.is_sorted(), "{fault}: {skipped:?}");
        let weights = trained.weights();
        assert!(
            weights.len() > 100 && weights.iter().all(|w| w.is_finite()),
            "{fault}"
        );

        let stops = [&TEAM[..], &settings, &["--set=algorithm.max_skipped=3"]].concat();
        run(&machine, &stops).fails(
            3,
            &[
                "plugin policy-gradient (learn): updates: expected finite observations, rewards and losses, \
                 found 4 updates without in a row",
            ],
        );
    }
}

#[test]
fn a_mechanism_that_breaks_is_named_and_what_was_saved_stays() {
    for (fault, part) in [
        (
            "panic_in_exchange",
            "(act): mechanism stress/FaultyExchange-v0: (exchange): panicked at ",
        ),
        (
            "error_in_exchange",
            "mechanism stress/FaultyExchange-v0: (exchange): asked to fail in exchange",
        ),
        (
            "panic_in_backward",
            "(learn): mechanism stress/FaultyExchange-v0: (backward): panicked at ",
        ),
        (
            "error_in_backward",
            "mechanism stress/FaultyExchange-v0: (backward): asked to fail in backward",
        ),
    ] {
        let machine = Machine::of_the_workspace();
        let fault = format!("coordination.fault={fault}");
        // About five fragments: 25 exchanges to act, 4 to learn, 4 backward.
        let call = if fault.contains("exchange") { 150 } else { 20 };
        let call = format!("coordination.at_call={call}");
        run(
            &machine,
            &[&TEAM[..], &["--set", &fault, "--set", &call]].concat(),
        )
        .fails(3, &[part]);
        let broken = machine.only_run();
        let steps = broken.latest().step();
        assert!((100..1200).contains(&steps), "{fault}: {steps}");
        let document = machine.run(&[
            "eval",
            "--json",
            "--episodes=2",
            "--set=coordination.fault=none",
            broken.path(),
        ]);
        assert_eq!(document.json()["episodes"], 2);
        assert!(
            document.stdout.contains(&format!("{steps} env steps")),
            "{document:?}"
        );
    }
}

#[test]
fn a_mechanism_of_another_width_is_named() {
    let machine = Machine::of_the_workspace();
    for (fault, part) in [
        (
            "width_varies",
            "plugin stress: stress/FaultyExchange-v0: description /message_width: expected 4 as of the object before, found 5",
        ),
        (
            "no_inbox",
            "plugin stress: stress/FaultyExchange-v0: description /inbox_width: expected at least 1 with an exchange port, found 0",
        ),
        (
            "empty_parameter",
            "plugin stress: stress/FaultyExchange-v0: description /parameters/0 (gain): expected at least one value, found [0]",
        ),
        ("panic_in_describe", "plugin stress: panicked at "),
    ] {
        let fault = format!("coordination.fault={fault}");
        run(&machine, &[&TEAM[..], &["--set", &fault]].concat()).fails(3, &[part]);
    }
    for folder in machine.runs() {
        let run = Trained {
            folder,
            document: json!(null),
        };
        assert_eq!(run.checkpoints(), Vec::<PathBuf>::new());
    }
}

#[test]
fn an_algorithm_that_breaks_its_contract_is_named() {
    let machine = Machine::of_the_workspace();
    let fails = |fault: &str, at_call: u32, parts: &[&str]| {
        let (fault, call) = (
            format!("algorithm.fault={fault}"),
            format!("algorithm.at_call={at_call}"),
        );
        let more = ["--set", &fault, "--set", &call];
        run(
            &machine,
            &[
                &CART_POLE[..1],
                &["stress/Faulty-v0"],
                &CART_POLE[1..],
                &more,
            ]
            .concat(),
        )
        .fails(3, parts);
    };
    fails(
        "recurrent_widths",
        1,
        &[
            "plugin stress: algorithm stress/Faulty-v0: capabilities /recurrent: expected one width for each of 1 groups, found 2",
        ],
    );
    for call in [1, 4] {
        fails(
            "nothing_to_collect",
            call,
            &[
                "plugin stress (next): expected a fragment of 1 to ",
                ", found 0",
            ],
        );
        fails(
            "endless_fragment",
            call,
            &[
                "plugin stress (next): expected a fragment of 1 to ",
                ", found 18446744073709551615",
            ],
        );
    }
    fails(
        "action_outside_space",
        50,
        &["plugin stress (act): action of env 3, group 0, agent 0: expected 0..2, found 2"],
    );
    fails(
        "weights_broken",
        1,
        &["plugin stress (set_weights): weights: expected one tensor \"policy/agent/count\""],
    );
    for (fault, call) in [
        ("panic_in_learn", "learn"),
        ("panic_in_act", "act"),
        ("panic_in_weights", "weights"),
    ] {
        fails(
            fault,
            1,
            &[
                &format!("plugin stress ({call}): panicked at "),
                &format!("asked to panic in {call}"),
            ],
        );
    }
    for (fault, what) in [
        ("panic_in_snapshot", "asked to panic in snapshot"),
        ("error_in_snapshot", "asked to fail in snapshot"),
    ] {
        fails(
            fault,
            3,
            &[
                "plugin stress (snapshot): ",
                what,
                "; earlier checkpoints are intact",
            ],
        );
        let run = machine
            .runs()
            .into_iter()
            .max_by_key(|run| fs::metadata(run).unwrap().modified().unwrap());
        let run = Trained {
            folder: run.unwrap(),
            document: json!(null),
        };
        assert_eq!(run.latest().step(), 512, "{fault}");
    }
}

#[test]
fn an_environment_that_breaks_is_named() {
    let machine = Machine::of_the_workspace();
    for (fault, part) in [
        (
            "observation_not_a_number",
            "observation of walkers/0[0]: expected a finite number, found NaN",
        ),
        (
            "reward_not_finite",
            "reward of walkers/0: expected a finite number, found NaN",
        ),
        ("panic_in_step", "panicked at "),
    ] {
        let fault = format!("environment.fault={fault}");
        run(
            &machine,
            &["stress/Misbehaving-v0", "core/PPO-v0", "--set", &fault],
        )
        .fails(3, &["plugin stress (step, env ", part]);
    }
}

/// Changes a byte in the middle of a file.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// Cuts the second half off.
fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn damaged_checkpoints_are_passed_over_and_nothing_starts_over() {
    let machine = Machine::of_the_workspace();
    let whole = machine.train(&ppo(&[]));
    let damaged = machine.train(&ppo(&[]));
    let files = damaged.checkpoints();
    let [first, second, third] = &files[..] else {
        panic!("{files:?}")
    };
    damage(third);
    cut(second);
    let resumed = machine.run(&["resume", "--json", damaged.path()]);
    let warnings: Vec<_> = resumed
        .stderr
        .lines()
        .filter(|l| l.starts_with("warning: "))
        .collect();
    assert_eq!(warnings.len(), 2, "{resumed:?}");
    assert!(
        warnings[0].contains("step_000000001024.ckpt") && warnings[0].contains("sha256 differs"),
        "{resumed:?}"
    );
    assert!(
        warnings[1].contains("step_000000000768.ckpt") && warnings[1].contains("bytes, found "),
        "{resumed:?}"
    );
    let resumed = machine.trained(resumed.json());
    assert_same_run(&whole, &resumed, "resumed from the third newest");

    let metrics = resumed.metrics();
    let files = resumed.checkpoints();
    assert!(files.len() >= 3 && files.contains(first));
    files.iter().for_each(|file| damage(file));
    for command in ["resume", "eval"] {
        machine.run(&[command, resumed.path()]).fails(
            4,
            &[
                "expected one that is undamaged, found none of 3 (",
                "restore a file from a copy, or train anew",
            ],
        );
    }
    assert_eq!(resumed.metrics(), metrics);
    assert_eq!(resumed.checkpoints(), files);
}

/// Runs the program with a limit on the size of files, as on a full disk.
fn with_full_disk(machine: &Machine, bytes: u64, arguments: &[&str]) -> Run {
    let command = machine.command(arguments);
    let mut limited = Command::new("prlimit");
    limited
        .arg(format!("--fsize={bytes}"))
        .args(["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    limited.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let output = limited
        .current_dir(command.get_current_dir().unwrap())
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_full_disk_costs_checkpoints_and_no_training() {
    let machine = Machine::of_the_workspace();
    let whole = machine.train(&ppo(&[]));
    let run = machine.train(&ppo(&["--set=training.steps=512"]));
    let (before, kept) = (run.checkpoints(), run.latest());
    let room = fs::metadata(kept.path()).unwrap().len() / 2;
    let full = with_full_disk(
        &machine,
        room,
        &["resume", "--json", "--steps=1024", run.path()],
    );
    let document = full.json();
    assert_eq!(document["steps"], 1024);
    assert_eq!(document["evaluation"], whole.document["evaluation"]);
    let warning = "expected to write a checkpoint, found ";
    assert_eq!(full.stderr.matches(warning).count(), 2, "{full:?}");
    assert!(
        full.stderr
            .contains("the ones before it are intact, check free space; training goes on"),
        "{full:?}"
    );
    assert_eq!(run.checkpoints(), before);
    assert_eq!(run.latest().step(), 512);
    let resumed = machine.resume(&run, &[]);
    assert_same_run(&whole, &resumed, "resumed when there was room again");
}
