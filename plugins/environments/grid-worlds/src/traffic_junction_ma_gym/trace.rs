//! Reads traces of ma-gym's traffic junction: a character per car, sparse observations.

use palaestra_plugin_api::{
    Result,
    serde_json::{Value, json},
    trace::{Expected, TraceCase},
};

use super::{OF_CAR, WINDOW};
use crate::trace::{self, list, numbers, sparse};

pub(super) fn cases(document: &Value) -> Result<Vec<TraceCase>> {
    trace::cases(document, case)
}

fn case(case: &Value) -> Result<TraceCase> {
    let cars = list(&case["init"]["pos"])?.len();
    let width = WINDOW * (cars + OF_CAR);
    let observed = |value: &Value| -> Result<_> {
        Ok(Some(vec![
            list(value)?
                .iter()
                .map(|car| sparse(car, width))
                .collect::<Result<_>>()?,
        ]))
    };
    let mut init = case["init"].clone();
    init["entries"] = case["entries"].clone();
    let start = Expected {
        observations: observed(&case["init_obs"])?,
        ..Expected::default()
    };
    trace::play(case, json!({"num_cars": cars}), init, start, |t| {
        // The recorded episodes end with the last arrival, before the time limit.
        let arrived = numbers(&case["dones"][t])?;
        let mut expected = Expected {
            observations: observed(&case["obs"][t])?,
            rewards: Some(vec![numbers(&case["rewards"][t])?]),
            terminated: Some(arrived.iter().all(|&arrived| arrived == 1.0)),
            truncated: Some(false),
            ..Expected::default()
        };
        expected.state.insert("pos".into(), case["pos"][t].clone());
        expected.state.insert("arrived".into(), json!(arrived));
        Ok(expected)
    })
}
