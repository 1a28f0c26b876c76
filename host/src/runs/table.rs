//! Reads a CSV file of metrics back, for reports and resumed pictures.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use palaestra_plugin_api::{Error, Result};

use super::csv::{STEP, WholeLines, parse_header};

/// A table of metrics: named columns over environment steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    steps: Vec<u64>,
    columns: Vec<(String, Vec<Option<f64>>)>,
}

impl Table {
    /// Reads a file that a [`MetricsLog`](super::MetricsLog) wrote, or is writing: a last line
    /// without its end is left out.
    ///
    /// # Errors
    /// Kind `Io` for a file that cannot be read, kind `Config` for one that is no such table.
    pub fn read(path: &Path) -> Result<Self> {
        let io = |error| Error::io(path, &error);
        let file = File::open(path).map_err(io)?;
        let mut lines = WholeLines(BufReader::new(file)).enumerate();
        let names = match lines.next() {
            Some((_, line)) => parse_header(&line.map_err(io)?),
            None => Vec::new(),
        };
        let wrong = |line: usize, expected: &str, found: &str| {
            Error::config(format!(
                "{}, line {}: expected {expected}, found \"{found}\"; it is not a table of metrics",
                path.display(),
                line + 1
            ))
        };
        let Some((STEP, names)) = names.split_first().map(|(f, rest)| (f.as_str(), rest)) else {
            let found = names.first().map_or("nothing", String::as_str);
            return Err(wrong(0, STEP, found));
        };
        let mut table = Self {
            steps: Vec::new(),
            columns: names.iter().map(|n| (n.clone(), Vec::new())).collect(),
        };
        for (index, line) in lines {
            let line = line.map_err(io)?;
            let mut cells = line.split(',');
            let step = cells.next().unwrap_or_default();
            let step = step.parse();
            table
                .steps
                .push(step.map_err(|_| wrong(index, "a number of steps", &line))?);
            for (_, column) in &mut table.columns {
                column.push(match cells.next() {
                    Some("") => None,
                    Some(cell) => Some(cell.parse().map_err(|_| wrong(index, "a number", cell))?),
                    None => return Err(wrong(index, "a value for each column", &line)),
                });
            }
            if cells.next().is_some() {
                return Err(wrong(index, "no more values than columns", &line));
            }
        }
        Ok(table)
    }

    /// Environment steps of each row.
    pub fn steps(&self) -> &[u64] {
        &self.steps
    }

    /// Names of the columns, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// One value per row, none where the cell is empty.
    pub fn column(&self, name: &str) -> Option<&[Option<f64>]> {
        let mut columns = self.columns.iter();
        let found = columns.find(|(known, _)| known == name)?;
        Some(&found.1)
    }

    /// (steps, value) of every row that has a value; empty for a column that is not there.
    pub fn points(&self, name: &str) -> Vec<(u64, f64)> {
        let column = self.column(name).unwrap_or_default();
        let rows = self.steps.iter().zip(column);
        rows.filter_map(|(step, value)| Some((*step, (*value)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::MetricsLog;

    #[test]
    fn columns_come_back_as_they_were_logged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        let mut log = MetricsLog::create(&path);
        log.row(8, &[("a", 0.1 + 0.2), ("b, \"c\"", f64::NAN)]);
        log.row(16, &[("late", f64::INFINITY), ("a", -1e-320)]);
        let table = Table::read(&path).unwrap();
        assert_eq!(table.steps(), [8, 16]);
        let names: Vec<_> = table.names().collect();
        assert_eq!(names, ["a", "b, \"c\"", "late"]);
        assert_eq!(table.points("a"), [(8, 0.1 + 0.2), (16, -1e-320)]);
        assert_eq!(table.column("late").unwrap(), [None, Some(f64::INFINITY)]);
        assert!(table.points("b, \"c\"")[0].1.is_nan());
        assert!(table.points("nowhere").is_empty());
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        for (text, expected) in [
            ("", "line 1: expected env_steps"),
            ("time,a\n1,2\n", "line 1: expected env_steps"),
            (
                "env_steps,a\n1,x\n",
                "line 2: expected a number, found \"x\"",
            ),
            ("env_steps,a\n1,2\n3\n", "line 3: expected a value for each"),
            ("env_steps,a\n1,2,3\n", "line 2: expected no more values"),
            ("env_steps,a\n-1,2\n", "line 2: expected a number of steps"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Table::read(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        std::fs::write(&path, "env_steps,a\n1,2\n3,").unwrap();
        assert_eq!(Table::read(&path).unwrap().steps(), [1]);
        assert!(Table::read(folder.path()).is_err());
    }
}
