//! `palaestra resume`: however a run was stopped, it ends as if it never had been.

mod common;

use std::{
    hash::{BuildHasher, RandomState},
    thread::sleep,
    time::{Duration, Instant},
};

use common::{
    Machine, Run,
    training::{Trained, assert_same_parts, assert_same_run, finish, has_lines, signal, wait_for},
};
use palaestra::runs::RunFolder;
use rustix::process::Signal;

/// Sixty fragments, and a checkpoint after every other one.
const RUN: [&str; 12] = [
    "classic/CartPole-v1",
    "core/PPO-v0",
    "--steps=3840",
    "--num-envs=4",
    "--policy-wrapper=NormaliseObservation",
    "--set=algorithm.num_steps=16",
    "--set=algorithm.update_epochs=2",
    "--set=evaluation.episodes=4",
    "--set=evaluation.num_envs=4",
    "--set=evaluation.every=640",
    "--set=training.checkpoint_every=128",
    "--set=training.log_every=64",
];

/// Turn-based self-play with frozen opponents.
const SELF_PLAY: [&str; 11] = [
    "cards/KuhnPoker-v0",
    "core/PPO-v0",
    "--steps=3840",
    "--num-envs=4",
    "--set=algorithm.num_steps=16",
    "--set=algorithm.update_epochs=2",
    "--set=evaluation.episodes=4",
    "--set=evaluation.every=640",
    "--set=training.checkpoint_every=128",
    "--set=training.log_every=64",
    "--set=training.self_play.refresh=500",
];

/// A recurrent team with a learned mechanism, whole episodes.
const TEAM: [&str; 11] = [
    "mpe/SimpleSpread-v3",
    "core/MAPPO-v0",
    "--coordination=comm/Broadcast-v0",
    "--steps=1500",
    "--num-envs=4",
    "--set=algorithm.recurrent=8",
    "--set=algorithm.hidden=[16]",
    "--set=algorithm.update_epochs=2",
    "--set=evaluation.episodes=4",
    "--set=training.checkpoint_every=100",
    "--set=training.log_every=100",
];

/// A number that is another one in every process, below `below`.
fn chance(below: u64) -> u64 {
    RandomState::new().hash_one(()) % below.max(1)
}

/// Trains, is killed at a random moment before about `whole`, and resumes until it is through.
fn killed_and_resumed(arguments: &[&str], whole: Duration) -> (Machine, Trained, String) {
    let machine = Machine::of_the_workspace();
    let mut moments = Vec::new();
    let mut command = [&["train", "--json"], arguments].concat();
    let mut path = String::new();
    loop {
        let mut child = machine.start(&command);
        let moment = Duration::from_micros(chance(whole.as_micros() as u64));
        sleep(moment);
        child.kill().unwrap();
        finish(child);
        moments.push(moment);
        let runs = machine.runs();
        // Killed before it had a folder, or had written there what it is to do.
        if let Some(run) = runs
            .iter()
            .find(|run| run.join("experiment.resolved.toml").is_file())
        {
            path = run.to_str().unwrap().to_owned();
            command = vec!["resume", "--json", &path];
        }
        if !path.is_empty() && moments.len() >= 2 {
            break;
        }
    }
    let run = machine.trained(machine.run(&["resume", "--json", &path]).json());
    (machine, run, format!("killed after {moments:?}"))
}

fn kills_change_nothing(arguments: &[&str]) {
    let machine = Machine::of_the_workspace();
    machine.train(arguments);
    let start = Instant::now();
    let whole = machine.train(arguments);
    let time = start.elapsed();
    for _ in 0..2 {
        let (_machine, run, how) = killed_and_resumed(arguments, time);
        assert_same_run(&whole, &run, &how);
        assert_eq!(
            run.document["evaluation"], whole.document["evaluation"],
            "{how}"
        );
    }
}

#[test]
fn a_run_that_is_killed_ends_as_one_that_was_not() {
    kills_change_nothing(&RUN);
}

#[test]
fn self_play_that_is_killed_ends_as_one_that_was_not() {
    kills_change_nothing(&SELF_PLAY);
}

#[test]
fn a_recurrent_team_that_is_killed_ends_as_one_that_was_not() {
    kills_change_nothing(&TEAM);
}

/// A run that was sent a signal after some rows of metrics, and what it said.
fn stopped_by(how: Signal, arguments: &[&str]) -> (Machine, Trained, Run) {
    // On a busy machine a run may be through before its signal comes.
    for _ in 0..9 {
        let machine = Machine::of_the_workspace();
        let child = machine.start(&[&["train"], arguments].concat());
        wait_for("two rows of metrics", || {
            let mut runs = machine.runs().into_iter();
            runs.any(|run| has_lines(&run.join("metrics.csv"), 3))
        });
        signal(&child, how);
        let said = finish(child);
        let run = machine.only_run();
        if !run.metrics().contains("\n3840,") {
            return (machine, run, said);
        }
    }
    panic!("expected a run that lasts until its signal comes, found none");
}

