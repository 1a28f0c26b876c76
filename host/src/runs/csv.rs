//! Metrics as CSV: one row per log interval, the same bytes for the same run.
//!
//! The first column is [`STEP`]; the others come in the order in which their names first appeared.
//! Numbers are the shortest text that reads back as the same f64, `nan`, `inf` and `-inf`; a cell
//! without a value is empty. A name that appears later widens the table: the file is written anew,
//! atomically, with a wider header.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind as IoKind, Read, Write};
use std::path::Path;

use palaestra_plugin_api::{Error, Result};
use palaestra_registry::AtomicFile;
use serde::{Deserialize, Serialize};

use super::Warning;
use super::append::AppendFile;

/// Name of the first column: environment steps taken so far, all instances together.
pub const STEP: &str = "env_steps";

/// One row: the step, and text by column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    step: u64,
    cells: Vec<(String, String)>,
}

/// How far a [`MetricsLog`] had come; part of a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Columns after [`STEP`], in order.
    columns: Vec<String>,
    /// Rows in the file.
    rows: u64,
    /// Rows that the disk had no room for.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pending: VecDeque<Row>,
}

/// A growing CSV file of named numbers.
///
/// Rows go to the file as they come, one write each, and are brought to the disk by
/// [`MetricsLog::position`]. A row that cannot be written waits in memory for the next one.
#[derive(Debug)]
pub struct MetricsLog {
    file: AppendFile,
    position: Position,
    failing: bool,
}

impl MetricsLog {
    /// A new table at `path`; the file is made with the first row and replaces one that is there.
    pub fn create(path: &Path) -> Self {
        Self::at(path, 0, Position::default())
    }

    fn at(path: &Path, length: u64, position: Position) -> Self {
        Self {
            file: AppendFile::new(path, length),
            position,
            failing: false,
        }
    }

    /// Goes on at a position: what was logged after it, a torn last line included, is dropped, so
    /// that the file becomes what it would be had the run never been stopped.
    ///
    /// Rows that are missing, up to the whole file, are a warning.
    ///
    /// # Errors
    /// Kind `Io` for a file that cannot be read or written, kind `Config` for one with other
    /// columns.
    pub fn resume(path: &Path, position: &Position) -> Result<(Self, Option<Warning>)> {
        if position.columns.is_empty() && position.rows == 0 {
            return match fs::remove_file(path) {
                Err(error) if error.kind() != IoKind::NotFound => Err(Error::io(path, &error)),
                _ => Ok((Self::at(path, 0, position.clone()), None)),
            };
        }
        let (length, rows) = match cut(path, position) {
            Err(Cut::Io(error)) if error.kind() == IoKind::NotFound => (0, 0),
            Err(Cut::Io(error)) => return Err(Error::io(path, &error)),
            Err(Cut::Columns(found)) => {
                return Err(Error::config(format!(
                    "{}: expected a table that begins with the columns {}, found {found}; \
                     move the file away to go on without its rows",
                    path.display(),
                    header(&position.columns).trim_end(),
                )));
            }
            Ok(kept) => kept,
        };
        let warning = (rows < position.rows).then(|| {
            Warning::new(format!(
                "{}: expected {} rows, found {rows}; the rest is lost and the table goes on here",
                path.display(),
                position.rows
            ))
        });
        let position = Position {
            rows,
            columns: if length == 0 {
                Vec::new()
            } else {
                position.columns.clone()
            },
            pending: position.pending.clone(),
        };
        Ok((Self::at(path, length, position), warning))
    }

    /// Adds a row at `step` environment steps. Of two values of one name the later one counts;
    /// the name [`STEP`] is the row's own and skipped.
    ///
    /// A failed write gives a warning, once until a write succeeds again; the row is kept for the
    /// next try.
    pub fn row(&mut self, step: u64, values: &[(&str, f64)]) -> Option<Warning> {
        let mut cells: Vec<(String, String)> = Vec::with_capacity(values.len());
        for (name, value) in values.iter().filter(|(name, _)| *name != STEP) {
            match cells.iter_mut().find(|(known, _)| known == name) {
                Some((_, cell)) => *cell = number(*value),
                None => cells.push(((*name).to_owned(), number(*value))),
            }
        }
        self.position.pending.push_back(Row { step, cells });
        match self.flush() {
            Ok(()) => {
                self.failing = false;
                None
            }
            Err(_) if self.failing => None,
            Err(error) => {
                self.failing = true;
                Some(Warning::new(format!(
                    "{}: expected to write a row, found {error}; rows are kept and tried again \
                     with the next one",
                    self.file.path().display()
                )))
            }
        }
    }

    /// How far the table has come, for a checkpoint; everything before it is brought to the disk.
    pub fn position(&mut self) -> Position {
        // Rows that are lost in spite of this are missed, and reported, by `resume`.
        let _ = self.file.sync();
        self.position.clone()
    }

