//! `palaestra new`: a crate to start from, written from the template that this workspace builds and tests.

mod crate_files;
mod name;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use palaestra_plugin_api::{Error, ErrorKind, Result};
use serde_json::json;

use self::crate_files::{Api, files};
use self::name::Names;
use super::Common;
use super::output::{print, print_json};

const EXAMPLES: &str = "Examples:
  palaestra new environment rescue/Flood-v0
  palaestra new environment Flood --dir ~/projects/flood
  palaestra new environment rescue/Flood-v0 --api-path ~/palaestra/plugin-api";

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
    #[command(after_help = EXAMPLES)]
    Environment(EnvironmentArgs),
}

#[derive(Debug, clap::Args)]
struct EnvironmentArgs {
    /// Name of the environment: [namespace/]Name[-vN], such as rescue/Flood-v0.
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
    let NewCommand::Environment(args) = &args.command;
    let names = Names::parse(&args.name)?;
    let api = Api::choose(args.api_path.as_deref())?;
    let folder = args
        .dir
        .clone()
        .unwrap_or_else(|| PathBuf::from(&names.package));
    let files = files(&names, &api);
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
        print(&next_steps(&names, &folder))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn next_steps(names: &Names, folder: &Path) -> String {
    let (id, library) = (names.id(), names.library());
    format!(
        "{}: {id}, to be changed into yours; next:\n  cd {}\n  cargo test\n  cargo build --release\n  \
         palaestra registry trust target/release/{library}\n  palaestra check target/release/{library}\n  \
         palaestra render {id} --plugin-dir target/release\n",
        folder.display(),
        folder.display()
    )
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
