//! Which policies play: those of one run, an untrained algorithm, or one for every seat.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use palaestra_plugin_api::{Error, Result};

use super::EvalArgs;
use crate::{
    experiment::{Experiment, Setting},
    runs::{Checkpoint, RunFolder, checkpoints},
    session::Session,
    training::{composition::Parts, policy_state::PolicyState, saved::read_policies},
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

/// One policy for every seat; the world is that of the first run.
fn seats(args: &EvalArgs, session: &Session) -> Result<Chosen> {
    let mut chosen: Option<Chosen> = None;
    let runs = args
        .seats
        .iter()
        .filter(|seat| Path::new(&seat.player).exists());
    let first = runs.clone().next().ok_or_else(|| {
        let message = "--seat: expected at least one run, found none";
        Error::config(message).with_next("name the folder of a run, as in --seat agent=runs/…")
    })?;
    let world = of_run(
        Path::new(&first.player),
        args.checkpoint,
        &args.settings,
        session,
    )?
    .parts;
    for seat in &args.seats {
        let (mut own, state) = player(seat, &world, args, session)?;
        let policy = &mut own.parts.policies[0];
        policy.groups = vec![seat.group.clone()];
        let (policy, name) = (policy.clone(), format!("{}: {}", seat.group, own.names[0]));
        match &mut chosen {
            None => {
                own.names = vec![name];
                own.states = Some(vec![state]);
                own.parts.policies = vec![policy];
                chosen = Some(own);
            }
            Some(chosen) => {
                chosen.parts.policies.push(policy);
                chosen.names.push(name);
                chosen.notes.append(&mut own.notes);
                if let Some(states) = &mut chosen.states {
                    states.push(state);
                }
            }
        }
    }
    chosen.ok_or_else(|| Error::config("--seat: expected at least one, found none"))
}

/// The policy of a seat, in the world of the first run.
fn player(
    seat: &Seat,
    world: &Parts,
    args: &EvalArgs,
    session: &Session,
) -> Result<(Chosen, PolicyState)> {
    let about = |e: Error| e.within(format!("--seat {}={}", seat.group, seat.player));
    let run = PathBuf::from(&seat.player);
    if !run.exists() {
        let id = world.environment.id();
        let mut experiment = Experiment::of_names(id, &seat.player, &[]);
        let config = world.environment.config().as_object().cloned();
        experiment.environment.config = config.unwrap_or_default();
        let resolved = experiment.resolve(session).map_err(about)?;
        let chosen = Chosen {
            parts: Parts {
                wrappers: world.wrappers.clone(),
                ..Parts::of(&resolved)
            },
            states: None,
            names: vec![resolved.experiment.algorithm[0].name.clone()],
            notes: resolved.notes,
        };
        return Ok((chosen, PolicyState::untrained()));
    }
    let mut chosen = of_run(&run, args.checkpoint, &args.settings, session).map_err(about)?;
    let same = chosen.parts.environment.id() == world.environment.id()
        && chosen.parts.environment.config() == world.environment.config()
        && chosen.parts.wrappers == world.wrappers;
    if !same {
        let message = format!(
            "expected a run in {} with the same settings as the first, found another world ({})",
            world.environment.id(),
            chosen.parts.environment.id()
        );
        return Err(about(Error::config(message)));
    }
    if !chosen.parts.mechanisms.is_empty() {
        let message = "expected policies that play without a mechanism, found one";
        let next = "evaluate the run as a whole: palaestra eval RUN";
        return Err(about(Error::config(message).with_next(next)));
    }
    let plays = |policy: &crate::training::composition::PolicyParts| {
        policy.groups.is_empty() || policy.groups.contains(&seat.group)
    };
    let named = chosen
        .parts
        .policies
        .iter()
        .position(|p| p.groups.contains(&seat.group));
    let position = named.or_else(|| chosen.parts.policies.iter().position(plays));
    let Some(position) = position else {
        let message = format!("expected a policy of group {:?}, found none", seat.group);
        return Err(about(Error::config(message)));
    };
    let policy = chosen.parts.policies.swap_remove(position);
    chosen.parts.policies = vec![policy];
    let mut states = chosen.states.take().unwrap_or_default();
    if position >= states.len() {
        let message = format!("expected {} policies, found {}", position + 1, states.len());
        return Err(about(Error::config(message)));
    }
    Ok((chosen, states.swap_remove(position)))
}
