//! Environments that keep the rules pass all checks, whatever their spaces.

use palaestra_plugin_api::{
    serde_json::{Value, json},
    testing::{Status, Subject, assert_conformant, run_all},
};
use stress::{Misbehaving, Sound, Spaces, Turns};

/// Passes everything but the checks that do not apply.
#[track_caller]
fn passes(subject: &Subject<'_>, skipped: &[&str]) {
    let reports = run_all(subject, 5);
    let others = reports.iter().filter(|r| r.status != Status::Passed);
    let lines: Vec<String> = others.clone().map(ToString::to_string).collect();
    assert!(
        others.clone().all(|r| r.status == Status::Skipped),
        "{lines:#?}"
    );
    assert_eq!(
        others.map(|r| r.check.as_str()).collect::<Vec<_>>(),
        skipped,
        "{lines:#?}"
    );
}

fn none() -> Value {
    json!({})
}

#[test]
fn default_configurations_are_conformant() {
    assert_conformant::<Sound>();
    assert_conformant::<Misbehaving>();
    assert_conformant::<Spaces>();
    assert_conformant::<Turns>();
}

#[test]
fn without_a_fault_every_check_applies() {
    passes(&Subject::of::<Misbehaving>(none()), &[]);
}

#[test]
fn one_agent_without_masks() {
    passes(
        &Subject::of::<Sound>(none()),
        &[
            "action-mask-valid",
            "agents-never-revive",
            "counterfactual-is-paid",
        ],
    );
}

#[test]
fn every_kind_of_space() {
    passes(&Subject::of::<Spaces>(none()), &["counterfactual-is-paid"]);
    passes(
        &Subject::of::<Spaces>(json!({"respawn": true})),
        &["agents-never-revive", "counterfactual-is-paid"],
    );
}

#[test]
fn turns_without_a_limit() {
    let skipped = [
        "truncation-at-limit",
        "agents-never-revive",
        "counterfactual-is-paid",
    ];
    passes(&Subject::of::<Turns>(none()), &skipped);
    passes(
        &Subject::of::<Turns>(json!({"manual_reset": true})),
        &skipped,
    );
}
