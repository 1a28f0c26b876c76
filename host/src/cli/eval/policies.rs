//! Which policies play: those of one run, an untrained algorithm, or one for every seat.

use std::{path::Path, str::FromStr};

use palaestra_plugin_api::{Error, Result};

use super::EvalArgs;
use crate::{
    experiment::{Experiment, Setting},
    runs::{Checkpoint, RunFolder, checkpoints},
    session::Session,
    training::{
        composition::{Parts, PolicyParts},
        policy_state::PolicyState,
        saved::read_policies,
    },
};

/// Policies to evaluate, with their world.
pub(crate) struct Chosen {
    pub(crate) parts: Parts,
    /// Weights of every policy; none for untrained ones.
    pub(crate) states: Option<Vec<PolicyState>>,
    /// What plays, for people.
    pub(crate) names: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// `GROUP=RUN` or `GROUP=ALGORITHM`.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    group: String,
    player: String,
}

impl Seat {
    /// Names the seat in an error about whoever shall take it.
    fn blame(&self, error: Error) -> Error {
        error.within(format_args!("--seat {}={}", self.group, self.player))
    }
}

impl FromStr for Seat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((group, player)) if !group.is_empty() && !player.is_empty() => Ok(Self {
                group: group.into(),
                player: player.into(),
            }),
            _ => Err(format!(
                "expected GROUP=RUN such as agent=runs/…, found {text:?}"
            )),
        }
    }
}

/// Which checkpoint of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The one with the best evaluation.
    Best,
    /// The newest.
    Latest,
    /// The one of these env steps.
    At(u64),
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("best", _) => Ok(Self::Best),
            ("latest", _) => Ok(Self::Latest),
            (_, Ok(steps)) => Ok(Self::At(steps)),
            _ => Err(format!(
                "expected best, latest or env steps, found {text:?}"
            )),
        }
    }
}

impl Which {
    /// Opens the checkpoint; also what was passed over.
    fn open(self, folder: &RunFolder) -> Result<(Checkpoint, Vec<String>)> {
        let folder = folder.checkpoints();
        let loaded = match self {
            Self::Best => checkpoints::best(&folder)?,
            Self::Latest => checkpoints::latest(&folder)?,
            Self::At(steps) => return Ok((checkpoints::at(&folder, steps)?, Vec::new())),
        };
        let passed = loaded.fallbacks.iter().map(ToString::to_string);
        Ok((loaded.checkpoint, passed.collect()))
    }
}

/// The policies that the options stand for.
///
/// # Errors
/// Something that is no run, or policies that do not fit each other.
pub(super) fn choose(args: &EvalArgs, session: &Session) -> Result<Chosen> {
    match (&args.what, &args.algorithm) {
        (None, _) => seats(args, session),
        (Some(run), None) => of_run(Path::new(run), args.checkpoint, &args.settings, session),
        (Some(environment), Some(algorithm)) => {
            let mut experiment = Experiment::of_names(environment, algorithm, &[]);
            experiment.apply(&args.settings)?;
            let resolved = experiment.resolve(session)?;
            let name = format!("{}, untrained", resolved.experiment.algorithm[0].name);
            Ok(Chosen {
                parts: Parts::of(&resolved),
                states: None,
                names: vec![name],
                notes: resolved.notes,
            })
        }
    }
}

/// The policies of a run in the world that it was trained in, with other settings where given.
///
/// # Errors
/// Something that is no run, no checkpoint that can be read, a plugin that is gone.
pub(crate) fn of_run(
    run: &Path,
    which: Which,
    settings: &[Setting],
    session: &Session,
) -> Result<Chosen> {
    let folder = RunFolder::open(run)?;
    let mut experiment = Experiment::read(&folder.experiment())?;
    experiment.apply(settings)?;
    let resolved = experiment.resolve(session)?;
    let (mut checkpoint, mut notes) = which.open(&folder)?;
    notes.extend(resolved.notes.iter().cloned());
    let algorithms = resolved.experiment.algorithm.iter();
    let algorithms: Vec<_> = algorithms.map(|a| a.name.as_str()).collect();
    let name = format!(
        "{} of {}, {} env steps",
        algorithms.join(", "),
        folder.name(),
        checkpoint.step()
    );
    Ok(Chosen {
        parts: Parts::of(&resolved),
        states: Some(read_policies(&mut checkpoint)?),
        names: vec![name],
        notes,
    })
}

