//! Checks that the seed, and nothing but the seed, decides what chance does.

use super::{
    check::{Held, Outcome, Trial, failed, passed, skipped},
    run::{Run, Setup, lockstep},
};
use crate::{
    abi::{RenderMode, id},
    client::ShardMut,
    error::{Error, ErrorKind},
};

const INSTANCES: usize = 4;
const RESETS: u32 = 8;
const STEPS: u32 = 1_000;
/// Steps between two looks at a watched run.
const WATCH: u64 = 50;

pub(super) fn reset(trial: &Trial<'_>) -> Outcome {
    if !trial.probe()?.spec().flags.deterministic {
        return skipped("the spec says that episodes are not deterministic");
    }
    match resets_differ(trial)? {
        Some(found) => failed(found),
        None => passed(format!("{INSTANCES} instances, {} resets", RESETS + 1)),
    }
}

fn resets_differ(trial: &Trial<'_>) -> Result<Option<String>, super::check::Stop> {
    let setup = Setup::of(trial, INSTANCES);
    let (mut a, mut b) = (setup.start(trial)?, setup.start(trial)?);
    for reset in 0..=RESETS {
        if reset > 0 {
            a.reset()?;
            b.reset()?;
        }
        let found =
            (0..INSTANCES).find_map(|i| a.difference(i, &b, i, |_| true).map(|found| (i, found)));
        if let Some((i, found)) = found {
            return Ok(Some(format!(
                "reset {reset}, instance {i}: expected the same from one seed, found {found}"
            )));
        }
    }
    Ok(None)
}

pub(super) fn episode(trial: &Trial<'_>) -> Outcome {
    if !trial.probe()?.spec().flags.deterministic {
        return skipped("the spec says that episodes are not deterministic");
    }
    if let Some(found) = resets_differ(trial)? {
        return skipped(format!("{found}; see reset-determinism"));
    }
    let setup = Setup::of(trial, INSTANCES);
    let (mut watched, mut other) = (setup.start(trial)?, setup.start(trial)?);
    while watched.time < u64::from(STEPS) {
        look(&mut watched)?;
        if let Some(found) = lockstep(&mut watched, &mut other, WATCH as u32)? {
            return failed(format!("{found}; expected the same from one seed"));
        }
    }
    for instance in 0..INSTANCES {
        let state = |run: &mut Run| {
            let (mut shard, index) = run.batch.locate(instance);
            shard.inspect(index)
        };
        let (a, b) = (state(&mut watched)?, state(&mut other)?);
        if a != b {
            return failed(format!(
                "inspection of instance {instance} after {STEPS} steps: expected the same from one seed"
            ));
        }
    }
    passed(format!("{INSTANCES} instances, {STEPS} steps"))
}

/// Inspects and draws every instance: that must change nothing.
fn look(run: &mut Run) -> crate::Result<()> {
    let render = run.spec().flags.render;
    for mut shard in run.batch.shards_mut() {
        for index in 0..shard.range().len() {
            shard.inspect(index)?;
            if render {
                draw(&mut shard, index)?;
            }
        }
    }
    Ok(())
}

/// Draws in the first mode that the environment has.
fn draw(shard: &mut ShardMut<'_>, index: usize) -> crate::Result<()> {
    for mode in [RenderMode::Scene, RenderMode::Text, RenderMode::Rgb] {
        match shard.render(index, mode) {
            Err(e) if e.kind == ErrorKind::Unsupported => {}
            drawn => return drawn.map(drop),
        }
    }
    Err(Error::unsupported(
        "render: expected a scene, text or pixels, found none; clear the flag render",
    ))
}

pub(super) fn seed_divergence(trial: &Trial<'_>) -> Outcome {
    trial.probe()?;
    let base = Setup {
        instances: 16,
        ..Setup::of(trial, 16)
    };
    let seeds = [1, 2, 3].map(|k| Setup {
        run_seed: trial.seed.wrapping_add(k),
        ..base.clone()
    });
    let others = [1_000, 2_000, 3_000].map(|first_instance| Setup {
        first_instance,
        ..base.clone()
    });
    let mut matters = Vec::new();
    for (what, setups) in [("run seed", seeds), ("instance", others)] {
        let mut differs = false;
        for setup in &setups {
            differs |= diverges(&mut base.start(trial)?, &mut setup.start(trial)?)?;
        }
        matters.push((what, differs));
    }
    let mut differs = false;
    for extra in 1..=3 {
        let mut later = base.start(trial)?;
        for _ in 0..extra {
            later.reset()?;
        }
        differs |= diverges(&mut base.start(trial)?, &mut later)?;
    }
    matters.push(("episode", differs));
    let dead: Vec<&str> = matters
        .iter()
        .filter(|(_, differs)| !differs)
        .map(|(what, _)| *what)
        .collect();
    match dead.len() {
        0 => passed("run seed, instance and episode all matter"),
        3 => Ok(Held::Warning(
            "nothing depends on the seed; right only for a world without chance".into(),
        )),
        _ => failed(format!(
            "expected chance to depend on run seed, instance and episode, found none on {}",
            dead.join(", ")
        )),
    }
}

/// Whether what agents see or get differs within a few steps of the same actions.
fn diverges(a: &mut Run, b: &mut Run) -> Result<bool, super::check::Stop> {
    let seen = |slab| {
        matches!(
            slab,
            id::OBSERVATION | id::REWARD | id::STATE | id::TERMINATED | id::ACTION_MASK
        )
    };
    for step in 0..64 {
        if step > 0 {
            // Masks may differ from here on, but then so does the outcome.
            a.step()?;
            b.step()?;
        }
        if (0..a.instances()).any(|i| a.difference(i, b, i, seen).is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}
