use palaestra_plugin_api::ErrorKind;

use super::*;
use crate::runs::subprocess;

fn save(store: &mut CheckpointStore, step: u64, score: Option<f64>) -> Saved {
    let saved = store
        .save(step, score, |parts| {
            parts.bytes("host.json", step.to_string().as_bytes())
        })
        .unwrap();
    assert_eq!(saved.warnings, []);
    saved
}

/// Changes a byte of the first part.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes[24] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn the_last_n_and_the_best_stay() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(folder.path(), 2).unwrap();
    let scores = [None, Some(3.0), Some(9.0), Some(1.0), None, Some(f64::NAN)];
    for (index, score) in scores.into_iter().enumerate() {
        let step = 100 * (index as u64 + 1);
        let saved = save(&mut store, step, score);
        assert!(saved.path.is_file());
        assert_eq!(saved.best, index == 1 || index == 2);
    }
    assert_eq!(steps(folder.path()).unwrap(), [300, 500, 600]);
    assert!(store.would_be_best(9.0) && !store.would_be_best(8.9));
    // An equal score that is newer takes its place.
    assert!(save(&mut store, 700, Some(9.0)).best);
    assert_eq!(steps(folder.path()).unwrap(), [600, 700]);
    let mut found = latest(folder.path()).unwrap();
    assert_eq!(found.checkpoint.bytes("host.json").unwrap(), b"700");
    assert_eq!(found.fallbacks, []);
    let text = fs::read_to_string(store.index()).unwrap();
    let index: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&index["best"], &index["latest"]),
        (&700.into(), &700.into())
    );
}

#[test]
fn an_index_that_is_lost_or_wrong_is_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(folder.path(), 1).unwrap();
    save(&mut store, 1, Some(5.0));
    save(&mut store, 2, Some(4.0));
    let index = fs::read(store.index()).unwrap();
    for wrong in [None, Some("{")] {
        fs::remove_file(store.index()).unwrap();
        if let Some(text) = wrong {
            fs::write(store.index(), text).unwrap();
        }
        let mut store = CheckpointStore::open(folder.path(), 1).unwrap();
        assert_eq!(fs::read(store.index()).unwrap(), index);
        assert_eq!(best(folder.path()).unwrap().checkpoint.step(), 1);
        // The best one outlives this, too.
        save(&mut store, 2, Some(4.0));
        assert_eq!(steps(folder.path()).unwrap(), [1, 2]);
    }
}

#[test]
fn damaged_checkpoints_are_passed_over_aloud_and_never_silently_all() {
    let folder = tempfile::tempdir().unwrap();
    let error = latest(folder.path()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    let mut store = CheckpointStore::open(folder.path(), 3).unwrap();
    for (step, score) in [(1, 1.0), (2, 3.0), (3, 2.0)] {
        save(&mut store, step, Some(score));
    }
    damage(&file(folder.path(), 3));
    let cut = fs::read(file(folder.path(), 2)).unwrap();
    fs::write(file(folder.path(), 2), &cut[..cut.len() - 9]).unwrap();
    for found in [latest(folder.path()), best(folder.path())] {
        let found = found.unwrap();
        assert_eq!(found.checkpoint.step(), 1);
        let mut files: Vec<_> = found.fallbacks.iter().map(|f| &f.file).collect();
        files.sort();
        assert_eq!(files, [&file(folder.path(), 2), &file(folder.path(), 3)]);
        let reasons = found.fallbacks.iter().map(ToString::to_string);
        assert!(reasons.into_iter().any(|r| r.contains("sha256 differs")));
    }
    let fallbacks = latest(folder.path()).unwrap().fallbacks;
    assert!(
        fallbacks[1].reason.contains("bytes, found"),
        "{fallbacks:?}"
    );
    assert!(at(folder.path(), 3).is_err());
    assert_eq!(at(folder.path(), 1).unwrap().step(), 1);
    let error = at(folder.path(), 9).unwrap_err().to_string();
    assert!(error.contains("found 1, 2, 3;"), "{error}");
    damage(&file(folder.path(), 1));
    let error = latest(folder.path()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Io);
    assert!(error.message.contains("found none of 3"), "{error}");
}

#[test]
fn a_run_that_fell_back_does_not_lose_what_it_fell_back_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(folder.path(), 2).unwrap();
    for step in [10, 20, 30] {
        save(&mut store, step, None);
    }
    damage(&file(folder.path(), 30));
    let mut store = CheckpointStore::open(folder.path(), 2).unwrap();
    let step = latest(folder.path()).unwrap().checkpoint.step();
    assert_eq!(step, 20);
    store.rewind(step).unwrap();
    save(&mut store, 25, None);
    assert_eq!(steps(folder.path()).unwrap(), [20, 25]);
    assert_eq!(latest(folder.path()).unwrap().checkpoint.step(), 25);
    assert!(
        file(folder.path(), 30)
            .with_extension("ckpt.superseded")
            .is_file()
    );
}

