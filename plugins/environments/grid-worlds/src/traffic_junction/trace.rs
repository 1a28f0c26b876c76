//! Reads traces of IC3Net's environment: a character per car, sparse observations.

use palaestra_plugin_api::{
    Result,
    serde_json::{Value, json},
    trace::{Expected, TraceCase},
};

use crate::trace::{self, list, numbers, sparse};

pub(super) fn cases(document: &Value) -> Result<Vec<TraceCase>> {
    let settings = &document["config"];
    let config = json!({
        "difficulty": settings["difficulty"],
        "num_cars": settings["nagents"],
        "dim": settings["dim"],
        "vision": settings["vision"],
        "add_rate": settings["add_rate"],
    });
    trace::cases(document, |value| case(value, &config))
}

fn case(case: &Value, config: &Value) -> Result<TraceCase> {
    let width = case["obs_dim"].as_u64().unwrap_or(0) as usize;
    let init = json!({"additions": case["additions"]});
    trace::play(case, config.clone(), init, Expected::default(), |t| {
        let observed = list(&case["obs"][t])?
            .iter()
            .map(|car| sparse(car, width))
            .collect::<Result<_>>()?;
        let mut expected = Expected {
            observations: Some(vec![observed]),
            rewards: Some(vec![numbers(&case["rewards"][t])?]),
            terminated: Some(false),
            ..Expected::default()
        };
        for member in ["car_loc", "wait", "has_failed"] {
            expected
                .state
                .insert(member.into(), case[member][t].clone());
        }
        for member in ["alive", "completed"] {
            expected
                .state
                .insert(member.into(), json!(numbers(&case[member][t])?));
        }
        Ok(expected)
    })
}
