//! A file that grows by whole records, whatever happens to a write.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Appends records to a file. A record that could only be written in part is taken back, at the
/// latest before the next one; the file is opened, and made, with the first.
#[derive(Debug)]
pub(super) struct AppendFile {
    path: PathBuf,
    file: Option<File>,
    /// Bytes of whole records.
    length: u64,
    /// The file may be longer than that.
    torn: bool,
}

impl AppendFile {
    /// The file at `path`, which has `length` good bytes and perhaps more that are not.
    pub(super) fn new(path: &Path, length: u64) -> Self {
        Self {
            path: path.to_owned(),
            file: None,
            length,
            torn: true,
        }
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of whole records.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends one record.
    pub(super) fn append(&mut self, record: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            closed => closed.insert(File::options().create(true).append(true).open(&self.path)?),
        };
        if self.torn {
            file.set_len(self.length)?;
            self.torn = false;
        }
        if let Err(error) = file.write_all(record) {
            self.torn = file.set_len(self.length).is_err();
            return Err(error);
        }
        self.length += record.len() as u64;
        Ok(())
    }

    /// Brings what was appended to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }
}
