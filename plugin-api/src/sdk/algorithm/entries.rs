//! The functions of an algorithm object, as they stand in its vtable.

use std::marker::PhantomData;

use super::{Adapter, Connection};
use crate::{
    abi::{ACT_GREEDY, AlgorithmVtable, Opaque, Sink, SlabTable, Source, Status, Text},
    algorithm::Algorithm,
    error::Result,
    sdk::{
        guarded::{self, Guarded},
        span::{slabs, spans},
        stream::{SinkWriter, SourceReader},
        vtable::write_json,
    },
    table::Table,
};

/// Runs one entry: guarded, refused once poisoned, errors named, with the mechanism in reach.
///
/// # Safety
/// As for [`guarded::on`].
unsafe fn on<A: Algorithm>(
    this: *mut Opaque,
    error: *const Sink,
    operation: &str,
    body: impl FnOnce(&mut Adapter<A>) -> Result<()>,
) -> Status {
    // SAFETY: forwarded from the caller.
    unsafe {
        guarded::on::<Adapter<A>>(this, error, operation, |a| {
            let _open = a.connection.as_ref().map(Connection::open);
            body(a)
        })
    }
}

/// The functions of the vtable. Their callers follow the thread and pointer rules of
/// [`AlgorithmVtable`]; every block relies on exactly those.
pub(super) struct Entries<A>(PhantomData<A>);

impl<A: Algorithm> Entries<A> {
    unsafe extern "C" fn capabilities(
        this: *mut Opaque,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<A>(this, error, "capabilities", |a| {
                write_json(out, &a.capabilities)
            })
        }
    }
    unsafe extern "C" fn bind(
        this: *mut Opaque,
        table: *const SlabTable,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable: the slabs stay until they are unbound.
        unsafe {
            on::<A>(this, error, "bind", |a| {
                a.table = Table::from_spans(spans(slabs(table), true)?)?;
                Ok(())
            })
        }
    }
    unsafe extern "C" fn unbind(this: *mut Opaque) {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<A>(this, std::ptr::null(), "unbind", |a| {
                a.table = Table::new();
                Ok(())
            })
        };
    }
    unsafe extern "C" fn next(this: *mut Opaque, out: *const Sink, error: *const Sink) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<A>(this, error, "next", |a| {
                let collect = a.algorithm.next()?;
                write_json(out, &collect)
            })
        }
    }
    unsafe extern "C" fn act(
        this: *mut Opaque,
        slot: u32,
        flags: u32,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<A>(this, error, "act", |a| {
                let greedy = flags & ACT_GREEDY != 0;
                a.algorithm.act(&mut a.table, slot as usize, greedy)
            })
        }
    }
    unsafe extern "C" fn learn(
        this: *mut Opaque,
        fragment: *const SlabTable,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable: the slabs stay, and are not written, during the call.
        unsafe {
            on::<A>(this, error, "learn", |a| {
                let fragment = Table::from_spans(spans(slabs(fragment), false)?)?;
                let metrics = a.algorithm.learn(&fragment)?;
                write_json(out, &metrics)
            })
        }
    }
    unsafe extern "C" fn configure(this: *mut Opaque, changes: Text, error: *const Sink) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe { on::<A>(this, error, "configure", |a| a.configure(changes.as_str()?)) }
    }
    unsafe extern "C" fn snapshot(
        this: *mut Opaque,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<A>(this, error, "snapshot", |a| {
                a.algorithm.snapshot(&mut SinkWriter::new(out))
            })
        }
    }
    unsafe extern "C" fn restore(
        this: *mut Opaque,
        source: *const Source,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<A>(this, error, "restore", |a| {
                a.algorithm.restore(&mut SourceReader::new(source))
            })
        }
    }
    unsafe extern "C" fn weights(
        this: *mut Opaque,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<A>(this, error, "weights", |a| {
                a.algorithm.weights(&mut SinkWriter::new(out))
            })
        }
    }
    unsafe extern "C" fn set_weights(
        this: *mut Opaque,
        source: *const Source,
        groups: Text,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<A>(this, error, "set_weights", |a| {
                let groups = a.groups(groups.as_str()?)?;
                a.algorithm
                    .set_weights(&mut SourceReader::new(source), &groups)
            })
        }
    }
    unsafe extern "C" fn extension(_: *mut Opaque, _: Text) -> *const Opaque {
        std::ptr::null()
    }
    unsafe extern "C" fn destroy(this: *mut Opaque) {
        // SAFETY: the rules of the vtable. What the author still holds is released through the open mechanism.
        unsafe {
            let guarded = &*this.cast::<Guarded<Adapter<A>>>();
            let _open = guarded.object().connection.as_ref().map(Connection::open);
            guarded::destroy::<Adapter<A>>(this, |_| {});
        }
    }

    pub(super) const VTABLE: &'static AlgorithmVtable = &AlgorithmVtable {
        size: size_of::<AlgorithmVtable>() as u64,
        capabilities: Self::capabilities,
        bind: Self::bind,
        unbind: Self::unbind,
        next: Self::next,
        act: Self::act,
        learn: Self::learn,
        configure: Self::configure,
        snapshot: Self::snapshot,
        restore: Self::restore,
        weights: Self::weights,
        set_weights: Self::set_weights,
        extension: Self::extension,
        destroy: Self::destroy,
    };
}
