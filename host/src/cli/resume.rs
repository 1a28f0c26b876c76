//! `palaestra resume`: goes on with a run where its last checkpoint was written.

use std::{path::PathBuf, process::ExitCode};

use palaestra_plugin_api::{Result, algorithm::Role};

use super::{
    Common,
    output::remark,
    train::{differences, tell, workers},
};
use crate::{
    experiment::Experiment,
    runs::{Interrupt, Progress, ProgressMode, RunFolder, checkpoints},
    training::{
        composition::{Composition, Parts},
        run::{Run, RunPlan},
    },
};

const EXAMPLES: &str = "Examples:
  palaestra resume runs/classic-CartPole-v1_core-PPO-v0_s0_20260101T120000
  palaestra resume RUN --steps 2000000

On the CPU a resumed run ends with the same weights and metrics as one that was never stopped. A checkpoint \
that is damaged is passed over for the one before it, with a warning.";

/// Go on with a run from its last checkpoint.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ResumeArgs {
    /// Folder of the run.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Env steps in all, to train longer than was planned.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// Threads; they change no result.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// No progress, only the result.
    #[arg(long)]
    quiet: bool,
}

/// Runs the command.
///
/// # Errors
/// A folder that is no run or is in use, no checkpoint that can be read, a plugin at fault.
pub(crate) fn run(args: &ResumeArgs, common: &Common) -> Result<ExitCode> {
    let folder = RunFolder::open(&args.run)?;
    let _held = folder.hold()?;
    let mut experiment = Experiment::read(&folder.experiment())?;
    if let Some(steps) = args.steps {
        experiment.training.steps = steps;
        folder.write_experiment(&experiment.to_toml()?)?;
    }
    let threads = args.threads.map(usize::from);
    experiment.training.threads = threads.or(experiment.training.threads);
    let session = common.learning_session(experiment.training.threads)?;
    let resolved = experiment.resolve(&session)?;
    let (parts, plan) = (Parts::of(&resolved), RunPlan::of(&resolved.experiment));
    let composition = Composition::check(&parts, Role::Learner, plan.training.num_envs)?;
    let changed = differences(&folder, &parts);
    changed.iter().for_each(|change| remark("warning", change));
    let workers = workers(&resolved.experiment)?;
    let interrupt = Interrupt::install()?;
    let mode = ProgressMode::choose(common.json, args.quiet);
    let of = (&parts, &composition);
    let run = if checkpoints::any(&folder.checkpoints())? {
        let mut loaded = checkpoints::latest(&folder.checkpoints())?;
        for fallback in &loaded.fallbacks {
            remark("warning", &fallback.to_string());
        }
        let progress = Progress::new(mode, loaded.checkpoint.step(), plan.steps);
        let from = &mut loaded.checkpoint;
        Run::resume(of, &plan, &folder, &workers, progress, from)?
    } else {
        remark(
            "note",
            "nothing was saved before the run was stopped: it starts from the beginning",
        );
        let progress = Progress::new(mode, 0, plan.steps);
        Run::start(of, &plan, &folder, &workers, progress)?
    };
    let finished = run.train(&interrupt)?;
    tell(&folder, &resolved.experiment, &finished, common.json)?;
    Ok(ExitCode::SUCCESS)
}
