//! Every scenario keeps the contract.

use palaestra_plugin_api::{
    serde_json::{Value, json},
    testing::{Status, Subject, assert_conformant, run_all},
};
use skirmish::Battle;

fn conforms(config: Value) {
    let reports = run_all(&Subject::of::<Battle>(config.clone()), 0);
    let bad = reports
        .iter()
        .filter(|r| matches!(r.status, Status::Failed | Status::Crashed));
    let lines: String = bad.map(|report| format!("\n  {report}")).collect();
    assert!(lines.is_empty(), "{config}:{lines}");
}

#[test]
fn three_marines_by_default() {
    assert_conformant::<Battle>();
    conforms(json!({"start_noise": 0.0, "max_episode_steps": 10}));
}

#[test]
fn teams_of_marines() {
    conforms(json!({"scenario": "8m"}));
    conforms(json!({"scenario": "5m_vs_6m"}));
}

#[test]
fn stalkers_and_zealots() {
    conforms(json!({"scenario": "2s3z"}));
}

#[test]
fn fifty_seven_marines() {
    conforms(json!({"scenario": "27m_vs_30m"}));
}
