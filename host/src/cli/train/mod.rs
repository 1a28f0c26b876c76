//! `palaestra train`: compose environment, algorithm and coordination by name, and let them learn.

mod compose;
mod curve;
mod lock;
mod seeds;

use std::{path::PathBuf, process::ExitCode};

use palaestra_plugin_api::{Error, Result, algorithm::Role};
use serde::Serialize;
use serde_json::Value;

use super::{
    Common,
    output::{Ink, Paint, print, print_json, remark},
    report_text::number,
};
use crate::{
    experiment::{Experiment, Setting},
    rollout::Workers,
    runs::{Interrupt, Progress, ProgressMode, RunFolder},
    session::Session,
    training::{
        composition::{Composition, Parts},
        plan::threads,
        run::{Finished, Run, RunPlan, summary},
    },
    wrappers::WrapperSpec,
};
pub(crate) use lock::{differences, locked};
use seeds::Seeds;

const EXAMPLES: &str = "Examples:
  palaestra train classic/CartPole-v1 core/PPO-v0
  palaestra train mpe/SimpleSpread-v3 core/MAPPO-v0 --seed 0..5 --steps 1000000 --num-envs 64
  palaestra train SimpleSpread MAPPO --coordination comm/Broadcast-v0 --set algorithm.lr=5e-4
  palaestra train Pendulum PPO --policy-wrapper RescaleAction --policy-wrapper NormaliseReward.gamma=0.95
  palaestra train experiment.toml --json

The run's folder below --out has every setting (experiment.resolved.toml, which can be trained again), \
metrics.csv, TensorBoard events, checkpoints and a learning curve. Ctrl-C leaves a checkpoint; palaestra \
resume RUN goes on.";

/// Train a policy: environment and algorithm by name, or an experiment file.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TrainArgs {
    /// Environment, such as classic/CartPole-v1, or an experiment file (.toml, .json).
    #[arg(value_name = "ENV|FILE")]
    what: String,
    /// Algorithm, such as core/PPO-v0; not with a file.
    #[arg(value_name = "ALGO")]
    algorithm: Option<String>,
    /// Coordination mechanism, such as comm/Broadcast-v0 (repeatable, the first closest to the environment).
    #[arg(long, value_name = "NAME")]
    coordination: Vec<String>,
    /// A setting of the experiment, such as algorithm.lr=3e-4 (repeatable; the value is TOML, or else text).
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = crate::experiment::parse)]
    settings: Vec<Setting>,
    /// Seed, or several: 3, 0..5 (0 to 4), 1,4,7.
    #[arg(long, value_name = "SEEDS")]
    seed: Option<Seeds>,
    /// Env steps, over all instances.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// Instances of the environment.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    num_envs: Option<u32>,
    /// Threads; they change no result.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Device of the algorithm: cpu, cuda:0, auto.
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// A world wrapper, such as TimeLimit.max_episode_steps=50 (repeatable, from the inside out).
    #[arg(long = "wrapper", value_name = "NAME[.KEY=VALUE,…]")]
    wrappers: Vec<WrapperSpec>,
    /// A policy wrapper of every algorithm, such as FrameStack.frames=4 (repeatable, from the inside out).
    #[arg(long = "policy-wrapper", value_name = "NAME[.KEY=VALUE,…]")]
    policy_wrappers: Vec<WrapperSpec>,
    /// Folder that run folders are made in.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// No progress, only the result.
    #[arg(long)]
    quiet: bool,
}

/// One finished run as JSON.
#[derive(Debug, Serialize)]
struct Document {
    run: PathBuf,
    environment: String,
    algorithm: Vec<String>,
    coordination: Vec<String>,
    seed: u64,
    steps: u64,
    wall_seconds: f64,
    interrupted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluation: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    learning_curve: Option<PathBuf>,
}

