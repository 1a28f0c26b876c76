//! Checks of the library file. Nothing of the plugin runs here.

use std::{path::Path, time::Instant};

use palaestra_plugin_api::{
    Error,
    testing::{CheckReport, Status},
};
use palaestra_registry::{
    Admitted, Kind, Manifest, Options, Registry, Sha256, Trust, inspect, validate::ConfigSchema,
};

use super::loading::admitted;

/// The library checks, in the order in which they are reported; those after `names-unique` run in workers.
pub const CHECKS: &[&str] = &[
    "hash-locked",
    "elf-valid",
    "scan-time",
    "descriptor-valid",
    "names-unique",
    "layout-present",
    "abi-compatible",
    "unknown-name-refused",
];

/// The checks of every environment's configuration, which run in workers.
pub const CONFIG_CHECKS: &[&str] = &["defaults-validate", "config-fuzz"];

/// Longest look at one file without remark, and at all [ms]: fifty are listed within 100 ms.
const QUICK: f64 = 5.0;
const SLOW: f64 = 100.0;

/// What the file itself says.
pub(super) struct Examined {
    /// The reports of the checks of the file.
    pub(super) reports: Vec<CheckReport>,
    /// The manifest, when the library may be loaded.
    pub(super) manifest: Option<Manifest>,
}

pub(super) fn report(
    check: &str,
    status: Status,
    detail: impl Into<String>,
    seed: u64,
) -> CheckReport {
    CheckReport {
        check: check.into(),
        status,
        detail: detail.into(),
        seed,
    }
}

/// Examines the file at `path`.
///
/// # Errors
/// Kind `Config` when nobody has trusted it: then there is nothing to check. Kind `Io` when it cannot be read.
pub(super) fn examine(
    path: &Path,
    options: &Options,
    registry: &Registry,
    seed: u64,
) -> Result<Examined, Error> {
    let inspected = inspect::open(path)
        .map_err(|e| e.within(path.display()))
        .map(|(file, metadata)| inspect::inspect_file(file, &metadata))?;
    let trusted = admitted(path, options);
    if let Err(e) = &trusted
        && inspected.is_ok()
        && e.kind == palaestra_plugin_api::ErrorKind::Config
    {
        return Err(e.clone());
    }
    let mut reports = vec![hash_locked(&trusted, seed)];
    let manifest = match inspected {
        Ok(Some(manifest)) => {
            reports.push(report(
                "elf-valid",
                Status::Passed,
                "a shared library for this machine",
                seed,
            ));
            Some(manifest)
        }
        Ok(None) => {
            reports.push(report(
                "elf-valid",
                Status::Passed,
                "a shared library",
                seed,
            ));
            let none = format!(
                "expected a {} section, found none; export something with export_plugin!",
                inspect::SECTION
            );
            reports.push(report("descriptor-valid", Status::Failed, none, seed));
            None
        }
        Err(e) => {
            reports.push(refusal(&e, seed));
            None
        }
    };
    if let Some(manifest) = &manifest {
        reports.push(scan_time(path, seed));
        reports.push(descriptor_valid(manifest, seed));
        reports.push(names_unique(path, manifest, registry, seed));
    }
    Ok(Examined {
        reports,
        manifest: manifest.filter(|_| trusted.is_ok()),
    })
}

fn hash_locked(trusted: &Result<Admitted, Error>, seed: u64) -> CheckReport {
    let check = |status, detail: String| report("hash-locked", status, detail, seed);
    let admitted = match trusted {
        Ok(admitted) => admitted,
        Err(e) => return check(Status::Failed, e.message.clone()),
    };
    match palaestra_registry::consent::hash_file(&admitted.copy) {
        Ok(copy) if copy != admitted.sha256 => {
            check(Status::Failed, format!("private copy: expected sha256 {}, found {copy}", admitted.sha256))
        }
        Err(e) => check(Status::Failed, e.message),
        Ok(_) => match admitted.trust {
            Trust::Locked => check(Status::Passed, format!("sha256 {} is in plugins.lock", admitted.sha256.short())),
            _ => check(
                Status::Warning,
                "trusted because it was built beside this program; palaestra registry trust FILE locks its sha256".into(),
            ),
        },
    }
}

/// Which check a refused file fails: its container, its ABI, or what it says about itself.
fn refusal(error: &Error, seed: u64) -> CheckReport {
    let says = |start: &str| error.message.starts_with(start);
    let abi = [
        "manifest format",
        "manifest abi",
        "manifest panic",
        "manifest arch",
        "manifest os",
    ];
    let check = match () {
        () if abi.into_iter().any(says) => "abi-compatible",
        () if says("manifest") => "descriptor-valid",
        () => "elf-valid",
    };
    report(check, Status::Failed, error.message.clone(), seed)
}

