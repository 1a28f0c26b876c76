//! What plugins are given while they learn.

use std::sync::atomic::AtomicU8;

use palaestra_plugin_api::{abi::LogLevel, client::Services};

use super::output::remark;

/// Threads for learning, and warnings on standard error.
#[derive(Debug)]
pub(super) struct LearningServices {
    threads: usize,
    cancelled: AtomicU8,
}

impl LearningServices {
    /// Lets every plugin object keep that many threads busy, the caller's included.
    pub(super) fn new(threads: usize) -> Self {
        Self {
            threads: threads.max(1),
            cancelled: AtomicU8::new(0),
        }
    }
}

impl Services for LearningServices {
    fn log(&self, level: LogLevel, target: &str, message: &str) {
        let kind = match level {
            LogLevel::Error => "error",
            LogLevel::Warn => "warning",
            LogLevel::Info | LogLevel::Debug => return,
        };
        remark(kind, &format!("{target}: {message}"));
    }

    fn metric(&self, _: &str, _: f64) {}

    fn cancel_flag(&self) -> &AtomicU8 {
        &self.cancelled
    }

    fn threads(&self) -> usize {
        self.threads
    }
}
