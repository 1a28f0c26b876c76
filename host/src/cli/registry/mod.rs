//! `palaestra registry`: what lies on the search path, and which of it is trusted.

mod trust;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use palaestra_plugin_api::Result;
use palaestra_registry::consent::{self, State};
use palaestra_registry::lock::LockedPlugin;
use palaestra_registry::{Manifest, PluginFile, pack};
use serde_json::{Value, json};

use super::Common;
use super::list::trust_ink;
use super::output::{Ink, Paint, Table, print, print_json, remark};

const EXAMPLES: &str = "Examples:
  palaestra registry list
  palaestra registry trust ~/Downloads/libfoo.so
  palaestra registry trust --yes target/release/librescue.so
  palaestra registry untrust libfoo.so
  palaestra registry verify
  palaestra registry pack target/release/librescue.so --out dist

Trust is by sha256, wherever the file lies, in plugins.lock in the user's configuration folder
(PALAESTRA_LOCK chooses another file). What was built beside this program with the same owner and no wider
permissions is trusted without; --locked switches that off.";

/// Plugin files: list, trust, untrust, verify, pack.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RegistryArgs {
    #[command(subcommand)]
    command: RegistryCommand,
}

#[derive(Debug, Subcommand)]
enum RegistryCommand {
    /// List plugin files, those with a problem among them.
    #[command(
        after_help = "Examples:\n  palaestra registry list\n  palaestra registry list --plugin-dir . --json"
    )]
    List,
    /// Trust libraries: their code may run from now on.
    #[command(
        after_help = "Examples:\n  palaestra registry trust libfoo.so\n  palaestra registry trust --yes a/libfoo.so b/libbar.so"
    )]
    Trust {
        /// Plugin libraries; all of them or none.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Take libraries out of plugins.lock.
    #[command(
        after_help = "Examples:\n  palaestra registry untrust libfoo.so\n  palaestra registry untrust 3f9a01"
    )]
    Untrust {
        /// A path, a file name, or at least six digits of a sha256.
        #[arg(value_name = "FILE|SHA256", required = true)]
        what: Vec<String>,
    },
    /// Hash every trusted library on the search path again; exit code 1 when one changed or is missing.
    #[command(
        after_help = "Examples:\n  palaestra registry verify\n  palaestra registry verify --json"
    )]
    Verify,
    /// Make one archive a library, with manifest, schemas, licence and readme.
    #[command(
        after_help = "Examples:\n  palaestra registry pack librescue.so\n  palaestra registry pack librescue.so --document README.md --out dist"
    )]
    Pack {
        /// Plugin libraries.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// Further files to put in, such as a licence (repeatable).
        #[arg(long = "document", value_name = "FILE")]
        documents: Vec<PathBuf>,
        /// Folder for the archives.
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
    },
}

/// Runs the command.
///
/// # Errors
/// A file that is no sound plugin, or that cannot be read or written; consent that nobody can give.
pub(crate) fn run(args: &RegistryArgs, common: &Common) -> Result<ExitCode> {
    match &args.command {
        RegistryCommand::List => list(common),
        RegistryCommand::Trust { files, yes } => trust::trust(files, *yes, common),
        RegistryCommand::Untrust { what } => untrust(what, common),
        RegistryCommand::Verify => verify(common),
        RegistryCommand::Pack {
            files,
            documents,
            out,
        } => pack_files(files, documents, out, common),
    }
}

