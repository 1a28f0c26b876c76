//! One error shape for host and plugins.

use std::{fmt, path::Path};

/// Who is to blame; decides the exit code of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum ErrorKind {
    /// Usage or configuration: a value that a person can correct.
    Config = 2,
    /// The plugin broke its contract.
    Plugin = 3,
    /// The machine: files, memory, streams.
    Io = 4,
    /// The plugin panicked; its object refuses all further calls.
    Panicked = 5,
    /// The object does not offer this operation.
    Unsupported = 6,
    /// An action outside its space, refused before anything moved.
    BadAction = 7,
    /// The run was cancelled.
    Cancelled = 8,
    /// A bug of the host.
    Host = 70,
}

impl ErrorKind {
    /// The kind behind a status other than `OK`; unknown numbers blame the plugin.
    pub fn from_status(status: i32) -> Self {
        match status {
            2 => Self::Config,
            4 => Self::Io,
            5 => Self::Panicked,
            6 => Self::Unsupported,
            7 => Self::BadAction,
            8 => Self::Cancelled,
            70 => Self::Host,
            _ => Self::Plugin,
        }
    }

    /// The host's exit code for an error of this kind.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Config | Self::BadAction | Self::Unsupported => 2,
            Self::Plugin | Self::Panicked => 3,
            Self::Io => 4,
            Self::Cancelled => 1,
            Self::Host => 70,
        }
    }
}

/// `subject: expected X, found Y; next step` on one line, and who is to blame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Who is to blame.
    pub kind: ErrorKind,
    /// One line, lower case.
    pub message: String,
}

/// The result of anything that can fail at the plugin boundary.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of the given kind; control characters of `message` (it may quote a hostile file) become
    /// spaces: one line, no terminal escapes.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: one_line(message.into()),
        }
    }

    /// A value in a configuration, a reset option or a trace is wrong.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// The plugin itself is at fault.
    pub fn plugin(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Plugin, message)
    }

    /// `path` could not be read or written.
    pub fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::new(ErrorKind::Io, format!("{}: {error}", path.display()))
    }

    /// The object does not offer this operation.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, message)
    }

    /// Puts a subject in front: `subject: message`.
    #[must_use]
    pub fn within(self, subject: impl fmt::Display) -> Self {
        Self::new(self.kind, format!("{subject}: {}", self.message))
    }

    /// Says at the end what to do about it: `message; step`.
    #[must_use]
    pub fn with_next(self, step: impl fmt::Display) -> Self {
        Self::new(self.kind, format!("{}; {step}", self.message))
    }

    /// The exit code of a process that ends with this error.
    pub fn exit_code(&self) -> u8 {
        self.kind.exit_code()
    }
}

/// `text` with every control character replaced by a space: one line, no terminal escapes.
pub fn one_line(text: String) -> String {
    if text.contains(char::is_control) {
        text.replace(char::is_control, " ")
    } else {
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// A stream that a call was given broke or ended early: snapshots and weights.
impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, format!("stream: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_without_terminal_escapes() {
        let error = Error::plugin("a\nb\u{1b}[31mc")
            .within("file")
            .with_next("look");
        assert_eq!(error.to_string(), "file: a b [31mc; look");
        assert_eq!(error.exit_code(), 3);
    }

    #[test]
    fn exit_codes_follow_the_blame() {
        let codes = [
            ErrorKind::Config,
            ErrorKind::Plugin,
            ErrorKind::Panicked,
            ErrorKind::Io,
            ErrorKind::Host,
        ];
        assert_eq!(codes.map(ErrorKind::exit_code), [2, 3, 3, 4, 70]);
        assert!(
            codes
                .iter()
                .all(|&kind| ErrorKind::from_status(kind as i32) == kind)
        );
    }
}
