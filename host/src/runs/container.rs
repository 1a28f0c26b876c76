//! The file format of a checkpoint: named parts in one file that knows when it is damaged.
//!
//! | bytes | |
//! |---|---|
//! | 8 | magic, `PALCKPT` and a zero |
//! | 4 | version of the format, u32 |
//! | 4 | length of the table of contents, u32 |
//! | 8 | length of the file, u64 |
//! | … | the parts, one after the other |
//! | … | the table of contents: JSON `{"step", "score", "parts": [{"name", "length"}]}` |
//! | 32 | SHA-256 of everything between header and trailer, then the header |
//!
//! Integers are little-endian. Parts are written and read as streams; memory use does not depend
//! on their size.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use palaestra_plugin_api::{Error, ErrorKind, Result};
use palaestra_registry::AtomicFile;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const MAGIC: [u8; 8] = *b"PALCKPT\0";
const VERSION: u32 = 1;
const HEADER: usize = 24;
const TRAILER: u64 = 32;

/// What is in a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Contents {
    /// Environment steps.
    pub(super) step: u64,
    /// Evaluation score, higher is better.
    pub(super) score: Option<f64>,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Part {
    name: String,
    length: u64,
}

fn header(toc: u32, length: u64) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..16].copy_from_slice(&toc.to_le_bytes());
    bytes[16..].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// Takes the parts of a checkpoint, one after the other.
pub struct PartsWriter<'a> {
    file: &'a mut AtomicFile,
    digest: Sha256,
    length: u64,
    parts: Vec<Part>,
    /// What the disk said first: the error that comes back through a plugin may not.
    failed: Option<io::Error>,
}

impl PartsWriter<'_> {
    /// Adds a part that `write` streams.
    ///
    /// # Errors
    /// Those of `write`; kind `Host` for a name that is empty or was used before.
    pub fn part(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<()> {
        if name.is_empty() || self.parts.iter().any(|part| part.name == name) {
            return Err(Error::new(
                ErrorKind::Host,
                format!("checkpoint: expected a new name for a part, found \"{name}\""),
            ));
        }
        let start = self.length;
        write(self)?;
        self.parts.push(Part {
            name: name.to_owned(),
            length: self.length - start,
        });
        Ok(())
    }

    /// Adds a part of bytes.
    ///
    /// # Errors
    /// Kind `Io`, or as [`PartsWriter::part`].
    pub fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.part(name, |out| Ok(out.write_all(bytes)?))
    }
}

impl Write for PartsWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.file.write(bytes) {
            Ok(written) => {
                self.digest.update(&bytes[..written]);
                self.length += written as u64;
                Ok(written)
            }
            Err(error) => {
                let kind = error.kind();
                if kind != io::ErrorKind::Interrupted {
                    let copy = io::Error::new(kind, error.to_string());
                    self.failed.get_or_insert(copy);
                }
                Err(error)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        // Only `commit` has to reach the disk.
        Ok(())
    }
}

