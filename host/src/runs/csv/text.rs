//! Numbers, rows and headers as text, and lines that are whole.

use std::io::{self, BufRead};

use super::{Row, STEP};

/// Lines that end in a line feed, without it; a torn last one is left out.
pub(in crate::runs) struct WholeLines<R>(pub(in crate::runs) R);

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
pub(super) fn number(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    let text = format!("{value:?}");
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

/// A row as a line with a cell for each column.
pub(super) fn line(row: &Row, columns: &[String]) -> String {
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
pub(super) fn header(columns: &[String]) -> String {
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
pub(in crate::runs) fn parse_header(line: &str) -> Vec<String> {
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