/// Who takes a seat.
struct Seated {
    policy: PolicyParts,
    state: PolicyState,
    name: String,
    notes: Vec<String>,
}

/// One policy for every seat; the world is that of the first run.
fn seats(args: &EvalArgs, session: &Session) -> Result<Chosen> {
    let load = |seat: &Seat| {
        let path = Path::new(&seat.player);
        let run = || of_run(path, args.checkpoint, &args.settings, session);
        let run = path.exists().then(run).transpose();
        run.map_err(|e| seat.blame(e))
    };
    let runs = args.seats.iter().map(load).collect::<Result<Vec<_>>>()?;
    let Some(first) = runs.iter().flatten().next() else {
        let message = "--seat: expected at least one run, found none";
        let next = "name the folder of a run, as in --seat agent=runs/…";
        return Err(Error::config(message).with_next(next));
    };
    let mut parts = first.parts.clone();
    let (mut policies, mut states) = (Vec::new(), Vec::new());
    let (mut names, mut notes) = (Vec::new(), Vec::new());
    for (seat, run) in args.seats.iter().zip(runs) {
        let seated = match run {
            Some(run) => of_group(run, &seat.group, &parts),
            None => untrained(&seat.player, &parts, session),
        };
        let seated = seated.map_err(|e| seat.blame(e))?;
        policies.push(PolicyParts {
            groups: vec![seat.group.clone()],
            ..seated.policy
        });
        states.push(seated.state);
        names.push(format!("{}: {}", seat.group, seated.name));
        notes.extend(seated.notes);
    }
    parts.policies = policies;
    Ok(Chosen {
        parts,
        states: Some(states),
        names,
        notes,
    })
}

/// An algorithm that plays in this world as it comes.
fn untrained(algorithm: &str, world: &Parts, session: &Session) -> Result<Seated> {
    let mut experiment = Experiment::of_names(world.environment.id(), algorithm, &[]);
    let config = world.environment.config().as_object().cloned();
    experiment.environment.config = config.unwrap_or_default();
    let resolved = experiment.resolve(session)?;
    Ok(Seated {
        policy: Parts::of(&resolved).policies.swap_remove(0),
        state: PolicyState::untrained(),
        name: resolved.experiment.algorithm[0].name.clone(),
        notes: resolved.notes,
    })
}

/// The policy of a run that plays a group, in the world that all play in.
fn of_group(mut run: Chosen, group: &str, world: &Parts) -> Result<Seated> {
    let same = run.parts.environment.id() == world.environment.id()
        && run.parts.environment.config() == world.environment.config()
        && run.parts.wrappers == world.wrappers;
    if !same {
        return Err(Error::config(format!(
            "expected a run in {} with the same settings as the first, found another world ({})",
            world.environment.id(),
            run.parts.environment.id()
        )));
    }
    if !run.parts.mechanisms.is_empty() {
        let message = "expected policies that play without a mechanism, found one";
        let next = "evaluate the run as a whole: palaestra eval RUN";
        return Err(Error::config(message).with_next(next));
    }
    let policies = &mut run.parts.policies;
    let named = |policy: &PolicyParts| policy.groups.iter().any(|g| g == group);
    let position = policies.iter().position(named);
    let position = position.or_else(|| policies.iter().position(|p| p.groups.is_empty()));
    let Some(position) = position else {
        let message = format!("expected a policy of group {group:?}, found none");
        return Err(Error::config(message));
    };
    let mut states = run.states.unwrap_or_default();
    if position >= states.len() {
        let message = format!("expected {} policies, found {}", position + 1, states.len());
        return Err(Error::config(message));
    }
    Ok(Seated {
        policy: policies.swap_remove(position),
        state: states.swap_remove(position),
        name: run.names.swap_remove(0),
        notes: run.notes,
    })
}
