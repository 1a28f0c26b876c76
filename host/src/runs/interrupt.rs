//! Ctrl-C and SIGTERM: the first asks the run to stop, the second ends the process.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use palaestra_plugin_api::{Error, ErrorKind, Result};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

/// Exit code of a process that was interrupted: 128 + SIGINT, as shells have it.
const INTERRUPTED: i32 = 130;

static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Whether somebody wants the run to stop. Clones see the same flag.
#[derive(Clone, Debug)]
pub struct Interrupt {
    flag: Arc<AtomicBool>,
}

impl Interrupt {
    /// Catches Ctrl-C and SIGTERM of this process from now on; later calls give the same flag. A second signal ends the
    /// process at once with code 130. SIGHUP is left as it is, so that `nohup` works.
    ///
    /// # Errors
    /// Kind `Io` when a handler cannot be installed.
    pub fn install() -> Result<Self> {
        let mut failed = None;
        let flag = FLAG.get_or_init(|| {
            let flag = Arc::new(AtomicBool::new(false));
            failed = catch(&flag).err();
            flag
        });
        match failed {
            None => Ok(Self {
                flag: Arc::clone(flag),
            }),
            Some(error) => Err(Error::new(
                ErrorKind::Io,
                format!("signals: expected to catch Ctrl-C, found {error}; run without a debugger"),
            )),
        }
    }

    /// A flag that no signal sets: for tests and for runs inside other programs.
    pub fn manual() -> Self {
        Self {
            flag: Arc::default(),
        }
    }

    /// Whether a signal has come, or [`Interrupt::request`] was called.
    pub fn requested(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    /// Asks the run to stop, as the first signal does.
    pub fn request(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }
}

/// The first signal sets the flag, a later one finds it set.
fn catch(flag: &Arc<AtomicBool>) -> std::io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(flag))?;
        flag::register(signal, Arc::clone(flag))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use rustix::process::{Signal, getpid, kill_process};

    use super::*;
    use crate::runs::subprocess;

    fn wait(interrupt: &Interrupt) {
        let start = Instant::now();
        while !interrupt.requested() {
            assert!(start.elapsed() < Duration::from_secs(10));
            sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn the_first_signal_asks() {
        if subprocess::enter("runs::interrupt::tests::the_first_signal_asks") {
            let interrupt = Interrupt::install().unwrap();
            assert!(!interrupt.requested());
            kill_process(getpid(), Signal::TERM).unwrap();
            wait(&Interrupt::install().unwrap());
            assert!(interrupt.requested());
        }
    }

    #[test]
    fn the_second_signal_ends_the_process() {
        const NAME: &str = "runs::interrupt::tests::the_second_signal_ends_the_process";
        const CHILD: &str = "PALAESTRA_TEST_SECOND_SIGNAL";
        if std::env::var_os(CHILD).is_some() {
            let interrupt = Interrupt::install().unwrap();
            kill_process(getpid(), Signal::INT).unwrap();
            wait(&interrupt);
            kill_process(getpid(), Signal::INT).unwrap();
            sleep(Duration::from_secs(10));
        } else {
            let output = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", NAME])
                .env(CHILD, "1")
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(INTERRUPTED), "{output:?}");
        }
    }

    #[test]
    fn a_manual_flag_is_set_by_hand() {
        let interrupt = Interrupt::manual();
        let other = interrupt.clone();
        assert!(!interrupt.requested());
        other.request();
        assert!(interrupt.requested());
    }
}
