//! Reference traces (`marl-trace-1`) in the common form that a host replays.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    config::{self, Config},
    error::{Error, Result},
    spec::EnvironmentSpec,
};

/// Numbers of a joint quantity: `[group][agent][component]`.
pub type Joint = Vec<Vec<Vec<f64>>>;

/// One recorded episode: a start, and what must be seen after every step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceCase {
    /// Name within the file.
    pub name: String,
    /// Configuration of the environment.
    pub config: Value,
    /// Start state and scripted events: `init` of the reset options.
    pub init: Value,
    /// What must be seen after the reset.
    pub start: Expected,
    /// Joint actions and what must be seen after each.
    pub steps: Vec<TraceStep>,
    /// Absolute tolerance of states and rewards.
    pub state_tolerance: f64,
    /// Tolerance of slabs, times max(1, |x|).
    pub slab_tolerance: f64,
}

/// One step of a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceStep {
    /// The joint action.
    pub actions: Joint,
    /// What must be seen after it.
    pub expected: Expected,
}

/// Recorded values; what a trace does not record is not compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Expected {
    /// Observations; an agent's empty row is not compared.
    pub observations: Option<Joint>,
    /// Action masks; an agent's empty row is not compared.
    pub masks: Option<Joint>,
    /// Rewards `[group][agent]`.
    pub rewards: Option<Vec<Vec<f64>>>,
    /// Who acts next `[group][agent]`.
    pub acting: Option<Vec<Vec<bool>>>,
    /// Whether the episode ended in a terminal state.
    pub terminated: Option<bool>,
    /// Whether the episode was cut off.
    pub truncated: Option<bool>,
    /// Members of the inspection, compared deeply; numbers within the tolerance.
    pub state: Map<String, Value>,
}

/// Tolerance of states and rewards (f64).
pub const STATE_TOLERANCE: f64 = 1e-9;
/// Tolerance of slabs (f32), times max(1, |x|).
pub const SLAB_TOLERANCE: f64 = 1e-6;

/// Reads the common form of `marl-trace-1`: `cases` with `init` or `init_state`, `init_obs`, and per-step
/// arrays `actions`, `obs`, `rewards`, `terminated`, `truncated`; every other array of the same length
/// is a member of the inspection (`states` is called `state` there). Agents are in group order.
pub fn standard_cases<C: Config>(
    document: &Value,
    config_of: impl Fn(&Value) -> Value,
    spec_of: impl Fn(&C) -> Result<EnvironmentSpec>,
) -> Result<Vec<TraceCase>> {
    let cases = document["cases"]
        .as_array()
        .ok_or_else(|| Error::config("trace /cases: expected an array"))?;
    cases
        .iter()
        .enumerate()
        .map(|(i, case)| {
            let config = config_of(case);
            let parsed = config::parse::<C>(&config.to_string()).map_err(Error::config)?;
            standard_case(case, config, &spec_of(&parsed)?)
                .map_err(|e| e.within(format!("trace /cases/{i}")))
        })
        .collect()
}

