//! Every scenario keeps the contract.

use palaestra_plugin_api::{
    serde_json::{Value, json},
    testing::{Subject, assert_conformant, assert_conforms},
};
use skirmish::Battle;

fn conforms(config: Value) {
    assert_conforms(&Subject::of::<Battle>(config));
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
