//! The command line: one module a command.

mod bench;
mod describe;
mod eval;
mod fields;
mod list;
mod lookup;
mod new;
pub mod output;
mod registry;
mod render;
mod replay;
mod report_text;
mod resume;
mod rollout;
mod schema;
mod services;
pub mod set;
mod spec_text;
mod train;

use std::{panic, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use palaestra_plugin_api::{Error, ErrorKind, Result};
use palaestra_registry::Options;

use crate::{session::Session, training::plan::learning_threads};
use services::LearningServices;

/// Multi-agent reinforcement learning from compiled plugins.
///
/// Environments, algorithms and coordination mechanisms are shared libraries in plugin folders; compose
/// them by name.
#[derive(Debug, Parser)]
#[command(name = "palaestra", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  palaestra list environments
  palaestra describe classic/CartPole-v1
  palaestra train classic/CartPole-v1 core/PPO-v0
  palaestra eval runs/classic-CartPole-v1_core-PPO-v0_s0_20260101T120000
  palaestra rollout mpe/SimpleSpread-v3 --episodes 200
  palaestra render cards/KuhnPoker-v0 --text
  palaestra bench environment classic/CartPole-v1 --threads 1,2";

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// A folder to search for plugins, before all others (repeatable).
    #[arg(long = "plugin-dir", value_name = "DIR", global = true)]
    plugin_dirs: Vec<PathBuf>,
    /// Trust only what `registry trust` has recorded, not what was built beside this program.
    #[arg(long, global = true)]
    locked: bool,
    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

impl Common {
    /// Settings of the registry: environment variables, then these options.
    pub fn registry_options(&self) -> Options {
        let mut options = Options::from_environment();
        options.plugin_dirs = self.plugin_dirs.clone();
        options.locked |= self.locked;
        options
    }

    /// Scans the search path.
    ///
    /// # Errors
    /// Those of [`Session::open`].
    pub fn session(&self) -> Result<Session> {
        Session::open(self.registry_options())
    }

    /// A session whose plugins may keep the threads busy that an experiment asks for, and warn on standard error.
    ///
    /// # Errors
    /// Those of [`Session::open`].
    pub(crate) fn learning_session(&self, threads: Option<usize>) -> Result<Session> {
        let services = LearningServices::new(learning_threads(threads));
        Ok(self.session()?.with_services(services))
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::ListArgs),
    Describe(describe::DescribeArgs),
    Schema(schema::SchemaArgs),
    Bench(bench::BenchArgs),
    Rollout(rollout::RolloutArgs),
    Train(train::TrainArgs),
    Resume(resume::ResumeArgs),
    Eval(eval::EvalArgs),
    Replay(replay::ReplayArgs),
    Render(render::RenderArgs),
    Check(crate::check::CheckArgs),
    #[command(hide = true)]
    CheckWorker(crate::check::WorkerArgs),
    New(new::NewArgs),
    Registry(registry::RegistryArgs),
}

impl Command {
    fn run(&self, common: &Common) -> Result<ExitCode> {
        match self {
            Self::List(args) => list::run(args, common),
            Self::Describe(args) => describe::run(args, common),
            Self::Schema(args) => schema::run(args, common),
            Self::Bench(args) => bench::run(args, common),
            Self::Rollout(args) => rollout::run(args, common),
            Self::Train(args) => train::run(args, common),
            Self::Resume(args) => resume::run(args, common),
            Self::Eval(args) => eval::run(args, common),
            Self::Replay(args) => replay::run(args, common),
            Self::Render(args) => render::run(args, common),
            Self::Check(args) => crate::check::run(args, common),
            Self::CheckWorker(args) => crate::check::worker::run(args, common),
            Self::New(args) => new::run(args, common),
            Self::Registry(args) => registry::run(args, common),
        }
    }
}

/// Runs the command line of this process.
///
/// Exit codes: 0 ok, 1 a check failed, 2 usage or configuration, 3 plugin at fault, 4 files, 70 a bug here.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // A plugin's panics never get here: one that does is a bug of this program, and has been printed.
    match panic::catch_unwind(|| cli.command.run(&cli.common)) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => fail(&error),
        Err(_) => ExitCode::from(ErrorKind::Host.exit_code()),
    }
}

/// Prints an error on one line and gives its exit code.
fn fail(error: &Error) -> ExitCode {
    output::remark("palaestra", &error.to_string());
    ExitCode::from(error.kind.exit_code())
}
