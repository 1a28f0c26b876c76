//! Which checks run where, and their supervised runs.

use std::{
    path::PathBuf,
    process::Command,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use palaestra_plugin_api::{
    Error, Result,
    testing::{CheckReport, Status},
};
use serde_json::Value;

use super::{
    library::report,
    supervise::{Ended, How, supervise},
    worker::Answer,
};

/// One check of one subject, to run in a worker.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// The environment; none for checks of the library.
    pub(super) id: Option<String>,
    pub(super) check: &'static str,
    pub(super) config: Value,
}

/// What all workers share.
pub(super) struct Workers {
    /// This program.
    pub(super) executable: PathBuf,
    /// The plugin's file.
    pub(super) plugin: PathBuf,
    /// Options that decide what may be loaded, passed on as they are.
    pub(super) options: Vec<std::ffi::OsString>,
    pub(super) seed: u64,
    pub(super) time_limit: Duration,
    /// Address space of each worker [MiB]; 0 for no limit.
    pub(super) memory: u64,
    /// Workers at a time.
    pub(super) jobs: usize,
}

impl Workers {
    /// Runs all tasks, several at a time; the reports keep their order. `done` hears of each as it ends.
    ///
    /// # Errors
    /// When a worker cannot be started.
    pub(super) fn run(
        &self,
        tasks: &[Task],
        done: &(dyn Fn(&CheckReport) + Sync),
    ) -> Result<Vec<CheckReport>> {
        let next = AtomicUsize::new(0);
        let reports: Mutex<Vec<Option<Result<CheckReport>>>> =
            Mutex::new(tasks.iter().map(|_| None).collect());
        thread::scope(|scope| {
            for _ in 0..self.jobs.clamp(1, tasks.len().max(1)) {
                scope.spawn(|| {
                    while let Some((index, task)) = next_of(tasks, &next) {
                        let outcome = self.run_one(task);
                        if let Ok(report) = &outcome {
                            done(report);
                        }
                        reports.lock().unwrap_or_else(PoisonError::into_inner)[index] =
                            Some(outcome);
                    }
                });
            }
        });
        let reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
        reports.into_iter().flatten().collect()
    }

    fn run_one(&self, task: &Task) -> Result<CheckReport> {
        let ended = supervise(&mut self.command(task), self.time_limit)
            .map_err(|e| Error::io(&self.executable, &e).within("check worker"))?;
        Ok(read_answer(&ended, task.check)
            .unwrap_or_else(|| crashed(&ended, task.check, self.seed)))
    }

    fn command(&self, task: &Task) -> Command {
        let mut command = Command::new(&self.executable);
        command
            .args(&self.options)
            .arg("check-worker")
            .arg("--plugin")
            .arg(&self.plugin);
        // A backtrace would bury the message.
        command.env("RUST_BACKTRACE", "0");
        command
            .args(["--check", task.check])
            .arg("--seed")
            .arg(self.seed.to_string());
        command.arg("--memory").arg(self.memory.to_string());
        if let Some(id) = &task.id {
            command
                .args(["--id", id])
                .arg("--config")
                .arg(task.config.to_string());
        }
        command
    }
}

fn next_of<'a>(tasks: &'a [Task], next: &AtomicUsize) -> Option<(usize, &'a Task)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    tasks.get(index).map(|task| (index, task))
}

/// The report in a worker's output. A worker that reports and then crashes as it ends has not passed.
fn read_answer(ended: &Ended, check: &str) -> Option<CheckReport> {
    if ended.how != How::Exited(0) {
        return None;
    }
    let mut lines = ended.output.lines().rev();
    let answer = lines.find_map(|line| serde_json::from_str::<Answer>(line).ok())?;
    Some(answer.palaestra_check).filter(|r| r.check == check)
}

fn crashed(ended: &Ended, check: &str, seed: u64) -> CheckReport {
    let mut lines = ended.errors.lines().map(str::trim);
    let last_words = lines.rfind(|line| !line.is_empty() && !line.starts_with("note: "));
    let last_words = last_words
        .map(|line| format!("; its last words: {line}"))
        .unwrap_or_default();
    let detail = palaestra_plugin_api::one_line(format!("{}{last_words}", ended.how.text()));
    report(check, Status::Crashed, detail, seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(how: How, output: &str, errors: &str) -> Ended {
        Ended {
            how,
            output: output.into(),
            errors: errors.into(),
        }
    }

    #[test]
    fn the_report_is_found_among_what_a_plugin_prints() {
        let expected = report("reset-in-space", Status::Passed, "fine", 4);
        let line = serde_json::to_string(&Answer {
            palaestra_check: expected.clone(),
        })
        .unwrap();
        let output =
            format!("hello\n{{\"check\": 1}}\nno newline\n{line}\nbye from a destructor\n");
        assert_eq!(
            read_answer(&ended(How::Exited(0), &output, ""), "reset-in-space"),
            Some(expected)
        );
        assert_eq!(
            read_answer(&ended(How::Exited(0), &output, ""), "step-in-space"),
            None
        );
        assert_eq!(
            read_answer(&ended(How::Killed(11), &output, ""), "reset-in-space"),
            None
        );
    }

    #[test]
    fn a_crash_names_its_cause_and_last_words() {
        let report = crashed(
            &ended(
                How::Killed(6),
                "",
                "noise\nthread 'main' has overflowed its stack\nnote: run with\n",
            ),
            "c",
            1,
        );
        assert_eq!(report.status, Status::Crashed);
        assert_eq!(
            report.detail,
            "the process was killed by SIGABRT (6); its last words: thread 'main' has overflowed its stack"
        );
    }
}
