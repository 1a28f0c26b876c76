//! Reads traces of rware: robots as `[x, y, direction, …]`, observations as `[x, y, digits]`.

use palaestra_plugin_api::{
    Result,
    serde_json::{Value, json},
    trace::{Expected, TraceCase},
};

use super::{FORWARD, MOVES};
use crate::trace::{self, flattened, list, numbers, rows};

pub(super) fn cases(document: &Value) -> Result<Vec<TraceCase>> {
    let settings = &document["config"];
    let reward = settings["rt"]
        .as_str()
        .unwrap_or("individual")
        .to_lowercase();
    let config = json!({
        "shelf_rows": settings["rows"],
        "shelf_columns": settings["cols"],
        "num_agents": settings["n"],
        "request_queue_size": settings["q"],
        "reward_type": reward,
    });
    trace::cases(document, |value| case(value, &config, &document["layout"]))
}

fn case(case: &Value, config: &Value, layout: &Value) -> Result<TraceCase> {
    let observed = |value: &Value| -> Result<_> {
        Ok(Some(vec![
            list(value)?.iter().map(flattened).collect::<Result<_>>()?,
        ]))
    };
    let mut init = case["init"].clone();
    init["replacements"] = json!(replacements(&case["requests_changed"])?);
    init["yields"] = json!(yields(case)?);
    let mut start = Expected {
        observations: observed(&case["init_obs"])?,
        ..Expected::default()
    };
    for member in [
        "grid_height",
        "grid_width",
        "goals",
        "highways",
        "n_shelves",
    ] {
        start.state.entry("layout").or_insert_with(|| json!({}))[member] = layout[member].clone();
    }
    let last = list(&case["actions"])?.len().saturating_sub(1);
    trace::play(case, config.clone(), init, start, |t| {
        let mut expected = Expected {
            observations: observed(&case["obs"][t])?,
            rewards: Some(vec![numbers(&case["rewards"][t])?]),
            terminated: case["done"][t].as_bool(),
            truncated: Some(false),
            ..Expected::default()
        };
        expected
            .state
            .insert("agents".into(), case["agents"][t].clone());
        if t == last {
            expected.state.insert(
                "shelf_positions".into(),
                case["final_shelf_positions"].clone(),
            );
        }
        Ok(expected)
    })
}

/// `[step, [[slot, old, new]…]]` as `[step, slot, new]`.
fn replacements(changed: &Value) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for step in list(changed)? {
        all.extend(
            list(&step[1])?
                .iter()
                .map(|change| json!([step[0], change[0], change[2]])),
        );
    }
    Ok(all)
}

/// `[step, robot]` of robots that could not move where the trace calls the choice of who moves ambiguous.
fn yields(case: &Value) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for step in list(&case["ambiguous_steps"])? {
        let t = step.as_u64().unwrap_or(0) as usize;
        let before = if t == 0 {
            &case["init"]["agents"]
        } else {
            &case["agents"][t - 1]
        };
        let (before, after, actions) = (
            rows(before)?,
            rows(&case["agents"][t])?,
            numbers(&case["actions"][t])?,
        );
        for (robot, action) in actions.iter().enumerate() {
            debug_assert!(before[robot][2] < MOVES.len() as f64, "a direction");
            if *action == FORWARD as f64 && before[robot][..2] == after[robot][..2] {
                all.push(json!([t, robot]));
            }
        }
    }
    Ok(all)
}