/// Several finished runs as JSON.
#[derive(Debug, Serialize)]
struct Documents {
    /// Mean over the seeds of the mean return.
    mean_return: f64,
    /// Standard error over the seeds.
    standard_error: f64,
    runs: Vec<Document>,
    #[serde(skip_serializing_if = "Option::is_none")]
    learning_curve: Option<PathBuf>,
}

/// How runs are shown while they go on.
#[derive(Clone, Copy)]
pub(crate) struct Show {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
}

/// Runs the command.
///
/// # Errors
/// What does not fit, a plugin at fault, a folder that cannot be written.
pub(crate) fn run(args: &TrainArgs, common: &Common) -> Result<ExitCode> {
    let experiment = compose::experiment(args)?;
    let session = common.learning_session(experiment.training.threads)?;
    let interrupt = Interrupt::install()?;
    let show = Show {
        json: common.json,
        quiet: args.quiet,
    };
    let seeds = args.seed.clone().unwrap_or_else(|| experiment.seed.into());
    let mut documents = Vec::new();
    for (position, &seed) in seeds.as_slice().iter().enumerate() {
        let experiment = Experiment {
            seed,
            ..experiment.clone()
        };
        let document = one(&experiment, &session, args, &interrupt, show, position == 0)?;
        let interrupted = document.interrupted;
        if !common.json {
            print(&text(&document))?;
        }
        documents.push(document);
        if interrupted {
            break;
        }
    }
    finish(documents, args, common)?;
    Ok(ExitCode::SUCCESS)
}

/// Trains one seed in a folder of its own.
fn one(
    experiment: &Experiment,
    session: &Session,
    args: &TrainArgs,
    interrupt: &Interrupt,
    show: Show,
    first: bool,
) -> Result<Document> {
    let resolved = experiment.resolve(session)?;
    if first {
        resolved.notes.iter().for_each(|note| remark("note", note));
    }
    let (parts, plan) = (Parts::of(&resolved), RunPlan::of(&resolved.experiment));
    let composition = Composition::check(&parts, Role::Learner, plan.training.num_envs)?;
    trainable(&composition, &parts)?;
    composition.fits(plan.training.num_envs)?;
    let names = |names: Vec<&str>| (!names.is_empty()).then(|| names.join("+"));
    let algorithms = names(parts.policies.iter().map(|p| p.algorithm.id()).collect());
    let mechanisms = names(parts.mechanisms.iter().map(|m| m.id()).collect());
    let folder = RunFolder::create(
        &args.out,
        parts.environment.id(),
        &algorithms.unwrap_or_default(),
        mechanisms.as_deref(),
        experiment.seed,
        None,
    )?;
    let _held = folder.hold()?;
    folder.write_plugins_lock(&locked(&parts))?;
    folder.write_experiment(&resolved.experiment.to_toml()?)?;
    let workers = workers(&resolved.experiment)?;
    let progress = Progress::new(ProgressMode::choose(show.json, show.quiet), 0, plan.steps);
    let run = Run::start((&parts, &composition), &plan, &folder, &workers, progress)?;
    let finished = run.train(interrupt)?;
    document(&folder, &resolved.experiment, &finished)
}

/// Whether there is anything to learn.
fn trainable(composition: &Composition, parts: &Parts) -> Result<()> {
    if composition.learns {
        return Ok(());
    }
    let names: Vec<_> = parts.policies.iter().map(|p| p.algorithm.id()).collect();
    let names = names.join(" and ");
    let message = format!("algorithm: expected one that learns, found {names}, which only acts");
    let environment = parts.environment.id();
    let next = format!("see what it is worth: palaestra eval {environment} {names}");
    Err(Error::config(message).with_next(next))
}

/// The threads that an experiment asks for.
pub(crate) fn workers(experiment: &Experiment) -> Result<Workers> {
    let training = &experiment.training;
    Workers::new(threads(training.threads, training.num_envs))
}

