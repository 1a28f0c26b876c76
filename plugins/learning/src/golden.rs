//! Reads the reference cases that tests compare with.

use serde_json::Value;

/// One file of cases, from `$PALAESTRA_REFERENCE/golden` or the workspace's own copy.
pub(crate) fn read(name: &str) -> Value {
    let folder = std::env::var("PALAESTRA_REFERENCE")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../reference").to_owned());
    let path = format!("{folder}/golden/{name}");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The list of cases at `value`; fails when there is none.
pub(crate) fn cases(value: &Value) -> &[Value] {
    let cases = value.as_array().expect("a list of cases");
    assert!(!cases.is_empty(), "no case found");
    cases
}

/// A number; the string "Infinity" is one too.
pub(crate) fn number(value: &Value) -> f32 {
    match value.as_str() {
        Some("Infinity") => f32::INFINITY,
        _ => value
            .as_f64()
            .unwrap_or_else(|| panic!("expected a number, found {value}")) as f32,
    }
}

/// All numbers of nested lists, in order.
pub(crate) fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        one => vec![number(one)],
    }
}

/// Flags written as 0 and 1.
pub(crate) fn flags(value: &Value) -> Vec<u8> {
    numbers(value).iter().map(|&x| u8::from(x != 0.0)).collect()
}

/// Whether all numbers agree to f32's accuracy after a few operations.
pub(crate) fn agree(found: &[f32], expected: &[f32]) -> bool {
    found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(x, y)| (x - y).abs() <= 4e-6 * (1.0 + y.abs()))
}

/// Fails unless [`agree`].
#[track_caller]
pub(crate) fn expect(what: &str, found: &[f32], expected: &Value) {
    let expected = numbers(expected);
    assert!(
        agree(found, &expected),
        "{what}: expected {expected:?}, found {found:?}"
    );
}

/// Fails if the numbers match what a common mistake gives (where the case has it and it differs from the truth).
#[track_caller]
pub(crate) fn expect_not(what: &str, found: &[f32], truth: &Value, wrong: Option<&Value>) -> bool {
    let Some(wrong) = wrong.filter(|wrong| !wrong.is_null()) else {
        return false;
    };
    let wrong = numbers(wrong);
    if agree(&wrong, &numbers(truth)) {
        return false;
    }
    assert!(!agree(found, &wrong), "{what}: matches the known mistake");
    true
}
