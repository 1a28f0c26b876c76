//! The functions of an environment object, as they stand in its vtable.

use serde::Serialize;

use super::{
    batch::Batch,
    guarded::{destroy, on},
};
use crate::{
    abi::{
        COUNTERFACTUAL, CounterfactualVtable, EnvironmentVtable, GAME_TREE, GameTreeVtable, Opaque,
        SCRIPTED, ScriptedVtable, Sink, SlabTable, Source, Status, Text,
    },
    batch::BatchEnvironment,
    error::{Error, ErrorKind, Result},
};

/// Checks an instance index of a cold call.
fn instance<E>(batch: &Batch<E>, index: u64) -> Result<usize> {
    let n = batch.memory.instances;
    usize::try_from(index)
        .ok()
        .filter(|&i| i < n)
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Host,
                format!("instance: expected less than {n}, found {index}"),
            )
        })
}

/// A null mask means all instances.
///
/// # Safety
/// A mask that is not null must hold one byte per instance.
unsafe fn mask<'a, E>(batch: &Batch<E>, mask: *const u8) -> Option<&'a [u8]> {
    // SAFETY: forwarded from the caller.
    (!mask.is_null()).then(|| unsafe { std::slice::from_raw_parts(mask, batch.memory.instances) })
}

/// The functions of the vtable. Their callers follow the thread and pointer rules of
/// [`EnvironmentVtable`]; every block relies on exactly those.
pub(crate) struct Entries<E>(std::marker::PhantomData<E>);

