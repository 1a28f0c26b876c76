//! Tests that change the whole process run in one of their own: limits on files, signals.

use std::env;
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const CHILD: &str = "PALAESTRA_TEST_CHILD";

/// Whether this is the child process of the test with this full name. If not, the child is run
/// and must succeed.
pub(super) fn enter(test: &str) -> bool {
    if env::var_os(CHILD).is_some_and(|child| child == test) {
        return true;
    }
    // A write beyond the limit would kill the process if the signal were not ignored.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, test)
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && shown.contains("1 passed"),
        "{:?}: {shown}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    false
}

/// From now on no file of this process may grow beyond `bytes`, as on a full disk.
pub(super) fn limit_file_size(bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    let limit = Rlimit {
        current: bytes.or(maximum),
        maximum,
    };
    setrlimit(Resource::Fsize, limit).unwrap();
}
