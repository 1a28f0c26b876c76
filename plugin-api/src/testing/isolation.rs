//! Checks that an instance is alone: neither its neighbours nor the size of its batch matter.

use super::{
    check::{Outcome, Stop, Trial, failed, passed, skipped},
    run::{Run, Setup, must_repeat},
    spaces::must_be_stable,
};
use crate::{
    abi::id,
    client::{EnvironmentBatch, SlabElement},
};

const INSTANCES: usize = 4;
const STEPS: u32 = 100;
const VECTOR: usize = 64;
const VECTOR_STEPS: u32 = 100;

pub(super) fn instances(trial: &Trial<'_>) -> Outcome {
    trial.probe()?;
    let setup = Setup::of(trial, INSTANCES);
    must_repeat(trial, &setup, STEPS)?;
    match disturbed(trial, &setup)? {
        Some(found) => failed(found),
        None => passed(format!(
            "{INSTANCES} instances, {STEPS} steps, others acting otherwise and reset"
        )),
    }
}

/// Plays the same actions in one instance while the others act otherwise and are reset now and then.
fn disturbed(trial: &Trial<'_>, setup: &Setup) -> Result<Option<String>, Stop> {
    let otherwise = Setup {
        policy_seed: setup.policy_seed.wrapping_add(1),
        ..setup.clone()
    };
    for alone in 0..INSTANCES {
        let (mut quiet, mut busy) = (setup.start(trial)?, otherwise.start(trial)?);
        let others: Vec<u8> = (0..INSTANCES).map(|i| u8::from(i != alone)).collect();
        for step in 1..=STEPS {
            quiet.act()?;
            busy.act()?;
            copy_actions(&quiet, &mut busy, alone);
            quiet.advance()?;
            busy.advance()?;
            if step % 10 == 0 {
                busy.reset_where(&others)?;
            }
            let lists_stand = step % 10 != 0;
            let found = if lists_stand {
                quiet.full_difference(alone, &busy, alone)?
            } else {
                quiet.difference(alone, &busy, alone, |_| true)
            };
            if let Some(found) = found {
                return Ok(Some(format!(
                    "step {step}, instance {alone}: expected no change from other instances, found {found}"
                )));
            }
        }
    }
    Ok(None)
}

/// Gives one instance of `to` the actions it has in `from`.
fn copy_actions(from: &Run, to: &mut Run, instance: usize) {
    for g in 0..from.spec().groups.len() as u32 {
        copy_rows::<i32>(from, &mut to.batch, to.slot, g, instance);
        copy_rows::<f32>(from, &mut to.batch, to.slot, g, instance);
    }
}

fn copy_rows<T: SlabElement>(
    from: &Run,
    to: &mut EnvironmentBatch,
    slot: usize,
    group: u32,
    instance: usize,
) {
    let Some(key) = to.slabs().key::<T>(id::ACTION, group) else {
        return;
    };
    let width = to.slabs().row(key);
    let rows = instance * width..(instance + 1) * width;
    to.rows_mut(key, slot)[rows.clone()].copy_from_slice(&from.rows::<T>(id::ACTION, group)[rows]);
}

pub(super) fn vector_equals_scalar(trial: &Trial<'_>) -> Outcome {
    must_be_stable(trial)?;
    must_repeat(trial, &Setup::of(trial, VECTOR), VECTOR_STEPS)?;
    if let Some(found) = disturbed(trial, &Setup::of(trial, INSTANCES))? {
        return skipped(format!("{found}; see instance-isolation"));
    }
    let of = |shards| {
        Setup {
            shards,
            ..Setup::of(trial, VECTOR)
        }
        .start(trial)
    };
    let mut runs = [(1, of(1)?), (8, of(8)?), (64, of(64)?)];
    for step in 0..=VECTOR_STEPS {
        if step > 0 {
            runs.iter_mut().try_for_each(|(_, run)| run.step())?;
        }
        let [(_, whole), parts @ ..] = &runs;
        for (shards, part) in parts {
            for i in 0..VECTOR {
                if let Some(found) = whole.full_difference(i, part, i)? {
                    return failed(format!(
                        "step {step}, instance {i}, 1 and {shards} shards: {found}"
                    ));
                }
            }
        }
    }
    passed(format!(
        "{VECTOR} instances in 1, 8 and 64 shards, {VECTOR_STEPS} steps"
    ))
}
