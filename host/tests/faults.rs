//! Plugins that misbehave while they run: one line that names them, exit code 3, and the host lives.

mod common;

use std::fs;

use common::{Machine, Run, corridor};

/// Runs a command on the stress plugin with a fault.
fn strike(command: &[&str], fault: &str) -> Run {
    let fault = format!("fault={fault}");
    let with = ["stress/Misbehaving-v0", "--set", &fault];
    Machine::of_the_workspace().run(&[command, &with[..]].concat())
}

#[test]
fn a_panic_in_any_call_names_plugin_call_and_place() {
    for (fault, expected) in [
        ("panic_in_spec", "plugin stress: panicked at "),
        ("panic_in_new", "plugin stress: panicked at "),
        (
            "panic_in_reset",
            "plugin stress (reset, env 0): panicked at ",
        ),
        ("panic_in_step", "plugin stress (step, env 0): panicked at "),
        ("panic_payload", "a payload that is not text"),
    ] {
        strike(&["rollout", "--episodes", "4"], fault).fails(3, &[expected]);
    }
    strike(&["render", "--text"], "panic_in_render")
        .fails(3, &["plugin stress (render, env 0): panicked at "]);
}

#[test]
fn a_panic_in_drop_is_survived() {
    let run = strike(&["rollout", "--episodes", "4", "--json"], "panic_in_drop");
    assert_eq!(run.json()["episodes"], 4);
}

#[test]
fn numbers_that_are_not_finite_stop_a_rollout() {
    for (fault, expected) in [
        ("reward_not_finite", "reward of walkers/"),
        ("observation_not_a_number", "observation of walkers/"),
    ] {
        let expected = [
            "plugin stress (step, env ",
            expected,
            "expected a finite number, found NaN",
        ];
        strike(&["rollout", "--episodes", "4"], fault).fails(3, &expected);
    }
}

/// Compiles the corridor with one thing changed and rolls it out.
fn rolled_out(from: &str, to: &str) -> Run {
    let machine = Machine::new();
    let source = fs::read_to_string(corridor()).unwrap();
    assert!(source.contains(from), "expected {from:?} in the corridor");
    let source = machine.put("work/corridor.c", source.replace(from, to).as_bytes());
    let library = machine.compile(&[&source], "libcorridor.so");
    machine.trust(&library);
    machine.run(&["rollout", "c/Corridor-v0", "--episodes", "4"])
}

#[test]
fn what_a_plugin_writes_is_checked_for_form_and_length() {
    let plugin = "plugin corridor-c";
    rolled_out(
        "\\\"max_episode_steps\\\":100,",
        "\\\"max_episode_steps\\\":,",
    )
    .fails(3, &[plugin, "spec: expected valid JSON"]);
    rolled_out("\\\"shape\\\":[1]", "\\\"shape\\\":[0]").fails(3, &[plugin, "/observation"]);
    rolled_out("count[0] = ended;", "count[0] = ended + 100000;").fails(3, &[plugin, "100000"]);
    rolled_out("row[ended] = (uint32_t)i;", "row[ended] = 4000000000u;")
        .fails(3, &[plugin, "4000000000"]);
    rolled_out(
        "*out = (palaestra_environment){(palaestra_opaque *)self, &VTABLE};",
        "(void)out; free(self);",
    )
    .fails(3, &[plugin, "expected an object, found a null pointer"]);
}