/// Writes a checkpoint at `path`, whole or not at all; gives its length in bytes.
pub(super) fn write(
    path: &Path,
    step: u64,
    score: Option<f64>,
    parts: impl FnOnce(&mut PartsWriter<'_>) -> Result<()>,
) -> Result<u64> {
    let io = |e: &io::Error| {
        Error::new(
            ErrorKind::Io,
            format!(
                "{}: expected to write a checkpoint, found {e}; \
                 the ones before it are intact, check free space",
                path.display()
            ),
        )
    };
    let mut file = AtomicFile::create(path).map_err(|e| io(&e))?;
    file.write_all(&[0; HEADER]).map_err(|e| io(&e))?;
    let mut writer = PartsWriter {
        file: &mut file,
        digest: Sha256::new(),
        length: HEADER as u64,
        parts: Vec::new(),
        failed: None,
    };
    let written = parts(&mut writer);
    if let Some(error) = &writer.failed {
        return Err(io(error));
    }
    written?;
    let contents = Contents {
        step,
        score,
        parts: std::mem::take(&mut writer.parts),
    };
    let toc = serde_json::to_vec(&contents)
        .map_err(|e| Error::new(ErrorKind::Host, format!("checkpoint: {e}")))?;
    let mut finish = || {
        writer.write_all(&toc)?;
        let length = writer.length + TRAILER;
        let toc = u32::try_from(toc.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let header = header(toc, length);
        let digest = std::mem::take(&mut writer.digest);
        let digest = digest.chain_update(header).finalize();
        writer.file.write_all(&digest)?;
        writer.file.seek(SeekFrom::Start(0))?;
        writer.file.write_all(&header)?;
        Ok(length)
    };
    let length = finish().map_err(|e: io::Error| io(&e))?;
    file.commit().map_err(|e| io(&e))?;
    Ok(length)
}

/// A checkpoint whose bytes have been verified.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    file: File,
    contents: Contents,
}

impl Checkpoint {
    /// Opens a file and reads it once from end to end to verify it.
    ///
    /// # Errors
    /// Kind `Io` for a file that cannot be read or is damaged, with what is wrong with it.
    pub fn open(path: &Path) -> Result<Self> {
        let (file, contents) = open(path, true)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            contents,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Environment steps at which it was written.
    pub fn step(&self) -> u64 {
        self.contents.step
    }

    /// Evaluation score it was saved with.
    pub fn score(&self) -> Option<f64> {
        self.contents.score
    }

    /// Names of the parts, in the order in which they were written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.contents.parts.iter().map(|part| part.name.as_str())
    }

    /// Whether there is a part of this name.
    pub fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// A stream of a part's bytes, which ends where the part ends.
    ///
    /// # Errors
    /// Kind `Config` for a part that is not there, kind `Io` for a file that cannot be read.
    pub fn part(&mut self, name: &str) -> Result<impl Read + '_> {
        let mut start = HEADER as u64;
        for part in &self.contents.parts {
            if part.name == name {
                let io = |e| Error::io(&self.path, &e);
                self.file.seek(SeekFrom::Start(start)).map_err(io)?;
                return Ok(BufReader::with_capacity(1 << 16, &self.file).take(part.length));
            }
            start += part.length;
        }
        let names: Vec<_> = self.names().collect();
        Err(Error::config(format!(
            "{}: expected a part \"{name}\", found {}; it is of another experiment",
            self.path.display(),
            names.join(", ")
        )))
    }

    /// A part as bytes.
    ///
    /// # Errors
    /// Those of [`Checkpoint::part`].
    pub fn bytes(&mut self, name: &str) -> Result<Vec<u8>> {
        let path = self.path.clone();
        let mut bytes = Vec::new();
        let mut part = self.part(name)?;
        part.read_to_end(&mut bytes)
            .map_err(|e| Error::io(&path, &e))?;
        Ok(bytes)
    }
}

/// What a file says that it holds; nothing but header and table of contents is read.
pub(super) fn contents(path: &Path) -> Result<Contents> {
    open(path, false).map(|(_, contents)| contents)
}

