//! The list of checks, and how one is run.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

use serde::{Deserialize, Serialize};

use super::{
    Subject, actions, counterfactual, determinism, episodes, finals, isolation, rewards, snapshots,
    spaces,
};
use crate::{
    client::EnvironmentHandle,
    error::{Error, ErrorKind, one_line},
};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It holds.
    Passed,
    /// It does not hold.
    Failed,
    /// The plugin panicked, or its process ended or hung.
    Crashed,
    /// It does not apply, or rests on another check that does not hold.
    Skipped,
    /// It holds, but somebody should look.
    Warning,
}

impl Status {
    /// The word of reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Crashed => "crashed",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
        }
    }
}

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Name of the check.
    pub check: String,
    /// How it ended.
    pub status: Status,
    /// What was found, on one line.
    pub detail: String,
    /// Seed that gives the same outcome again.
    pub seed: u64,
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}: {} (seed {})",
            self.check,
            self.status.word(),
            self.detail,
            self.seed
        )
    }
}

/// Something that must hold of every environment.
#[derive(Clone, Copy)]
pub struct Check {
    /// Name, in kebab case.
    pub name: &'static str,
    /// What must hold.
    pub about: &'static str,
    body: fn(&Trial<'_>) -> Outcome,
}

impl Check {
    /// The check of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        CHECKS.iter().find(|c| c.name == name)
    }
}

/// The environment checks, in the order in which they are reported.
pub const CHECKS: &[Check] = &[
    Check {
        name: "spaces-well-formed",
        about: "the spec can be made, and agrees with itself",
        body: spaces::well_formed,
    },
    Check {
        name: "spaces-stable",
        about: "every object gives the same spec, at any time",
        body: spaces::stable,
    },
    Check {
        name: "reset-in-space",
        about: "first observations and states are in their spaces",
        body: spaces::reset_in_space,
    },
    Check {
        name: "step-in-space",
        about: "later observations and states are in their spaces",
        body: spaces::step_in_space,
    },
    Check {
        name: "reward-finite",
        about: "rewards and metrics are finite",
        body: rewards::finite,
    },
    Check {
        name: "flags-clear-after-reset",
        about: "an episode starts with nothing ended and somebody to act",
        body: episodes::flags_clear,
    },
    Check {
        name: "reset-determinism",
        about: "the same seed gives the same first observations",
        body: determinism::reset,
    },
    Check {
        name: "episode-determinism",
        about: "the same seed and actions give the same 1,000 steps, watched or not",
        body: determinism::episode,
    },
    Check {
        name: "seed-divergence",
        about: "run seeds, instances and episodes all matter to chance",
        body: determinism::seed_divergence,
    },
    Check {
        name: "instance-isolation",
        about: "what befalls other instances changes nothing",
        body: isolation::instances,
    },
    Check {
        name: "vector-equals-scalar",
        about: "64 instances give the same in 1, 8 and 64 shards",
        body: isolation::vector_equals_scalar,
    },
    Check {
        name: "truncation-at-limit",
        about: "episodes are cut off at max_episode_steps, as configured",
        body: episodes::truncation_at_limit,
    },
    Check {
        name: "final-observation-kept",
        about: "what ended is listed with its last observation",
        body: finals::observation_kept,
    },
    Check {
        name: "bad-action-refused",
        about: "actions outside their space are refused, and nothing moves",
        body: actions::bad_action_refused,
    },
    Check {
        name: "action-mask-valid",
        about: "masks are 0 or 1 and leave a choice to whoever acts",
        body: spaces::action_mask_valid,
    },
    Check {
        name: "agents-never-revive",
        about: "an agent that has ended stays so for the episode",
        body: episodes::agents_never_revive,
    },
    Check {
        name: "returns-within-bounds",
        about: "rewards keep to reward_range, and returns are their sums",
        body: rewards::within_bounds,
    },
    Check {
        name: "counterfactual-is-paid",
        about: "the counterfactual of what is done is what is paid, and asking changes nothing",
        body: counterfactual::is_paid,
    },
    Check {
        name: "snapshot-roundtrip-mid-episode",
        about: "a restored instance goes on as if never stopped",
        body: snapshots::roundtrip,
    },
    Check {
        name: "snapshot-invalid-refused",
        about: "damaged snapshots are refused, and nothing moves",
        body: snapshots::invalid_refused,
    },
];

/// One run of a check.
pub(super) struct Trial<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) seed: u64,
}

/// A check that came to its end: it holds, perhaps with something to look at.
pub(super) enum Held {
    Passed(String),
    Warning(String),
}

/// Why a check ended early.
pub(super) enum Stop {
    /// It does not hold.
    Failed(String),
    /// It cannot be judged.
    Skipped(String),
    /// A call on the environment failed.
    Error(Error),
}

pub(super) type Outcome = Result<Held, Stop>;

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

pub(super) fn passed(detail: impl Into<String>) -> Outcome {
    Ok(Held::Passed(detail.into()))
}

pub(super) fn failed<T>(detail: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Failed(detail.into()))
}

pub(super) fn skipped<T>(detail: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Skipped(detail.into()))
}

impl Trial<'_> {
    /// One object of one instance. Its failure is for `spaces-well-formed` to report.
    pub(super) fn probe(&self) -> Result<EnvironmentHandle, Stop> {
        let made = self.subject.make(&self.subject.request(self.seed));
        made.map_err(|e| Stop::Skipped(format!("{e}; see spaces-well-formed")))
    }
}

/// Runs one check.
pub fn run_check(subject: &Subject<'_>, check: &Check, seed: u64) -> CheckReport {
    let trial = Trial { subject, seed };
    let outcome = catch_unwind(AssertUnwindSafe(|| (check.body)(&trial)));
    let (status, detail) = match outcome {
        Ok(Ok(Held::Passed(detail))) => (Status::Passed, detail),
        Ok(Ok(Held::Warning(detail))) => (Status::Warning, detail),
        Ok(Err(Stop::Failed(detail))) => (Status::Failed, detail),
        Ok(Err(Stop::Skipped(detail))) => (Status::Skipped, detail),
        Ok(Err(Stop::Error(e))) if e.kind == ErrorKind::Panicked => (Status::Crashed, e.message),
        Ok(Err(Stop::Error(e))) => (Status::Failed, e.message),
        Err(payload) => {
            // A payload may panic when it is dropped.
            std::mem::forget(payload);
            (Status::Crashed, "a panic reached the check itself".into())
        }
    };
    CheckReport {
        check: check.name.into(),
        status,
        detail: one_line(detail),
        seed,
    }
}

/// Runs all [`CHECKS`].
pub fn run_all(subject: &Subject<'_>, seed: u64) -> Vec<CheckReport> {
    CHECKS
        .iter()
        .map(|check| run_check(subject, check, seed))
        .collect()
}
