//! What every command prints with: standard output that may be cut off, colours, aligned tables.

use std::fmt::Write as _;
use std::io::{self, ErrorKind as IoKind, IsTerminal, Write};

use palaestra_plugin_api::{Error, ErrorKind, Result};
use serde::Serialize;

/// Prints text to standard output. A reader that has gone away (`palaestra list | head -1`) is no error.
///
/// # Errors
/// Kind `Io` for any other failure.
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != IoKind::BrokenPipe => {
            Err(Error::new(ErrorKind::Io, format!("standard output: {e}")))
        }
        _ => Ok(()),
    }
}

/// Prints a value as indented JSON.
///
/// # Errors
/// As [`print()`]; kind `Host` when the value is none that JSON can hold.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|e| Error::new(ErrorKind::Host, format!("json: {e}")))?;
    print(&(text + "\n"))
}

/// Writes a remark to standard error: nothing that a program reads.
pub fn remark(kind: &str, text: &str) {
    // There is nowhere left to report that standard error is closed.
    let _ = writeln!(io::stderr(), "{kind}: {text}");
}

/// Colours of a terminal, or none.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    on: bool,
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Ordinary text.
    Plain,
    /// Headings and names.
    Bold,
    /// What matters less.
    Dim,
    /// All is well.
    Good,
    /// Something to look at.
    Warn,
    /// Something is wrong.
    Bad,
}

impl Paint {
    /// Colours for standard output: on a terminal, unless `NO_COLOR` is set.
    pub fn stdout() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            on: io::stdout().is_terminal() && !refused && !dumb,
        }
    }

    /// No colours.
    pub fn off() -> Self {
        Self { on: false }
    }

    /// `text` in `ink`.
    pub fn paint(self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Plain => return text.to_owned(),
            _ if !self.on => return text.to_owned(),
            Ink::Bold => "1",
            Ink::Dim => "2",
            Ink::Good => "32",
            Ink::Warn => "33",
            Ink::Bad => "31",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Rows of text in aligned columns; the last column is as wide as it likes.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<(Ink, String)>>,
}

impl Table {
    /// A table with a line of headings.
    pub fn new(headings: &[&str]) -> Self {
        let headings = headings.iter().map(|h| (Ink::Dim, (*h).to_owned()));
        Self {
            rows: vec![headings.collect()],
        }
    }

    /// A table without headings.
    pub fn bare() -> Self {
        Self::default()
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = (Ink, String)>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as text, each line begun with `indent`.
    pub fn render(&self, paint: Paint, indent: &str) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |c: usize| {
            self.rows
                .iter()
                .filter_map(|r| r.get(c))
                .map(|cell| length(&cell.1))
                .max()
        };
        let widths: Vec<usize> = (0..columns).map(|c| width(c).unwrap_or(0)).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = indent.to_owned();
            let mut owed = 0;
            for ((ink, cell), width) in row.iter().zip(&widths) {
                // Spaces are written before the next cell, so that no line ends in them.
                if !cell.is_empty() {
                    let _ = write!(line, "{:owed$}{}", "", paint.paint(*ink, cell));
                    owed = 0;
                }
                owed += width - length(cell) + 2;
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_no_line_ends_in_spaces() {
        let mut table = Table::new(&["id", "trust", ""]);
        table.row([
            (Ink::Bold, "a/Long-v0".into()),
            (Ink::Good, "ok".into()),
            (Ink::Plain, "text".into()),
        ]);
        table.row([
            (Ink::Bold, "b/é-v0".into()),
            (Ink::Plain, String::new()),
            (Ink::Plain, "x".into()),
        ]);
        assert_eq!(
            table.render(Paint::off(), " "),
            " id         trust\n a/Long-v0  ok     text\n b/é-v0            x\n"
        );
    }

    #[test]
    fn colours_do_not_disturb_the_alignment() {
        let mut table = Table::bare();
        table.row([(Ink::Good, "ab".into()), (Ink::Plain, "c".into())]);
        table.row([(Ink::Plain, "a".into()), (Ink::Plain, "c".into())]);
        assert_eq!(
            table.render(Paint { on: true }, ""),
            "\x1b[32mab\x1b[0m  c\na   c\n"
        );
    }
}