impl<E: BatchEnvironment> Entries<E> {
    unsafe extern "C" fn spec(this: *mut Opaque, out: *const Sink, error: *const Sink) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe { on::<Batch<E>>(this, error, "spec", |b| write_json(out, &b.spec)) }
    }
    unsafe extern "C" fn bind(
        this: *mut Opaque,
        table: *const SlabTable,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Batch<E>>(this, error, "bind", |b| {
                let table = &*table;
                let slabs = if table.len == 0 {
                    &[]
                } else {
                    std::slice::from_raw_parts(table.slabs, table.len as usize)
                };
                b.bind(slabs)
            })
        }
    }
    unsafe extern "C" fn unbind(this: *mut Opaque) {
        // SAFETY: the rules of the vtable.
        unsafe { on::<Batch<E>>(this, std::ptr::null(), "unbind", |b| b.bind(&[])) };
    }
    unsafe extern "C" fn reset(
        this: *mut Opaque,
        only: *const u8,
        options: Text,
        write: u32,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Batch<E>>(this, error, "reset", |b| {
                b.reset(mask(b, only), options.as_str()?, write)
            })
        }
    }
    unsafe extern "C" fn step(
        this: *mut Opaque,
        read: u32,
        write: u32,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe { on::<Batch<E>>(this, error, "step", |b| b.step(read, write)) }
    }
    unsafe extern "C" fn step_exact(
        this: *mut Opaque,
        actions: Text,
        write: u32,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Batch<E>>(this, error, "step_exact", |b| {
                let result = b.step_exact(actions.as_str()?, write)?;
                write_json(out, &result)
            })
        }
    }
    unsafe extern "C" fn set_options(
        this: *mut Opaque,
        only: *const u8,
        options: Text,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Batch<E>>(this, error, "set_options", |b| {
                b.set_options(mask(b, only), options.as_str()?)
            })
        }
    }
    unsafe extern "C" fn snapshot(
        this: *mut Opaque,
        index: u64,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Batch<E>>(this, error, "snapshot", |b| {
                let saved = b.snapshot(instance(b, index)?)?;
                write_json(out, &saved)
            })
        }
    }
    unsafe extern "C" fn restore(
        this: *mut Opaque,
        index: u64,
        source: *const Source,
        write: u32,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Batch<E>>(this, error, "restore", |b| {
                let bytes = (*source).read_to_end()?;
                b.restore(instance(b, index)?, &bytes, write)
            })
        }
    }
    unsafe extern "C" fn clone_instance(
        this: *mut Opaque,
        from: u64,
        to: u64,
        write: u32,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Batch<E>>(this, error, "clone_instance", |b| {
                let (from, to) = (instance(b, from)?, instance(b, to)?);
                let saved = b.snapshot(from)?;
                b.load(to, saved, write)
            })
        }
    }
    unsafe extern "C" fn inspect(
        this: *mut Opaque,
        index: u64,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Batch<E>>(this, error, "inspect", |b| {
                write_json(out, &b.env.inspect(instance(b, index)?))
            })
        }
    }
    unsafe extern "C" fn render(
        this: *mut Opaque,
        index: u64,
        mode: u32,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Batch<E>>(this, error, "render", |b| {
                (*out).put(&b.render(instance(b, index)?, mode)?)
            })
        }
    }
    unsafe extern "C" fn extension(this: *mut Opaque, id: Text) -> *const Opaque {
        let mut found = std::ptr::null();
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Batch<E>>(this, std::ptr::null(), "extension", |b| {
                let id = id.as_str()?;
                if b.spec.flags.counterfactual && id == COUNTERFACTUAL {
                    found = std::ptr::from_ref(Self::COUNTERFACTUAL).cast();
                }
                if b.spec.flags.scripted && id == SCRIPTED {
                    found = std::ptr::from_ref(Self::SCRIPTED).cast();
                }
                if b.spec.flags.game_tree && id == GAME_TREE {
                    found = std::ptr::from_ref(Self::GAME_TREE).cast();
                }
                Ok(())
            })
        };
        found
    }
    unsafe extern "C" fn counterfactual(
        this: *mut Opaque,
        index: u64,
        actions: Text,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Batch<E>>(this, error, "counterfactual", |b| {
                let actions: Vec<Vec<Vec<f64>>> = serde_json::from_str(actions.as_str()?)
                    .map_err(|e| Error::config(format!("actions: {e}")))?;
                write_json(out, &b.env.counterfactual(instance(b, index)?, &actions)?)
            })
        }
    }
    unsafe extern "C" fn scripted(
        this: *mut Opaque,
        index: u64,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Batch<E>>(this, error, "scripted", |b| {
                write_json(out, &b.scripted(instance(b, index)?)?)
            })
        }
    }
    unsafe extern "C" fn game_node(
        this: *mut Opaque,
        history: Text,
        out: *const Sink,
        error: *const Sink,
    ) -> Status {
        // SAFETY: the rules of the vtable.
        unsafe {
            on::<Batch<E>>(this, error, "game_node", |b| {
                let history: Vec<usize> = serde_json::from_str(history.as_str()?)
                    .map_err(|e| Error::config(format!("history: {e}")))?;
                write_json(out, &b.env.game_node(&history)?)
            })
        }
    }
    unsafe extern "C" fn destroy(this: *mut Opaque) {
        // SAFETY: the rules of the vtable: `this` is ours and is not used again.
        unsafe { destroy::<Batch<E>>(this, |_| {}) };
    }

    const COUNTERFACTUAL: &'static CounterfactualVtable = &CounterfactualVtable {
        size: size_of::<CounterfactualVtable>() as u64,
        rewards: Self::counterfactual,
    };
    const SCRIPTED: &'static ScriptedVtable = &ScriptedVtable {
        size: size_of::<ScriptedVtable>() as u64,
        actions: Self::scripted,
    };
    const GAME_TREE: &'static GameTreeVtable = &GameTreeVtable {
        size: size_of::<GameTreeVtable>() as u64,
        node: Self::game_node,
    };
    pub(crate) const VTABLE: &'static EnvironmentVtable = &EnvironmentVtable {
        size: size_of::<EnvironmentVtable>() as u64,
        spec: Self::spec,
        bind: Self::bind,
        unbind: Self::unbind,
        reset: Self::reset,
        step: Self::step,
        step_exact: Self::step_exact,
        set_options: Self::set_options,
        snapshot: Self::snapshot,
        restore: Self::restore,
        clone_instance: Self::clone_instance,
        inspect: Self::inspect,
        render: Self::render,
        extension: Self::extension,
        destroy: Self::destroy,
    };
}

/// Writes a value as JSON text.
///
/// # Safety
/// `out` must be the sink that the caller handed over for this call.
pub(crate) unsafe fn write_json<T: Serialize>(out: *const Sink, value: &T) -> Result<()> {
    let text = serde_json::to_vec(value).map_err(|e| Error::plugin(format!("json: {e}")))?;
    // SAFETY: forwarded from the caller.
    unsafe { (*out).put(&text) }
}
