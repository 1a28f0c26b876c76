//! Traces of the 2017 environments, brought to the common form.
//!
//! Their moves are numbered +x, −x, +y, −y; a speaker gives \[move, symbol\]; the reward of every agent and
//! their sum are recorded apart, and one document holds several tasks.

use palaestra_plugin_api::{
    prelude::{Error, Result},
    serde_json::{Map, Value, json},
};

use crate::task::Legacy;

/// `env` of the document.
pub(crate) const NAME: &str = "openai MPE (legacy physics)";

/// The cases of one task, with our moves and rewards.
pub(crate) fn rewrite(document: &Value, task: Legacy) -> Result<Value> {
    let cases = document["cases"]
        .as_array()
        .ok_or_else(|| Error::config("trace /cases: expected an array"))?;
    let own = cases
        .iter()
        .filter(|case| case["scenario"] == task.scenario);
    let cases = own
        .map(|case| rewrite_case(case, task))
        .collect::<Result<Vec<_>>>()?;
    Ok(json!({ "cases": cases }))
}

fn rewrite_case(case: &Value, task: Legacy) -> Result<Value> {
    let steps = |name: &str| {
        case[name]
            .as_array()
            .ok_or_else(|| Error::config(format!("trace /{name}: expected an array")))
    };
    let mut kept = Map::new();
    for name in ["name", "init", "init_obs", "pos", "vel", "comm", "obs"] {
        if let Some(value) = case.get(name) {
            kept.insert(name.into(), value.clone());
        }
    }
    let joint = |actions: &Value| {
        actions
            .as_array()
            .into_iter()
            .flatten()
            .map(action)
            .collect::<Value>()
    };
    kept.insert(
        "actions".into(),
        steps("actions")?.iter().map(joint).collect(),
    );
    let own = steps("rewards_individual")?;
    let rewards = if task.shares_reward {
        let sums = steps("reward_sum")?.iter().zip(own);
        sums.map(|(sum, own)| vec![sum.clone(); own.as_array().map_or(0, Vec::len)].into())
            .collect()
    } else {
        own.clone()
    };
    kept.insert("rewards".into(), rewards.into());
    Ok(kept.into())
}

/// An agent's action: a move, or \[move, symbol\] of one that does not move.
fn action(recorded: &Value) -> Value {
    match recorded.as_array().map(Vec::as_slice) {
        Some([_, symbol]) => symbol.clone(),
        _ => match recorded.as_u64() {
            Some(1) => json!(2),
            Some(2) => json!(1),
            Some(3) => json!(4),
            Some(4) => json!(3),
            _ => recorded.clone(),
        },
    }
}
