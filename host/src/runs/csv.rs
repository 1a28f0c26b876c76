//! Metrics as CSV: one row per log interval, the same bytes for the same run.
//!
//! The first column is [`STEP`]; the others come in the order in which their names first appeared.
//! Numbers are the shortest text that reads back as the same f64, `nan`, `inf` and `-inf`; a cell
//! without a value is empty. A name that appears later widens the table: the file is written anew,
//! atomically, with a wider header.

mod cut;
mod text;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind as IoKind, Read, Write};
use std::path::Path;

use palaestra_plugin_api::{Error, Result};
use palaestra_registry::AtomicFile;
use serde::{Deserialize, Serialize};

use super::Warning;
use super::append::AppendFile;
use cut::{Cut, cut};
pub(super) use text::{WholeLines, parse_header};
use text::{header, line, number};

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

#[cfg(test)]
mod tests;
