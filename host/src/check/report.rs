//! What was found, as a table and as JSON.

use std::{path::PathBuf, process::ExitCode};

use palaestra_plugin_api::testing::{CheckReport, Status};
use serde::Serialize;
use serde_json::Value;

use crate::cli::output::{Ink, Paint, Table};

/// Everything that was found about a plugin.
#[derive(Clone, Debug, Serialize)]
pub struct PluginReport {
    /// Name of the plugin, if its manifest could be read.
    pub plugin: Option<String>,
    /// Version of the plugin.
    pub version: Option<String>,
    /// Its file.
    pub file: PathBuf,
    /// Digest of the file, in hexadecimal.
    pub sha256: Option<String>,
    /// Settings that the environment was checked with.
    pub settings: Value,
    /// The library first, then each environment.
    pub subjects: Vec<SubjectReport>,
    /// How many checks ended in each way.
    pub counts: Counts,
}

/// What was found about the library or about one environment.
#[derive(Clone, Debug, Serialize)]
pub struct SubjectReport {
    /// The environment; none for the library.
    pub environment: Option<String>,
    /// The reports, in the order of the checks.
    pub checks: Vec<CheckReport>,
}

/// Numbers of checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// That hold.
    pub passed: usize,
    /// That do not.
    pub failed: usize,
    /// That ended in a crash.
    pub crashed: usize,
    /// That do not apply.
    pub skipped: usize,
    /// That hold, with a remark.
    pub warning: usize,
}

impl Counts {
    pub(super) fn of(subjects: &[SubjectReport]) -> Self {
        let number = |status| {
            subjects
                .iter()
                .flat_map(|s| &s.checks)
                .filter(|c| c.status == status)
                .count()
        };
        Self {
            passed: number(Status::Passed),
            failed: number(Status::Failed),
            crashed: number(Status::Crashed),
            skipped: number(Status::Skipped),
            warning: number(Status::Warning),
        }
    }

    /// 3 when a check crashed, 1 when one failed, else 0.
    pub fn exit_code(self) -> u8 {
        match (self.crashed, self.failed) {
            (0, 0) => 0,
            (0, _) => 1,
            _ => 3,
        }
    }
}

