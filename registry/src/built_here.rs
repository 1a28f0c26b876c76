//! The "built here" rule: what a build put beside the executable is as trusted as the executable.
//!
//! A library is built here when all of this holds:
//!
//! 1. its real path lies in the very folder of the executable's real path, not in one below it;
//! 2. it belongs to the same user as the executable;
//! 3. neither its group nor others may write to it unless they may write to the executable too;
//! 4. the folder is not writable by others.
//!
//! Whoever could break it could as well replace the executable. `--locked` switches the rule off.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

/// The facts about the executable that the rule compares with.
#[derive(Clone, Debug)]
pub struct BuiltHere {
    folder: PathBuf,
    #[cfg(unix)]
    owner: u32,
    #[cfg(unix)]
    mode: u32,
}

#[cfg(unix)]
impl BuiltHere {
    /// The rule for `executable`; `None` where it cannot apply: the program or its folder cannot be
    /// read, or others may write to the folder.
    pub fn beside(executable: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let executable = fs::canonicalize(executable).ok()?;
        let folder = executable.parent()?.to_owned();
        let metadata = fs::metadata(&executable).ok()?;
        let open_to_all = fs::metadata(&folder).ok()?.mode() & 0o002 != 0;
        (!open_to_all).then(|| Self {
            folder,
            owner: metadata.uid(),
            mode: metadata.mode(),
        })
    }

    /// Whether the library at the real path `path`, whose open file has `metadata`, falls under the rule.
    pub fn covers(&self, path: &Path, metadata: &Metadata) -> bool {
        use std::os::unix::fs::MetadataExt;
        let writable_by_more = metadata.mode() & 0o022 & !self.mode != 0;
        path.parent() == Some(&self.folder)
            && metadata.is_file()
            && metadata.uid() == self.owner
            && !writable_by_more
    }
}

#[cfg(not(unix))]
impl BuiltHere {
    /// Without owners and mode bits there is no rule.
    pub fn beside(_executable: &Path) -> Option<Self> {
        None
    }

    /// Never: see [`BuiltHere::beside`].
    pub fn covers(&self, _path: &Path, _metadata: &Metadata) -> bool {
        false
    }
}
