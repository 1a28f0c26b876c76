//! `palaestra train`: what a run leaves behind, how it is set up, and that nothing but its settings decides what comes
//! of it.

mod common;

use std::{collections::BTreeMap, fs};

use common::{
    Machine, session,
    training::{Trained, assert_same_parts, assert_same_run},
};
use palaestra::{
    experiment::Experiment,
    rollout::Workers,
    session::Session,
    training::{
        composition::{Composition, Parts},
        policy_state::PolicyState,
        run::RunPlan,
        trainer::Trainer,
    },
};
use palaestra_plugin_api::algorithm::Role;
use serde_json::{Value, json};

/// A short run of CartPole, with evaluations that cost little.
const CART_POLE: [&str; 10] = [
    "classic/CartPole-v1",
    "core/PPO-v0",
    "--steps=1024",
    "--num-envs=4",
    "--set=algorithm.num_steps=32",
    "--set=algorithm.update_epochs=2",
    "--set=evaluation.episodes=4",
    "--set=evaluation.every=512",
    "--set=training.checkpoint_every=256",
    "--set=training.log_every=128",
];

fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().unwrap();
    object.keys().map(String::as_str).collect()
}

fn file_names(run: &Trained) -> Vec<String> {
    let entries = fs::read_dir(&run.folder).unwrap();
    let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn a_run_leaves_a_folder_with_everything_about_it() {
    let machine = Machine::of_the_workspace();
    let run = machine.train(&CART_POLE);
    assert_eq!(
        keys(&run.document),
        [
            "algorithm",
            "coordination",
            "environment",
            "evaluation",
            "interrupted",
            "learning_curve",
            "run",
            "seed",
            "steps",
            "wall_seconds"
        ]
    );
    let document = &run.document;
    assert_eq!(document["environment"], "classic/CartPole-v1");
    assert_eq!(document["algorithm"], json!(["core/PPO-v0"]));
    assert_eq!(
        (
            &document["steps"],
            &document["seed"],
            &document["interrupted"]
        ),
        (&json!(1024), &json!(0), &json!(false))
    );
    assert!(document["wall_seconds"].as_f64().unwrap() > 0.0);
    let evaluation = &document["evaluation"];
    assert_eq!(evaluation["episodes"], 4);
    assert_eq!(evaluation["returns"].as_array().unwrap().len(), 4);
    let random = evaluation["random_return_mean"].as_f64().unwrap();
    assert!((9.0..60.0).contains(&random), "{random}");

    let files = file_names(&run);
    let events: Vec<_> = files
        .iter()
        .filter(|f| f.starts_with("events.out.tfevents."))
        .collect();
    assert_eq!(events.len(), 1, "{files:?}");
    for file in [
        "checkpoints",
        "experiment.resolved.toml",
        "metrics.csv",
        "plugins.lock",
        "report",
        "timing.csv",
    ] {
        assert!(files.iter().any(|f| f == file), "{file} in {files:?}");
    }
    let picture = fs::read(run.folder.join("report/learning_curve.png")).unwrap();
    assert!(picture.starts_with(b"\x89PNG"));

    assert_eq!(
        run.column("env_steps"),
        [128.0, 256.0, 384.0, 512.0, 640.0, 768.0, 896.0, 1024.0]
    );
    assert_eq!(run.column("evaluation/return_mean").len(), 2);
    assert_eq!(run.column("train/updates").last(), Some(&8.0));
    assert_eq!(run.column("learn/skipped_updates"), [0.0; 8]);
    assert!(
        !run.metrics().contains("time/"),
        "clocks only reach timing.csv"
    );
    let timing = run.text("timing.csv");
    assert!(timing.starts_with("env_steps,time/"), "{timing}");
    assert_eq!(timing.lines().count(), 9);

    let lock = run.text("plugins.lock");
    for plugin in ["classic-control", "policy-gradient"] {
        assert!(lock.contains(&format!("plugin = \"{plugin}\"")), "{lock}");
    }
    assert_eq!(lock.matches("sha256 = ").count(), 2);
    let index: Value = serde_json::from_str(&run.text("checkpoints/index.json")).unwrap();
    assert_eq!(index["latest"], 1024);
    assert_eq!(run.latest().step(), 1024);
}

#[test]
fn people_read_lines_and_are_told_how_names_were_understood() {
    let machine = Machine::of_the_workspace();
    let arguments = [&["train", "CartPole", "PPO"], &CART_POLE[2..]].concat();
    let run = machine.run(&arguments);
    for part in [
        "classic/CartPole-v1 with core/PPO-v0, seed 0: 1024 env steps in ",
        "  return ",
        " over 4 evaluation episodes (random actions: ",
        "  run folder: runs/classic-CartPole-v1_core-PPO-v0_s0_",
        "  learning curve: runs/",
    ] {
        assert!(run.ok().contains(part), "{part:?} in {run:?}");
    }
    for note in [
        "note: environment \"CartPole\": using classic/CartPole-v1\n",
        "note: algorithm \"PPO\": using core/PPO-v0\n",
    ] {
        assert_eq!(run.stderr.matches(note).count(), 1, "{run:?}");
    }
    assert!(
        run.stderr.contains("1,024 / 1,024 steps (100 %), "),
        "{run:?}"
    );
    let quiet = machine.run(&[&["train", "--quiet"], &CART_POLE[..]].concat());
    quiet.ok();
    assert_eq!(quiet.stderr, "");
}

#[test]
fn a_file_a_command_line_and_the_resolved_file_train_the_same() {
    let machine = Machine::of_the_workspace();
    let toml = machine.put(
        "work/experiment.toml",
        br#"
        seed = 7
        [environment]
        name = "CartPole"
        max_episode_steps = 100
        [[wrappers]]
        name = "StickyAction"
        probability = 0.1
        [algorithm]
        name = "core/PPO"
        wrappers = ["NormaliseObservation", "FrameStack.frames=2"]
        num_steps = 32
        update_epochs = 3
        [training]
        steps = 1024
        num_envs = 4
        log_every = 128
        [evaluation]
        episodes = 4
        every = 512
        "#,
    );
    let toml = toml.to_str().unwrap();
    let file = machine.train(&[toml, "--set", "algorithm.update_epochs=2"]);
    assert_eq!(file.document["seed"], 7);
    let resolved = file.text("experiment.resolved.toml");
    for line in [
        "update_epochs = 2",
        "max_episode_steps = 100",
        "probability = 0.1",
        "frames = 2",
    ] {
        assert!(resolved.contains(line), "{line} in {resolved}");
    }

    let experiment = Experiment::from_toml(&fs::read_to_string(toml).unwrap()).unwrap();
    let text = serde_json::to_vec(&experiment).unwrap();
    let json = machine.put("work/experiment.json", &text);
    let json = machine.train(&[json.to_str().unwrap(), "--set=algorithm.update_epochs=2"]);
    assert_same_run(&file, &json, "the same experiment as JSON");

    let options = machine.train(
        &[
            &CART_POLE[..],
            &[
                "--seed=7",
                "--set=environment.max_episode_steps=100",
                "--wrapper=StickyAction.probability=0.1",
                "--policy-wrapper=NormaliseObservation",
                "--policy-wrapper=FrameStack.frames=2",
            ],
        ]
        .concat(),
    );
    assert_eq!(file.metrics(), options.metrics());
    assert_same_parts(
        &file.learned(),
        &options.learned(),
        "the same experiment as options",
    );

    let again = file.folder.join("experiment.resolved.toml");
    let again = machine.train(&[again.to_str().unwrap()]);
    assert_same_run(&file, &again, "the resolved file");
    assert_eq!(again.text("experiment.resolved.toml"), resolved);

    let other = machine.train(&[toml, "--set=algorithm.update_epochs=2", "--seed=8"]);
    assert_ne!(file.metrics(), other.metrics(), "another seed");
}

#[test]
fn several_seeds_are_several_runs_with_one_summary() {
    let machine = Machine::of_the_workspace();
    let command = [&["train", "--json"], &CART_POLE[..]].concat();
    let all = machine
        .run(&[&command[..], &["--seed=2,5"]].concat())
        .json();
    assert_eq!(
        keys(&all),
        ["learning_curve", "mean_return", "runs", "standard_error"]
    );
    let runs = all["runs"].as_array().unwrap();
    let seeds: Vec<_> = runs
        .iter()
        .map(|run| run["seed"].as_u64().unwrap())
        .collect();
    assert_eq!(seeds, [2, 5]);
    let returns = runs
        .iter()
        .map(|run| run["evaluation"]["mean_return"].as_f64().unwrap());
    let mean = returns.sum::<f64>() / 2.0;
    assert!((all["mean_return"].as_f64().unwrap() - mean).abs() < 1e-9);
    let curve = all["learning_curve"].as_str().unwrap();
    assert!(curve.contains("_s2-5_"), "{curve}");
    assert!(
        fs::read(machine.path("work").join(curve))
            .unwrap()
            .starts_with(b"\x89PNG")
    );
    let alone = machine.train(&[&CART_POLE[..], &["--seed=5"]].concat());
    let second = machine.trained(runs[1].clone());
    assert_same_run(&alone, &second, "seed 5, alone and after seed 2");
}

/// Several groups, policies, mechanisms and wrappers: whatever could depend on who steps which instance when.
const COMPOSITIONS: [&[&str]; 3] = [
    &[
        "mpe/SimpleSpread-v3",
        "core/MAPPO-v0",
        "--coordination=comm/Broadcast-v0",
        "--policy-wrapper=NormaliseReward",
        "--policy-wrapper=LastAction",
        "--steps=1050",
        "--num-envs=7",
        "--set=algorithm.update_epochs=2",
        "--set=algorithm.recurrent=8",
    ],
    &[
        "cards/KuhnPoker-v0",
        "core/PPO-v0",
        "--steps=1050",
        "--num-envs=7",
        "--set=algorithm.num_steps=25",
        "--set=training.self_play.refresh=350",
        "--set=training.self_play.share=0.5",
    ],
    &[
        "classic/Pendulum-v1",
        "core/PPO-v0",
        "--policy-wrapper=RescaleAction",
        "--policy-wrapper=NormaliseObservation",
        "--wrapper=TimeLimit.max_episode_steps=40",
        "--steps=1050",
        "--num-envs=7",
        "--set=algorithm.num_steps=25",
    ],
];

#[test]
fn threads_change_no_byte() {
    let machine = Machine::of_the_workspace();
    for composition in COMPOSITIONS {
        let small = ["--set=evaluation.episodes=6", "--set=evaluation.every=350"];
        let train = |threads| machine.train(&[composition, &small, &[threads]].concat());
        let (one, two) = (train("--threads=1"), train("--threads=2"));
        assert_eq!(one.metrics(), two.metrics(), "{composition:?}");
        assert!(one.metrics().lines().count() > 3);
        assert_same_parts(&one.learned(), &two.learned(), composition[0]);
    }
}

/// Rows and policies after a run in so many shards on so many threads.
fn trained_in(
    session: &Session,
    composition: &[&str],
    shards: usize,
    threads: usize,
) -> (Vec<BTreeMap<String, u64>>, Vec<PolicyState>) {
    let names = composition
        .iter()
        .filter_map(|option| option.strip_prefix("--coordination="));
    let names: Vec<_> = names.map(str::to_owned).collect();
    let mut experiment = Experiment::of_names(composition[0], composition[1], &names);
    for option in &composition[2..] {
        let (name, value) = option.split_once('=').unwrap();
        match name {
            "--set" => experiment.set(value).unwrap(),
            "--policy-wrapper" => {
                let wrappers = &mut experiment.algorithm[0].wrappers;
                wrappers.push(value.parse().unwrap());
            }
            "--wrapper" => experiment.wrappers.push(value.parse().unwrap()),
            "--num-envs" => experiment.training.num_envs = value.parse().unwrap(),
            _ => {}
        }
    }
    let resolved = experiment.resolve(session).unwrap();
    let (parts, mut plan) = (Parts::of(&resolved), RunPlan::of(&resolved.experiment));
    plan.training.shards = Some(shards);
    let composition = Composition::check(&parts, Role::Learner, plan.training.num_envs).unwrap();
    let workers = Workers::new(threads).unwrap();
    let mut trainer = Trainer::new(&parts, &composition, &plan.training, &workers).unwrap();
    let mut rows = Vec::new();
    for _ in 0..5 {
        trainer.advance().unwrap();
        let row = trainer.take_row().into_iter();
        rows.push(row.map(|(name, value)| (name, value.to_bits())).collect());
    }
    assert_eq!(trainer.stage().rollout().plan().shards, shards);
    (rows, trainer.policies().unwrap())
}

#[test]
fn shards_change_no_bit() {
    let (session, _folder) = session();
    for composition in COMPOSITIONS {
        let (rows, policies) = trained_in(&session, composition, 1, 1);
        assert!(!policies[0].weights.is_empty());
        for (shards, threads) in [(7, 1), (7, 2), (2, 2)] {
            let other = trained_in(&session, composition, shards, threads);
            assert_eq!(rows, other.0, "{composition:?} in {shards} shards");
            assert!(policies == other.1, "{composition:?} in {shards} shards");
        }
    }
}

#[test]
fn groups_may_have_algorithms_of_their_own_some_of_which_only_act() {
    let machine = Machine::of_the_workspace();
    let file = machine.put(
        "work/two.toml",
        br#"
        [environment]
        name = "mpe/SimpleAdversary-v3"
        [[algorithm]]
        name = "core/PPO-v0"
        groups = ["agent"]
        num_steps = 25
        wrappers = ["NormaliseObservation"]
        [[algorithm]]
        name = "core/Random-v0"
        [training]
        steps = 400
        num_envs = 4
        checkpoint_every = 200
        [evaluation]
        episodes = 4
        "#,
    );
    let run = machine.train(&[file.to_str().unwrap()]);
    assert_eq!(
        run.document["algorithm"],
        json!(["core/PPO-v0", "core/Random-v0"])
    );
    assert_eq!(run.column("learn/agent/skipped_updates").last(), Some(&0.0));
    assert!(
        !run.metrics().contains("learn/adversary"),
        "{}",
        run.metrics()
    );
    for group in ["adversary", "agent"] {
        assert!(run.column(&format!("evaluation/{group}/return_mean")).len() > 1);
    }
    let eval = machine
        .run(&["eval", "--json", "--episodes=4", run.path()])
        .json();
    assert_eq!(eval["episodes"], 4);

    // Both learn, and want different fragments.
    let both = "algorithm.1.name=core/PPO-v0";
    let file = file.to_str().unwrap();
    let names = machine.run(&["train", "--quiet", file, "--set", both]);
    names.fails(
        2,
        &[
            "algorithms: expected the same fragments, found ",
            "give them the same num_steps",
        ],
    );
    let both = machine.train(&[file, "--set", both, "--set=algorithm.1.num_steps=25"]);
    for group in ["adversary", "agent"] {
        assert!(both.column(&format!("learn/{group}/policy_loss")).len() > 1);
    }
    let again = machine.train(&[both
        .folder
        .join("experiment.resolved.toml")
        .to_str()
        .unwrap()]);
    assert_same_run(&both, &again, "two learners");
}
