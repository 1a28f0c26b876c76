//! Calling cargo, and what it knows of the workspace.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Result;

/// The workspace's folder.
pub(crate) fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Runs cargo in the workspace.
///
/// # Errors
/// When it cannot be started, or fails.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    run_with(arguments, &[])
}

/// Runs cargo in the workspace with these variables.
///
/// # Errors
/// When it cannot be started, or fails.
pub(crate) fn run_with(arguments: &[&str], variables: &[(&str, &OsStr)]) -> Result<()> {
    let line = format!("cargo {}", arguments.join(" "));
    let status = command(arguments).envs(variables.iter().copied()).status();
    match status.map_err(|e| format!("{line}: {e}"))? {
        status if status.success() => Ok(()),
        status => Err(format!("{line}: expected success, found {status}")),
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(workspace());
    command
}

/// What the build leaves behind: the folder of all profiles, and the workspace's plugin libraries.
pub(crate) struct Artifacts {
    /// The folder that holds `debug` and `release`.
    pub(crate) target: PathBuf,
    /// File names of the libraries of all `cdylib` packages.
    pub(crate) libraries: Vec<String>,
}

/// Asks cargo for folders and libraries.
///
/// # Errors
/// When cargo fails or says nothing that can be read.
pub(crate) fn artifacts() -> Result<Artifacts> {
    let failed = |e: &dyn std::fmt::Display| format!("cargo metadata: {e}");
    let mut command = command(&["metadata", "--no-deps", "--format-version", "1"]);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| failed(&e))?;
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|e| failed(&e))?;
    let target = metadata["target_directory"]
        .as_str()
        .ok_or_else(|| failed(&"no target folder"))?;
    Ok(Artifacts {
        target: target.into(),
        libraries: libraries(&metadata),
    })
}

fn libraries(metadata: &Value) -> Vec<String> {
    let array = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let targets = array(metadata, "packages")
        .into_iter()
        .flat_map(|p| array(&p, "targets"));
    let cdylibs = targets.filter(|t| array(t, "kind").iter().any(|k| k == "cdylib"));
    let file = |t: Value| t["name"].as_str().map(library);
    cdylibs.filter_map(file).collect()
}

/// The file name of a package's library.
pub(crate) fn library(package: &str) -> String {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    format!("{prefix}{}{suffix}", package.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cdylibs_are_libraries() {
        let metadata = serde_json::json!({"packages": [
            {"targets": [{"name": "my-worlds", "kind": ["cdylib", "rlib"]}, {"name": "step", "kind": ["bench"]}]},
            {"targets": [{"name": "host", "kind": ["lib"]}]},
        ]});
        let name = format!(
            "{}my_worlds{}",
            std::env::consts::DLL_PREFIX,
            std::env::consts::DLL_SUFFIX
        );
        assert_eq!(libraries(&metadata), [name]);
    }
}