#[test]
fn a_process_killed_before_the_rename_leaves_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(folder.path(), 2).unwrap();
    save(&mut store, 10, None);
    // All bytes are written, the name is not.
    let half = folder.path().join(".step_000000000020.ckpt.17-3.part");
    fs::copy(file(folder.path(), 10), &half).unwrap();
    assert_eq!(latest(folder.path()).unwrap().checkpoint.step(), 10);
    let store = CheckpointStore::open(folder.path(), 2).unwrap();
    assert!(!half.exists());
    assert_eq!(store.entries.len(), 1);
}

#[test]
fn a_full_disk_leaves_earlier_checkpoints_and_no_half_file() {
    const NAME: &str =
        "runs::checkpoints::tests::a_full_disk_leaves_earlier_checkpoints_and_no_half_file";
    if !subprocess::enter(NAME) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut store = CheckpointStore::open(folder.path(), 1).unwrap();
    save(&mut store, 10, None);
    let large = |parts: &mut PartsWriter<'_>| {
        // As a plugin's snapshot does: the stream's error comes back as the plugin's own.
        parts.part("algorithm/0", |out| {
            let block = [7; 1 << 12];
            (0..64)
                .try_for_each(|_| out.write_all(&block))
                .map_err(|_| Error::plugin("snapshot: could not write"))
        })
    };
    // In the middle of a part, and only when the last buffer is flushed.
    for limit in [100_000, 64 * 4096 + 50] {
        subprocess::limit_file_size(Some(limit));
        let error = store.save(20, Some(1.0), large).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Io, "{error}");
        assert!(error.message.contains("the ones before it are intact"));
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["index.json", "step_000000000010.ckpt"]);
        assert_eq!(latest(folder.path()).unwrap().checkpoint.step(), 10);
        assert_eq!(store.best(), None);
    }
    subprocess::limit_file_size(None);
    store.save(20, Some(1.0), large).unwrap();
    assert_eq!(steps(folder.path()).unwrap(), [20]);
}

#[test]
fn a_process_killed_at_any_moment_leaves_a_checkpoint_that_verifies() {
    const NAME: &str = "runs::checkpoints::tests::\
                        a_process_killed_at_any_moment_leaves_a_checkpoint_that_verifies";
    const FOLDER: &str = "PALAESTRA_TEST_KILLED";
    let save = |store: &mut CheckpointStore, step| {
        let block = vec![step as u8; 200_000];
        store.save(step, Some(1.0), |parts| parts.bytes("algorithm/0", &block))
    };
    if let Some(folder) = std::env::var_os(FOLDER) {
        let mut store = CheckpointStore::open(Path::new(&folder), 2).unwrap();
        let first = store.entries.last().map_or(1, |entry| entry.step + 1);
        // An end, should nobody kill it.
        for step in first..first + 10_000 {
            save(&mut store, step).unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mut before = 1;
    save(
        &mut CheckpointStore::open(folder.path(), 2).unwrap(),
        before,
    )
    .unwrap();
    for round in 0..8 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", NAME])
            .env(FOLDER, folder.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        while latest(folder.path()).unwrap().checkpoint.step() <= before {
            assert!(child.try_wait().unwrap().is_none());
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        std::thread::sleep(std::time::Duration::from_micros(1_700 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut found = latest(folder.path()).unwrap();
        assert_eq!(found.fallbacks, []);
        before = found.checkpoint.step();
        let bytes = found.checkpoint.bytes("algorithm/0").unwrap();
        assert!(bytes == vec![before as u8; 200_000]);
    }
}
