//! A table cut back to where a checkpoint left it.

use std::{
    fs::File,
    io::{self, BufReader, Write},
    path::Path,
};

use palaestra_registry::AtomicFile;

use super::{
    Position, STEP,
    text::{WholeLines, header, parse_header},
};

/// Why a file could not be cut back to a position.
pub(super) enum Cut {
    Io(io::Error),
    Columns(String),
}

impl From<io::Error> for Cut {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Cuts the file back to a position's rows and columns; gives its length and its rows.
pub(super) fn cut(path: &Path, position: &Position) -> Result<(u64, u64), Cut> {
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
