//! Checks of specs, and of observations, states and masks against them.

use super::{
    check::{Outcome, Stop, Trial, failed, passed, skipped},
    run::{Run, Setup, outside},
};
use crate::{
    abi::{NO_GROUP, id},
    client::MakeEnvironment,
    spec::{Element, EnvironmentSpec, GroupSpec, Space, Tag},
};

const INSTANCES: usize = 8;
const STEPS: u32 = 400;
const RESETS: u32 = 16;

pub(super) fn well_formed(trial: &Trial<'_>) -> Outcome {
    let handle = trial.subject.make(&trial.subject.request(trial.seed))?;
    let spec = handle.spec();
    spec.validate()?;
    for (g, group) in spec.groups.iter().enumerate() {
        if let Some(wrong) = group_fault(group) {
            return failed(format!("spec /groups/{g} ({}): {wrong}", group.name));
        }
    }
    if let Some(wrong) = spec_fault(spec) {
        return failed(format!("spec {wrong}"));
    }
    passed(format!(
        "groups: {}, agents: {}",
        spec.groups.len(),
        spec.agents()
    ))
}

fn group_fault(group: &GroupSpec) -> Option<String> {
    if group.name.is_empty() || group.name.contains(char::is_control) {
        return Some(format!(
            "name: expected printable text, found {:?}",
            group.name
        ));
    }
    if group.action.element() == Element::U8 {
        return Some("action: expected elements f32, found u8".into());
    }
    if let Some(wrong) = byte_bounds(&group.observation) {
        return Some(format!("observation: {wrong}"));
    }
    let no_op = group.no_op.iter().flatten().enumerate();
    no_op
        .map(|(c, &value)| outside(&group.action, c, value as f32))
        .find(Option::is_some)
        .flatten()
        .map(|wrong| format!("no_op: {wrong}"))
}

fn byte_bounds(space: &Space) -> Option<String> {
    let wrong = |i: &usize| {
        let (low, high) = space.bounds_of(*i);
        low < 0.0 || high > 255.0
    };
    let bytes = space.element() == Element::U8;
    (0..space.width()).find(|i| bytes && wrong(i)).map(|i| {
        format!(
            "expected bounds within 0 ≤ x ≤ 255, found {:?}",
            space.bounds_of(i)
        )
    })
}

fn spec_fault(spec: &EnvironmentSpec) -> Option<String> {
    if let (Some(low), Some(high)) = spec.reward_range
        && low > high
    {
        return Some(format!(
            "/reward_range: expected low ≤ high, found {low} and {high}"
        ));
    }
    if spec
        .state
        .as_ref()
        .is_some_and(|s| s.element() == Element::U8)
    {
        return Some("/state: expected elements f32, found u8".into());
    }
    if spec.tags.contains(&Tag::SingleAgent) && spec.agents() > 1 {
        return Some(format!(
            "/tags: expected one agent under single-agent, found {}",
            spec.agents()
        ));
    }
    if spec.tags.contains(&Tag::TurnBased) && !spec.flags.turn_based {
        return Some(
            "/tags: expected the flag turn_based with the tag turn-based, found none".into(),
        );
    }
    let unnamed = spec
        .metrics
        .iter()
        .position(|m| m.name.is_empty() || m.name.contains(char::is_control))?;
    Some(format!(
        "/metrics/{unnamed}: expected printable text, found {:?}",
        spec.metrics[unnamed].name
    ))
}

pub(super) fn stable(trial: &Trial<'_>) -> Outcome {
    let spec = trial.probe()?.spec().clone();
    require_same(trial, &spec, 3)?;
    let mut run = Setup::of(trial, 2).start(trial)?;
    for _ in 0..50 {
        run.step()?;
    }
    compare(&spec, run.spec(), "an object of two instances")?;
    let again = trial
        .subject
        .make(&trial.subject.request(trial.seed.wrapping_add(1)))?;
    compare(&spec, again.spec(), "an object of another seed")?;
    passed("the same from every object")
}

fn compare(expected: &EnvironmentSpec, found: &EnvironmentSpec, whose: &str) -> Result<(), Stop> {
    if expected == found {
        return Ok(());
    }
    let (a, b) = (serde_json::json!(expected), serde_json::json!(found));
    let members = a.as_object().into_iter().flatten();
    let which = members
        .filter(|(name, value)| b.get(name.as_str()) != Some(value))
        .map(|(name, _)| name.as_str());
    let which = which.collect::<Vec<_>>().join(", /");
    failed(format!(
        "expected the same spec from every object, found another /{which} from {whose}"
    ))
}

/// Compares the specs of further objects of `instances` instances.
fn require_same(trial: &Trial<'_>, spec: &EnvironmentSpec, instances: usize) -> Result<(), Stop> {
    for n in 1..=instances {
        let what = MakeEnvironment {
            instances: n,
            first_instance: n as u64,
            ..trial.subject.request(trial.seed)
        };
        let other = trial.subject.make(&what)?;
        compare(spec, other.spec(), &format!("an object of {n} instances"))?;
        compare(spec, &other.read_spec()?, "the same object, asked twice")?;
    }
    Ok(())
}

