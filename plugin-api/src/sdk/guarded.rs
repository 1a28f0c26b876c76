//! Objects behind the ABI: every entry guarded, and none after a panic.

use super::guard::{catch, report};
use crate::{
    abi::{OK, Opaque, Sink, Status},
    error::{Error, ErrorKind, Result},
};

/// What an object's `this` points to.
pub(crate) struct Guarded<T> {
    object: T,
    /// Set when a panic left the object in an unknown state.
    poisoned: bool,
}

impl<T> Guarded<T> {
    /// Moves an object behind the pointer of an ABI object; [`destroy`] takes it back.
    pub(crate) fn into_raw(object: T) -> *mut Opaque {
        let poisoned = false;
        Box::into_raw(Box::new(Self { object, poisoned })).cast()
    }

    /// What is behind the pointer.
    pub(crate) fn object(&self) -> &T {
        &self.object
    }
}

/// Runs one entry on an object: guarded, refused once poisoned, errors named `(operation): …`.
///
/// # Safety
/// `this` must come from [`Guarded::into_raw`] of the same `T`, no other call may be running on it, and
/// `error` must be null or the sink of the call.
#[inline]
pub(crate) unsafe fn on<T>(
    this: *mut Opaque,
    error: *const Sink,
    operation: &str,
    body: impl FnOnce(&mut T) -> Result<()>,
) -> Status {
    // SAFETY: forwarded from the caller.
    let guarded = unsafe { &mut *this.cast::<Guarded<T>>() };
    let result = if guarded.poisoned {
        let message = "refused after an earlier panic";
        Err(Error::new(ErrorKind::Panicked, message))
    } else {
        // A panic of another object comes back as an ordinary error and poisons nothing here.
        catch(|| body(&mut guarded.object)).unwrap_or_else(|panic| {
            guarded.poisoned = true;
            Err(panic)
        })
    };
    match result {
        Ok(()) => OK,
        // SAFETY: forwarded from the caller.
        Err(e) => unsafe { report(error, &e.within(format_args!("({operation})"))) },
    }
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
