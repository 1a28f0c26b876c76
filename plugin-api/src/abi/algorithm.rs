//! Algorithms: objects that act for and learn from one or more agent groups.

use abi_stable::StableAbi;

use super::{HostContext, MakeOptions, Opaque, Sink, SlabTable, Source, Status, Text};

/// Id of the factory extension of algorithms.
pub const ALGORITHM_FACTORY: &str = "palaestra.algorithm/1";

/// `act` flags: choose the best action instead of exploring.
pub const ACT_GREEDY: u32 = 1;

/// Functions of an algorithm object; `[own]` as for environments.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct AlgorithmVtable {
    /// Size of this struct in bytes, as the plugin knows it.
    pub size: u64,
    /// `[own]` Writes the `AlgorithmCapabilities` as JSON: needed and liked slab ids, widths, flags.
    pub capabilities:
        unsafe extern "C" fn(this: *mut Opaque, out: *const Sink, error: *const Sink) -> Status,
    /// `[own]` Binds the slabs that `act` reads and writes.
    pub bind: unsafe extern "C" fn(
        this: *mut Opaque,
        table: *const SlabTable,
        error: *const Sink,
    ) -> Status,
    /// `[own]` Forgets the bound slabs.
    pub unbind: unsafe extern "C" fn(this: *mut Opaque),
    /// `[own]` Writes what to collect next (`Collect` as JSON).
    pub next:
        unsafe extern "C" fn(this: *mut Opaque, out: *const Sink, error: *const Sink) -> Status,
    /// `[own]` Acts at slot `slot`: proposed actions, extras, recurrent state of slot `slot + 1`.
    pub act: unsafe extern "C" fn(
        this: *mut Opaque,
        slot: u32,
        flags: u32,
        error: *const Sink,
    ) -> Status,
    /// `[own]` Learns from a time-major fragment `[T(+1), n, …]`, read-only; writes metrics as a JSON object.
    pub learn: unsafe extern "C" fn(
        this: *mut Opaque,
        fragment: *const SlabTable,
        out: *const Sink,
        error: *const Sink,
    ) -> Status,
    /// `[own]` Changes tunable fields in place; a JSON object.
    pub configure:
        unsafe extern "C" fn(this: *mut Opaque, changes: Text, error: *const Sink) -> Status,
    /// `[own]` Writes everything: resuming equals never having stopped.
    pub snapshot:
        unsafe extern "C" fn(this: *mut Opaque, out: *const Sink, error: *const Sink) -> Status,
    /// `[own]` Becomes what the snapshot says.
    pub restore: unsafe extern "C" fn(
        this: *mut Opaque,
        source: *const Source,
        error: *const Sink,
    ) -> Status,
    /// `[own]` Writes the named tensors `policy/<group>/…` as safetensors.
    pub weights:
        unsafe extern "C" fn(this: *mut Opaque, out: *const Sink, error: *const Sink) -> Status,
    /// `[own]` Loads named tensors for the groups of a JSON array of names (all when empty).
    pub set_weights: unsafe extern "C" fn(
        this: *mut Opaque,
        source: *const Source,
        groups: Text,
        error: *const Sink,
    ) -> Status,
    /// `[own]` A further interface of this object by id, or null.
    pub extension: unsafe extern "C" fn(this: *mut Opaque, id: Text) -> *const Opaque,
    /// `[own]` Ends the object.
    pub destroy: unsafe extern "C" fn(this: *mut Opaque),
}

/// An algorithm object: data and functions.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct AlgorithmObject {
    /// Data of the plugin.
    pub this: *mut Opaque,
    /// Functions; static.
    pub vtable: *const AlgorithmVtable,
}

/// Makes algorithms: the extension [`ALGORITHM_FACTORY`] of the root.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct AlgorithmFactory {
    /// Size of this struct in bytes, as the plugin knows it.
    pub size: u64,
    /// `[any thread]` Makes an object. `request` is a JSON `AlgorithmRequest`: id, config, role, the composed
    /// environment spec, the controlled groups, and the description of the exchange mechanism, if any.
    pub make: unsafe extern "C" fn(
        request: Text,
        host: *const HostContext,
        options: *const MakeOptions,
        out: *mut AlgorithmObject,
        error: *const Sink,
    ) -> Status,
}
