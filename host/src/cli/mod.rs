//! The command line: one module a command.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};
use palaestra_plugin_api::{Error, Result};
use palaestra_registry::Options;

use crate::session::Session;

/// Multi-agent reinforcement learning from compiled plugins.
///
/// Environments, algorithms and coordination mechanisms are shared libraries in plugin folders; compose
/// them by name.
#[derive(Debug, Parser)]
#[command(name = "palaestra", version, about, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  palaestra list environments
  palaestra describe classic/CartPole-v1
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
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command.run(&cli.common) {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

/// Prints an error on one line and gives its exit code.
fn fail(error: &Error) -> ExitCode {
    eprintln!("palaestra: {error}");
    ExitCode::from(error.kind.exit_code())
}
