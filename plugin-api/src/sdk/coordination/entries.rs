//! The functions of a mechanism object, as they stand in its vtable.

use std::marker::PhantomData;

use super::Adapter;
use crate::{
    abi::{
        BackwardCall, CoordinationVtable, ExchangeCall, Opaque, Sink, SlabTable, Source, Status,
        Text,
    },
    coordination::{Backward, Exchange, Extras, Mechanism, Port},
    error::{Error, ErrorKind, Result},
    sdk::{
        guard::catch,
        guarded::{destroy, on},
        span::{slabs, slice, slice_mut, spans},
        stream::{SinkWriter, SourceReader},
        vtable::write_json,
    },
    spec::EnvironmentSpec,
    table::Table,
};

/// Refuses a null pointer to an array that has elements.
fn present<T>(name: &str, data: *const T, len: usize) -> Result<()> {
    if len == 0 || (!data.is_null() && data.is_aligned()) {
        return Ok(());
    }
    let message = format!("{name}: expected {len} values, found {data:p}");
    Err(Error::new(ErrorKind::Host, message))
}

/// # Safety
/// `data` must be as the ABI says for this array of `len` elements.
unsafe fn array<'a, T>(name: &str, data: *const T, len: usize) -> Result<&'a [T]> {
    present(name, data, len)?;
    // SAFETY: forwarded from the caller.
    Ok(unsafe { slice(data, len) })
}

/// As [`array`], to write.
///
/// # Safety
/// As for [`array`], and nobody else reaches the elements.
unsafe fn array_mut<'a, T>(name: &str, data: *mut T, len: usize) -> Result<&'a mut [T]> {
    present(name, data, len)?;
    // SAFETY: forwarded from the caller.
    Ok(unsafe { slice_mut(data, len) })
}

/// The functions of the vtable. Their callers follow the thread and pointer rules of
/// [`CoordinationVtable`]; every block relies on exactly those.
pub(super) struct Entries<M>(PhantomData<M>);

