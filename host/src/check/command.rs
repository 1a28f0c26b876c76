//! `palaestra check PLUGIN`.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::Duration,
};

use palaestra_plugin_api::{
    Error, ErrorKind, Result,
    testing::{self, CheckReport},
};
use palaestra_registry::{Export, Kind, Manifest, Registry, validate::ConfigSchema};
use serde_json::{Value, json};

use super::{
    library::{self, examine},
    plan::{Task, Workers},
    report::{Counts, PluginReport, SubjectReport},
};
use crate::cli::{
    Common,
    output::{Paint, Table, print, print_json, remark},
    set::ConfigArgs,
};

const EXAMPLES: &str = "Examples:
  palaestra check target/release/libclassic_control.so
  palaestra check classic-control --environment classic/CartPole-v1
  palaestra check libmine.so --check reset-determinism --check episode-determinism --seed 7
  palaestra check libmine.so --environment mine/World-v0 --set size=20 --time-limit 300
  palaestra check --list

Each check that runs plugin code has a process and a time limit of its own, so a plugin that crashes or
hangs takes nothing else down. Exit code: 0 all is well, 1 a check failed, 3 a check crashed.";

/// Check a plugin's library and its environments, out of process.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// A plugin's file, its name, or the id of one of its environments.
    #[arg(value_name = "PLUGIN", required_unless_present = "list")]
    plugin: Option<String>,
    /// Check this environment only (repeatable).
    #[arg(long = "environment", value_name = "ID")]
    environments: Vec<String>,
    /// Run this check only (repeatable).
    #[arg(long = "check", value_name = "NAME")]
    checks: Vec<String>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Seed of everything random; a report names the seed that repeats it.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Most seconds for one check.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, value_parser = positive)]
    time_limit: f64,
    /// Most address space for one check [MiB]; 0 for no limit.
    #[arg(long, value_name = "MIB", default_value_t = 8_192)]
    memory_limit: u64,
    /// Checks that run at a time; as many as the machine has cores by default.
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// List the checks.
    #[arg(long)]
    list: bool,
}

fn positive(text: &str) -> std::result::Result<f64, String> {
    let wrong = || format!("expected more than 0 and at most 86400, found {text}");
    text.parse()
        .ok()
        .filter(|&s: &f64| s > 0.0 && s <= 86_400.0)
        .ok_or_else(wrong)
}

/// Runs the command.
///
/// # Errors
/// An unknown plugin, environment, check or setting, an untrusted file, or one that cannot be read; what the
/// plugin does wrong is in the report.
pub fn run(args: &CheckArgs, common: &Common) -> Result<ExitCode> {
    if args.list {
        print(&list())?;
        return Ok(ExitCode::SUCCESS);
    }
    let report = check(args, common)?;
    if common.json {
        print_json(&report)?;
    } else {
        print(&report.table(Paint::stdout()))?;
    }
    Ok(report.exit_code())
}

fn list() -> String {
    use crate::cli::output::Ink::{Bold, Plain};
    let mut table = Table::bare();
    for name in library::CHECKS.iter().chain(library::CONFIG_CHECKS) {
        table.row([(Bold, (*name).into()), (Plain, about_library(name).into())]);
    }
    for check in testing::CHECKS {
        table.row([(Bold, check.name.into()), (Plain, check.about.into())]);
    }
    table.render(Paint::stdout(), "")
}

fn about_library(name: &str) -> &'static str {
    match name {
        "hash-locked" => "the sha256 of the file is in plugins.lock",
        "elf-valid" => "the file is a whole shared library for this machine",
        "scan-time" => "listing it takes no time",
        "descriptor-valid" => "its manifest and the schemas in it are sound",
        "names-unique" => "no other plugin offers the same names",
        "layout-present" => "it says how its types are laid out",
        "abi-compatible" => "it loads and starts",
        "unknown-name-refused" => "names that it does not have are refused with a reason",
        "defaults-validate" => "the defaults in the schema are valid, and are those of the code",
        _ => "random configurations are taken or refused as the schema says, and never crash",
    }
}

/// Checks a plugin.
///
/// # Errors
/// As [`run`].
pub fn check(args: &CheckArgs, common: &Common) -> Result<PluginReport> {
    refuse_unknown_checks(&args.checks)?;
    let options = common.registry_options();
    let registry = Registry::scan(options.clone())?;
    let (file, named) = locate(&registry, args.plugin.as_deref().unwrap_or_default())?;
    let wanted = |check: &str| args.checks.is_empty() || args.checks.iter().any(|c| c == check);
    let examined = examine(&file, &options, &registry, args.seed)?;
    let mut library = examined.reports;
    let manifest = examined.manifest.as_ref();
    let ids: Vec<String> = if args.environments.is_empty() {
        named.into_iter().collect()
    } else {
        args.environments.clone()
    };
    let exports = manifest
        .map(|m| chosen(m, &ids))
        .transpose()?
        .unwrap_or_default();
    let tasks = match manifest {
        Some(_) => tasks(&library, &exports, &args.config.config()?, &wanted)?,
        None => Vec::new(),
    };
    let workers = Workers {
        executable: std::env::current_exe()
            .map_err(|e| Error::new(ErrorKind::Io, format!("this program: {e}")))?,
        plugin: file.clone(),
        options: passed_on(&options),
        seed: args.seed,
        time_limit: Duration::from_secs_f64(args.time_limit),
        memory: args.memory_limit,
        jobs: args
            .jobs
            .unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)),
    };
    let quiet = common.json;
    let reports = workers.run(&tasks, &|report| progress(report, quiet))?;
    let mut environments: Vec<SubjectReport> = exports
        .iter()
        .map(|export| SubjectReport {
            environment: Some(export.id.to_string()),
            checks: Vec::new(),
        })
        .collect();
    for (task, report) in tasks.iter().zip(reports) {
        match environments.iter_mut().find(|s| s.environment == task.id) {
            Some(subject) => subject.checks.push(report),
            None => library.push(report),
        }
    }
    library::complete(&mut library, wanted, args.seed);
    let mut subjects = vec![SubjectReport {
        environment: None,
        checks: library,
    }];
    subjects.extend(environments);
    subjects.retain(|s| !s.checks.is_empty());
    Ok(PluginReport {
        plugin: manifest.map(|m| m.plugin.clone()),
        version: manifest.map(|m| m.version.to_string()),
        settings: args.config.config()?,
        sha256: library::digest(&file).map(|d| d.to_string()),
        file,
        counts: Counts::of(&subjects),
        subjects,
    })
}

