//! The `palaestra` program of this workspace, asked as a user asks it.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Result, cargo};

/// Environments that are there to misbehave: nobody asks how fast or how good.
const LEFT_OUT: &str = "stress/";

/// The program, among the workspace's plugins.
pub(crate) struct Program(PathBuf);

impl Program {
    /// Builds it and all plugins to be measured.
    ///
    /// # Errors
    /// A build that fails.
    pub(crate) fn release() -> Result<Self> {
        Self::build(&["build", "--workspace", "--release"], "release")
    }

    /// Builds it and all plugins as tests do: the same results, only slower.
    ///
    /// # Errors
    /// A build that fails.
    pub(crate) fn dev() -> Result<Self> {
        Self::build(&["build", "--workspace"], "debug")
    }

    fn build(arguments: &[&str], folder: &str) -> Result<Self> {
        cargo::run(arguments)?;
        let target = cargo::artifacts()?.target;
        Ok(Self(target.join(folder).join("palaestra")))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// What it prints as JSON.
    ///
    /// # Errors
    /// A run that fails, or prints something else.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Result<Value> {
        let failed = |e: &dyn Display| format!("palaestra {}: {e}", arguments.join(" "));
        let mut command = Command::new(&self.0);
        let output = command.args(arguments).stderr(Stdio::inherit()).output();
        let output = output.map_err(|e| failed(&e))?;
        if !output.status.success() {
            let status = format!("expected success, found {}", output.status);
            return Err(failed(&status));
        }
        serde_json::from_slice(&output.stdout).map_err(|e| failed(&e))
    }

    /// The ids of all environments.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub(crate) fn environments(&self) -> Result<Vec<String>> {
        let list = self.ask(&["list", "environments", "--json"])?;
        let entries = list.as_array().into_iter().flatten();
        let ids = entries.filter_map(|entry| entry["id"].as_str());
        let ids = ids.filter(|id| !id.starts_with(LEFT_OUT));
        Ok(ids.map(str::to_owned).collect())
    }
}
