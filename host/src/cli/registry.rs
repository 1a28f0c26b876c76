//! `palaestra registry`: what lies on the search path, and which of it is trusted.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use palaestra_plugin_api::{Error, ErrorKind, Result};
use palaestra_registry::consent::{self, State};
use palaestra_registry::lock::LockedPlugin;
use palaestra_registry::{Manifest, PluginFile, Sha256, inspect, pack};
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
pub struct RegistryArgs {
    #[command(subcommand)]
    command: RegistryCommand,
}

#[derive(Debug, Subcommand)]
enum RegistryCommand {
    /// List plugin files, those with a problem among them.
    #[command(after_help = "Examples:\n  palaestra registry list\n  palaestra registry list --plugin-dir . --json")]
    List,
    /// Trust libraries: their code may run from now on.
    #[command(after_help = "Examples:\n  palaestra registry trust libfoo.so\n  palaestra registry trust --yes a/libfoo.so b/libbar.so")]
    Trust {
        /// Plugin libraries; all of them or none.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Take libraries out of plugins.lock.
    #[command(after_help = "Examples:\n  palaestra registry untrust libfoo.so\n  palaestra registry untrust 3f9a01")]
    Untrust {
        /// A path, a file name, or at least six digits of a sha256.
        #[arg(value_name = "FILE|SHA256", required = true)]
        what: Vec<String>,
    },
    /// Hash every trusted library on the search path again; exit code 1 when one changed or is missing.
    #[command(after_help = "Examples:\n  palaestra registry verify\n  palaestra registry verify --json")]
    Verify,
    /// Make one archive a library, with manifest, schemas, licence and readme.
    #[command(after_help = "Examples:\n  palaestra registry pack librescue.so\n  palaestra registry pack librescue.so --document README.md --out dist")]
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
pub fn run(args: &RegistryArgs, common: &Common) -> Result<ExitCode> {
    match &args.command {
        RegistryCommand::List => list(common),
        RegistryCommand::Trust { files, yes } => trust(files, *yes, common),
        RegistryCommand::Untrust { what } => untrust(what, common),
        RegistryCommand::Verify => verify(common),
        RegistryCommand::Pack { files, documents, out } => pack_files(files, documents, out, common),
    }
}

fn list(common: &Common) -> Result<ExitCode> {
    let session = common.session()?;
    let registry = session.registry();
    registry.warnings().iter().for_each(|w| remark("warning", w));
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
            (Some(m), _) => row(format!("{} {}", m.plugin, m.version), m.exports.len().to_string(), short_hash(plugin)),
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
    plugin.sha256().map(|sha256| sha256.to_string()[..12].to_owned()).unwrap_or_default()
}

/// A library that is about to be trusted.
struct Candidate {
    path: PathBuf,
    manifest: Manifest,
    sha256: Sha256,
}

fn trust(files: &[PathBuf], yes: bool, common: &Common) -> Result<ExitCode> {
    let candidates = files.iter().map(candidate).collect::<Result<Vec<_>>>()?;
    if !yes {
        // Shown on standard error, where the question is asked too.
        remark("trust", "the code of these libraries may run from now on, with all your rights");
        candidates.iter().for_each(|c| remark(&c.path.display().to_string(), &about(c)));
        if !confirmed()? {
            return Err(Error::new(ErrorKind::Cancelled, "trust: nothing was trusted"));
        }
    }
    let options = common.registry_options();
    let trusted = consent::trust(files, &options)?;
    for (shown, entry) in candidates.iter().zip(&trusted) {
        if shown.sha256 != entry.entry.sha256 {
            consent::untrust(&[entry.entry.sha256.to_string()], &options)?;
            return Err(Error::plugin(format!(
                "plugin {}: expected the sha256 that was shown, found {}; the file changed meanwhile and is not trusted",
                shown.path.display(),
                entry.entry.sha256
            )));
        }
    }
    if common.json {
        print_json(&trusted.iter().map(|t| locked_json(&t.entry)).collect::<Vec<_>>())?;
        return Ok(ExitCode::SUCCESS);
    }
    for (candidate, trusted) in candidates.iter().zip(&trusted) {
        let replaced = trusted.replaced.as_ref().filter(|old| old.sha256 != trusted.entry.sha256);
        let replaced = replaced.map(|old| format!(", in place of {}", old.sha256)).unwrap_or_default();
        print(&format!("trusted {}{replaced}\n", about(candidate)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn candidate(path: &PathBuf) -> Result<Candidate> {
    let subject = |e: Error| e.within(format!("plugin {}", path.display()));
    let (file, metadata) = inspect::open(path).map_err(subject)?;
    let manifest = inspect::inspect_file(file, &metadata).map_err(subject)?;
    let manifest = manifest.ok_or_else(|| subject(Error::plugin("expected a Palaestra plugin, found another library")))?;
    Ok(Candidate { path: path.clone(), manifest, sha256: consent::hash_file(path).map_err(subject)? })
}

fn about(candidate: &Candidate) -> String {
    let m = &candidate.manifest;
    format!("{} {}: {}; sha256 {}", m.plugin, m.version, ids(m).join(", "), candidate.sha256)
}

/// Asks on the terminal.
fn confirmed() -> Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Error::config(
            "trust: expected a terminal to ask on, found none; pass --yes if you trust these libraries",
        ));
    }
    let io = |e: io::Error| Error::new(ErrorKind::Io, format!("terminal: {e}"));
    write!(io::stderr(), "trust them? [y/N] ").and_then(|()| io::stderr().flush()).map_err(io)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(io)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

fn untrust(what: &[String], common: &Common) -> Result<ExitCode> {
    let gone = consent::untrust(what, &common.registry_options())?;
    if common.json {
        print_json(&gone.iter().map(locked_json).collect::<Vec<_>>())?;
    } else {
        for entry in &gone {
            print(&format!("no longer trusted: {} {} {}, sha256 {}\n", entry.file, entry.plugin, entry.version, entry.sha256))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn verify(common: &Common) -> Result<ExitCode> {
    let found = consent::verify(&common.registry_options())?;
    let sound = found.iter().all(|(_, state)| matches!(state, State::Present(_)));
    if common.json {
        print_json(&found.iter().map(verified_json).collect::<Vec<_>>())?;
    } else {
        let mut table = Table::bare();
        for (entry, state) in &found {
            let (ink, word, detail) = match state {
                State::Present(path) => (Ink::Good, "present", path.display().to_string()),
                State::Changed(path, sha256) => (Ink::Bad, "changed", format!("{} is {sha256}", path.display())),
                State::Missing => (Ink::Warn, "missing", "no file of its name on the search path".to_owned()),
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
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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

fn pack_files(files: &[PathBuf], documents: &[PathBuf], out: &std::path::Path, common: &Common) -> Result<ExitCode> {
    let packed = pack::pack(files, documents, out)?;
    if common.json {
        let archives = packed.iter().map(|p| {
            json!({"archive": p.archive.display().to_string(), "sha256": p.sha256, "files": p.files})
        });
        print_json(&archives.collect::<Vec<_>>())?;
    } else {
        for p in &packed {
            print(&format!("{} ({} files, sha256 {})\n", p.archive.display(), p.files.len(), p.sha256))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
