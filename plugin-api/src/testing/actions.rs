//! Actions outside their space are refused before anything moves.

use super::{
    check::{Outcome, Stop, Trial, failed, passed},
    run::{Run, Setup, must_repeat},
};
use crate::{abi::id, client::SlabElement, error::ErrorKind, spec::GroupSpec};

const INSTANCES: usize = 3;
/// Steps over which forbidden choices of masks are looked for.
const STEPS: u32 = 40;

pub(super) fn bad_action_refused(trial: &Trial<'_>) -> Outcome {
    trial.probe()?;
    let setup = Setup::of(trial, INSTANCES);
    let mut run = setup.start(trial)?;
    // Without determinism there is no telling whether something moved.
    let mut undisturbed = match must_repeat(trial, &setup, STEPS) {
        Ok(()) => Some(setup.start(trial)?),
        Err(Stop::Skipped(_)) => None,
        Err(other) => return Err(other),
    };
    let mut tried = 0;
    for step in 0..STEPS {
        run.act()?;
        // All of them at the start and once in an episode; then what masks forbid.
        tried += try_all(&mut run, step == 0 || step == 4)?;
        run.advance()?;
        if let Some(other) = &mut undisturbed {
            other.step()?;
            for i in 0..INSTANCES {
                if let Some(found) = run.full_difference(i, other, i)? {
                    return failed(format!(
                        "instance {i} after refused actions: expected it not to move, found {found}"
                    ));
                }
            }
        }
    }
    passed(format!("{tried} bad actions refused"))
}

/// Tries bad actions of every group for its last agent; the good ones stand afterwards.
fn try_all(run: &mut Run, outside: bool) -> Result<u32, Stop> {
    let mut tried = 0;
    for g in 0..run.spec().groups.len() {
        let group = run.spec().groups[g].clone();
        let row = (INSTANCES - 1) * group.agents + group.agents - 1;
        if group.action.is_box() {
            for component in (0..group.action.width()).filter(|_| outside) {
                for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    tried += refuse(run, g, row * group.action.width() + component, bad)?;
                }
            }
            continue;
        }
        for (component, n) in group
            .action
            .choices()
            .into_iter()
            .enumerate()
            .filter(|_| outside)
        {
            for bad in [-1, n as i32, i32::MAX, i32::MIN] {
                tried += refuse(run, g, row * group.action.width() + component, bad)?;
            }
        }
        for row in 0..INSTANCES * group.agents {
            for (component, bad) in forbidden(run, g, &group, row) {
                tried += refuse(run, g, row * group.action.width() + component, bad)?;
            }
        }
    }
    Ok(tried)
}

/// The first choice of each component that the mask of an agent that acts forbids.
fn forbidden(run: &Run, g: usize, group: &GroupSpec, row: usize) -> Vec<(usize, i32)> {
    let acts = run.agent_flags(id::ALIVE, g, 1)[row] & run.agent_flags(id::ACTING, g, 1)[row] != 0;
    if !group.has_action_mask || !acts {
        return Vec::new();
    }
    let choices = group.action.choices();
    let width: usize = choices.iter().sum();
    let mut rest = &run.rows::<u8>(id::ACTION_MASK, g as u32)[row * width..(row + 1) * width];
    let mut found = Vec::new();
    for (component, &n) in choices.iter().enumerate() {
        let (allowed, others) = rest.split_at(n);
        rest = others;
        found.extend(
            allowed
                .iter()
                .position(|&a| a == 0)
                .map(|choice| (component, choice as i32)),
        );
    }
    found
}

/// Steps with one bad value, which must be refused, and puts the good one back.
fn refuse<T: SlabElement + std::fmt::Display>(
    run: &mut Run,
    g: usize,
    at: usize,
    bad: T,
) -> Result<u32, Stop> {
    let Some(key) = run.batch.slabs().key::<T>(id::ACTION, g as u32) else {
        return Ok(0);
    };
    let slot = run.slot;
    let good = std::mem::replace(&mut run.batch.rows_mut(key, slot)[at], bad);
    let stepped = run.batch.step(slot, 1 - slot);
    run.batch.rows_mut(key, slot)[at] = good;
    let name = &run.spec().groups[g].name;
    match stepped {
        Err(e) if e.kind == ErrorKind::BadAction && !e.message.is_empty() => Ok(1),
        Err(e) if e.kind == ErrorKind::BadAction => failed(format!(
            "action {bad} of group {name}: expected a message, found none"
        )),
        Err(e) => Err(e.into()),
        Ok(()) => failed(format!(
            "action {bad} of group {name}: expected it to be refused, found it taken"
        )),
    }
}
