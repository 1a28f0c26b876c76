//! `std::io` streams as byte streams of the ABI.

use std::{
    io::{self, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::call::call;
use crate::{
    abi::{OK, Opaque, Sink, Source, Status},
    error::{Error, ErrorKind, Result},
};

/// A stream and how it failed, if it did.
struct Stream<S> {
    inner: S,
    failed: Option<io::Error>,
}

impl<S> Stream<S> {
    /// Runs one transfer; what fails, or panics, is kept: nothing unwinds into the plugin.
    fn transfer(&mut self, body: impl FnOnce(&mut S) -> io::Result<usize>) -> Option<usize> {
        let done = catch_unwind(AssertUnwindSafe(|| body(&mut self.inner)))
            .unwrap_or_else(|_| Err(io::Error::other("the stream panicked")));
        done.map_err(|e| self.failed = Some(e)).ok()
    }

    /// The failure of the stream is the cause of whatever the plugin made of it.
    fn outcome(self, result: Result<()>) -> Result<()> {
        match self.failed {
            Some(e) => Err(Error::new(ErrorKind::Io, format!("stream: {e}"))),
            None => result,
        }
    }
}

/// Runs a call that writes bytes to a stream.
pub(crate) fn write_to(
    out: &mut dyn Write,
    body: impl FnOnce(*const Sink, *const Sink) -> Status,
) -> Result<()> {
    unsafe extern "C" fn append(context: *mut Opaque, data: *const u8, len: u64) -> Status {
        // SAFETY: `context` is the stream below; the callee passes `len` readable bytes.
        let (stream, bytes) = unsafe {
            let bytes = crate::sdk::span::slice(data, len as usize);
            (&mut *context.cast::<Stream<&mut dyn Write>>(), bytes)
        };
        match stream.transfer(|out| out.write_all(bytes).map(|()| bytes.len())) {
            Some(_) => OK,
            None => ErrorKind::Io as Status,
        }
    }
    let (inner, failed) = (out, None);
    let mut stream = Stream { inner, failed };
    let sink = Sink {
        context: (&raw mut stream).cast(),
        write: append,
    };
    let result = call(|error| body(&sink, error));
    stream.outcome(result)
}

/// Runs a call that reads bytes from a stream.
pub(crate) fn read_from(
    source: &mut dyn Read,
    body: impl FnOnce(*const Source, *const Sink) -> Status,
) -> Result<()> {
    unsafe extern "C" fn take(context: *mut Opaque, data: *mut u8, len: u64) -> i64 {
        // SAFETY: `context` is the stream below; the callee has room for `len` bytes, which may be uninitialised
        // on its side but belong to it alone: they are written before they are read.
        let (stream, bytes) = unsafe {
            let bytes = crate::sdk::span::slice_mut(data, len as usize);
            (&mut *context.cast::<Stream<&mut dyn Read>>(), bytes)
        };
        stream
            .transfer(|source| source.read(bytes))
            .map_or(-1, |n| n as i64)
    }
    let (inner, failed) = (source, None);
    let mut stream = Stream { inner, failed };
    let source = Source {
        context: (&raw mut stream).cast(),
        read: take,
    };
    let result = call(|error| body(&source, error));
    stream.outcome(result)
}
