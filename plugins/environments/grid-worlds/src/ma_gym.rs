//! What the worlds of ma-gym share: their five actions, and positions rounded to two decimals.

use palaestra_plugin_api::{
    Result,
    serde_json::{Value, json},
};

use crate::{
    board::{EAST, NORTH, Place, SOUTH, STAY, WEST},
    trace::{list, numbers},
};

/// Where actions lead: down, left, up, right, nowhere.
pub(crate) const MOVES: [Place; 5] = [SOUTH, WEST, NORTH, EAST, STAY];
/// The action that does not move.
pub(crate) const NOOP: usize = 4;

/// `n / of` rounded to two decimals, for n below `count`.
pub(crate) fn hundredths(count: i32, of: i32) -> Vec<f32> {
    (0..count)
        .map(|n| ((100.0 * f64::from(n) / f64::from(of)).round() / 100.0) as f32)
        .collect()
}

/// Rows of numbers per agent as observations of one group.
pub(crate) fn observed(value: &Value) -> Result<Option<Vec<Vec<Vec<f64>>>>> {
    Ok(Some(vec![
        list(value)?.iter().map(numbers).collect::<Result<_>>()?,
    ]))
}

/// Settings `full_observable` and `clock` by the width of an observation, which is `own` wide for one agent.
pub(crate) fn view_config(case: &Value, own: usize) -> Result<Value> {
    let agents = list(&case["init_obs"])?;
    let width = agents
        .first()
        .map_or(Ok(0), |first| numbers(first).map(|row| row.len()))?;
    let full = width >= agents.len() * own;
    let parts = if full { agents.len() } else { 1 };
    Ok(json!({"full_observable": full, "clock": width > parts * own}))
}