/// The quickest of a few looks, as `list` takes one.
fn scan_time(path: &Path, seed: u64) -> CheckReport {
    let look = || {
        let started = Instant::now();
        let found =
            inspect::open(path).and_then(|(file, metadata)| inspect::inspect_file(file, &metadata));
        found.map(|_| started.elapsed().as_secs_f64() * 1e3)
    };
    let quickest = (0..5)
        .map(|_| look())
        .try_fold(f64::INFINITY, |least, time| time.map(|t| least.min(t)));
    let (status, detail) = match quickest {
        Err(e) => (Status::Failed, e.message),
        Ok(time) if time > SLOW => (
            Status::Failed,
            format!("expected at most {SLOW} ms, found {time:.1}"),
        ),
        Ok(time) if time > QUICK => (
            Status::Warning,
            format!("expected at most {QUICK} ms, found {time:.1}"),
        ),
        Ok(time) => (Status::Passed, format!("{time:.2} ms")),
    };
    report("scan-time", status, detail, seed)
}

fn descriptor_valid(manifest: &Manifest, seed: u64) -> CheckReport {
    let check = |status, detail: String| report("descriptor-valid", status, detail, seed);
    if manifest.exports.is_empty() {
        return check(
            Status::Failed,
            "exports: expected at least one, found none".into(),
        );
    }
    for export in &manifest.exports {
        if let Err(e) = ConfigSchema::new(export.id.to_string(), &export.schema) {
            return check(Status::Failed, e.message);
        }
    }
    let silent = manifest.exports.iter().find(|e| e.description.is_empty());
    match silent {
        Some(export) => check(
            Status::Warning,
            format!("{}: expected a description, found none", export.id),
        ),
        None => check(
            Status::Passed,
            format!(
                "{} exports, {} build",
                manifest.exports.len(),
                manifest.profile
            ),
        ),
    }
}

/// Within the file the manifest's own reading has settled it; here it is about the other files on the search path.
fn names_unique(path: &Path, manifest: &Manifest, registry: &Registry, seed: u64) -> CheckReport {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let entries = || {
        Kind::ALL
            .into_iter()
            .flat_map(|kind| registry.entries(kind))
    };
    let clash = manifest.exports.iter().find_map(|export| {
        let other = |e: &palaestra_registry::Entry<'_>| {
            e.export.kind == export.kind
                && e.export.id == export.id
                && e.plugin.path() != path
                && e.manifest.plugin != manifest.plugin
        };
        entries().find(other).map(|e| (export, e))
    });
    let (status, detail) = match clash {
        Some((export, other)) => (
            Status::Failed,
            format!(
                "{}: expected no other plugin to offer it, found {}",
                export.id,
                other.plugin.path().display()
            ),
        ),
        None => (
            Status::Passed,
            "no other plugin on the search path offers these names".into(),
        ),
    };
    report("names-unique", status, detail, seed)
}

/// Fills in the checks of the library that have no report yet: they rest on others.
pub(super) fn complete(reports: &mut Vec<CheckReport>, wanted: impl Fn(&str) -> bool, seed: u64) {
    for check in CHECKS.iter().filter(|c| wanted(c)) {
        if !reports.iter().any(|r| r.check == *check) {
            reports.push(report(
                check,
                Status::Skipped,
                "rests on a check above that did not pass",
                seed,
            ));
        }
    }
    reports.retain(|r| wanted(&r.check));
    reports.sort_by_key(|r| CHECKS.iter().position(|c| *c == r.check));
}

/// The digest of the file, for display.
pub(super) fn digest(path: &Path) -> Option<Sha256> {
    palaestra_registry::consent::hash_file(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_file_fails_the_check_that_it_is_about() {
        let check = |message: &str| refusal(&Error::plugin(message), 0).check;
        assert_eq!(
            check("library: expected at least 9 bytes, found 3; the file is cut off"),
            "elf-valid"
        );
        assert_eq!(
            check("manifest abi draft: expected 1, found 2"),
            "abi-compatible"
        );
        assert_eq!(
            check("manifest panic: expected unwind, found abort"),
            "abi-compatible"
        );
        assert_eq!(
            check("manifest exports: expected every id once, found x twice"),
            "descriptor-valid"
        );
    }

    #[test]
    fn checks_that_could_not_run_are_reported_as_skipped_and_in_order() {
        let mut reports = vec![
            report("abi-compatible", Status::Failed, "no", 3),
            report("elf-valid", Status::Passed, "", 3),
        ];
        complete(&mut reports, |_| true, 3);
        assert_eq!(
            reports.iter().map(|r| r.check.as_str()).collect::<Vec<_>>(),
            CHECKS
        );
        assert_eq!(
            reports
                .iter()
                .filter(|r| r.status == Status::Skipped)
                .count(),
            CHECKS.len() - 2
        );
    }
}
