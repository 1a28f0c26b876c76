//! `palaestra eval`: the same episodes whenever it is asked, of runs, of algorithms, and of several runs together.

mod common;

use common::Machine;
use serde_json::{Value, json};

/// Short runs of a world with two groups.
const ADVERSARY: [&str; 8] = [
    "mpe/SimpleAdversary-v3",
    "core/PPO-v0",
    "--steps=800",
    "--num-envs=4",
    "--set=algorithm.num_steps=25",
    "--set=evaluation.episodes=4",
    "--set=evaluation.every=400",
    "--set=training.checkpoint_every=200",
];

fn eval(machine: &Machine, arguments: &[&str]) -> Value {
    machine
        .run(&[&["eval", "--json", "--episodes=10"], arguments].concat())
        .json()
}

/// A report without the names of who plays.
fn outcome(mut document: Value) -> Value {
    let fields = document.as_object_mut().unwrap();
    fields.remove("policies").unwrap();
    document
}

#[test]
fn a_run_is_evaluated_the_same_whenever_and_however_it_is_asked() {
    let machine = Machine::of_the_workspace();
    let run = machine.train(&[&ADVERSARY[..], &["--policy-wrapper=NormaliseObservation"]].concat());
    let command = ["eval", "--json", "--episodes=10", run.path()];
    let first = machine.run(&command);
    let document = first.json();
    assert_eq!(document["environment"], "mpe/SimpleAdversary-v3");
    assert_eq!(
        (&document["episodes"], &document["greedy"]),
        (&json!(10), &json!(true))
    );
    assert!(document["random_return_mean"].is_number() && document["seed"] == 0);
    for group in ["adversary", "agent"] {
        assert!(
            document["groups"][group]["mean_return"].is_number(),
            "{document}"
        );
    }
    for extra in [&[][..], &["--threads=2"]] {
        let again = machine.run(&[&command, extra].concat());
        assert_eq!(again.ok(), first.ok(), "{extra:?}");
    }
    assert_ne!(
        outcome(eval(&machine, &[run.path(), "--seed=1"])),
        outcome(document.clone())
    );
    assert_ne!(
        outcome(eval(&machine, &[run.path(), "--stochastic"])),
        outcome(document.clone())
    );
    let at = |which| eval(&machine, &[run.path(), "--checkpoint", which]);
    let best = serde_json::from_str::<Value>(&run.text("checkpoints/index.json")).unwrap()["best"]
        .to_string();
    assert_eq!(at("best"), document);
    assert_eq!(at(&best), document);
    assert_eq!(at("latest"), at("800"));
    let names = at("600")["policies"].to_string();
    assert!(
        names.contains("core/PPO-v0 of mpe-SimpleAdversary-v3_") && names.contains("600 env steps")
    );
    machine
        .run(&["eval", run.path(), "--checkpoint", "123"])
        .fails(
            2,
            &[
                "expected one of step 123, found ",
                "600, 800; choose one of these",
            ],
        );
    let text = machine.run(&["eval", run.path(), "--episodes=10"]);
    assert!(
        text.ok()
            .contains("random actions in the same episodes: return "),
        "{text:?}"
    );
    let longer = eval(
        &machine,
        &[run.path(), "--set=environment.max_episode_steps=30"],
    );
    assert_eq!(
        (&document["mean_length"], &longer["mean_length"]),
        (&json!(25.0), &json!(30.0))
    );
}

#[test]
fn an_algorithm_is_evaluated_without_training() {
    let machine = Machine::of_the_workspace();
    let untrained = eval(&machine, &["SimpleSpread", "core/Random-v0"]);
    assert_eq!(untrained["policies"], json!(["core/Random-v0, untrained"]));
    let (own, random) = (&untrained["mean_return"], &untrained["random_return_mean"]);
    let (own, random) = (own.as_f64().unwrap(), random.as_f64().unwrap());
    assert!(
        (own - random).abs() < 0.5 * random.abs(),
        "{own} beside {random}"
    );
    let fewer = [
        "SimpleSpread",
        "core/Random-v0",
        "--set=environment.num_agents=2",
    ];
    let agents = &eval(&machine, &fewer)["groups"]["agent"]["agents"];
    assert_eq!(agents.as_array().unwrap().len(), 2);
    let idle = [&["eval"], &fewer[..2], &["--set=evaluation.episodes=20"]].concat();
    machine
        .run(&idle)
        .fails(2, &["--set evaluation", "--episodes"]);
}

#[test]
fn seats_are_taken_by_the_policies_of_other_runs() {
    let machine = Machine::of_the_workspace();
    let one = machine.train(&[&ADVERSARY[..], &["--policy-wrapper=NormaliseObservation"]].concat());
    let two =
        machine.train(&[&ADVERSARY[..], &["--seed=1", "--set=algorithm.hidden=[32]"]].concat());
    let (one, two) = (one.path(), two.path());
    let seat = |adversary: &str, agent: &str| {
        let (adversary, agent) = (format!("adversary={adversary}"), format!("agent={agent}"));
        eval(&machine, &["--seat", &adversary, "--seat", &agent])
    };
    // A run against itself is the run.
    assert_eq!(outcome(seat(one, one)), outcome(eval(&machine, &[one])));
    assert_eq!(outcome(seat(two, two)), outcome(eval(&machine, &[two])));
    let (cross, back) = (seat(one, two), seat(two, one));
    assert_ne!(outcome(cross.clone()), outcome(back));
    assert_eq!(cross, seat(one, two));
    let names = cross["policies"].as_array().unwrap();
    assert!(
        names[0]
            .as_str()
            .unwrap()
            .starts_with("adversary: core/PPO-v0 of mpe-"),
        "{names:?}"
    );
    let beside_random = seat("core/Random-v0", one);
    assert_eq!(beside_random["policies"][0], "adversary: core/Random-v0");

    let fails =
        |seats: &[&str], parts: &[&str]| machine.run(&[&["eval"], seats].concat()).fails(2, parts);
    let of = |group: &str, run: &str| format!("--seat={group}={run}");
    fails(
        &[&of("agent", one)],
        &[
            "--seat: ",
            "expected an algorithm for group adversary, found none",
        ],
    );
    fails(
        &[&of("agent", one), &of("keeper", one)],
        &["expected a group of the environment, found keeper"],
    );
    fails(
        &["--seat=agent=core/Random-v0"],
        &["--seat: expected at least one run, found none"],
    );
    let usage = machine.run(&["eval", "--seat", "agent"]);
    assert!(
        usage.code == 2 && usage.stderr.contains("expected GROUP=RUN"),
        "{usage:?}"
    );
    let elsewhere = machine.train(&[
        "classic/CartPole-v1",
        "core/PPO-v0",
        "--steps=8",
        "--set=evaluation.episodes=1",
    ]);
    fails(
        &[&of("agent", one), &of("adversary", elsewhere.path())],
        &[
            "expected a run in mpe/SimpleAdversary-v3",
            "found another world (classic/CartPole-v1)",
        ],
    );
}