fn list(common: &Common) -> Result<ExitCode> {
    let session = common.session()?;
    let registry = session.registry();
    registry
        .warnings()
        .iter()
        .for_each(|w| remark("warning", w));
    if common.json {
        let files: Vec<Value> = registry.plugins().iter().map(file_json).collect();
        print_json(&files)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new(&["file", "plugin", "trust", "offers", "sha256"]);
    for plugin in registry.plugins() {
        let trust = plugin.trust().word();
        let row = |name: String, offers: String, sha256: String| {
            [
                (Ink::Bold, plugin.path().display().to_string()),
                (Ink::Plain, name),
                (trust_ink(trust), trust.to_owned()),
                (Ink::Plain, offers),
                (Ink::Dim, sha256),
            ]
        };
        table.row(match (plugin.manifest(), plugin.problem()) {
            (Some(m), _) => row(
                format!("{} {}", m.plugin, m.version),
                m.exports.len().to_string(),
                short_hash(plugin),
            ),
            (None, Some(problem)) => row(String::new(), String::new(), problem.to_string()),
            (None, None) => row(String::new(), String::new(), String::new()),
        });
    }
    print(&table.render(Paint::stdout(), ""))?;
    Ok(ExitCode::SUCCESS)
}

fn file_json(plugin: &PluginFile) -> Value {
    let manifest = plugin.manifest();
    json!({
        "file": plugin.path().display().to_string(),
        "plugin": manifest.map(|m| &m.plugin),
        "version": manifest.map(|m| m.version.to_string()),
        "trust": plugin.trust().word(),
        "exports": manifest.map(ids),
        "sha256": plugin.sha256().ok(),
        "problem": plugin.problem().map(ToString::to_string),
    })
}

fn ids(manifest: &Manifest) -> Vec<String> {
    manifest.exports.iter().map(|e| e.id.to_string()).collect()
}

/// Enough digits to tell libraries apart, and for `untrust`.
fn short_hash(plugin: &PluginFile) -> String {
    plugin
        .sha256()
        .map(|sha256| sha256.to_string()[..12].to_owned())
        .unwrap_or_default()
}

fn untrust(what: &[String], common: &Common) -> Result<ExitCode> {
    let gone = consent::untrust(what, &common.registry_options())?;
    if common.json {
        print_json(&gone.iter().map(locked_json).collect::<Vec<_>>())?;
    } else {
        for entry in &gone {
            print(&format!(
                "no longer trusted: {} {} {}, sha256 {}\n",
                entry.file, entry.plugin, entry.version, entry.sha256
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn verify(common: &Common) -> Result<ExitCode> {
    let found = consent::verify(&common.registry_options())?;
    let sound = found
        .iter()
        .all(|(_, state)| matches!(state, State::Present(_)));
    if common.json {
        print_json(&found.iter().map(verified_json).collect::<Vec<_>>())?;
    } else {
        let mut table = Table::bare();
        for (entry, state) in &found {
            let (ink, word, detail) = match state {
                State::Present(path) => (Ink::Good, "present", path.display().to_string()),
                State::Changed(path, sha256) => (
                    Ink::Bad,
                    "changed",
                    format!("{} is {sha256}", path.display()),
                ),
                State::Missing => (
                    Ink::Warn,
                    "missing",
                    "no file of its name on the search path".to_owned(),
                ),
            };
            table.row([
                (ink, word.to_owned()),
                (Ink::Plain, entry.file.clone()),
                (Ink::Plain, format!("{} {}", entry.plugin, entry.version)),
                (Ink::Dim, detail),
            ]);
        }
        print(&table.render(Paint::stdout(), ""))?;
    }
    Ok(if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn verified_json((entry, state): &(LockedPlugin, State)) -> Value {
    let (word, path) = match state {
        State::Present(path) => ("present", Some(path)),
        State::Changed(path, _) => ("changed", Some(path)),
        State::Missing => ("missing", None),
    };
    let mut json = locked_json(entry);
    json["state"] = json!(word);
    json["path"] = json!(path.map(|p| p.display().to_string()));
    json
}

fn locked_json(entry: &LockedPlugin) -> Value {
    json!({
        "file": entry.file,
        "plugin": entry.plugin,
        "version": entry.version.to_string(),
        "sha256": entry.sha256,
        "size": entry.size,
        "trusted": entry.trusted,
    })
}

fn pack_files(
    files: &[PathBuf],
    documents: &[PathBuf],
    out: &Path,
    common: &Common,
) -> Result<ExitCode> {
    let packed = pack::pack(files, documents, out)?;
    if common.json {
        let archives = packed.iter().map(|p| {
            json!({"archive": p.archive.display().to_string(), "sha256": p.sha256, "files": p.files})
        });
        print_json(&archives.collect::<Vec<_>>())?;
    } else {
        for p in &packed {
            print(&format!(
                "{} ({} files, sha256 {})\n",
                p.archive.display(),
                p.files.len(),
                p.sha256
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
