//! `palaestra registry trust`: consent, after seeing what it is given to.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use palaestra_plugin_api::{Error, ErrorKind, Result};
use palaestra_registry::{Manifest, Sha256, consent, inspect};

use super::super::Common;
use super::super::output::{print, print_json, remark};
use super::{ids, locked_json};

/// A library that is about to be trusted.
struct Candidate {
    path: PathBuf,
    manifest: Manifest,
    sha256: Sha256,
}

/// Shows what the libraries are, asks unless `yes`, and writes them into the lock file.
///
/// # Errors
/// A file that is no sound plugin, no terminal to ask on, an answer other than yes, a file that changed
/// while the answer was awaited.
pub(super) fn trust(files: &[PathBuf], yes: bool, common: &Common) -> Result<ExitCode> {
    let candidates = files
        .iter()
        .map(|file| candidate(file))
        .collect::<Result<Vec<_>>>()?;
    if !yes {
        // Shown on standard error, where the question is asked too.
        remark(
            "trust",
            "the code of these libraries may run from now on, with all your rights",
        );
        candidates
            .iter()
            .for_each(|c| remark(&c.path.display().to_string(), &about(c)));
        if !confirmed()? {
            return Err(Error::new(
                ErrorKind::Cancelled,
                "trust: nothing was trusted",
            ));
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
        print_json(
            &trusted
                .iter()
                .map(|t| locked_json(&t.entry))
                .collect::<Vec<_>>(),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    for (candidate, trusted) in candidates.iter().zip(&trusted) {
        let replaced = trusted
            .replaced
            .as_ref()
            .filter(|old| old.sha256 != trusted.entry.sha256);
        let replaced = replaced
            .map(|old| format!(", in place of {}", old.sha256))
            .unwrap_or_default();
        print(&format!("trusted {}{replaced}\n", about(candidate)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn candidate(path: &Path) -> Result<Candidate> {
    let subject = |e: Error| e.within(format!("plugin {}", path.display()));
    let (file, metadata) = inspect::open(path).map_err(subject)?;
    let manifest = inspect::inspect_file(file, &metadata).map_err(subject)?;
    let manifest = manifest.ok_or_else(|| {
        subject(Error::plugin(
            "expected a Palaestra plugin, found another library",
        ))
    })?;
    Ok(Candidate {
        path: path.to_owned(),
        manifest,
        sha256: consent::hash_file(path).map_err(subject)?,
    })
}

fn about(candidate: &Candidate) -> String {
    let m = &candidate.manifest;
    format!(
        "{} {}: {}; sha256 {}",
        m.plugin,
        m.version,
        ids(m).join(", "),
        candidate.sha256
    )
}

/// Asks on the terminal.
fn confirmed() -> Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Error::config(
            "trust: expected a terminal to ask on, found none; pass --yes if you trust these libraries",
        ));
    }
    let io = |e: io::Error| Error::new(ErrorKind::Io, format!("terminal: {e}"));
    write!(io::stderr(), "trust them? [y/N] ")
        .and_then(|()| io::stderr().flush())
        .map_err(io)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(io)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}