fn open(path: &Path, verify: bool) -> Result<(File, Contents)> {
    let io = |e: io::Error| Error::io(path, &e);
    let damaged = |what: String| Error::new(ErrorKind::Io, format!("{}: {what}", path.display()));
    let mut file = File::open(path).map_err(io)?;
    let size = file.metadata().map_err(io)?.len();
    let mut head = [0; HEADER];
    if size < HEADER as u64 + TRAILER {
        return Err(damaged(format!(
            "expected a checkpoint, found {size} bytes"
        )));
    }
    file.read_exact(&mut head).map_err(io)?;
    let number = |range: std::ops::Range<usize>| {
        let bytes = head[range].iter().rev();
        bytes.fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    if head[..8] != MAGIC {
        return Err(damaged("expected a checkpoint, found other bytes".into()));
    }
    let (version, toc, length) = (number(8..12), number(12..16), number(16..24));
    if version != u64::from(VERSION) {
        return Err(damaged(format!(
            "expected a checkpoint of version {VERSION}, found {version}"
        )));
    }
    if length != size {
        return Err(damaged(format!("expected {length} bytes, found {size}")));
    }
    let Some(start) = (size - TRAILER)
        .checked_sub(toc)
        .filter(|start| *start >= HEADER as u64)
    else {
        return Err(damaged(
            "expected a table of contents, found damaged bytes".into(),
        ));
    };
    if verify {
        let mut digest = Sha256::new();
        let mut body = (&file).take(size - HEADER as u64 - TRAILER);
        let mut block = vec![0; 1 << 16];
        loop {
            match body.read(&mut block) {
                Ok(0) => break,
                Ok(read) => digest.update(&block[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(io(error)),
            }
        }
        let mut trailer = [0; TRAILER as usize];
        file.read_exact(&mut trailer).map_err(io)?;
        let digest: [u8; TRAILER as usize] = digest.chain_update(head).finalize().into();
        if digest != trailer {
            return Err(damaged(
                "expected the bytes that were written, found others (sha256 differs)".into(),
            ));
        }
    }
    file.seek(SeekFrom::Start(start)).map_err(io)?;
    let mut text = Vec::new();
    (&file).take(toc).read_to_end(&mut text).map_err(io)?;
    let contents: Contents = serde_json::from_slice(&text)
        .map_err(|_| damaged("expected a table of contents, found damaged bytes".into()))?;
    let mut lengths = contents.parts.iter().map(|part| part.length);
    let total = lengths.try_fold(HEADER as u64, u64::checked_add);
    if total != Some(start) {
        return Err(damaged(
            "expected parts as long as the table of contents says, found other lengths".into(),
        ));
    }
    Ok((file, contents))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A checkpoint with an empty part, a small one and one larger than every buffer.
    pub(crate) fn sample(path: &Path) -> u64 {
        write(path, 4096, Some(12.5), |parts| {
            parts.bytes("host.json", b"{\"rows\":3}")?;
            parts.bytes("wrappers", b"")?;
            parts.part("algorithm/0", |out| {
                for value in 0..100_000_u32 {
                    out.write_all(&value.to_le_bytes())?;
                }
                Ok(())
            })
        })
        .unwrap()
    }

    #[test]
    fn parts_come_back_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ckpt");
        assert_eq!(sample(&path), fs::metadata(&path).unwrap().len());
        let mut checkpoint = Checkpoint::open(&path).unwrap();
        assert_eq!((checkpoint.step(), checkpoint.score()), (4096, Some(12.5)));
        let names: Vec<_> = checkpoint.names().collect();
        assert_eq!(names, ["host.json", "wrappers", "algorithm/0"]);
        let large = checkpoint.bytes("algorithm/0").unwrap();
        let expected: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        assert!(large == expected);
        assert_eq!(checkpoint.bytes("host.json").unwrap(), b"{\"rows\":3}");
        assert_eq!(checkpoint.bytes("wrappers").unwrap(), b"");
        assert!(checkpoint.has("wrappers") && !checkpoint.has("wrap"));
        let error = checkpoint.part("mechanism/0").err().unwrap().to_string();
        assert!(error.contains("found host.json, wrappers"), "{error}");
        // The same contents are the same bytes.
        let again = folder.path().join("b.ckpt");
        sample(&again);
        assert!(fs::read(path).unwrap() == fs::read(again).unwrap());
    }

    #[test]
    fn every_damaged_byte_and_every_cut_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ckpt");
        write(&path, 7, None, |parts| parts.bytes("part", b"some bytes")).unwrap();
        let good = fs::read(&path).unwrap();
        Checkpoint::open(&path).unwrap();
        for index in 0..good.len() {
            let mut bad = good.clone();
            bad[index] ^= 0x10;
            fs::write(&path, bad).unwrap();
            assert!(Checkpoint::open(&path).is_err(), "byte {index}");
        }
        for length in 0..good.len() {
            fs::write(&path, &good[..length]).unwrap();
            assert!(Checkpoint::open(&path).is_err(), "length {length}");
        }
        let mut long = good.clone();
        long.push(0);
        fs::write(&path, long).unwrap();
        assert!(Checkpoint::open(&path).is_err());
    }

    #[test]
    fn a_failing_part_leaves_nothing_and_names_are_not_used_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ckpt");
        let error = write(&path, 7, None, |parts| {
            parts.bytes("part", b"some bytes")?;
            parts.part("algorithm/0", |_| Err(Error::plugin("snapshot: panicked")))
        });
        assert_eq!(error.unwrap_err().to_string(), "snapshot: panicked");
        let error = write(&path, 7, None, |parts| {
            parts.bytes("part", b"")?;
            parts.bytes("part", b"")
        });
        assert_eq!(error.unwrap_err().kind, ErrorKind::Host);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