/// Skips a check that cuts a batch into shards when their specs differ.
pub(super) fn must_be_stable(trial: &Trial<'_>) -> Result<(), Stop> {
    let spec = trial.probe()?.spec().clone();
    match require_same(trial, &spec, 2) {
        Err(Stop::Failed(found)) => skipped(format!("{found}; see spaces-stable")),
        other => other,
    }
}

pub(super) fn reset_in_space(trial: &Trial<'_>) -> Outcome {
    trial.probe()?;
    let mut run = Setup::of(trial, INSTANCES).start(trial)?;
    observations_in_space(&run, |_| true)?;
    for _ in 0..RESETS {
        run.reset()?;
        observations_in_space(&run, |_| true)?;
    }
    for _ in 0..STEPS {
        run.step()?;
        observations_in_space(&run, |i| run.flags(id::FIRST)[i] != 0)?;
    }
    passed(format!(
        "{INSTANCES} instances, {RESETS} resets and those of {STEPS} steps"
    ))
}

pub(super) fn step_in_space(trial: &Trial<'_>) -> Outcome {
    trial.probe()?;
    let mut run = Setup::of(trial, INSTANCES).start(trial)?;
    for _ in 0..STEPS {
        run.step()?;
        observations_in_space(&run, |i| run.flags(id::FIRST)[i] == 0)?;
    }
    passed(format!("{INSTANCES} instances, {STEPS} steps"))
}

/// Fails where an observation of an alive agent or a state of these instances is outside its space.
fn observations_in_space(run: &Run, which: impl Fn(usize) -> bool) -> Result<(), Stop> {
    for (g, group) in run.spec().groups.iter().enumerate() {
        let alive = run.agent_flags(id::ALIVE, g, 1);
        let width = group.observation.width();
        let rows = run
            .rows::<f32>(id::OBSERVATION, g as u32)
            .chunks_exact(width)
            .enumerate();
        for (row, values) in rows.filter(|(row, _)| alive[*row] != 0 && which(row / group.agents)) {
            in_space(&group.observation, values).or_else(|wrong| {
                let (instance, agent) = (row / group.agents, row % group.agents);
                failed(format!(
                    "observation at step {}, instance {instance}, group {}, agent {agent}, {wrong}",
                    run.time, group.name
                ))
            })?;
        }
    }
    if let Some(space) = &run.spec().state {
        let rows = run
            .rows::<f32>(id::STATE, NO_GROUP)
            .chunks_exact(space.width())
            .enumerate();
        for (instance, values) in rows.filter(|(i, _)| which(*i)) {
            in_space(space, values).or_else(|wrong| {
                failed(format!(
                    "state at step {}, instance {instance}, {wrong}",
                    run.time
                ))
            })?;
        }
    }
    Ok(())
}

/// Says which component of a row is outside a space.
pub(super) fn in_space(space: &Space, values: &[f32]) -> Result<(), String> {
    let wrong = values
        .iter()
        .enumerate()
        .map(|(c, &value)| outside(space, c, value))
        .find(Option::is_some);
    wrong.flatten().map_or(Ok(()), Err)
}

pub(super) fn action_mask_valid(trial: &Trial<'_>) -> Outcome {
    if trial
        .probe()?
        .spec()
        .groups
        .iter()
        .all(|g| !g.has_action_mask)
    {
        return skipped("no group has an action mask");
    }
    let mut run = Setup::of(trial, INSTANCES).start(trial)?;
    for _ in 0..STEPS {
        masks_valid(&run)?;
        run.step()?;
    }
    passed(format!("{INSTANCES} instances, {STEPS} steps"))
}

fn masks_valid(run: &Run) -> Result<(), Stop> {
    for (g, group) in run
        .spec()
        .groups
        .iter()
        .enumerate()
        .filter(|(_, group)| group.has_action_mask)
    {
        let choices = group.action.choices();
        let (alive, acting) = (
            run.agent_flags(id::ALIVE, g, 1),
            run.agent_flags(id::ACTING, g, 1),
        );
        let masks = run
            .rows::<u8>(id::ACTION_MASK, g as u32)
            .chunks_exact(choices.iter().sum());
        for (row, mask) in masks.enumerate().filter(|(row, _)| alive[*row] != 0) {
            let fault = mask_fault(mask, &choices, acting[row] != 0);
            if let Some(wrong) = fault.filter(|_| !run.is_waiting(row / group.agents)) {
                return failed(format!(
                    "action mask at step {}, instance {}, group {}, agent {}: {wrong}",
                    run.time,
                    row / group.agents,
                    group.name,
                    row % group.agents
                ));
            }
        }
    }
    Ok(())
}

fn mask_fault(mask: &[u8], choices: &[usize], acts: bool) -> Option<String> {
    if let Some(byte) = mask.iter().find(|&&m| m > 1) {
        return Some(format!("expected 0 or 1, found {byte}"));
    }
    let mut rest = mask;
    for (component, &n) in choices.iter().enumerate() {
        let (allowed, others) = rest.split_at(n);
        rest = others;
        if acts && !allowed.contains(&1) {
            return Some(format!(
                "component {component}: expected an allowed choice, found none"
            ));
        }
    }
    None
}