impl PluginReport {
    /// The exit code of the process: 0, 1 when a check failed, 3 when one crashed.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.counts.exit_code())
    }

    /// The report as a table, with the commands that repeat what did not pass.
    pub fn table(&self, paint: Paint) -> String {
        let named = |what: &Option<String>| what.clone().unwrap_or_default();
        let title = format!("{} {}", named(&self.plugin), named(&self.version));
        let mut text = format!(
            "{}  {}\n",
            paint.paint(Ink::Bold, title.trim()),
            self.file.display()
        );
        for subject in &self.subjects {
            let name = subject.environment.as_deref().unwrap_or("library");
            text.push_str(&format!("\n{}\n", paint.paint(Ink::Bold, name)));
            let mut table = Table::bare();
            for check in &subject.checks {
                let (sign, ink) = sign(check.status);
                table.row([
                    (ink, sign.into()),
                    (Ink::Plain, check.check.clone()),
                    (
                        if ink == Ink::Good {
                            Ink::Dim
                        } else {
                            Ink::Plain
                        },
                        check.detail.clone(),
                    ),
                ]);
            }
            text.push_str(&table.render(paint, "  "));
        }
        text.push_str(&self.repeats(paint));
        text.push_str(&format!("\n{}\n", self.summary(paint)));
        text
    }

    fn repeats(&self, paint: Paint) -> String {
        let bad = |c: &&CheckReport| matches!(c.status, Status::Failed | Status::Crashed);
        let lines: String = self
            .subjects
            .iter()
            .flat_map(|s| {
                s.checks
                    .iter()
                    .filter(bad)
                    .map(|c| self.again(s.environment.as_deref(), c))
            })
            .map(|command| format!("  {command}\n"))
            .collect();
        if lines.is_empty() {
            lines
        } else {
            format!("\n{}\n{lines}", paint.paint(Ink::Dim, "to repeat:"))
        }
    }

    /// The command that repeats a check, as a person would type it.
    fn again(&self, id: Option<&str>, report: &CheckReport) -> String {
        let environment = id
            .map(|id| format!(" --environment {id}"))
            .unwrap_or_default();
        let settings = if id.is_some() {
            set_options("", &self.settings)
        } else {
            String::new()
        };
        let file = self.file.display();
        format!(
            "palaestra check {file}{environment}{settings} --check {} --seed {}",
            report.check, report.seed
        )
    }

    fn summary(&self, paint: Paint) -> String {
        let Counts {
            passed,
            failed,
            crashed,
            skipped,
            warning,
        } = self.counts;
        let parts = [
            (passed, "passed", Ink::Good),
            (failed, "failed", Ink::Bad),
            (crashed, "crashed", Ink::Bad),
            (warning, "warning", Ink::Warn),
            (skipped, "skipped", Ink::Dim),
        ];
        let shown = parts
            .into_iter()
            .filter(|(n, word, _)| *n > 0 || *word == "passed");
        shown
            .map(|(n, word, ink)| paint.paint(ink, &format!("{n} {word}")))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// Settings as options, each quoted for a shell.
fn set_options(path: &str, settings: &Value) -> String {
    let option = |(key, value): (&String, &Value)| {
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        match value {
            Value::Object(members) if !members.is_empty() => set_options(&path, value),
            other => format!(
                " --set '{}'",
                format!("{path}={other}").replace('\'', "'\\''")
            ),
        }
    };
    settings
        .as_object()
        .into_iter()
        .flatten()
        .map(option)
        .collect()
}

fn sign(status: Status) -> (&'static str, Ink) {
    match status {
        Status::Passed => ("✓", Ink::Good),
        Status::Failed => ("✗", Ink::Bad),
        Status::Crashed => ("✗ crashed", Ink::Bad),
        Status::Skipped => ("-", Ink::Dim),
        Status::Warning => ("!", Ink::Warn),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plugin(checks: Vec<(&str, Status)>) -> PluginReport {
        let checks = checks
            .into_iter()
            .map(|(name, status)| super::super::library::report(name, status, "why", 9))
            .collect();
        let subjects = vec![SubjectReport {
            environment: Some("a/B-v0".into()),
            checks,
        }];
        PluginReport {
            plugin: Some("p".into()),
            version: Some("1.2.3".into()),
            file: "lib/p.so".into(),
            sha256: None,
            settings: json!({"size": 3, "wind": {"kind": "north"}}),
            counts: Counts::of(&subjects),
            subjects,
        }
    }

    #[test]
    fn the_table_shows_every_check_and_how_to_repeat_the_bad_ones() {
        let report = plugin(vec![
            ("one", Status::Passed),
            ("two", Status::Failed),
            ("three", Status::Skipped),
        ]);
        let expected = "p 1.2.3  lib/p.so\n\na/B-v0\n  ✓  one    why\n  ✗  two    why\n  -  three  why\n\n\
                        to repeat:\n  palaestra check lib/p.so --environment a/B-v0 --set 'size=3' \
                        --set 'wind.kind=\"north\"' --check two --seed 9\n\n\
                        1 passed, 1 failed, 1 skipped\n";
        assert_eq!(report.table(Paint::off()), expected);
    }

    #[test]
    fn the_exit_code_tells_failures_from_crashes() {
        let code = |checks| plugin(checks).counts.exit_code();
        assert_eq!(
            code(vec![
                ("a", Status::Passed),
                ("b", Status::Warning),
                ("c", Status::Skipped)
            ]),
            0
        );
        assert_eq!(code(vec![("a", Status::Passed), ("b", Status::Failed)]), 1);
        assert_eq!(code(vec![("a", Status::Crashed), ("b", Status::Failed)]), 3);
    }
}
