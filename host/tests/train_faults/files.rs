//! Files that are damaged, and disks that are full.

use super::*;

/// Changes a byte in the middle of a file.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// Cuts the second half off.
fn cut(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn damaged_checkpoints_are_passed_over_and_nothing_starts_over() {
    let machine = Machine::of_the_workspace();
    let whole = machine.train(&ppo(&[]));
    let damaged = machine.train(&ppo(&[]));
    let files = damaged.checkpoints();
    let [first, second, third] = &files[..] else {
        panic!("{files:?}")
    };
    damage(third);
    cut(second);
    let resumed = machine.run(&["resume", "--json", damaged.path()]);
    let warnings: Vec<_> = resumed
        .stderr
        .lines()
        .filter(|l| l.starts_with("warning: "))
        .collect();
    assert_eq!(warnings.len(), 2, "{resumed:?}");
    assert!(
        warnings[0].contains("step_000000001024.ckpt") && warnings[0].contains("sha256 differs"),
        "{resumed:?}"
    );
    assert!(
        warnings[1].contains("step_000000000768.ckpt") && warnings[1].contains("bytes, found "),
        "{resumed:?}"
    );
    let resumed = machine.trained(resumed.json());
    assert_same_run(&whole, &resumed, "resumed from the third newest");

    let metrics = resumed.metrics();
    let files = resumed.checkpoints();
    assert!(files.len() >= 3 && files.contains(first));
    files.iter().for_each(|file| damage(file));
    for command in ["resume", "eval"] {
        machine.run(&[command, resumed.path()]).fails(
            4,
            &[
                "expected one that is undamaged, found none of 3 (",
                "restore a file from a copy, or train anew",
            ],
        );
    }
    assert_eq!(resumed.metrics(), metrics);
    assert_eq!(resumed.checkpoints(), files);
}

/// Runs the program with a limit on the size of files, as on a full disk.
fn with_full_disk(machine: &Machine, bytes: u64, arguments: &[&str]) -> Run {
    let command = machine.command(arguments);
    let mut limited = Command::new("prlimit");
    limited
        .arg(format!("--fsize={bytes}"))
        .args(["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
    limited.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let output = limited
        .current_dir(command.get_current_dir().unwrap())
        .output()
        .unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_full_disk_costs_checkpoints_and_no_training() {
    let machine = Machine::of_the_workspace();
    let whole = machine.train(&ppo(&[]));
    let run = machine.train(&ppo(&["--set=training.steps=512"]));
    let (before, kept) = (run.checkpoints(), run.latest());
    let room = fs::metadata(kept.path()).unwrap().len() / 2;
    let full = with_full_disk(
        &machine,
        room,
        &["resume", "--json", "--steps=1024", run.path()],
    );
    let document = full.json();
    assert_eq!(document["steps"], 1024);
    assert_eq!(document["evaluation"], whole.document["evaluation"]);
    let warning = "expected to write a checkpoint, found ";
    assert_eq!(full.stderr.matches(warning).count(), 2, "{full:?}");
    assert!(
        full.stderr
            .contains("the ones before it are intact, check free space; training goes on"),
        "{full:?}"
    );
    assert_eq!(run.checkpoints(), before);
    assert_eq!(run.latest().step(), 512);
    let resumed = machine.resume(&run, &[]);
    assert_same_run(&whole, &resumed, "resumed when there was room again");
}
