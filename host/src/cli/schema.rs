//! `palaestra schema`: the JSON Schema of a configuration, as the manifest has it.

use std::process::ExitCode;

use palaestra_plugin_api::Result;

use super::output::{print_json, remark};
use super::{Common, lookup::lookup};

const EXAMPLES: &str = "Examples:
  palaestra schema classic/CartPole-v1
  palaestra schema CartPole > cart-pole.schema.json

The schema is in the plugin's file: nothing of the plugin runs.";

/// Print the JSON Schema of a configuration.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SchemaArgs {
    /// Id, such as classic/CartPole-v1; version and namespace may be left out.
    #[arg(value_name = "ID")]
    id: String,
}

/// Runs the command.
///
/// # Errors
/// An unknown name.
pub(crate) fn run(args: &SchemaArgs, common: &Common) -> Result<ExitCode> {
    let session = common.session()?;
    let found = lookup(session.registry(), &args.id)?;
    found.notes.iter().for_each(|note| remark("note", note));
    print_json(&found.entry.export.schema)?;
    Ok(ExitCode::SUCCESS)
}