#[test]
fn ctrl_c_leaves_a_checkpoint_and_says_how_to_go_on() {
    let undisturbed = Machine::of_the_workspace();
    let whole = undisturbed.train(&RUN);
    for format in ["--quiet", "--json"] {
        // Nothing is saved before the signal comes.
        let rare = "--set=training.checkpoint_every=1000000";
        let arguments = [&RUN[..], &[rare, format]].concat();
        let (machine, run, said) = stopped_by(Signal::INT, &arguments);
        if format == "--json" {
            assert_eq!(said.json()["interrupted"], true);
        } else {
            let name = run.folder.file_name().unwrap().to_str().unwrap();
            let line = format!("  interrupted; go on with: palaestra resume runs/{name}\n");
            assert!(said.ok().contains(&line), "{said:?}");
        }
        let steps = run.latest().step();
        assert!((128..3840).contains(&steps), "{steps}");
        let resumed = machine.resume(&run, &[]);
        assert_eq!(resumed.document["steps"], 3840);
        assert_eq!(
            resumed.metrics(),
            whole.metrics(),
            "interrupted after {steps}"
        );
        assert_same_parts(&resumed.learned(), &whole.learned(), "interrupted");
    }
}

#[test]
fn ctrl_c_before_the_first_row_of_metrics_is_no_trouble() {
    let machine = Machine::of_the_workspace();
    let late = [
        "--set=training.log_every=1000000",
        "--set=evaluation.every=0",
    ];
    let long = ["--set=training.steps=1000000", "--quiet"];
    let child = machine.start(&[&["train"], &RUN[..], &late, &long].concat());
    wait_for("the run's settings", || {
        let mut runs = machine.runs().into_iter();
        runs.any(|run| run.join("experiment.resolved.toml").is_file())
    });
    signal(&child, Signal::INT);
    let said = finish(child);
    assert!(
        said.ok().contains("  interrupted; go on with: "),
        "{said:?}"
    );
    assert_eq!(
        said.stderr, "",
        "there is nothing to draw, and no harm in that"
    );
    let run = machine.only_run();
    assert_eq!(run.checkpoints().len(), 1);
    machine.resume(&run, &["--steps=3840"]);
}

#[test]
fn a_finished_run_is_evaluated_again_and_stays_as_it_is() {
    let machine = Machine::of_the_workspace();
    let run = machine.train(&RUN);
    let (metrics, parts, files) = (run.metrics(), run.parts(), run.checkpoints());
    let again = machine.resume(&run, &[]);
    assert_eq!(again.document["evaluation"], run.document["evaluation"]);
    assert_eq!(again.document["steps"], 3840);
    assert_eq!(again.metrics(), metrics);
    assert_eq!(again.checkpoints(), files);
    assert_same_parts(&again.parts(), &parts, "resumed after its end");
}

#[test]
fn a_run_can_be_made_longer() {
    let machine = Machine::of_the_workspace();
    let whole = machine.train(&RUN);
    let short = machine.train(&[&RUN[..], &["--set=training.steps=1280"]].concat());
    assert_eq!(short.latest().step(), 1280);
    let longer = machine.resume(&short, &["--steps=3840", "--threads=2"]);
    assert_same_run(&whole, &longer, "trained in two parts");
    assert!(
        longer
            .text("experiment.resolved.toml")
            .contains("steps = 3840")
    );
}

#[test]
fn a_run_that_was_killed_before_its_first_checkpoint_starts_again_and_says_so() {
    let undisturbed = Machine::of_the_workspace();
    let late = [
        "--set=training.checkpoint_every=0",
        "--set=evaluation.every=0",
    ];
    let arguments = [&RUN[..], &late].concat();
    let whole = undisturbed.train(&arguments);
    let (machine, run, _) = stopped_by(Signal::KILL, &arguments);
    assert_eq!(run.checkpoints().len(), 0);
    let resumed = machine.run(&["resume", "--json", run.path()]);
    let note = "note: nothing was saved before the run was stopped: it starts from the beginning\n";
    assert!(resumed.stderr.contains(note), "{resumed:?}");
    let resumed = machine.trained(resumed.json());
    assert_same_run(&whole, &resumed, "started again");
    // Clocks and events of the first attempt are gone, too.
    assert_eq!(
        run.text("timing.csv").lines().count(),
        run.metrics().lines().count()
    );
}

#[test]
fn one_process_at_a_time_works_on_a_run() {
    let machine = Machine::of_the_workspace();
    let run = machine.train(&RUN);
    let held = RunFolder::open(&run.folder).unwrap().hold().unwrap();
    machine.run(&["resume", run.path()]).fails(
        2,
        &["expected a run that nobody works on, found a process that does; stop it first"],
    );
    drop(held);
    machine.resume(&run, &[]);
}

#[test]
fn a_library_that_has_changed_is_told() {
    let machine = Machine::of_the_workspace();
    let run = machine.train(&RUN);
    let lock = run.text("plugins.lock");
    let mut digest = lock.split("sha256 = \"").nth(1).unwrap()[..64].to_owned();
    digest.replace_range(
        ..4,
        if digest.starts_with("0000") {
            "1111"
        } else {
            "0000"
        },
    );
    let lock = lock.replacen(&lock.split("sha256 = \"").nth(1).unwrap()[..64], &digest, 1);
    std::fs::write(run.folder.join("plugins.lock"), lock).unwrap();
    let resumed = machine.run(&["resume", "--json", run.path()]);
    resumed.json();
    let told = "warning: plugin classic-control: expected the library that the run began with (";
    assert!(resumed.stderr.contains(told), "{resumed:?}");
}
