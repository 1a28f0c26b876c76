//! The environments that a plugin exports, and the factory that makes them.

use serde::Deserialize;
use serde_json::Value;

use super::{
    PerInstance,
    batch::Batch,
    guard::entry,
    guarded::Guarded,
    vtable::{Entries, write_json},
};
use crate::{
    abi::{EnvironmentObject, HostContext, MakeOptions, Sink, Status, Text},
    batch::BatchEnvironment,
    environment::Environment,
    error::{Error, ErrorKind, Result},
};

/// An environment that a plugin exports; collected with `inventory`.
#[derive(Clone, Copy)]
pub struct EnvironmentEntry {
    pub(crate) id: &'static str,
    pub(crate) make: fn(config: &str, options: &MakeOptions) -> Result<EnvironmentObject>,
    pub(crate) trace: fn(document: &Value) -> Result<Value>,
}

impl EnvironmentEntry {
    /// The entry of an [`Environment`].
    pub const fn of<E: Environment>() -> Self {
        Self::of_batch::<PerInstance<E>>()
    }

    /// The entry of a [`BatchEnvironment`].
    pub const fn of_batch<E: BatchEnvironment>() -> Self {
        Self {
            id: E::ID,
            make: |config, options| {
                let batch = Batch::<E>::make(config, options)?;
                Ok(EnvironmentObject {
                    this: Guarded::into_raw(batch),
                    vtable: Entries::<E>::VTABLE,
                })
            },
            trace: |document| {
                let cases = E::trace_cases(document)?;
                serde_json::to_value(cases).map_err(|e| Error::plugin(format!("trace: {e}")))
            },
        }
    }
}

inventory::collect!(EnvironmentEntry);

/// `{"id": …, "config": {…}}`.
#[derive(Deserialize)]
pub(crate) struct MakeRequest {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) config: Value,
}

/// Reads a request and finds its entry among those of the plugin.
///
/// # Safety
/// `error`, `request` and `options` must be those of the `make` call.
pub(crate) unsafe extern "C" fn make_environment(
    request: Text,
    _host: *const HostContext,
    options: *const MakeOptions,
    out: *mut EnvironmentObject,
    error: *const Sink,
) -> Status {
    // SAFETY: the caller follows the rules of `EnvironmentFactory::make`.
    unsafe {
        entry(error, || {
            let request: MakeRequest = serde_json::from_str(request.as_str()?)
                .map_err(|e| Error::new(ErrorKind::Host, format!("request: {e}")))?;
            let found = find(&request.id)?;
            out.write((found.make)(&request.config.to_string(), &*options)?);
            Ok(())
        })
    }
}

/// Reads a trace document for one environment of the plugin.
///
/// # Safety
/// All pointers must be those of the `trace` call.
pub(crate) unsafe extern "C" fn read_trace(
    id: Text,
    document: Text,
    out: *const Sink,
    error: *const Sink,
) -> Status {
    // SAFETY: the caller follows the rules of `EnvironmentFactory::trace`.
    unsafe {
        entry(error, || {
            let document = serde_json::from_str(document.as_str()?)
                .map_err(|e| Error::config(format!("trace: {e}")))?;
            write_json(out, &(find(id.as_str()?)?.trace)(&document)?)
        })
    }
}

fn find(id: &str) -> Result<&'static EnvironmentEntry> {
    inventory::iter::<EnvironmentEntry>
        .into_iter()
        .find(|e| e.id == id)
        .ok_or_else(|| Error::config(format!("environment {id:?} is not in this plugin")))
}