impl<M: Mechanism> Entries<M> {
    unsafe extern "C" fn describe(
        this: *mut Opaque,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe { on::<Adapter<M>>(this, error, "describe", |a| write_json(out, &a.description)) }
    }
    unsafe extern "C" fn compose(
        this: *mut Opaque,
        spec: Text,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Adapter<M>>(this, error, "compose", |a| {
                let spec: EnvironmentSpec = serde_json::from_str(spec.as_str()?)
                    .map_err(|e| Error::new(ErrorKind::Host, format!("spec: {e}")))?;
                let composed = a.mechanism.compose(spec)?;
                composed.validate()?;
                write_json(out, &composed)
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
            on::<Adapter<M>>(this, error, "bind", |a| {
                a.table = Table::from_spans(spans(slabs(table), true)?)?;
                Ok(())
            })
        }
    }
    unsafe extern "C" fn unbind(this: *mut Opaque) {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Adapter<M>>(this, std::ptr::null(), "unbind", |a| {
                a.table = Table::new();
                Ok(())
            })
        };
    }
    unsafe extern "C" fn observe(this: *mut Opaque, slot: u32, error: *const Sink) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Adapter<M>>(this, error, "observe", |a| {
                a.offers(Port::Observe)?;
                a.mechanism.observe(&mut a.table, slot as usize)
            })
        }
    }
    unsafe extern "C" fn exchange(
        this: *mut Opaque,
        call: *const ExchangeCall,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable: the arrays have the lengths that `ExchangeCall` says.
        unsafe {
            on::<Adapter<M>>(this, error, "exchange", |a| {
                a.offers(Port::Exchange)?;
                let (c, d) = (&*call, &a.description);
                let (rows, agents) = a.size(c)?;
                let each = rows * agents;
                let expected = d.parameters_len();
                if c.parameters_len != expected as u64 {
                    let found = c.parameters_len;
                    let message = format!("parameters: expected {expected} values, found {found}");
                    return Err(Error::new(ErrorKind::Host, message));
                }
                let extras_len = rows * d.extras_width;
                let context = Table::from_spans(spans(slabs(c.context), false)?)?;
                let extras = match c.replay {
                    0 => Extras::Draw(array_mut("extras", c.extras, extras_len)?),
                    _ => Extras::Replay(array("extras", c.extras, extras_len)?),
                };
                let inbox = array_mut("inbox", c.inbox, each * d.inbox_width)?;
                let state_out = array_mut("state_out", c.state_out, each * d.state_width)?;
                inbox.fill(0.0);
                state_out.fill(0.0);
                present("token", c.token, usize::from(c.save != 0))?;
                let token = a.exchange(Exchange {
                    rows,
                    agents,
                    parameters: array("parameters", c.parameters, expected)?,
                    messages: array("messages", c.messages, each * a.description.message_width)?,
                    mask: (!c.mask.is_null()).then(|| slice(c.mask, each)),
                    context: (!c.context.is_null()).then_some(&context),
                    state_in: array("state_in", c.state_in, each * a.description.state_width)?,
                    keys: array("keys", c.keys, rows)?,
                    extras,
                    save: c.save != 0,
                    inbox,
                    state_out,
                })?;
                if !c.token.is_null() {
                    c.token.write(token);
                }
                Ok(())
            })
        }
    }
    unsafe extern "C" fn backward(
        this: *mut Opaque,
        call: *const BackwardCall,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable: the arrays have the lengths of the token's exchange.
        unsafe {
            on::<Adapter<M>>(this, error, "backward", |a| {
                let c = &*call;
                let saved = a.take(c.token)?;
                let (each, d) = (saved.rows * saved.agents, &a.description);
                let states = each * d.state_width;
                let d_messages = array_mut("d_messages", c.d_messages, each * d.message_width)?;
                // Absent when the caller has no use for it.
                let mut unused = Vec::new();
                let d_state_in = if c.d_state_in.is_null() {
                    unused.resize(states, 0.0);
                    &mut unused[..]
                } else {
                    slice_mut(c.d_state_in, states)
                };
                d_messages.fill(0.0);
                d_state_in.fill(0.0);
                let call = Backward {
                    rows: saved.rows,
                    agents: saved.agents,
                    parameters: &saved.parameters,
                    d_inbox: array("d_inbox", c.d_inbox, each * d.inbox_width)?,
                    d_state_out: (!c.d_state_out.is_null()).then(|| slice(c.d_state_out, states)),
                    d_messages,
                    d_state_in,
                    d_parameters: array_mut("d_parameters", c.d_parameters, d.parameters_len())?,
                };
                a.mechanism.backward(saved.activations, call)
            })
        }
    }
    unsafe extern "C" fn release(this: *mut Opaque, token: u64) {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Adapter<M>>(this, std::ptr::null(), "release", |a| {
                a.take(token).map(drop)
            })
        };
    }
    unsafe extern "C" fn arbitrate(this: *mut Opaque, slot: u32, error: *const Sink) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Adapter<M>>(this, error, "arbitrate", |a| {
                a.offers(Port::Arbitrate)?;
                a.mechanism.arbitrate(&mut a.table, slot as usize)
            })
        }
    }
    unsafe extern "C" fn share(this: *mut Opaque, slot: u32, error: *const Sink) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Adapter<M>>(this, error, "share", |a| {
                a.offers(Port::Share)?;
                a.mechanism.share(&mut a.table, slot as usize)
            })
        }
    }
    unsafe extern "C" fn snapshot(
        this: *mut Opaque,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Adapter<M>>(this, error, "snapshot", |a| {
                a.mechanism.snapshot(&mut SinkWriter::new(out))
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
            on::<Adapter<M>>(this, error, "restore", |a| {
                a.mechanism.restore(&mut SourceReader::new(source))
            })
        }
    }
    unsafe extern "C" fn extension(_: *mut Opaque, _: Text) -> *const Opaque {
        std::ptr::null()
    }
    unsafe extern "C" fn destroy(this: *mut Opaque) {
        // SAFETY: the rules of the vtable.
        unsafe {
            // One by one: a second panic on the way out would end the process.
            destroy::<Adapter<M>>(this, |a| {
                for (_, saved) in a.saved.drain() {
                    let _ = catch(|| drop(saved));
                }
            });
        }
    }

    pub(super) const VTABLE: &'static CoordinationVtable = &CoordinationVtable {
        size: size_of::<CoordinationVtable>() as u64,
        describe: Self::describe,
        compose: Self::compose,
        bind: Self::bind,
        unbind: Self::unbind,
        observe: Self::observe,
        exchange: Self::exchange,
        backward: Self::backward,
        release: Self::release,
        arbitrate: Self::arbitrate,
        share: Self::share,
        snapshot: Self::snapshot,
        restore: Self::restore,
        extension: Self::extension,
        destroy: Self::destroy,
    };
}
