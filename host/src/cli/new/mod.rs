//! `palaestra new`: a crate to start from, written from a template that this workspace builds and tests.

mod crate_files;
mod name;
mod template;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use palaestra_plugin_api::{Error, ErrorKind, Result};
use serde_json::json;

use self::crate_files::{Api, files};
use self::name::Names;
use self::template::Template;
use super::Common;
use super::output::{print, print_json};

const EXAMPLES: &str = "Examples:
  palaestra new environment rescue/Flood-v0
  palaestra new algorithm lab/Climber-v0
  palaestra new coordination lab/Whisper-v0
  palaestra new environment Flood --dir ~/projects/flood
  palaestra new algorithm lab/Climber-v0 --api-path ~/palaestra/plugin-api";

/// Write a plugin crate to start from.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct NewArgs {
    #[command(subcommand)]
    command: NewCommand,
}

#[derive(Debug, Subcommand)]
enum NewCommand {
    /// A crate with one small, complete environment: settings, tests, picture, README.
    #[command(after_help = ENVIRONMENT_EXAMPLES)]
    Environment(CrateArgs),
    /// A crate with one small, complete learning algorithm: settings, acting, learning, snapshots, tests, README.
    #[command(after_help = ALGORITHM_EXAMPLES)]
    Algorithm(CrateArgs),
    /// A crate with one small, complete coordination mechanism: settings, a learned channel and its way back, tests,
    /// README.
    #[command(after_help = COORDINATION_EXAMPLES)]
    Coordination(CrateArgs),
}

const ENVIRONMENT_EXAMPLES: &str = "Examples:
  palaestra new environment rescue/Flood-v0
  palaestra new environment Flood --dir ~/projects/flood
  palaestra new environment rescue/Flood-v0 --api-path ~/palaestra/plugin-api";

const ALGORITHM_EXAMPLES: &str = "Examples:
  palaestra new algorithm lab/Climber-v0
  palaestra new algorithm Climber --dir ~/projects/climber
  palaestra new algorithm lab/Climber-v0 --api-path ~/palaestra/plugin-api

The learning kit, palaestra-learning, is looked for in plugins/learning beside the folder of palaestra-plugin-api.";

const COORDINATION_EXAMPLES: &str = "Examples:
  palaestra new coordination lab/Whisper-v0
  palaestra new coordination Whisper --dir ~/projects/whisper
  palaestra new coordination lab/Whisper-v0 --api-path ~/palaestra/plugin-api";

#[derive(Debug, clap::Args)]
struct CrateArgs {
    /// Name of what is new: [namespace/]Name[-vN], such as rescue/Flood-v0.
    name: String,
    /// Folder to make [default: NAMESPACE-NAME in this folder].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Folder of the crate palaestra-plugin-api [default: that of the workspace this program was built in, if it is
    /// still there; else the published crate].
    #[arg(long, value_name = "DIR")]
    api_path: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// A name outside the grammar, a folder that is there already, files that cannot be written.
pub(crate) fn run(args: &NewArgs, common: &Common) -> Result<ExitCode> {
    let (template, args) = match &args.command {
        NewCommand::Environment(args) => (&template::ENVIRONMENT, args),
        NewCommand::Algorithm(args) => (&template::ALGORITHM, args),
        NewCommand::Coordination(args) => (&template::COORDINATION, args),
    };
    let names = Names::parse(&args.name, template.taken)?;
    let api = Api::choose(args.api_path.as_deref())?;
    let folder = args
        .dir
        .clone()
        .unwrap_or_else(|| PathBuf::from(&names.package));
    let files = files(template, &names, &api);
    write(&folder, &files)?;
    if common.json {
        let written: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        print_json(&json!({
            "id": names.id(),
            "folder": folder.display().to_string(),
            "library": names.library(),
            "files": written,
        }))?;
    } else {
        print(&next_steps(template, &names, &folder))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn next_steps(template: &Template, names: &Names, folder: &Path) -> String {
    let (id, library) = (names.id(), format!("target/release/{}", names.library()));
    let mut steps = format!(
        "{}: {id}, to be changed into yours; next:\n  cd {}\n  cargo test\n  cargo build --release\n  \
         palaestra registry trust {library}\n",
        folder.display(),
        folder.display()
    );
    for step in template.try_it {
        let step = step.replace("ID", &id).replace("LIBRARY", &library);
        steps.push_str(&format!("  {step}\n"));
    }
    steps
}

/// Writes the files into a new folder; one that is there is left alone.
fn write(folder: &Path, files: &[(String, String)]) -> Result<()> {
    let failed = |path: &Path, e: std::io::Error| {
        Error::new(ErrorKind::Io, format!("{}: {e}", path.display()))
    };
    if let Some(parent) = folder.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(|e| failed(parent, e))?;
    }
    fs::create_dir(folder).map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => Error::config(format!(
            "folder {}: expected none, found one that is there already; choose another with --dir",
            folder.display()
        )),
        _ => failed(folder, e),
    })?;
    for (path, text) in files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| failed(parent, e))?;
        }
        fs::write(&path, text).map_err(|e| failed(&path, e))?;
    }
    Ok(())
}
