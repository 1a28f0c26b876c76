//! The hidden subcommand: one check in this process, one line of JSON at its end.

use std::{path::PathBuf, process::ExitCode};

use palaestra_plugin_api::{
    Error, ErrorKind, Result,
    client::{Context, EnvironmentHandle, MakeEnvironment},
    testing::{Check, CheckReport, Status, run_check},
};
use palaestra_registry::{Export, Kind, Options, Plugin, manifest::Door};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    fuzz::{config_fuzz, defaults_validate},
    library::report,
    loading::{environments, load, subject},
};
use crate::cli::Common;

/// Run one check of a plugin in this process.
#[derive(Clone, Debug, clap::Args)]
pub struct WorkerArgs {
    /// The plugin's file.
    #[arg(long)]
    pub(super) plugin: PathBuf,
    /// The environment, for checks of one.
    #[arg(long)]
    pub(super) id: Option<String>,
    /// Name of the check.
    #[arg(long)]
    pub(super) check: String,
    /// Seed of the check.
    #[arg(long)]
    pub(super) seed: u64,
    /// Configuration of the environment, a JSON object.
    #[arg(long, default_value = "{}")]
    pub(super) config: String,
    /// Most address space of this process [MiB]; 0 for no limit.
    #[arg(long, default_value_t = 0)]
    pub(super) memory: u64,
}

/// The line at the end of a worker's output. A plugin may print too: the name tells it apart.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) palaestra_check: CheckReport,
}

/// Runs the command.
///
/// # Errors
/// An unknown check, or a report that cannot be written; what the plugin does wrong is in the report.
pub fn run(args: &WorkerArgs, common: &Common) -> Result<ExitCode> {
    limit_resources(args.memory)?;
    let palaestra_check = answer(args, &common.registry_options())?;
    let line = serde_json::to_string(&Answer { palaestra_check })
        .map_err(|e| Error::new(ErrorKind::Host, format!("report: {e}")))?;
    // A plugin may have left its last line open.
    crate::cli::output::print(&format!("\n{line}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// Limits this process before it loads anything: memory as asked, and no core files of crashes that are expected.
fn limit_resources(memory: u64) -> Result<()> {
    let set = |resource, limit| {
        let maximum = getrlimit(resource).maximum;
        let limit = Rlimit {
            current: Some(limit),
            maximum,
        };
        setrlimit(resource, limit)
            .map_err(|e| Error::new(ErrorKind::Io, format!("resource limit: {e}")))
    };
    set(Resource::Core, 0)?;
    if memory > 0 {
        set(Resource::As, memory << 20)
    } else {
        Ok(())
    }
}

fn answer(args: &WorkerArgs, options: &Options) -> Result<CheckReport> {
    let loaded = load(&args.plugin, options);
    let seed = args.seed;
    match args.check.as_str() {
        "layout-present" => return Ok(layout_present(&loaded, seed)),
        "abi-compatible" => return Ok(abi_compatible(&loaded, seed)),
        _ => {}
    }
    let plugin = match loaded {
        Ok(plugin) => plugin,
        Err(e) => {
            return Ok(report(
                &args.check,
                Status::Skipped,
                format!("{e}; see abi-compatible"),
                seed,
            ));
        }
    };
    match (&args.id, args.check.as_str()) {
        (None, "unknown-name-refused") => Ok(unknown_name_refused(&plugin, seed)),
        (Some(id), check) => environment_check(&plugin, id, check, args),
        (None, check) => Err(Error::config(format!(
            "check {check:?}: expected a check of a library"
        ))),
    }
}

fn environment_check(
    plugin: &Plugin,
    id: &str,
    check: &str,
    args: &WorkerArgs,
) -> Result<CheckReport> {
    let config: Value =
        serde_json::from_str(&args.config).map_err(|e| Error::config(format!("config: {e}")))?;
    let export = export_of(plugin, id)?;
    let subject = match subject(plugin, id, config) {
        Ok(subject) => subject,
        Err(e) => return Ok(report(check, Status::Failed, e.message, args.seed)),
    };
    match check {
        "defaults-validate" => Ok(defaults_validate(&subject, &export.schema, args.seed)),
        "config-fuzz" => Ok(config_fuzz(
            &subject,
            &export.schema,
            plugin.manifest.door,
            args.seed,
        )),
        _ => {
            let found = Check::named(check)
                .ok_or_else(|| Error::config(format!("check {check:?}: expected a known name")))?;
            Ok(run_check(&subject, found, args.seed))
        }
    }
}

fn export_of<'a>(plugin: &'a Plugin, id: &str) -> Result<&'a Export> {
    let mut exports = plugin.manifest.exports.iter();
    let found = exports.find(|e| e.kind == Kind::Environment && e.id.to_string() == id);
    found.ok_or_else(|| {
        Error::config(format!(
            "environment {id:?} is not in plugin {}",
            plugin.manifest.plugin
        ))
    })
}

/// What the loader says of a library whose header has no layouts.
const NO_LAYOUT: &str = "expected type layouts to check";

fn layout_present(loaded: &Result<Plugin>, seed: u64) -> CheckReport {
    let (status, detail) = match loaded {
        Ok(plugin) if plugin.manifest.door == Door::C => {
            (Status::Skipped, "the c door has sizes, not layouts".into())
        }
        Ok(_) => (Status::Passed, "the header carries its layouts".into()),
        Err(e) if e.message.contains(NO_LAYOUT) => (Status::Failed, e.message.clone()),
        Err(e) => (Status::Skipped, format!("{e}; see abi-compatible")),
    };
    report("layout-present", status, detail, seed)
}

fn abi_compatible(loaded: &Result<Plugin>, seed: u64) -> CheckReport {
    let (status, detail) = match loaded {
        Ok(plugin) => {
            let abi = &plugin.manifest.abi;
            let draft = abi
                .draft
                .map(|d| format!(", draft {d}"))
                .unwrap_or_default();
            (Status::Passed, format!("abi {}{draft}", abi.version))
        }
        Err(e) if e.message.contains(NO_LAYOUT) => {
            (Status::Skipped, format!("{e}; see layout-present"))
        }
        Err(e) => (Status::Failed, e.message.clone()),
    };
    report("abi-compatible", status, detail, seed)
}

/// Names that the plugin does not have, and requests that are none, are refused with a reason.
fn unknown_name_refused(plugin: &Plugin, seed: u64) -> CheckReport {
    let check = |status, detail: String| report("unknown-name-refused", status, detail, seed);
    let factory = match environments(plugin) {
        Ok(factory) => factory,
        Err(_) => return check(Status::Skipped, "no factory of environments".into()),
    };
    let context = Context::default();
    for name in [
        "stranger/NoSuchEnvironment-v999",
        "",
        "no name at all",
        "\u{0}\n\"",
        &"x".repeat(100_000),
    ] {
        let shown: String = name.chars().take(40).collect();
        match EnvironmentHandle::make(factory, &context, &MakeEnvironment::new(name)) {
            Ok(_) => {
                return check(
                    Status::Failed,
                    format!("name {shown:?}: expected it to be refused, found it made"),
                );
            }
            Err(e) if e.kind == ErrorKind::Panicked => return check(Status::Crashed, e.message),
            Err(e) if e.message.is_empty() || e.message.contains("and no message") => {
                return check(
                    Status::Failed,
                    format!("name {shown:?}: expected a reason, found none"),
                );
            }
            Err(_) => {}
        }
    }
    check(Status::Passed, "5 unknown names refused".into())
}