    fn flush(&mut self) -> io::Result<()> {
        let Position {
            columns, pending, ..
        } = &self.position;
        let mut wider = columns.clone();
        for (name, _) in pending.iter().flat_map(|row| &row.cells) {
            if !wider.contains(name) {
                wider.push(name.clone());
            }
        }
        if wider.len() > columns.len() || self.file.length() == 0 {
            self.widen(wider)?;
        }
        while let Some(row) = self.position.pending.front() {
            self.file
                .append(line(row, &self.position.columns).as_bytes())?;
            self.position.rows += 1;
            self.position.pending.pop_front();
        }
        Ok(())
    }

    /// Writes the file anew with more columns.
    fn widen(&mut self, columns: Vec<String>) -> io::Result<()> {
        let path = self.file.path().to_owned();
        let mut new = AtomicFile::create(&path)?;
        let head = header(&columns);
        new.write_all(head.as_bytes())?;
        let mut length = head.len() as u64;
        if self.file.length() > 0 {
            let empty = ",".repeat(columns.len() - self.position.columns.len());
            let old = BufReader::new(File::open(&path)?.take(self.file.length()));
            for row in old.lines().skip(1) {
                let row = row? + &empty + "\n";
                new.write_all(row.as_bytes())?;
                length += row.len() as u64;
            }
        }
        new.commit()?;
        self.position.columns = columns;
        self.file = AppendFile::new(&path, length);
        Ok(())
    }
}

/// Why a file could not be cut back to a position.
enum Cut {
    Io(io::Error),
    Columns(String),
}

impl From<io::Error> for Cut {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Cuts the file back to a position's rows and columns; gives its length and its rows.
fn cut(path: &Path, position: &Position) -> Result<(u64, u64), Cut> {
    let mut lines = WholeLines(BufReader::new(File::open(path)?));
    let head = lines.next().transpose()?.unwrap_or_default();
    let found = parse_header(&head);
    let same = found.first().is_some_and(|first| first == STEP)
        && found[1..].starts_with(&position.columns);
    if !same {
        // An empty file has lost its rows; anything else is another table.
        return if head.is_empty() {
            Ok((0, 0))
        } else {
            Err(Cut::Columns(head))
        };
    }
    let width = found.len();
    let rows = lines
        .take(usize::try_from(position.rows).unwrap_or(usize::MAX))
        .take_while(|row| !matches!(row, Ok(row) if row.split(',').count() != width));
    if width == position.columns.len() + 1 {
        let (mut length, mut kept) = (head.len() as u64 + 1, 0);
        for row in rows {
            length += row?.len() as u64 + 1;
            kept += 1;
        }
        let file = File::options().write(true).open(path)?;
        file.set_len(length)?;
        return Ok((length, kept));
    }
    let mut narrow = AtomicFile::create(path)?;
    let head = header(&position.columns);
    narrow.write_all(head.as_bytes())?;
    let (mut length, mut kept) = (head.len() as u64, 0);
    for row in rows {
        let row = row?;
        let cells: Vec<&str> = row.split(',').take(position.columns.len() + 1).collect();
        let row = cells.join(",") + "\n";
        narrow.write_all(row.as_bytes())?;
        length += row.len() as u64;
        kept += 1;
    }
    narrow.commit()?;
    Ok((length, kept))
}

/// Lines that end in a line feed, without it; a torn last one is left out.
pub(super) struct WholeLines<R>(pub(super) R);

impl<R: BufRead> Iterator for WholeLines<R> {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        match self.0.read_until(b'\n', &mut line) {
            Err(error) => Some(Err(error)),
            Ok(_) if line.pop() != Some(b'\n') => None,
            // Bytes that are no text, of a damaged file, are no numbers either.
            Ok(_) => Some(Ok(String::from_utf8_lossy(&line).into_owned())),
        }
    }
}

/// The shortest text that reads back as the same number.
fn number(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    let text = format!("{value:?}");
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

fn line(row: &Row, columns: &[String]) -> String {
    let mut text = row.step.to_string();
    for column in columns {
        text.push(',');
        if let Some((_, cell)) = row.cells.iter().find(|(name, _)| name == column) {
            text.push_str(cell);
        }
    }
    text.push('\n');
    text
}

/// The first line, names with commas or quotes quoted (RFC 4180).
fn header(columns: &[String]) -> String {
    let mut text = STEP.to_owned();
    for name in columns {
        text.push(',');
        if name.contains([',', '"', '\n', '\r']) {
            let name = name.replace(['\n', '\r'], " ").replace('"', "\"\"");
            text.push_str(&format!("\"{name}\""));
        } else {
            text.push_str(name);
        }
    }
    text.push('\n');
    text
}

/// Names of the first line.
pub(super) fn parse_header(line: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let name = names.last_mut().expect("there is always a name");
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                name.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => names.push(String::new()),
            other => name.push(other),
        }
    }
    names
}

#[cfg(test)]
mod tests {
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
}
