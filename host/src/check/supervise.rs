//! One child process under supervision: a time limit, its output, and how it ended.

use std::{
    io::{self, Read},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// Most bytes of each stream that are kept: the last ones.
const KEPT: usize = 256 << 10;
/// Longest pause between two looks at the child.
const PAUSE: Duration = Duration::from_millis(10);

/// How a child ended, and what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub how: How,
    /// The last bytes of its standard output, as text.
    pub output: String,
    /// The last bytes of its standard error, as text.
    pub errors: String,
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By itself, with an exit code.
    Exited(i32),
    /// By a signal.
    Killed(i32),
    /// It was still running when its time was over.
    TimedOut(Duration),
}

impl How {
    /// What to tell a person.
    pub fn text(self) -> String {
        match self {
            Self::Exited(code) => format!("the process exited with code {code}"),
            Self::Killed(signal) => format!("the process was killed by {}", signal_name(signal)),
            Self::TimedOut(limit) => format!(
                "no answer within {} s; the process was killed",
                limit.as_secs_f64()
            ),
        }
    }
}

/// Runs a command in a process group of its own and kills that group when the command ends or the time is over.
///
/// # Errors
/// When it cannot be started or waited for.
pub fn supervise(command: &mut Command, limit: Duration) -> io::Result<Ended> {
    let started = Instant::now();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command.spawn()?;
    let output = tail_of(child.stdout.take());
    let errors = tail_of(child.stderr.take());
    let in_time = wait_until(&child, started + limit);
    // While the child is not reaped its process group cannot be anybody else's.
    kill_group(&child);
    let status = child.wait()?;
    let how = if in_time? {
        how(status)
    } else {
        How::TimedOut(limit)
    };
    // The readers end with the group: nobody holds the other end any more.
    let text = |reader: thread::JoinHandle<Vec<u8>>| {
        String::from_utf8_lossy(&reader.join().unwrap_or_default()).into_owned()
    };
    Ok(Ended {
        how,
        output: text(output),
        errors: text(errors),
    })
}

/// Waits for the child without reaping it. Whether it ended before the deadline.
fn wait_until(child: &Child, deadline: Instant) -> io::Result<bool> {
    let pid = pid_of(child)?;
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let mut pause = Duration::from_micros(200);
    loop {
        match waitid(WaitId::Pid(pid), options) {
            Ok(Some(_)) => return Ok(true),
            Ok(None) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(e) => return Err(e.into()),
        }
        let now = Instant::now();
        if now >= deadline {
            return Ok(false);
        }
        thread::sleep(pause.min(deadline - now));
        pause = (pause * 2).min(PAUSE);
    }
}

fn kill_group(child: &Child) {
    if let Ok(pid) = pid_of(child) {
        // It may have left nobody behind.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

fn pid_of(child: &Child) -> io::Result<Pid> {
    let raw = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    raw.ok_or_else(|| io::Error::other("the child has no process id"))
}

fn how(status: ExitStatus) -> How {
    match (status.code(), status.signal()) {
        (Some(code), _) => How::Exited(code),
        (None, signal) => How::Killed(signal.unwrap_or(0)),
    }
}

/// Reads a stream to its end on a thread of its own, so that a child that writes much never waits.
fn tail_of(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut kept = Vec::new();
        let mut buffer = [0; 16 << 10];
        let Some(mut stream) = stream else {
            return kept;
        };
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return kept,
                Ok(n) => kept.extend_from_slice(&buffer[..n]),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return kept,
            }
            if kept.len() > 2 * KEPT {
                kept.drain(..kept.len() - KEPT);
            }
        }
    })
}

fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        31 => "SIGSYS",
        other => return format!("signal {other}"),
    };
    format!("{name} ({signal})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: f64) -> Ended {
        supervise(
            Command::new("sh").args(["-c", script]),
            Duration::from_secs_f64(limit),
        )
        .unwrap()
    }

    #[test]
    fn output_and_exit_code_are_told() {
        let ended = shell("echo out; echo err >&2; exit 7", 10.0);
        assert_eq!(
            (ended.how, ended.output.as_str(), ended.errors.as_str()),
            (How::Exited(7), "out\n", "err\n")
        );
        assert_eq!(ended.how.text(), "the process exited with code 7");
    }

    #[test]
    fn a_signal_is_named() {
        assert_eq!(
            shell("kill -SEGV $$", 10.0).how.text(),
            "the process was killed by SIGSEGV (11)"
        );
        assert_eq!(
            shell("kill -ABRT $$", 10.0).how.text(),
            "the process was killed by SIGABRT (6)"
        );
    }

    #[test]
    fn a_child_that_hangs_is_killed_with_its_own_children() {
        let started = Instant::now();
        // The grandchild holds the pipe: the readers would wait for it.
        let ended = shell("sleep 1000 & echo $!; wait", 0.3);
        assert_eq!(ended.how, How::TimedOut(Duration::from_secs_f64(0.3)));
        assert!(started.elapsed() < Duration::from_secs(10));
        let grandchild: i32 = ended.output.trim().parse().unwrap();
        assert!(is_gone(grandchild), "process {grandchild} still runs");
    }

    #[test]
    fn children_left_behind_are_killed_too() {
        let ended = shell("sleep 1000 & echo $!", 10.0);
        assert_eq!(ended.how, How::Exited(0));
        assert!(is_gone(ended.output.trim().parse().unwrap()));
    }

    #[test]
    fn much_output_blocks_nobody_and_keeps_its_end() {
        let ended = shell("yes 0123456789 | head -c 3000000; echo end", 60.0);
        assert_eq!(ended.how, How::Exited(0));
        assert!(ended.output.ends_with("end\n") && ended.output.len() <= 2 * KEPT + (16 << 10));
    }

    /// Whether a process has ended; a zombie that nobody reaps has.
    fn is_gone(pid: i32) -> bool {
        let state = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            stat.rsplit(')').next()?.trim_start().chars().next()
        };
        (0..200).any(|_| {
            thread::sleep(Duration::from_millis(10));
            matches!(state(), None | Some('Z'))
        })
    }
}
