//! Files that are either whole or not there: written aside, flushed to the disk, then renamed.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Result};

/// Tells apart the files one process writes at once.
static SERIAL: AtomicU32 = AtomicU32::new(0);
/// What the name of a file that is being written ends in; it begins with a dot.
const SUFFIX: &str = ".part";

/// A buffered file written beside its target and renamed onto it by [`AtomicFile::commit`];
/// dropped without that, it leaves nothing behind. What a killed process leaves behind is
/// `.<name>.<process>-<serial>.part`, see [`AtomicFile::remove_leftovers`].
#[derive(Debug)]
pub struct AtomicFile {
    file: BufWriter<File>,
    aside: PathBuf,
    target: PathBuf,
    committed: bool,
}

impl AtomicFile {
    /// Opens a new file beside `target`, with the permissions that new files of this user have.
    ///
    /// # Errors
    /// A target without a name, or a folder that is not there or cannot be written.
    pub fn create(target: &Path) -> io::Result<Self> {
        Self::open(target, File::options().write(true).create_new(true))
    }

    /// As [`AtomicFile::create`], but nobody else may read or write it, from its first moment.
    ///
    /// # Errors
    /// Those of [`AtomicFile::create`].
    pub fn create_private(target: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Self::open(target, &options)
    }

    fn open(target: &Path, options: &OpenOptions) -> io::Result<Self> {
        let name = target
            .file_name()
            .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "no file name"))?;
        loop {
            let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
            let mut aside = std::ffi::OsString::from(".");
            aside.push(name);
            aside.push(format!(".{}-{serial}{SUFFIX}", process::id()));
            let aside = target.with_file_name(aside);
            let file = match options.open(&aside) {
                // Left by a process that had the same number: containers start counting anew.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                opened => BufWriter::new(opened?),
            };
            return Ok(Self {
                file,
                aside,
                target: target.to_owned(),
                committed: false,
            });
        }
    }

    /// Replaces `target` by a file of `bytes`.
    ///
    /// # Errors
    /// Any failed write; a file that was at `target` is then untouched.
    pub fn write(target: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = Self::create(target)?;
        file.write_all(bytes)?;
        file.commit()
    }

    /// Brings the bytes to the disk and puts the file in place of its target.
    ///
    /// # Errors
    /// Any failed write; a file that was at the target is then untouched.
    pub fn commit(mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.aside, &self.target)?;
        self.committed = true;
        // Without this the name may be lost in a power cut, though not the bytes behind it.
        if cfg!(unix) {
            let folder = match self.target.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// Removes what killed processes left unfinished in `folder`, and tells how many files that
    /// were. Only for a folder that nobody else is writing to.
    ///
    /// # Errors
    /// A folder that cannot be read, or a file that cannot be removed.
    pub fn remove_leftovers(folder: &Path) -> io::Result<usize> {
        let mut removed = 0;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if is_leftover(&entry.file_name().to_string_lossy()) && entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// Whether a file name is one of those that [`AtomicFile::create`] makes.
fn is_leftover(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    name.strip_prefix('.')
        .and_then(|name| name.strip_suffix(SUFFIX))
        .and_then(|name| name.rsplit_once('.'))
        .and_then(|(_, numbers)| numbers.split_once('-'))
        .is_some_and(|(process, serial)| digits(process) && digits(serial))
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.committed {
            // Nothing to tell anyone here: the error that led here is already on its way.
            let _ = fs::remove_file(&self.aside);
        }
    }
}

/// Replaces `path` by a file of `bytes` that is private until it has its `permissions`, if any are given.
///
/// # Errors
/// Kind `Io`; a file that was at `path` is then untouched.
pub(crate) fn write(path: &Path, bytes: &[u8], permissions: Option<Permissions>) -> Result<()> {
    let write = || {
        let mut file = AtomicFile::create_private(path)?;
        if let Some(permissions) = permissions {
            file.file.get_ref().set_permissions(permissions)?;
        }
        file.write_all(bytes)?;
        file.commit()
    };
    write().map_err(|e| Error::io(path, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_target_changes_only_on_commit_and_nothing_stays_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        fs::write(&path, "old").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        AtomicFile::write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["a.bin"]);
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        assert!(AtomicFile::create(Path::new("no/such/folder/a.gif")).is_err());
        assert!(AtomicFile::create(Path::new("/")).is_err());
    }

    #[test]
    fn leftovers_of_killed_processes_stand_in_nobodys_way_and_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        // Names that this very process is about to use.
        let next = SERIAL.load(Ordering::Relaxed);
        for serial in next..next + 50 {
            let name = format!(".a.bin.{}-{serial}.part", process::id());
            fs::write(folder.path().join(name), "half").unwrap();
        }
        for other in [".hidden.part", "b.1-2.part", ".b.1-x.part"] {
            fs::write(folder.path().join(other), "not ours").unwrap();
        }
        AtomicFile::write(&path, b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(AtomicFile::remove_leftovers(folder.path()).unwrap(), 50);
        assert_eq!(
            names(folder.path()),
            [".b.1-x.part", ".hidden.part", "a.bin", "b.1-2.part"]
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_the_registry_writes_is_private_unless_told_otherwise() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |permissions: Option<u32>| {
            let path = folder.path().join("a");
            write(&path, b"x", permissions.map(Permissions::from_mode)).unwrap();
            fs::metadata(path).unwrap().permissions().mode() & 0o777
        };
        assert_eq!(mode(None), 0o600);
        assert_eq!(mode(Some(0o400)), 0o400);
        assert_eq!(mode(Some(0o644)), 0o644);
    }
}
