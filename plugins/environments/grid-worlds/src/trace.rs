//! Reads the forms in which the reference traces of grid worlds write agents, actions and observations.

use palaestra_plugin_api::{
    Error, Result,
    serde_json::Value,
    trace::{Expected, SLAB_TOLERANCE, STATE_TOLERANCE, TraceCase, TraceStep},
};

/// One row of numbers per agent.
pub(crate) type Rows = Vec<Vec<f64>>;

/// What a trace must have been.
fn expected(what: &str, found: &Value) -> Error {
    Error::config(format!("trace: expected {what}, found {found}"))
}

/// The elements of an array.
pub(crate) fn list(value: &Value) -> Result<&[Value]> {
    value
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| expected("an array", value))
}

/// The cases of a document.
pub(crate) fn cases(
    document: &Value,
    case: impl Fn(&Value) -> Result<TraceCase>,
) -> Result<Vec<TraceCase>> {
    let cases = list(&document["cases"])
        .map_err(|e| e.within("/cases"))?
        .iter()
        .enumerate();
    cases
        .map(|(i, value)| case(value).map_err(|e| e.within(format!("/cases/{i}"))))
        .collect()
}

/// A number; truth counts as 1.
fn number(value: &Value) -> Result<f64> {
    value
        .as_f64()
        .or_else(|| value.as_bool().map(f64::from))
        .ok_or_else(|| expected("a number", value))
}

/// Numbers: of an array, or of a string of digits.
pub(crate) fn numbers(value: &Value) -> Result<Vec<f64>> {
    match value {
        Value::String(text) => digits(text).ok_or_else(|| expected("a string of digits", value)),
        _ => list(value)?.iter().map(number).collect(),
    }
}

fn digits(text: &str) -> Option<Vec<f64>> {
    text.chars()
        .map(|digit| digit.to_digit(10).map(f64::from))
        .collect()
}

/// One row of numbers per agent.
pub(crate) fn rows(value: &Value) -> Result<Rows> {
    list(value)?.iter().map(numbers).collect()
}

/// Numbers and strings of digits, one after the other.
pub(crate) fn flattened(value: &Value) -> Result<Vec<f64>> {
    let mut flat = Vec::new();
    for part in list(value)? {
        match part {
            Value::String(_) => flat.extend(numbers(part)?),
            _ => flat.push(number(part)?),
        }
    }
    Ok(flat)
}

/// A row of `width` numbers from `[index, value]` pairs.
pub(crate) fn sparse(value: &Value, width: usize) -> Result<Vec<f64>> {
    let mut row = vec![0.0; width];
    for pair in list(value)? {
        let at = pair[0].as_u64().and_then(|at| row.get_mut(at as usize));
        *at.ok_or_else(|| expected("an index within the row", pair))? = number(&pair[1])?;
    }
    Ok(row)
}

/// One choice per agent as a joint action of one group: an array, or a string of digits.
pub(crate) fn joint(value: &Value) -> Result<Vec<Rows>> {
    Ok(vec![
        numbers(value)?
            .into_iter()
            .map(|choice| vec![choice])
            .collect(),
    ])
}

/// A case of `actions`, one group, that starts with `init`; `seen(t)` is what is known after step t.
pub(crate) fn play(
    case: &Value,
    config: Value,
    init: Value,
    start: Expected,
    seen: impl Fn(usize) -> Result<Expected>,
) -> Result<TraceCase> {
    let actions = list(&case["actions"])
        .map_err(|e| e.within("/actions"))?
        .iter()
        .enumerate();
    let step = |(t, action): (usize, &Value)| {
        let step = joint(action).and_then(|actions| {
            Ok(TraceStep {
                actions,
                expected: seen(t)?,
            })
        });
        step.map_err(|e| e.within(format!("step {t}")))
    };
    Ok(TraceCase {
        name: case["name"].as_str().unwrap_or("unnamed").to_owned(),
        config,
        init,
        start,
        steps: actions.map(step).collect::<Result<_>>()?,
        state_tolerance: STATE_TOLERANCE,
        slab_tolerance: SLAB_TOLERANCE,
    })
}
