//! Byte streams of the ABI as `std::io` streams.

use std::io;

use crate::abi::{OK, Sink, Source};

/// Writes to the sink of a call.
pub(crate) struct SinkWriter<'a>(&'a Sink);

impl<'a> SinkWriter<'a> {
    /// # Safety
    /// `sink` must be the one that the caller handed over for this call, and the writer must end with it.
    pub(crate) unsafe fn new(sink: *const Sink) -> Self {
        // SAFETY: forwarded from the caller.
        Self(unsafe { &*sink })
    }
}

impl io::Write for SinkWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // SAFETY: `new` has promised a sink of this call; the bytes are readable.
        match unsafe { (self.0.write)(self.0.context, bytes.as_ptr(), bytes.len() as u64) } {
            OK => Ok(bytes.len()),
            _ => Err(io::Error::other(
                "expected room for more bytes, found a full sink",
            )),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads from the source of a call.
pub(crate) struct SourceReader<'a>(&'a Source);

impl<'a> SourceReader<'a> {
    /// # Safety
    /// `source` must be the one that the caller handed over for this call, and the reader must end with it.
    pub(crate) unsafe fn new(source: *const Source) -> Self {
        // SAFETY: forwarded from the caller.
        Self(unsafe { &*source })
    }
}

impl io::Read for SourceReader<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        // SAFETY: `new` has promised a source of this call; there is room for that many bytes.
        let n = unsafe { (self.0.read)(self.0.context, bytes.as_mut_ptr(), bytes.len() as u64) };
        match usize::try_from(n) {
            Ok(n) if n <= bytes.len() => Ok(n),
            _ => Err(io::Error::other(
                "expected more bytes, found a broken source",
            )),
        }
    }
}
