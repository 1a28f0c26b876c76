//! `palaestra bench`: how fast environments and training are through the host's own loops.

mod environment;
mod train;

use std::process::ExitCode;

use palaestra_plugin_api::Result;

use super::Common;

const EXAMPLES: &str = "Examples:
  palaestra bench environment mpe/SimpleSpread-v3 --threads 1,2 --json
  palaestra bench train classic/CartPole-v1 core/PPO-v0";

/// Measure speed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Environment(environment::EnvironmentArgs),
    Train(train::TrainArgs),
}

/// Runs the command.
///
/// # Errors
/// An unknown name, a wrong setting, or a plugin at fault.
pub(crate) fn run(args: &BenchArgs, common: &Common) -> Result<ExitCode> {
    match &args.what {
        What::Environment(args) => environment::run(args, common),
        What::Train(args) => train::run(args, common),
    }
}
