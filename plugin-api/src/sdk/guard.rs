//! Nothing unwinds across the boundary: every entry and every drop of a plugin runs in here.

use std::{
    any::Any,
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{
    abi::{OK, Sink, Status},
    error::{Error, ErrorKind, Result},
};

thread_local! {
    static PANICKED_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Records where a panic happened and keeps it off the host's stderr: the host reports the error.
pub(crate) fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let at = info
            .location()
            .map(|l| format!("{}:{}", l.file(), l.line()));
        // A panic while the thread-local is being destroyed has nowhere to note its place.
        let _ = PANICKED_AT.try_with(|place| *place.borrow_mut() = at);
    }));
}

/// Runs `body`; a panic becomes an error of kind [`ErrorKind::Panicked`].
#[inline]
pub(crate) fn catch<T>(body: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| {
        let error = panic_error(&*payload);
        // A payload may panic when it is dropped; leak it.
        std::mem::forget(payload);
        error
    })
}

#[cold]
#[inline(never)]
fn panic_error(payload: &(dyn Any + Send)) -> Error {
    let message = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a payload that is not text".into());
    let at = PANICKED_AT
        .try_with(|place| place.borrow_mut().take())
        .ok()
        .flatten();
    let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
    Error::new(
        ErrorKind::Panicked,
        format!("panicked{at}: {}", message.replace('\n', " ")),
    )
}

/// Runs an entry of the ABI: panics and errors become a status and one line in `error`.
///
/// # Safety
/// `error` must be null or the sink that the caller handed over for this call.
#[inline]
pub(crate) unsafe fn entry(error: *const Sink, body: impl FnOnce() -> Result<()>) -> Status {
    match catch(body) {
        Ok(Ok(())) => OK,
        // SAFETY: forwarded from the caller.
        Ok(Err(e)) | Err(e) => unsafe { report(error, &e) },
    }
}

/// Writes an error to a sink and gives its status.
///
/// # Safety
/// As for [`entry`].
#[cold]
#[inline(never)]
pub(crate) unsafe fn report(error: *const Sink, e: &Error) -> Status {
    // SAFETY: the caller promises a null or valid sink; a full error sink still leaves the status.
    if let Some(sink) = unsafe { error.as_ref() } {
        // SAFETY: as above.
        let _ = unsafe { sink.put(e.message.as_bytes()) };
    }
    e.kind as Status
}
