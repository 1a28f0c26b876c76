//! Replays reference traces (`marl-trace-1`) and says where an environment first differs.
//!
//! [`replay_case`] is what `palaestra replay` and a plugin's own tests both call: one instance, the
//! recorded start injected, the recorded actions played through the exact (f64) path, and after every
//! step all that the trace recorded compared: rewards and state in f64, slabs in f32.

mod files;

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    abi::{NO_GROUP, id},
    client::{EnvironmentBatch, EnvironmentHandle, ExactStep, MakeEnvironment},
    error::{Error, Result},
    trace::{Expected, Joint, TraceCase},
};

pub use files::{Replayed, reference_folder, replay_claimed, replay_claimed_batch};

/// The first value of a case that is not as recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Name of the case within its file.
    pub case: String,
    /// Index of the step; none for the reset.
    pub step: Option<usize>,
    /// What differs: a slab or a member of the inspection, with a JSON pointer into it.
    pub what: String,
    /// The recorded value.
    pub expected: String,
    /// The value that the environment gave, or the error it raised.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            case,
            step,
            what,
            expected,
            found,
        } = self;
        match step {
            Some(step) => write!(
                f,
                "trace {case}, step {step}: {what}: expected {expected}, found {found}"
            ),
            None => write!(
                f,
                "trace {case}, reset: {what}: expected {expected}, found {found}"
            ),
        }
    }
}

/// Makes an environment object; a host makes it from a loaded plugin, a test in its own process.
pub type Make<'a> = &'a mut dyn FnMut(&MakeEnvironment) -> Result<EnvironmentHandle>;

/// Plays one case and compares whatever it recorded; gives the number of values compared.
///
/// # Errors
/// The first difference; an error of the environment counts as one.
pub fn replay_case(make: Make<'_>, id: &str, case: &TraceCase) -> Result<usize, Difference> {
    let mut replay = Replay {
        case,
        step: None,
        compared: 0,
    };
    let what = MakeEnvironment {
        config: case.config.clone(),
        ..MakeEnvironment::new(id)
    };
    let mut batch =
        EnvironmentBatch::new(&what, 1, 1, make).map_err(|e| replay.failed("make", &e))?;
    replay.start(&mut batch)?;
    for (t, step) in case.steps.iter().enumerate() {
        replay.step = Some(t);
        let (mut shard, _) = batch.locate(0);
        let exact = shard
            .step_exact(&step.actions, 0)
            .map_err(|e| replay.failed("step", &e))?;
        let ended = replay.after_step(&batch, &step.expected, &exact)?;
        if ended && t + 1 < case.steps.len() {
            return Err(replay.differs("episode", "another step", "its end"));
        }
    }
    Ok(replay.compared)
}

/// A case being played.
struct Replay<'a> {
    case: &'a TraceCase,
    step: Option<usize>,
    compared: usize,
}

