//! Reads traces of lbforaging: lists, or layers as strings of digits.

use palaestra_plugin_api::{
    Result,
    serde_json::{Value, json},
    trace::{Expected, TraceCase},
};

use crate::trace::{self, flattened, list, numbers, rows};

pub(super) fn cases(document: &Value) -> Result<Vec<TraceCase>> {
    trace::cases(document, case)
}

fn case(case: &Value) -> Result<TraceCase> {
    let grid = case["config"]["grid_observation"] == json!(true);
    let observed = |value: &Value| -> Result<_> {
        let row = |agent: &Value| {
            if grid {
                flattened(agent)
            } else {
                numbers(agent)
            }
        };
        Ok(Some(vec![
            list(value)?.iter().map(row).collect::<Result<_>>()?,
        ]))
    };
    let mut start = Expected {
        observations: observed(&case["init_obs"])?,
        ..Expected::default()
    };
    start
        .state
        .insert("valid".into(), case["init_valid"].clone());
    start
        .state
        .insert("food_spawned".into(), case["food_spawned"].clone());
    trace::play(
        case,
        case["config"].clone(),
        case["init"].clone(),
        start,
        |t| {
            let mut expected = Expected {
                observations: observed(&case["obs"][t])?,
                rewards: Some(vec![rows(&json!([case["rewards"][t]]))?.remove(0)]),
                // The recorded episodes end with the last food, before the time limit.
                terminated: case["done"][t].as_bool(),
                truncated: Some(false),
                ..Expected::default()
            };
            for member in ["positions", "foods", "valid"] {
                expected
                    .state
                    .insert(member.into(), case[member][t].clone());
            }
            Ok(expected)
        },
    )
}
