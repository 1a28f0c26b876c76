//! `config::Rate`: a field that is a number or a schedule, as a plugin author meets it.

use palaestra_plugin_api::config::{Config, Rate, parse};
use serde_json::{Value, json};

/// Settings of a learner.
#[palaestra_plugin_api::config]
pub struct LearnerConfig {
    /// Learning rate.
    #[config(default = 3e-4, above = 0.0, range = ..=1.0)]
    pub lr: Rate,
    /// Probability of a random action.
    #[config(default = Rate::linear(1.0, 0.05, 10_000), range = 0.0..=1.0)]
    pub epsilon: Rate,
    /// Temperature.
    pub temperature: Rate,
    /// Clipping range of the values; none without clipping.
    pub clip: Option<Rate>,
    /// One for each layer.
    #[config(default = vec![0.5, 0.25])]
    pub decay: Vec<Rate>,
}

/// A number and a line with a range at each number.
fn rate(range: &Value) -> Value {
    let with = |mut schema: Value, description: &str| {
        if !description.is_empty() {
            schema["description"] = description.into();
        }
        let bounds = range.as_object().unwrap().clone();
        schema.as_object_mut().unwrap().extend(bounds);
        schema
    };
    let number = json!({"type": "number", "format": "double"});
    json!([
        with(number.clone(), ""),
        {
            "type": "object",
            "properties": {
                "from": with(number.clone(), "Value at step 0."),
                "to": with(number, "Value from step `steps` on."),
                "steps": {"description": "Environment steps from one to the other.", "type": "integer",
                    "format": "uint64", "minimum": 1},
            },
            "required": ["from", "to", "steps"],
            "additionalProperties": false,
        },
    ])
}

#[test]
fn the_schema_has_both_forms_with_the_range_at_each_number() {
    let schema: Value = serde_json::from_str(LearnerConfig::SCHEMA).unwrap();
    let expected = json!({
        "description": "Learning rate.", "default": 3e-4,
        "anyOf": rate(&json!({"exclusiveMinimum": 0.0, "maximum": 1.0})),
    });
    assert_eq!(schema["properties"]["lr"], expected);
    let expected = json!({
        "description": "Probability of a random action.",
        "default": {"from": 1.0, "to": 0.05, "steps": 10_000},
        "anyOf": rate(&json!({"minimum": 0.0, "maximum": 1.0})),
    });
    assert_eq!(schema["properties"]["epsilon"], expected);
    let expected = json!({
        "description": "Clipping range of the values; none without clipping.", "default": null,
        "anyOf": [{"anyOf": rate(&json!({}))}, {"type": "null"}],
    });
    assert_eq!(schema["properties"]["clip"], expected);
}

#[test]
fn a_number_is_constant_and_a_line_is_straight() {
    let default = LearnerConfig::default();
    assert_eq!([default.lr.at(0), default.lr.at(u64::MAX)], [3e-4; 2]);
    assert_eq!(default.temperature, Rate::Constant(0.0));
    assert_eq!(default.decay[1], Rate::from(0.25));
    let at = |step| default.epsilon.at(step);
    assert_eq!(
        [at(0), at(5_000), at(10_000), at(u64::MAX)],
        [1.0, 0.525, 0.05, 0.05]
    );
    let given = r#"{"lr": {"from": 1, "to": 1e-3, "steps": 4}, "epsilon": 0, "clip": {"from": 2, "to": 0, "steps": 1},
        "decay": [1, {"from": 0.5, "to": -0.5, "steps": 2}]}"#;
    let config: LearnerConfig = parse(given).unwrap();
    assert_eq!(config.lr, Rate::linear(1.0, 1e-3, 4));
    assert_eq!(config.epsilon.at(7), 0.0);
    assert_eq!(config.clip.map(|clip| clip.at(1)), Some(0.0));
    assert_eq!(config.decay[1].at(1), 0.0);
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(parse::<LearnerConfig>(&text), Ok(config));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let cases = [
        (r#"{"lr": 0}"#, "/lr: expected 0 < x ≤ 1, found 0"),
        (
            r#"{"lr": {"from": 0.1, "to": 0, "steps": 9}}"#,
            "/lr/to: expected 0 < x ≤ 1, found 0",
        ),
        (
            r#"{"lr": {"from": 1.5, "to": 0.1, "steps": 9}}"#,
            "/lr/from: expected 0 < x ≤ 1, found 1.5",
        ),
        (
            r#"{"lr": {"from": 1, "to": 0.1, "steps": 0}}"#,
            "/lr/steps: expected 1 ≤ x, found 0",
        ),
        (
            r#"{"lr": {"from": 1, "to": 0.1, "steps": 2.5}}"#,
            "/lr/steps: expected an integer, found 2.5",
        ),
        (
            r#"{"lr": {"from": 1, "to": 0.1}}"#,
            "/lr/steps: expected a value, found none",
        ),
        (
            r#"{"lr": {"from": 1, "to": 0.1, "over": 3}}"#,
            "/lr/over: expected one of from, to, steps, found an unknown key",
        ),
        (
            r#"{"lr": "fast"}"#,
            r#"/lr: expected a number or {from, to, steps}, found "fast""#,
        ),
        (
            r#"{"clip": true}"#,
            "/clip: expected a number or {from, to, steps} or null, found true",
        ),
        (
            r#"{"decay": [1, {}]}"#,
            "/decay/1/from: expected a value, found none",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(
            parse::<LearnerConfig>(text),
            Err(expected.to_owned()),
            "{text}"
        );
    }
    let broken = LearnerConfig {
        epsilon: Rate::linear(1.0, f64::NAN, 5),
        ..Default::default()
    };
    let expected = "/epsilon/to: expected 0 ≤ x ≤ 1, found NaN";
    assert_eq!(broken.validate(), Err(expected.to_owned()));
    // Without the schema's help, serde refuses other keys too.
    let unknown = r#"{"from": 1.0, "to": 0.0, "steps": 5, "over": 3}"#;
    assert!(serde_json::from_str::<Rate>(unknown).is_err());
}
