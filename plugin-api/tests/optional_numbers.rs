//! Ranges of settings that may be missing: they bind the value that may be there.

use palaestra_plugin_api::config::{Config, parse};
use serde_json::Value;

/// Numbers that may be missing.
#[palaestra_plugin_api::config]
pub struct SensorConfig {
    /// How far it sees, in cells, if it does.
    #[config(range = 1..=9)]
    pub sight: Option<u32>,
    /// Share of readings that fail, if any.
    #[config(default = Some(0.5), range = 0.0..1.0)]
    pub failures: Option<f64>,
}

fn refused(json: &str) -> String {
    parse::<SensorConfig>(json).unwrap_err()
}

#[test]
fn a_number_that_may_be_missing_has_a_range() {
    let schema = serde_json::from_str::<Value>(SensorConfig::SCHEMA).unwrap();
    let expected = [
        r#"{"description": "How far it sees, in cells, if it does.", "type": ["integer", "null"], "format": "uint32",
            "minimum": 1, "maximum": 9, "default": null}"#,
        r#"{"description": "Share of readings that fail, if any.", "type": ["number", "null"], "format": "double",
            "minimum": 0.0, "exclusiveMaximum": 1.0, "default": 0.5}"#,
    ];
    for (name, expected) in ["sight", "failures"].into_iter().zip(expected) {
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(schema["properties"][name], expected, "{name}");
    }
    let none = parse::<SensorConfig>(r#"{"failures": null}"#).unwrap();
    assert_eq!((none.sight, none.failures), (None, None));
    assert_eq!(
        refused(r#"{"sight": 0}"#),
        "/sight: expected 1 ≤ x ≤ 9, found 0"
    );
    assert_eq!(
        refused(r#"{"failures": 1.0}"#),
        "/failures: expected 0 ≤ x < 1, found 1"
    );
}
