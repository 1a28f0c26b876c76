//! What is refused before a folder is made.

use super::*;

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