/// Crashes are told as they happen: the table comes at the end.
fn progress(report: &CheckReport, quiet: bool) {
    if report.status == testing::Status::Crashed && !quiet {
        remark("crashed", &format!("{}: {}", report.check, report.detail));
    }
}

fn refuse_unknown_checks(names: &[String]) -> Result<()> {
    let known = || {
        library::CHECKS
            .iter()
            .chain(library::CONFIG_CHECKS)
            .copied()
            .chain(testing::CHECKS.iter().map(|c| c.name))
    };
    for name in names {
        if !known().any(|k| k == name) {
            let near = palaestra_registry::suggest::nearest(name, known());
            let next = near.map_or("palaestra check --list shows them".into(), |n| {
                format!("did you mean {n}?")
            });
            return Err(Error::config(format!("check {name:?} not found; {next}")));
        }
    }
    Ok(())
}

/// The file that the user means, and the environment if it was named by one.
fn locate(registry: &Registry, text: &str) -> Result<(PathBuf, Option<String>)> {
    let path = Path::new(text);
    if path.exists() || text.contains(std::path::MAIN_SEPARATOR) && path.extension().is_some() {
        let real = path.canonicalize().map_err(|e| Error::io(path, &e))?;
        return Ok((real, None));
    }
    let plugin = registry
        .plugins()
        .iter()
        .find(|p| p.manifest().is_some_and(|m| m.plugin == text));
    if let Some(plugin) = plugin {
        return Ok((plugin.path().to_owned(), None));
    }
    match registry.resolve(Kind::Environment, text) {
        Ok(found) => Ok((
            found.entry.plugin.path().to_owned(),
            Some(found.entry.export.id.to_string()),
        )),
        Err(_) if !text.contains('/') => {
            let names = registry
                .plugins()
                .iter()
                .filter_map(|p| p.manifest())
                .map(|m| m.plugin.as_str());
            let near = palaestra_registry::suggest::nearest(text, names);
            let next = near.map_or("palaestra registry list shows them".into(), |n| {
                format!("did you mean {n}?")
            });
            Err(Error::config(format!("plugin {text:?} not found; {next}")))
        }
        Err(e) => Err(e),
    }
}

/// The environments to check: all, or those that were named.
fn chosen(manifest: &Manifest, ids: &[String]) -> Result<Vec<Export>> {
    let environments = || {
        manifest
            .exports
            .iter()
            .filter(|e| e.kind == Kind::Environment)
    };
    for id in ids {
        if !environments().any(|e| e.id.to_string() == *id) {
            let all: Vec<String> = environments().map(|e| e.id.to_string()).collect();
            let near = palaestra_registry::suggest::nearest(id, all.iter().map(String::as_str));
            let next = near
                .map(|n| format!("; did you mean {n}?"))
                .unwrap_or_default();
            return Err(Error::config(format!(
                "environment {id:?} is not in plugin {}{next}",
                manifest.plugin
            )));
        }
    }
    Ok(environments()
        .filter(|e| ids.is_empty() || ids.contains(&e.id.to_string()))
        .cloned()
        .collect())
}

/// What workers are to do.
fn tasks(
    library: &[CheckReport],
    exports: &[Export],
    settings: &Value,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Task>> {
    if *settings != json!({}) && exports.len() != 1 {
        return Err(Error::config(format!(
            "--set: expected one environment to configure, found {}; name it with --environment",
            exports.len()
        )));
    }
    let open = library::CHECKS
        .iter()
        .filter(|c| wanted(c) && !library.iter().any(|r| r.check == **c));
    let mut tasks: Vec<Task> = open
        .map(|check| Task {
            id: None,
            check,
            config: json!({}),
        })
        .collect();
    for export in exports {
        let id = export.id.to_string();
        let config = ConfigSchema::new(id.clone(), &export.schema)?.complete(settings)?;
        let checks = library::CONFIG_CHECKS
            .iter()
            .copied()
            .chain(testing::CHECKS.iter().map(|c| c.name));
        let task = |check| Task {
            id: Some(id.clone()),
            check,
            config: config.clone(),
        };
        tasks.extend(checks.filter(|c| wanted(c)).map(task));
    }
    Ok(tasks)
}

/// The options that decide on trust, for a worker; environment variables are inherited.
fn passed_on(options: &palaestra_registry::Options) -> Vec<OsString> {
    let mut passed: Vec<OsString> = Vec::new();
    for folder in &options.plugin_dirs {
        passed.extend(["--plugin-dir".into(), folder.clone().into_os_string()]);
    }
    if options.locked {
        passed.push("--locked".into());
    }
    passed
}
