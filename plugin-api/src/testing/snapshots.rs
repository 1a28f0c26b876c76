//! Snapshots resume an instance exactly; damaged ones change nothing.

use serde_json::{Value, json};

use super::{
    check::{Outcome, Stop, Trial, failed, passed, skipped},
    rows::Garbage,
    run::{Place, Run, Setup, lockstep, must_repeat},
};
use crate::{abi::id, error::ErrorKind};

const INSTANCES: usize = 4;
/// Steps after which snapshots are taken.
const POINTS: [u32; 4] = [1, 4, 13, 50];
const AFTERWARDS: u32 = 40;

/// Runs whose slots hold zeros before a call: rows of agents that are gone are written by nobody, and NaN
/// there could not be saved.
fn setup(trial: &Trial<'_>) -> Result<Setup, Stop> {
    if !trial.probe()?.spec().flags.snapshot {
        return skipped("snapshots are not offered");
    }
    Ok(Setup {
        garbage: Garbage::Zeros,
        ..Setup::of(trial, INSTANCES)
    })
}

pub(super) fn roundtrip(trial: &Trial<'_>) -> Outcome {
    let setup = setup(trial)?;
    must_repeat(trial, &setup, POINTS[3] + AFTERWARDS)?;
    for after in POINTS {
        let mut original = setup.start(trial)?;
        for _ in 0..after {
            original.step()?;
        }
        let saved = save_all(&mut original)?;
        // Another object, in the middle of something else.
        let mut copy = Setup {
            policy_seed: setup.policy_seed.wrapping_add(1),
            ..setup.clone()
        }
        .start(trial)?;
        for _ in 0..3 {
            copy.step()?;
        }
        let place = original.place();
        resume(&mut copy, &saved, &place)?;
        for i in 0..INSTANCES {
            if let Some(found) = original.difference(i, &copy, i, present) {
                return failed(format!(
                    "restored after {after} steps, instance {i}: {found}"
                ));
            }
        }
        if let Some(found) = goes_on(&mut original, &mut copy)? {
            return failed(format!("{found}, restored after {after} steps"));
        }
        // The same object, further on by now.
        resume(&mut original, &saved, &place)?;
        resume(&mut copy, &saved, &place)?;
        if let Some(found) = goes_on(&mut original, &mut copy)? {
            return failed(format!(
                "{found}, the same object restored after {after} steps"
            ));
        }
    }
    clones_equal(trial, &setup)?;
    passed(format!(
        "{INSTANCES} instances, after {POINTS:?} steps, {AFTERWARDS} steps compared"
    ))
}

/// What a slot says of the present; the rest is about the step that led there.
fn present(slab: u32) -> bool {
    matches!(
        slab,
        id::OBSERVATION
            | id::ACTION_MASK
            | id::ALIVE
            | id::ACTING
            | id::STATE
            | id::EPISODE
            | id::STEP
    )
}

fn save_all(run: &mut Run) -> Result<Vec<Vec<u8>>, Stop> {
    let saved = (0..run.instances()).map(|i| {
        let (mut shard, index) = run.batch.locate(i);
        shard.snapshot(index)
    });
    Ok(saved.collect::<crate::Result<_>>()?)
}

/// Restores every instance and goes on from there.
fn resume(run: &mut Run, saved: &[Vec<u8>], place: &Place) -> Result<(), Stop> {
    for (i, snapshot) in saved.iter().enumerate() {
        let (mut shard, index) = run.batch.locate(i);
        shard.restore(index, snapshot, place.slot)?;
    }
    run.go_on(place);
    Ok(())
}

fn goes_on(original: &mut Run, copy: &mut Run) -> Result<Option<String>, Stop> {
    original.step()?;
    copy.step()?;
    lockstep(original, copy, AFTERWARDS)
}

fn clones_equal(trial: &Trial<'_>, setup: &Setup) -> Result<(), Stop> {
    let mut run = setup.start(trial)?;
    for _ in 0..POINTS[1] {
        run.step()?;
    }
    let slot = run.slot;
    let (mut shard, first) = run.batch.locate(0);
    shard.clone_instance(first, first + 1, slot)?;
    match run.difference(0, &run, 1, present) {
        Some(found) => failed(format!("clone of instance 0: {found}")),
        None => Ok(()),
    }
}

pub(super) fn invalid_refused(trial: &Trial<'_>) -> Outcome {
    let setup = setup(trial)?;
    let mut run = setup.start(trial)?;
    let mut undisturbed = match must_repeat(trial, &setup, AFTERWARDS) {
        Ok(()) => Some(setup.start(trial)?),
        Err(Stop::Skipped(_)) => None,
        Err(other) => return Err(other),
    };
    let mut tried = 0;
    for step in 0..AFTERWARDS {
        if [0, 5].contains(&step) {
            tried += refuse_all(&mut run)?;
        }
        run.step()?;
        if let Some(other) = &mut undisturbed {
            other.step()?;
            for i in 0..INSTANCES {
                if let Some(found) = run.full_difference(i, other, i)? {
                    return failed(format!(
                        "instance {i} after refused snapshots: expected no change, found {found}"
                    ));
                }
            }
        }
    }
    passed(format!("{tried} damaged snapshots refused"))
}

fn refuse_all(run: &mut Run) -> Result<u32, Stop> {
    let slot = run.slot;
    let (mut shard, index) = run.batch.locate(INSTANCES - 1);
    let sound = shard.snapshot(index)?;
    let damaged = damaged(&sound);
    for (what, bytes) in &damaged {
        match shard.restore(index, bytes, slot) {
            Ok(()) => {
                return failed(format!(
                    "snapshot {what}: expected it to be refused, found it taken"
                ));
            }
            Err(e) if e.kind == ErrorKind::Panicked => return Err(e.into()),
            Err(e) if e.message.is_empty() => {
                return failed(format!("snapshot {what}: expected a message, found none"));
            }
            Err(_) => {}
        }
    }
    Ok(damaged.len() as u32)
}

/// Snapshots that cannot be meant: cut off, overwritten, and (in JSON) with parts of another kind.
fn damaged(sound: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut all = vec![
        ("of no bytes".into(), Vec::new()),
        ("cut in half".into(), sound[..sound.len() / 2].to_vec()),
        (
            "without its last byte".into(),
            sound[..sound.len().saturating_sub(1)].to_vec(),
        ),
        ("of other bytes".into(), vec![0xff; sound.len()]),
        (
            "of other text".into(),
            b"{\"this\": \"is another document\"}".to_vec(),
        ),
    ];
    let Ok(Value::Object(members)) = serde_json::from_slice(sound) else {
        return all;
    };
    for (name, member) in &members {
        let other = match member {
            Value::Object(_) | Value::Array(_) => json!("damaged"),
            Value::String(text) => json!(format!("{text} of another")),
            _ => continue,
        };
        let mut copy = members.clone();
        copy.insert(name.clone(), other);
        all.push((
            format!("with another /{name}"),
            Value::Object(copy).to_string().into_bytes(),
        ));
    }
    all
}
