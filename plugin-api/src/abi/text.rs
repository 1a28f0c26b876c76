//! Borrowed text, byte streams and the status of a call.

use abi_stable::StableAbi;

use crate::error::{Error, ErrorKind};

/// An object of the other side; only ever seen through a pointer.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct Opaque {
    _private: [u8; 0],
}

/// What every fallible call returns: [`OK`] or an [`ErrorKind`] as a number.
pub type Status = i32;

/// The call succeeded.
pub const OK: Status = 0;

/// Borrowed bytes (UTF-8 where text is meant), valid for the duration of the call.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct Text {
    /// First byte; may be dangling when `len` is 0.
    pub data: *const u8,
    /// Length in bytes.
    pub len: u64,
}

impl Text {
    /// Borrows a string for one call.
    pub const fn new(text: &str) -> Self {
        Self {
            data: text.as_ptr(),
            len: text.len() as u64,
        }
    }

    /// The text, or a plugin error when it is not UTF-8.
    ///
    /// # Safety
    /// `data` must be valid for `len` bytes for as long as `'a`.
    pub unsafe fn as_str<'a>(self) -> Result<&'a str, Error> {
        if self.len == 0 {
            return Ok("");
        }
        // SAFETY: the caller promises `len` readable bytes at `data`.
        let bytes = unsafe { std::slice::from_raw_parts(self.data, self.len as usize) };
        std::str::from_utf8(bytes)
            .map_err(|e| Error::plugin(format!("text: expected UTF-8, found {e}")))
    }
}

/// Where a callee writes bytes: text results, errors, snapshots. Several writes append.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct Sink {
    /// Passed back to `write`.
    pub context: *mut Opaque,
    /// Appends `len` bytes; a status other than [`OK`] means that the sink is full or broken.
    pub write: unsafe extern "C" fn(context: *mut Opaque, data: *const u8, len: u64) -> Status,
}

impl Sink {
    /// A sink that appends to `buffer`; valid while the borrow lives.
    pub fn to_vec(buffer: &mut Vec<u8>) -> Self {
        unsafe extern "C" fn append(context: *mut Opaque, data: *const u8, len: u64) -> Status {
            if len > 0 {
                // SAFETY: `context` is the `Vec` of `to_vec`, and the callee passes `len` readable bytes.
                let (buffer, bytes) = unsafe {
                    (
                        &mut *context.cast::<Vec<u8>>(),
                        std::slice::from_raw_parts(data, len as usize),
                    )
                };
                buffer.extend_from_slice(bytes);
            }
            OK
        }
        Self {
            context: std::ptr::from_mut(buffer).cast(),
            write: append,
        }
    }

    /// Writes all bytes, or says that the sink is full.
    ///
    /// # Safety
    /// The sink must be one that the other side handed over for this very call.
    pub unsafe fn put(&self, bytes: &[u8]) -> Result<(), Error> {
        // SAFETY: forwarded from the caller; the slice is readable.
        match unsafe { (self.write)(self.context, bytes.as_ptr(), bytes.len() as u64) } {
            OK => Ok(()),
            _ => Err(Error::new(
                ErrorKind::Io,
                "stream: expected room for more bytes, found a full sink",
            )),
        }
    }
}

/// Where a callee reads bytes from: snapshots and weights, possibly large.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct Source {
    /// Passed back to `read`.
    pub context: *mut Opaque,
    /// Fills up to `len` bytes and returns how many; 0 at the end, negative on an error.
    pub read: unsafe extern "C" fn(context: *mut Opaque, data: *mut u8, len: u64) -> i64,
}

impl Source {
    /// A source over a slice; the slice reference itself is the cursor.
    pub fn from_slice(bytes: &mut &[u8]) -> Self {
        unsafe extern "C" fn take(context: *mut Opaque, data: *mut u8, len: u64) -> i64 {
            // SAFETY: `context` is the slice cursor of `from_slice`; `data` has room for `len` bytes.
            unsafe {
                let rest = &mut *context.cast::<&[u8]>();
                let n = rest.len().min(len as usize);
                std::ptr::copy_nonoverlapping(rest.as_ptr(), data, n);
                *rest = &rest[n..];
                n as i64
            }
        }
        Self {
            context: std::ptr::from_mut(bytes).cast(),
            read: take,
        }
    }

    /// Reads everything up to the end of the stream.
    ///
    /// # Safety
    /// The source must be one that the other side handed over for this very call.
    pub unsafe fn read_to_end(&self) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        let mut chunk = [0u8; 8192];
        loop {
            // SAFETY: forwarded from the caller; `chunk` has room for its own length.
            let n = unsafe { (self.read)(self.context, chunk.as_mut_ptr(), chunk.len() as u64) };
            match usize::try_from(n) {
                Ok(0) => return Ok(all),
                Ok(n) => all.extend_from_slice(&chunk[..n.min(chunk.len())]),
                Err(_) => {
                    return Err(Error::new(
                        ErrorKind::Io,
                        "stream: expected more bytes, found a broken source",
                    ));
                }
            }
        }
    }
}
