use super::*;
use crate::runs::{Table, subprocess};

/// Rows of a run in which columns appear now and then.
fn rows() -> Vec<(u64, Vec<(&'static str, f64)>)> {
    (0..40_u64)
        .map(|i| {
            let mut values = vec![("loss", 1.0 / (i as f64 + 3.0)), ("return", -(i as f64))];
            if i >= 7 {
                values.push(("evaluation, mean", if i == 9 { f64::NAN } else { 1e-9 }));
            }
            if i >= 23 {
                values.push(("late \"one\"", 1e300));
            }
            (i * 2048, values)
        })
        .collect()
}

fn log(log: &mut MetricsLog, rows: &[(u64, Vec<(&str, f64)>)]) {
    for (step, values) in rows {
        assert_eq!(log.row(*step, values), None);
    }
}

#[test]
fn text_is_exact_and_short() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    let mut table = MetricsLog::create(&path);
    table.row(0, &[("a", 500.0), ("b", 0.1)]);
    table.row(9, &[("b", f64::NAN), ("b", -1e-7), (STEP, 3.0)]);
    table.row(10, &[("c", f64::NEG_INFINITY), ("a", 0.1 + 0.2)]);
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "env_steps,a,b,c\n0,500,0.1,\n9,,-1e-7,\n10,0.30000000000000004,,-inf\n"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_run_killed_anywhere_and_resumed_has_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let rows = rows();
    let whole = folder.path().join("whole.csv");
    log(&mut MetricsLog::create(&whole), &rows);
    let expected = fs::read(&whole).unwrap();
    // Around the rows that bring new columns, and the ends.
    for checkpoint in [0, 1, 7, 8, 22, 23, 24, rows.len()] {
        for killed in [checkpoint, checkpoint + 1, checkpoint + 9, rows.len()] {
            let killed = killed.min(rows.len());
            let path = folder.path().join("killed.csv");
            let mut first = MetricsLog::create(&path);
            log(&mut first, &rows[..checkpoint]);
            let position = serde_json::to_string(&first.position()).unwrap();
            log(&mut first, &rows[checkpoint..killed]);
            drop(first);
            if let Ok(mut file) = File::options().append(true).open(&path) {
                file.write_all(b"81920,0.2").unwrap();
            }
            let position = serde_json::from_str(&position).unwrap();
            let (mut second, warning) = MetricsLog::resume(&path, &position).unwrap();
            assert_eq!(warning, None);
            log(&mut second, &rows[checkpoint..]);
            assert!(
                fs::read(&path).unwrap() == expected,
                "checkpoint {checkpoint}, killed {killed}"
            );
            fs::remove_file(&path).unwrap();
        }
    }
}

#[test]
fn lost_rows_are_reported_and_foreign_tables_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    let mut table = MetricsLog::create(&path);
    log(&mut table, &rows()[..5]);
    let position = table.position();
    let text = fs::read_to_string(&path).unwrap();
    let four = text.trim_end().rsplit_once('\n').unwrap().0;
    fs::write(&path, four).unwrap();
    let (_, warning) = MetricsLog::resume(&path, &position).unwrap();
    let warning = warning.unwrap().to_string();
    assert!(warning.contains("expected 5 rows, found 3"), "{warning}");
    for gone in [true, false] {
        fs::write(&path, "").unwrap();
        if gone {
            fs::remove_file(&path).unwrap();
        }
        let (mut table, warning) = MetricsLog::resume(&path, &position).unwrap();
        assert!(warning.is_some());
        table.row(7, &[("b", 1.0)]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "env_steps,b\n7,1\n");
    }
    let error = MetricsLog::resume(&path, &position).unwrap_err();
    assert!(error.message.contains("found env_steps,b;"), "{error}");
}

#[test]
fn a_full_disk_warns_once_and_loses_no_row() {
    if !subprocess::enter("runs::csv::tests::a_full_disk_warns_once_and_loses_no_row") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("metrics.csv");
    let rows = rows();
    let mut table = MetricsLog::create(&path);
    log(&mut table, &rows[..3]);
    let small = fs::metadata(&path).unwrap().len() + 50;
    subprocess::limit_file_size(Some(small));
    let warnings = |table: &mut MetricsLog, rows: &[(u64, Vec<(&str, f64)>)]| {
        let rows = rows.iter();
        rows.filter_map(|(step, values)| table.row(*step, values))
            .count()
    };
    // Rows at first, then a wider table; a position among them carries what waits.
    assert_eq!(warnings(&mut table, &rows[3..20]), 1);
    let position = table.position();
    let (mut table, warning) = MetricsLog::resume(&path, &position).unwrap();
    assert_eq!(warning, None);
    assert_eq!(warnings(&mut table, &rows[20..30]), 1);
    let there = Table::read(&path).unwrap().steps().len();
    assert!((3..6).contains(&there), "{there}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    subprocess::limit_file_size(None);
    log(&mut table, &rows[30..]);
    let whole = folder.path().join("whole.csv");
    log(&mut MetricsLog::create(&whole), &rows);
    assert_eq!(fs::read(&path).unwrap(), fs::read(&whole).unwrap());
}
