//! One call across the boundary: status and error line become a `Result`.

use crate::{
    abi::{OK, Sink, Status},
    error::{Error, ErrorKind, Result},
};

/// Runs a call that reports through an error sink.
#[inline]
pub(crate) fn call(body: impl FnOnce(*const Sink) -> Status) -> Result<()> {
    let mut message = Vec::new();
    let sink = Sink::to_vec(&mut message);
    match body(&sink) {
        OK => Ok(()),
        status => Err(failure(status, message)),
    }
}

/// Runs a call that writes bytes.
pub(crate) fn bytes(body: impl FnOnce(*const Sink, *const Sink) -> Status) -> Result<Vec<u8>> {
    let mut written = Vec::new();
    let out = Sink::to_vec(&mut written);
    call(|error| body(&out, error))?;
    Ok(written)
}

/// Runs a call that writes JSON.
pub(crate) fn json<T: serde::de::DeserializeOwned>(
    what: &str,
    body: impl FnOnce(*const Sink, *const Sink) -> Status,
) -> Result<T> {
    let text = bytes(body)?;
    serde_json::from_slice(&text)
        .map_err(|e| Error::plugin(format!("{what}: expected valid JSON, {e}")))
}

#[cold]
fn failure(status: Status, message: Vec<u8>) -> Error {
    let message = String::from_utf8_lossy(&message).replace('\n', " ");
    let message = if message.is_empty() {
        format!("failed with status {status} and no message")
    } else {
        message
    };
    Error::new(ErrorKind::from_status(status), message)
}
