//! Batched environments: one object holds `n` instances.

use abi_stable::StableAbi;

use super::{HostContext, MakeOptions, Opaque, Sink, SlabTable, Source, Status, Text};

/// Id of the factory extension of environments.
pub const ENVIRONMENT_FACTORY: &str = "palaestra.environment/1";

/// `render` modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum RenderMode {
    /// A display list as JSON (see [`crate::canvas`]); the host draws it.
    Scene = 1,
    /// Plain text.
    Text = 2,
    /// `width: u32, height: u32` little-endian, then `3 · width · height` bytes.
    Rgb = 3,
}

/// Functions of an environment object.
///
/// `[own]`: by one thread at a time, any thread (objects move between threads, they are never
/// shared). On a status other than `OK` the callee has written one line to `error`. Slots index
/// the first axis of the bound slabs.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct EnvironmentVtable {
    /// Size of this struct in bytes, as the plugin knows it.
    pub size: u64,
    /// `[own]` Writes the `EnvironmentSpec` as JSON.
    pub spec:
        unsafe extern "C" fn(this: *mut Opaque, out: *const Sink, error: *const Sink) -> Status,
    /// `[own]` Binds slabs; their addresses stay valid until `unbind` or `destroy`.
    pub bind: unsafe extern "C" fn(
        this: *mut Opaque,
        table: *const SlabTable,
        error: *const Sink,
    ) -> Status,
    /// `[own]` Forgets the bound slabs.
    pub unbind: unsafe extern "C" fn(this: *mut Opaque),
    /// `[own]` Starts a new episode where `mask[instance] != 0` (all instances when null) and writes slot
    /// `write`. `options` is a JSON object: `{"init": …}` injects a start state and scripted events;
    /// `{"options": …}` is as for `set_options`; `{"manual_reset": true}` makes ended instances of this object
    /// wait for the next reset, which must then come before the next step: their last rows and picture stay.
    /// Keys that an object does not know are ignored.
    pub reset: unsafe extern "C" fn(
        this: *mut Opaque,
        mask: *const u8,
        options: Text,
        write: u32,
        error: *const Sink,
    ) -> Status,
    /// `[own]` Reads actions at slot `read`, advances every instance, writes everything else at slot
    /// `write`. Episodes that end are listed in the final slabs and reset in the same call.
    pub step: unsafe extern "C" fn(
        this: *mut Opaque,
        read: u32,
        write: u32,
        error: *const Sink,
    ) -> Status,
    /// `[own]` The cold path of replays, for objects of one instance: a step whose actions are JSON
    /// `[group][agent][component]` in f64. Writes slot `write` as `step` does, and to `out` the
    /// inspection after the step and before any reset.
    pub step_exact: unsafe extern "C" fn(
        this: *mut Opaque,
        actions: Text,
        write: u32,
        out: *const Sink,
        error: *const Sink,
    ) -> Status,
    /// `[own]` Options (tasks, curricula) that take effect at the next reset of the masked instances.
    pub set_options: unsafe extern "C" fn(
        this: *mut Opaque,
        mask: *const u8,
        options: Text,
        error: *const Sink,
    ) -> Status,
    /// `[own]` Writes everything that one instance is.
    pub snapshot: unsafe extern "C" fn(
        this: *mut Opaque,
        instance: u64,
        out: *const Sink,
        error: *const Sink,
    ) -> Status,
    /// `[own]` Makes the instance what the snapshot says and writes its rows at slot `write`.
    pub restore: unsafe extern "C" fn(
        this: *mut Opaque,
        instance: u64,
        source: *const Source,
        write: u32,
        error: *const Sink,
    ) -> Status,
    /// `[own]` Makes instance `to` a copy of instance `from`, rows at slot `write` included.
    pub clone_instance: unsafe extern "C" fn(
        this: *mut Opaque,
        from: u64,
        to: u64,
        write: u32,
        error: *const Sink,
    ) -> Status,
    /// `[own]` Writes the exact state (f64) of one instance as JSON.
    pub inspect: unsafe extern "C" fn(
        this: *mut Opaque,
        instance: u64,
        out: *const Sink,
        error: *const Sink,
    ) -> Status,
    /// `[own]` Writes one frame in a [`RenderMode`].
    pub render: unsafe extern "C" fn(
        this: *mut Opaque,
        instance: u64,
        mode: u32,
        out: *const Sink,
        error: *const Sink,
    ) -> Status,
    /// `[own]` A further interface of this object by id, or null. Lives as long as the object.
    pub extension: unsafe extern "C" fn(this: *mut Opaque, id: Text) -> *const Opaque,
    /// `[own]` Ends the object.
    pub destroy: unsafe extern "C" fn(this: *mut Opaque),
}

/// An environment object: data and functions.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct EnvironmentObject {
    /// Data of the plugin.
    pub this: *mut Opaque,
    /// Functions; static.
    pub vtable: *const EnvironmentVtable,
}

/// Makes environments: the extension [`ENVIRONMENT_FACTORY`] of the root.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct EnvironmentFactory {
    /// Size of this struct in bytes, as the plugin knows it.
    pub size: u64,
    /// `[any thread]` Makes an object. `request` is JSON `{"id": …, "config": {…}}`.
    pub make: unsafe extern "C" fn(
        request: Text,
        host: *const HostContext,
        options: *const MakeOptions,
        out: *mut EnvironmentObject,
        error: *const Sink,
    ) -> Status,
    /// `[any thread]` Reads a trace document (JSON) that environment `id` claims and writes its cases in
    /// the common form (`[TraceCase]` as JSON).
    pub trace: unsafe extern "C" fn(
        id: Text,
        document: Text,
        out: *const Sink,
        error: *const Sink,
    ) -> Status,
}

/// Object extension: rewards of another joint action from the present state, nothing advanced.
pub const COUNTERFACTUAL: &str = "palaestra.counterfactual/1";

/// Functions of [`COUNTERFACTUAL`].
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct CounterfactualVtable {
    /// Size of this struct in bytes.
    pub size: u64,
    /// `[own]` `actions` is JSON `[group][agent][component]`; writes rewards as JSON `[group][agent]`.
    pub rewards: unsafe extern "C" fn(
        this: *mut Opaque,
        instance: u64,
        actions: Text,
        out: *const Sink,
        error: *const Sink,
    ) -> Status,
}

/// Object extension: the world's own scripted baseline.
pub const SCRIPTED: &str = "palaestra.scripted/1";

/// Functions of [`SCRIPTED`].
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct ScriptedVtable {
    /// Size of this struct in bytes.
    pub size: u64,
    /// `[own]` Writes what the baseline does from the present state of one instance as JSON
    /// `[group][agent][component]`; nothing moves, and the same state gives the same again.
    pub actions: unsafe extern "C" fn(
        this: *mut Opaque,
        instance: u64,
        out: *const Sink,
        error: *const Sink,
    ) -> Status,
}

/// Object extension: the environment as an extensive-form game.
pub const GAME_TREE: &str = "palaestra.game-tree/1";

/// Functions of [`GAME_TREE`].
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct GameTreeVtable {
    /// Size of this struct in bytes.
    pub size: u64,
    /// `[own]` `history` is a JSON array of moves from the root (chance moves included); writes the
    /// node there as JSON: `GameNode`.
    pub node: unsafe extern "C" fn(
        this: *mut Opaque,
        history: Text,
        out: *const Sink,
        error: *const Sink,
    ) -> Status,
}
