//! Plugins that break: named, and what was saved stays.

use super::*;

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
