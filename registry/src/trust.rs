//! Whether a library may be loaded, and why.

use std::fmt;
use std::fs::Metadata;
use std::path::Path;

use crate::built_here::BuiltHere;
use crate::error::{Error, Result};
use crate::hash::Sha256;
use crate::lock::Lock;
use crate::options::Options;

/// The answer to "may this library be loaded?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Yes: its sha256 is in the lock file.
    Locked,
    /// Yes: it was built beside the executable, see [`crate::built_here`].
    BuiltHere,
    /// No: nobody has trusted it yet.
    Untrusted,
    /// No: the lock file has a library of this file name, with another sha256.
    Changed,
    /// No: damaged, for another machine or ABI, or with a faulty manifest.
    Refused(Error),
    /// No: its bytes cannot be read.
    Unreadable(Error),
}

impl Trust {
    /// Whether the library may be loaded.
    pub fn allows_loading(&self) -> bool {
        matches!(self, Trust::Locked | Trust::BuiltHere)
    }

    /// The word shown in lists.
    pub fn word(&self) -> &'static str {
        match self {
            Trust::Locked => "locked",
            Trust::BuiltHere => "built-here",
            Trust::Untrusted => "untrusted",
            Trust::Changed => "changed",
            Trust::Refused(_) => "refused",
            Trust::Unreadable(_) => "unreadable",
        }
    }

    /// `Ok` if the library at `path` may be loaded.
    ///
    /// # Errors
    /// The one-line reason why not: kind `Config` for an untrusted library (the user decides), `Plugin`
    /// for a changed or refused one, `Io` for an unreadable one.
    pub fn check(&self, path: &Path) -> Result<()> {
        let file = path.display();
        match self {
            Trust::Locked | Trust::BuiltHere => Ok(()),
            Trust::Untrusted => Err(Error::config(format!(
                "plugin {file}: expected a trusted library, found one that is not in plugins.lock; \
                 if you trust it: palaestra registry trust {file}"
            ))),
            Trust::Changed => Err(Error::plugin(format!(
                "plugin {file}: expected the sha256 in plugins.lock, found another; \
                 if you know why it changed: palaestra registry trust {file}"
            ))),
            Trust::Refused(error) | Trust::Unreadable(error) => {
                Err(error.clone().within(format_args!("plugin {file}")))
            }
        }
    }
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What decides on trust: the lock file, and the "built here" rule unless it is switched off.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    lock: Lock,
    built_here: Option<BuiltHere>,
}

impl Policy {
    /// The policy that `options` ask for.
    ///
    /// # Errors
    /// Those of [`Lock::read`].
    pub fn of(options: &Options) -> Result<Self> {
        let lock = match &options.lock_file {
            Some(path) => Lock::read(path)?,
            None => Lock::default(),
        };
        let built_here = match &options.executable {
            Some(executable) if !options.locked => BuiltHere::beside(executable),
            _ => None,
        };
        Ok(Self { lock, built_here })
    }

    /// The lock file as it was read.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Decides on the sound library at the real path `path`; `sha256` is asked only if the lock has a
    /// library of that size.
    pub fn decide(
        &self,
        path: &Path,
        metadata: &Metadata,
        sha256: impl FnOnce() -> Result<Sha256>,
    ) -> Trust {
        if self.lock.has_size(metadata.len()) {
            match sha256() {
                Ok(sha256) if self.lock.by_sha256(&sha256).is_some() => return Trust::Locked,
                Ok(_) => {}
                Err(error) => return Trust::Unreadable(error),
            }
        }
        let covered = |rule: &BuiltHere| rule.covers(path, metadata);
        if self.built_here.as_ref().is_some_and(covered) {
            return Trust::BuiltHere;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if self.lock.has_file(&name) {
            Trust::Changed
        } else {
            Trust::Untrusted
        }
    }
}