impl Replay<'_> {
    fn start(&mut self, batch: &mut EnvironmentBatch) -> Result<(), Difference> {
        let expected = &self.case.start;
        batch
            .reset(&json!({"init": self.case.init}), 0)
            .map_err(|e| self.failed("reset", &e))?;
        let state = if expected.state.is_empty() {
            Value::Null
        } else {
            batch
                .locate(0)
                .0
                .inspect(0)
                .map_err(|e| self.failed("inspect", &e))?
        };
        self.state(expected, &state)?;
        self.seen(batch, expected, false)
    }

    /// Compares what is known after a step; says whether the episode ended with it.
    fn after_step(
        &mut self,
        batch: &EnvironmentBatch,
        expected: &Expected,
        exact: &ExactStep,
    ) -> Result<bool, Difference> {
        let flag = |id| {
            batch
                .slabs()
                .key::<u8>(id, NO_GROUP)
                .map(|key| batch.rows(key, 0)[0] != 0)
        };
        let (terminated, truncated) = (flag(id::TERMINATED), flag(id::TRUNCATED));
        self.flag("terminated", expected.terminated, Some(exact.terminated))?;
        self.flag("terminated slab", expected.terminated, terminated)?;
        self.flag("truncated slab", expected.truncated, truncated)?;
        if let Some(rewards) = &expected.rewards {
            for (g, group) in rewards.iter().enumerate() {
                let found = exact.rewards.get(g).map_or(&[][..], Vec::as_slice);
                self.numbers(
                    &format!("reward /{g}"),
                    group,
                    found,
                    Tolerance::Absolute(self.case.state_tolerance),
                )?;
                let slab = floats(batch, id::REWARD, g);
                self.numbers(
                    &format!("reward slab /{g}"),
                    group,
                    &slab,
                    self.slab_tolerance(),
                )?;
            }
        }
        self.state(expected, &exact.state)?;
        let ended = terminated == Some(true) || truncated == Some(true);
        self.seen(batch, expected, ended)?;
        Ok(ended)
    }

    /// Compares what agents see; where the episode ended, in the lists of ended episodes.
    fn seen(
        &mut self,
        batch: &EnvironmentBatch,
        expected: &Expected,
        ended: bool,
    ) -> Result<(), Difference> {
        let (observation, mask) = if ended {
            (id::FINAL_OBSERVATION, id::FINAL_ACTION_MASK)
        } else {
            (id::OBSERVATION, id::ACTION_MASK)
        };
        self.joint(
            batch,
            "observation",
            observation,
            expected.observations.as_ref(),
        )?;
        self.joint(batch, "action mask", mask, expected.masks.as_ref())?;
        // The acting slab of an ended episode already belongs to the next one.
        if let Some(acting) = expected.acting.as_ref().filter(|_| !ended) {
            for (g, group) in acting.iter().enumerate() {
                let recorded: Vec<f64> = group.iter().map(|&a| f64::from(u8::from(a))).collect();
                let found = floats(batch, id::ACTING, g);
                self.numbers(
                    &format!("acting /{g}"),
                    &recorded,
                    &found,
                    Tolerance::Absolute(0.0),
                )?;
            }
        }
        Ok(())
    }

    fn joint(
        &mut self,
        batch: &EnvironmentBatch,
        what: &str,
        slab: u32,
        expected: Option<&Joint>,
    ) -> Result<(), Difference> {
        for (g, group) in expected.into_iter().flatten().enumerate() {
            let rows = floats(batch, slab, g);
            let width = rows.len() / group.len().max(1);
            for (agent, recorded) in group.iter().enumerate().filter(|(_, row)| !row.is_empty()) {
                let found = &rows[agent * width..(agent + 1) * width];
                self.numbers(
                    &format!("{what} /{g}/{agent}"),
                    recorded,
                    found,
                    self.slab_tolerance(),
                )?;
            }
        }
        Ok(())
    }

    fn state(&mut self, expected: &Expected, found: &Value) -> Result<(), Difference> {
        for (name, recorded) in &expected.state {
            self.value(&format!("state /{name}"), recorded, &found[name])?;
        }
        Ok(())
    }

    /// Compares JSON deeply; of an object, the recorded members.
    fn value(&mut self, at: &str, expected: &Value, found: &Value) -> Result<(), Difference> {
        match (expected, found) {
            (Value::Number(e), Value::Number(f)) => {
                let (e, f) = (
                    e.as_f64().unwrap_or(f64::NAN),
                    f.as_f64().unwrap_or(f64::NAN),
                );
                self.number(at, e, f, Tolerance::Absolute(self.case.state_tolerance))
            }
            (Value::Array(e), Value::Array(f)) if e.len() == f.len() => e
                .iter()
                .zip(f)
                .enumerate()
                .try_for_each(|(i, (e, f))| self.value(&format!("{at}/{i}"), e, f)),
            (Value::Object(e), Value::Object(f)) => e.iter().try_for_each(|(name, e)| {
                self.value(
                    &format!("{at}/{name}"),
                    e,
                    f.get(name).unwrap_or(&Value::Null),
                )
            }),
            _ if expected == found => {
                self.compared += 1;
                Ok(())
            }
            _ => Err(self.differs(at, expected, found)),
        }
    }

    fn flag(
        &mut self,
        what: &str,
        expected: Option<bool>,
        found: Option<bool>,
    ) -> Result<(), Difference> {
        match (expected, found) {
            (Some(e), Some(f)) if e != f => Err(self.differs(what, e, f)),
            (Some(_), None) => Err(self.differs(what, "a flag", "none")),
            (Some(_), Some(_)) => {
                self.compared += 1;
                Ok(())
            }
            (None, _) => Ok(()),
        }
    }

    fn numbers(
        &mut self,
        at: &str,
        expected: &[f64],
        found: &[f64],
        tolerance: Tolerance,
    ) -> Result<(), Difference> {
        if expected.len() != found.len() {
            let count = |numbers: &[f64]| format!("{} numbers", numbers.len());
            return Err(self.differs(at, count(expected), count(found)));
        }
        let mut pairs = expected.iter().zip(found).enumerate();
        pairs.try_for_each(|(i, (&e, &f))| self.number(&format!("{at}/{i}"), e, f, tolerance))
    }

    fn number(
        &mut self,
        at: &str,
        expected: f64,
        found: f64,
        tolerance: Tolerance,
    ) -> Result<(), Difference> {
        let limit = match tolerance {
            Tolerance::Absolute(limit) => limit,
            Tolerance::Relative(limit) => limit * expected.abs().max(1.0),
        };
        // A NaN is never within.
        if (expected - found).abs() <= limit {
            self.compared += 1;
            return Ok(());
        }
        Err(self.differs(
            at,
            expected,
            format!(
                "{found} (off by {:e}, tolerance {limit:e})",
                (found - expected).abs()
            ),
        ))
    }

    fn slab_tolerance(&self) -> Tolerance {
        Tolerance::Relative(self.case.slab_tolerance)
    }

    fn failed(&self, what: &str, error: &Error) -> Difference {
        self.differs(what, "no error", error)
    }

    fn differs(&self, what: &str, expected: impl ToString, found: impl ToString) -> Difference {
        Difference {
            case: self.case.name.clone(),
            step: self.step,
            what: what.to_owned(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }
}

#[derive(Clone, Copy)]
enum Tolerance {
    Absolute(f64),
    /// Times max(1, |expected|).
    Relative(f64),
}

/// The one instance's row of a slab as numbers; empty where the environment has no such slab.
fn floats(batch: &EnvironmentBatch, id: u32, group: usize) -> Vec<f64> {
    let (slabs, group) = (batch.slabs(), group as u32);
    if let Some(key) = slabs.key::<f32>(id, group) {
        return batch.rows(key, 0).iter().map(|&x| f64::from(x)).collect();
    }
    let bytes = slabs
        .key::<u8>(id, group)
        .map_or(&[][..], |key| batch.rows(key, 0));
    bytes.iter().map(|&x| f64::from(x)).collect()
}
