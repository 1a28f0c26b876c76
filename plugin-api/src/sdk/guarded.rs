//! Objects behind the ABI: every entry guarded, and none after a panic.

use super::guard::{catch, report};
use crate::{
    abi::{OK, Opaque, Sink, Status},
    error::{Error, ErrorKind, Result},
};

/// How an object names its errors.
pub(crate) trait Blame {
    /// Puts the operation before an error.
    fn blame(&self, operation: &str, error: Error) -> Error {
        error.within(format_args!("({operation})"))
    }
}

/// What an object's `this` points to.
pub(crate) struct Guarded<T> {
    object: T,
    /// Set when a panic left the object in an unknown state.
    poisoned: bool,
}

impl<T> Guarded<T> {
    pub(crate) fn new(object: T) -> Self {
        Self {
            object,
            poisoned: false,
        }
    }

    /// Moves an object behind the pointer of an ABI object; [`destroy`] takes it back.
    pub(crate) fn into_raw(object: T) -> *mut Opaque {
        Box::into_raw(Box::new(Self::new(object))).cast()
    }

    /// The object.
    pub(crate) fn object(&self) -> &T {
        &self.object
    }

    /// The object, to change.
    #[inline(always)]
    pub(crate) fn object_mut(&mut self) -> &mut T {
        &mut self.object
    }
}

/// Runs one entry on an object: guarded, refused once poisoned, errors named by [`Blame`].
///
/// # Safety
/// `this` must come from [`Guarded::into_raw`] of the same `T`, no other call may be running on it, and
/// `error` must be null or the sink of the call.
#[inline(always)]
pub(crate) unsafe fn on<T: Blame>(
    this: *mut Opaque,
    error: *const Sink,
    operation: &str,
    body: impl FnOnce(&mut T) -> Result<()>,
) -> Status {
    // SAFETY: forwarded from the caller.
    let guarded = unsafe { &mut *this.cast::<Guarded<T>>() };
    if guarded.poisoned {
        let refused = Error::new(ErrorKind::Panicked, "refused after an earlier panic");
        // SAFETY: forwarded from the caller.
        return unsafe { report(error, &refused.within(format_args!("({operation})"))) };
    }
    // A panic of another object comes back as an ordinary error and poisons nothing here.
    let failed = match catch(|| body(&mut guarded.object)) {
        Ok(Ok(())) => return OK,
        Ok(Err(e)) => e,
        Err(panic) => {
            guarded.poisoned = true;
            panic
        }
    };
    // SAFETY: forwarded from the caller.
    unsafe { report(error, &guarded.object.blame(operation, failed)) }
}

/// Ends an object: `end` may take it apart; what is left is dropped, and no panic gets out.
///
/// # Safety
/// As for [`on`]; nothing may use `this` afterwards.
pub(crate) unsafe fn destroy<T>(this: *mut Opaque, end: impl FnOnce(&mut T)) {
    // SAFETY: forwarded from the caller.
    let mut guarded = unsafe { Box::from_raw(this.cast::<Guarded<T>>()) };
    let _ = catch(|| end(&mut guarded.object));
    let _ = catch(|| drop(guarded));
}
