//! The one error of this crate: a single line and who is to blame.

use std::fmt;
use std::path::Path;

/// Result of the registry's operations.
pub type Result<T> = std::result::Result<T, RegistryError>;

/// Who is to blame for an error; each kind has one exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A name, an option, a configuration or the lock file: the user can put it right.
    Config,
    /// The plugin library or what it says about itself.
    Plugin,
    /// The file system.
    Io,
    /// A broken invariant of this program.
    Host,
}

impl ErrorKind {
    /// Exit code of the process: 2, 3, 4 or 70.
    pub fn exit_code(self) -> u8 {
        match self {
            ErrorKind::Config => 2,
            ErrorKind::Plugin => 3,
            ErrorKind::Io => 4,
            ErrorKind::Host => 70,
        }
    }
}

/// An error: `subject: expected X, found Y; next step`, always one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryError {
    kind: ErrorKind,
    message: String,
}

impl RegistryError {
    /// An error of `kind`; control characters of `message` (it may quote a hostile file) become spaces.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = one_line(&message.into());
        Self { kind, message }
    }

    /// A name, an option, a configuration or the lock file is wrong (exit code 2).
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// The plugin is at fault (exit code 3).
    pub fn plugin(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Plugin, message)
    }

    /// `path` could not be read or written (exit code 4).
    pub fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::new(ErrorKind::Io, format!("{}: {error}", path.display()))
    }

    /// Who is to blame.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The line that [`fmt::Display`] prints.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Exit code of the process: 2, 3, 4 or 70.
    pub fn exit_code(&self) -> u8 {
        self.kind.exit_code()
    }

    /// The same error with what to do about it at its end.
    pub fn with_next(self, step: impl fmt::Display) -> Self {
        Self::new(self.kind, format!("{}; {step}", self.message))
    }

    /// The same error with the subject `subject: ` in front.
    pub fn about(self, subject: impl fmt::Display) -> Self {
        Self::new(self.kind, format!("{subject}: {}", self.message))
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RegistryError {}

/// `text` with every control character replaced by a space: one line, no terminal escapes.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_without_terminal_escapes() {
        let error = RegistryError::plugin("a\nb\u{1b}[31mc").about("file");
        assert_eq!(error.to_string(), "file: a b [31mc");
        assert_eq!(error.exit_code(), 3);
    }

    #[test]
    fn exit_codes_follow_the_blame() {
        let codes = [
            ErrorKind::Config,
            ErrorKind::Plugin,
            ErrorKind::Io,
            ErrorKind::Host,
        ];
        assert_eq!(codes.map(ErrorKind::exit_code), [2, 3, 4, 70]);
    }
}
