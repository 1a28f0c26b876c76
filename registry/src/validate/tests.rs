//! Every sentence that a wrong configuration can earn.

use super::*;
use serde_json::json;

fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "force": {"type": "number", "exclusiveMinimum": 0.0, "default": 10.0},
            "clip_coef": {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 0.2},
            "steps": {"type": "integer", "minimum": 1, "maximum": 500, "default": 500},
            "mode": {"enum": ["fast", "slow"], "default": "fast"},
            "reward": {"oneOf": [{"const": "sparse"}, {"const": "dense"}], "default": "dense"},
            "limit": {"type": ["integer", "null"], "default": null},
            "sizes": {"type": "array", "items": {"type": "integer", "minimum": 1},
                      "minItems": 1, "maxItems": 3, "default": [64]},
            "name": {"type": "string", "minLength": 2, "pattern": "^[a-z]*$", "default": "ab"},
            "rate": {"anyOf": [{"type": "number", "minimum": 0}, {"$ref": "#/$defs/Schedule"}],
                     "default": 1},
            "noise": {"$ref": "#/$defs/Noise", "default": {}},
            "even": {"type": "integer", "multipleOf": 2, "default": 2},
            "a/b": {"type": "integer", "default": 0},
        },
        "$defs": {
            "Noise": {"type": "object", "additionalProperties": false,
                      "properties": {"scale": {"type": "number", "minimum": 0.0, "default": 0.0}}},
            "Schedule": {"type": "object", "additionalProperties": false, "required": ["from", "to"],
                         "properties": {"from": {"type": "number"}, "to": {"type": "number"}}},
        },
    })
}

#[track_caller]
fn says(config: Value, expected: &str) {
    let error = ConfigSchema::new("classic/CartPole-v1", &schema())
        .unwrap()
        .check(&config)
        .unwrap_err();
    assert_eq!(
        error.message,
        format!("config classic/CartPole-v1: {expected}")
    );
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn ranges() {
    says(json!({"force": -1}), "/force: expected 0 < x, found -1");
    says(
        json!({"clip_coef": 1.5}),
        "/clip_coef: expected 0 < x ≤ 1, found 1.5",
    );
    says(json!({"steps": 0}), "/steps: expected 1 ≤ x ≤ 500, found 0");
    says(
        json!({"noise": {"scale": -0.5}}),
        "/noise/scale: expected 0 ≤ x, found -0.5",
    );
    says(
        json!({"even": 3}),
        "/even: expected a multiple of 2, found 3",
    );
}

#[test]
fn types_and_choices() {
    says(
        json!({"steps": "x"}),
        "/steps: expected integer, found string \"x\"",
    );
    says(
        json!({"steps": 1.5}),
        "/steps: expected integer, found number 1.5",
    );
    says(
        json!({"force": null}),
        "/force: expected number, found null",
    );
    says(json!({"a/b": []}), "/a~1b: expected integer, found array");
    says(
        json!({"limit": true}),
        "/limit: expected integer or null, found boolean true",
    );
    says(
        json!({"mode": "fasst"}),
        "/mode: expected one of \"fast\", \"slow\", found \"fasst\"; did you mean \"fast\"?",
    );
    says(
        json!({"reward": "none"}),
        "/reward: expected one of \"sparse\", \"dense\", found \"none\"",
    );
    says(json!(3), "expected object, found number 3");
}

#[test]
fn keys() {
    says(
        json!({"forse": 1}),
        "/forse: unknown key; did you mean force?",
    );
    says(
        json!({"noise": {"x": 1}}),
        "/noise/x: unknown key; known are scale",
    );
}

#[test]
fn lengths_and_patterns() {
    says(
        json!({"sizes": []}),
        "/sizes: expected 1 to 3 items, found 0",
    );
    says(
        json!({"sizes": [3, 0]}),
        "/sizes/1: expected 1 ≤ x, found 0",
    );
    says(
        json!({"name": "a"}),
        "/name: expected at least 2 characters, found 1",
    );
    says(
        json!({"name": "AB"}),
        "/name: expected text that matches ^[a-z]*$, found \"AB\"",
    );
}

#[test]
fn of_several_forms_the_one_that_was_meant_is_explained() {
    says(json!({"rate": -1}), "/rate: expected 0 ≤ x, found -1");
    says(
        json!({"rate": {"from": 1, "to": "x"}}),
        "/rate/to: expected number, found string \"x\"",
    );
    says(
        json!({"rate": {"from": 1}}),
        "/rate/to: expected a value, found none",
    );
    says(
        json!({"rate": "x"}),
        "/rate: expected number or object, found string \"x\"",
    );
}

#[test]
fn all_problems_are_found_and_the_first_is_shown() {
    let config = json!({"steps": 0, "force": -1, "zzz": 1});
    says(
        config.clone(),
        "/force: expected 0 < x, found -1 (and 2 more problems)",
    );
    let schema = ConfigSchema::new("x", &schema()).unwrap();
    let pointers: Vec<String> = schema
        .problems(&config)
        .into_iter()
        .map(|p| p.pointer)
        .collect();
    assert_eq!(pointers, ["/force", "/steps", "/zzz"]);
}

#[test]
fn a_misspelt_key_is_shown_before_the_value_that_it_leaves_missing() {
    says(
        json!({"rate": {"from": 1, "two": 2}}),
        "/rate/two: unknown key; did you mean to? (and 1 more problem)",
    );
}

#[test]
fn a_long_value_is_cut_off_and_stays_on_one_line() {
    let error = ConfigSchema::new("x", &schema())
        .unwrap()
        .check(&json!({"mode": "é\n".repeat(200)}))
        .unwrap_err();
    assert!(error.message.chars().count() < 160, "{error}");
    assert!(!error.message.contains('\n'));
}

#[test]
fn complete_fills_in_valid_defaults() {
    let checked = ConfigSchema::new("x", &schema()).unwrap();
    let full = checked.complete(&json!({"force": 3})).unwrap();
    assert_eq!(full["force"], json!(3));
    assert_eq!(full["sizes"], json!([64]));
    assert_eq!(full.as_object().unwrap().len(), 12);
    assert!(checked.check(&defaults(&schema())).is_ok());
}

#[test]
fn a_faulty_schema_is_the_plugins_fault() {
    for schema in [
        json!({"type": "nonsense"}),
        json!({"$ref": "#/$defs/none"}),
        json!({"$ref": "https://example.org/schema.json"}),
        json!({"$ref": "file:///etc/hostname"}),
        json!({"properties": 3}),
        json!({"pattern": "("}),
    ] {
        let error = ConfigSchema::new("a/B-v0", &schema).unwrap_err();
        assert_eq!(error.exit_code(), 3, "{error}");
        assert!(error.message.starts_with("schema a/B-v0: "), "{error}");
    }
    let wrong_default = json!({"properties": {"a": {"type": "integer", "default": "x"}}});
    let error = ConfigSchema::new("a/B-v0", &wrong_default)
        .unwrap()
        .complete(&json!({}))
        .unwrap_err();
    let expected = "schema a/B-v0: expected valid defaults, \
                    found /a: expected integer, found string \"x\"";
    assert_eq!((error.exit_code(), error.message.as_str()), (3, expected));
}