fn standard_case(case: &Value, config: Value, spec: &EnvironmentSpec) -> Result<TraceCase> {
    let actions = case["actions"]
        .as_array()
        .ok_or_else(|| Error::config("/actions: expected an array"))?;
    let observed = |value: &Value| joint(value, spec, |g| spec.groups[g].observation.width());
    let init = case
        .get("init")
        .cloned()
        .unwrap_or_else(|| serde_json::json!({"state": case["init_state"]}));
    let mut start = Expected::default();
    if let Some(first) = case.get("init_obs") {
        start.observations = Some(observed(first)?);
    }
    let mut steps = Vec::with_capacity(actions.len());
    for (t, action) in actions.iter().enumerate() {
        let at = |name: &str| case.get(name).and_then(|v| v.get(t));
        let mut expected = Expected {
            observations: at("obs").map(observed).transpose()?,
            rewards: at("rewards").map(|r| scalars(r, spec)).transpose()?,
            terminated: at("terminated").and_then(Value::as_bool),
            truncated: at("truncated").and_then(Value::as_bool),
            ..Expected::default()
        };
        for (name, values) in case.as_object().into_iter().flatten() {
            // A start may happen to have as many entries as there are steps.
            let known = name.starts_with("init")
                || ["actions", "obs", "rewards", "terminated", "truncated"]
                    .contains(&name.as_str());
            if let Some(values) = values
                .as_array()
                .filter(|v| !known && v.len() == actions.len())
            {
                let member = if name == "states" { "state" } else { name };
                expected.state.insert(member.into(), values[t].clone());
            }
        }
        steps.push(TraceStep {
            actions: joint(action, spec, |g| spec.groups[g].action.width())?,
            expected,
        });
    }
    let name = case["name"].as_str().unwrap_or("unnamed").to_owned();
    Ok(TraceCase {
        name,
        config,
        init,
        start,
        steps,
        state_tolerance: STATE_TOLERANCE,
        slab_tolerance: SLAB_TOLERANCE,
    })
}

/// A list with one entry per agent, in group order; the entry itself where there is one agent.
pub fn per_agent(value: &Value, agents: usize, width: usize) -> Result<Vec<&Value>> {
    match value.as_array() {
        Some(list) if list.len() == agents && (agents > 1 || width == 1 || list[0].is_array()) => {
            Ok(list.iter().collect())
        }
        _ if agents == 1 => Ok(vec![value]),
        _ => Err(Error::config(format!(
            "trace: expected {agents} agents, found {value}"
        ))),
    }
}

/// Numbers per group, agent and component.
pub fn joint(
    value: &Value,
    spec: &EnvironmentSpec,
    width: impl Fn(usize) -> usize,
) -> Result<Joint> {
    let mut agents = per_agent(value, spec.agents(), width(0))?.into_iter();
    let group = |(g, group): (usize, &crate::spec::GroupSpec)| {
        let row = |agent: &Value| {
            let numbers = numbers(agent)?;
            if numbers.len() == width(g) {
                return Ok(numbers);
            }
            Err(Error::config(format!(
                "trace: expected {} numbers, found {}",
                width(g),
                numbers.len()
            )))
        };
        agents.by_ref().take(group.agents).map(row).collect()
    };
    spec.groups.iter().enumerate().map(group).collect()
}

/// One number per group and agent.
pub fn scalars(value: &Value, spec: &EnvironmentSpec) -> Result<Vec<Vec<f64>>> {
    let joint = joint(value, spec, |_| 1)?;
    Ok(joint
        .into_iter()
        .map(|group| group.into_iter().flatten().collect())
        .collect())
}

fn numbers(value: &Value) -> Result<Vec<f64>> {
    let number = |v: &Value| {
        v.as_f64()
            .ok_or_else(|| Error::config(format!("trace: expected a number, found {v}")))
    };
    match value {
        Value::Array(list) => list.iter().map(number).collect(),
        other => Ok(vec![number(other)?]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::spec::Space;

    #[test]
    fn a_start_of_as_many_agents_as_steps_is_no_array_of_steps() {
        let case = json!({
            "name": "two of two",
            "init": [1, 2],
            "init_obs": [[0.5], [0.25]],
            "actions": [[0, 1], [1, 1]],
            "rewards": [[1.0, 0.0], [0.0, 2.0]],
            "states": [7, 8],
        });
        let spec = EnvironmentSpec::new("agent", 2, Space::real(1), Space::discrete(2));
        let case = standard_case(&case, json!({}), &spec).unwrap();
        let start = vec![vec![vec![0.5], vec![0.25]]];
        assert_eq!(case.start.observations, Some(start));
        let members = |step: &TraceStep| step.expected.state.keys().cloned().collect::<Vec<_>>();
        assert!(case.steps.iter().all(|step| members(step) == ["state"]));
        assert_eq!(case.steps[1].expected.rewards, Some(vec![vec![0.0, 2.0]]));
    }
}