/// Draws the curve and tells what a run has come to.
fn document(folder: &RunFolder, experiment: &Experiment, finished: &Finished) -> Result<Document> {
    let learning_curve = match curve::draw(folder, experiment) {
        // Stopped before anything was worth a row.
        _ if finished.interrupted && !folder.metrics().exists() => None,
        Ok(path) => Some(path),
        Err(error) => {
            // A picture that cannot be drawn takes nothing from the run.
            remark("warning", &error.to_string());
            None
        }
    };
    let report = finished.evaluation.as_ref();
    Ok(Document {
        run: folder.path().to_owned(),
        environment: experiment.environment.name.clone(),
        algorithm: experiment
            .algorithm
            .iter()
            .map(|a| a.name.clone())
            .collect(),
        coordination: experiment
            .coordination
            .iter()
            .map(|c| c.name.clone())
            .collect(),
        seed: experiment.seed,
        steps: finished.steps,
        wall_seconds: finished.wall.as_secs_f64(),
        interrupted: finished.interrupted,
        evaluation: report.map(|report| summary(report, finished.random)),
        learning_curve,
    })
}

/// Tells of a run that was trained to its end, or interrupted.
///
/// # Errors
/// Standard output that cannot be written.
pub(crate) fn tell(
    folder: &RunFolder,
    experiment: &Experiment,
    finished: &Finished,
    json: bool,
) -> Result<()> {
    let document = document(folder, experiment, finished)?;
    if json {
        return print_json(&document);
    }
    print(&text(&document))
}

fn finish(mut documents: Vec<Document>, args: &TrainArgs, common: &Common) -> Result<()> {
    if documents.len() == 1 {
        return match common.json {
            true => print_json(&documents.remove(0)),
            false => Ok(()),
        };
    }
    let returns: Vec<f64> = documents
        .iter()
        .filter_map(|d| d.evaluation.as_ref()?["mean_return"].as_f64())
        .collect();
    let moments = crate::rollout::Moments::of(returns.iter().copied());
    let learning_curve = curve::draw_seeds(&args.out, &documents).map_or_else(
        |error| {
            remark("warning", &error.to_string());
            None
        },
        Some,
    );
    if common.json {
        return print_json(&Documents {
            mean_return: moments.mean,
            standard_error: moments.standard_error(),
            runs: documents,
            learning_curve,
        });
    }
    let paint = Paint::stdout();
    let mean = paint.paint(Ink::Bold, &number(moments.mean));
    let mut text = format!(
        "{} seeds: return {mean} ± {} (standard error over the seeds)\n",
        returns.len(),
        number(moments.standard_error())
    );
    if let Some(path) = learning_curve {
        text.push_str(&format!("  learning curve: {}\n", path.display()));
    }
    print(&text)
}

fn text(document: &Document) -> String {
    let paint = Paint::stdout();
    let names = document.algorithm.iter().chain(&document.coordination);
    let names: Vec<_> = names.map(String::as_str).collect();
    let mut text = format!(
        "{} with {}, seed {}: {} env steps in {:.1} s\n",
        paint.paint(Ink::Bold, &document.environment),
        names.join(" and "),
        document.seed,
        document.steps,
        document.wall_seconds
    );
    if let Some(evaluation) = &document.evaluation {
        let of = |name: &str| evaluation[name].as_f64().map(number).unwrap_or_default();
        text.push_str(&format!(
            "  return {} ± {} over {} evaluation episodes (random actions: {})\n",
            paint.paint(Ink::Bold, &of("mean_return")),
            of("standard_error"),
            evaluation["episodes"],
            of("random_return_mean")
        ));
    }
    if document.interrupted {
        let run = document.run.display();
        text.push_str(&format!(
            "  interrupted; go on with: palaestra resume {run}\n"
        ));
    }
    text.push_str(&format!("  run folder: {}\n", document.run.display()));
    if let Some(path) = &document.learning_curve {
        text.push_str(&format!("  learning curve: {}\n", path.display()));
    }
    text
}
