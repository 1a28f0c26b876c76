//! Coordination mechanisms: between environment and policy, and inside the policy network.

use abi_stable::StableAbi;

use super::{HostContext, MakeOptions, Opaque, Sink, SlabTable, Source, Status, Text};

/// Id of the factory extension of coordination mechanisms.
pub const COORDINATION_FACTORY: &str = "palaestra.coordination/1";

/// Arguments of `exchange`. A row is one (time, instance) with all agents of the algorithm object in
/// group order. All arrays are row-major, contiguous and owned by the caller.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct ExchangeCall {
    /// Size of this struct in bytes.
    pub size: u64,
    /// Number of rows.
    pub rows: u64,
    /// Agents per row.
    pub agents: u64,
    /// The mechanism's parameters, flat, in the declared layout.
    pub parameters: *const f32,
    /// Length of `parameters`.
    pub parameters_len: u64,
    /// `[rows, agents, message_width]`.
    pub messages: *const f32,
    /// `[rows, agents]`: 1 where the agent takes part; null means all.
    pub mask: *const u8,
    /// Recorded slabs (positions, adjacency) over the same rows; may be null.
    pub context: *const SlabTable,
    /// `[rows, agents, state_width]`, or null when the width is 0.
    pub state_in: *const f32,
    /// `[rows]`: keys of all noise.
    pub keys: *const u64,
    /// `[rows, extras_width]`: what the channel drew; written when `replay` is 0, read when it is 1.
    pub extras: *mut f32,
    /// 1 to replay the recorded channel instead of drawing it.
    pub replay: u32,
    /// 1 to keep activations for `backward` under `token`.
    pub save: u32,
    /// Out `[rows, agents, inbox_width]`.
    pub inbox: *mut f32,
    /// Out `[rows, agents, state_width]`, or null.
    pub state_out: *mut f32,
    /// Out: names the saved activations; consumed by `backward` or `release`, once. 0 when nothing is saved.
    pub token: *mut u64,
}

/// Arguments of `backward`.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct BackwardCall {
    /// Size of this struct in bytes.
    pub size: u64,
    /// The token of the `exchange` call; consumed.
    pub token: u64,
    /// `[rows, agents, inbox_width]`: gradient of the loss by the inbox.
    pub d_inbox: *const f32,
    /// `[rows, agents, state_width]` by `state_out`, or null for zero.
    pub d_state_out: *const f32,
    /// Out `[rows, agents, message_width]`.
    pub d_messages: *mut f32,
    /// Out `[rows, agents, state_width]`, or null.
    pub d_state_in: *mut f32,
    /// Accumulated into: `[parameters_len]`.
    pub d_parameters: *mut f32,
}

/// Functions of a mechanism. Ports that `describe` does not list return `Unsupported`. `[own]` as for
/// environments; `exchange`, `backward` and `release` may be called while earlier tokens are open.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct CoordinationVtable {
    /// Size of this struct in bytes, as the plugin knows it.
    pub size: u64,
    /// `[own]` Writes the `MechanismDescription` as JSON: ports, parameters, widths, slab ids.
    pub describe:
        unsafe extern "C" fn(this: *mut Opaque, out: *const Sink, error: *const Sink) -> Status,
    /// `[own]` Rewrites an environment spec (JSON in, JSON out): features and action heads it adds.
    pub compose: unsafe extern "C" fn(
        this: *mut Opaque,
        spec: Text,
        out: *const Sink,
        error: *const Sink,
    ) -> Status,
    /// `[own]` Binds the slabs that `observe`, `arbitrate` and `share` use.
    pub bind: unsafe extern "C" fn(
        this: *mut Opaque,
        table: *const SlabTable,
        error: *const Sink,
    ) -> Status,
    /// `[own]` Forgets the bound slabs.
    pub unbind: unsafe extern "C" fn(this: *mut Opaque),
    /// `[own]` Port `observe`: writes the features of slot `slot`.
    pub observe: unsafe extern "C" fn(this: *mut Opaque, slot: u32, error: *const Sink) -> Status,
    /// `[own]` Port `exchange`.
    pub exchange: unsafe extern "C" fn(
        this: *mut Opaque,
        call: *const ExchangeCall,
        error: *const Sink,
    ) -> Status,
    /// `[own]` Port `exchange`, backwards.
    pub backward: unsafe extern "C" fn(
        this: *mut Opaque,
        call: *const BackwardCall,
        error: *const Sink,
    ) -> Status,
    /// `[own]` Drops the activations of a token that needs no gradient.
    pub release: unsafe extern "C" fn(this: *mut Opaque, token: u64),
    /// `[own]` Port `arbitrate`: proposed joint action of slot `slot` to executed joint action.
    pub arbitrate: unsafe extern "C" fn(this: *mut Opaque, slot: u32, error: *const Sink) -> Status,
    /// `[own]` Port `share`: rewards of slot `slot` to learning rewards.
    pub share: unsafe extern "C" fn(this: *mut Opaque, slot: u32, error: *const Sink) -> Status,
    /// `[own]` Writes everything that the mechanism is, parameters excepted.
    pub snapshot:
        unsafe extern "C" fn(this: *mut Opaque, out: *const Sink, error: *const Sink) -> Status,
    /// `[own]` Becomes what the snapshot says.
    pub restore: unsafe extern "C" fn(
        this: *mut Opaque,
        source: *const Source,
        error: *const Sink,
    ) -> Status,
    /// `[own]` A further interface of this object by id, or null.
    pub extension: unsafe extern "C" fn(this: *mut Opaque, id: Text) -> *const Opaque,
    /// `[own]` Ends the object.
    pub destroy: unsafe extern "C" fn(this: *mut Opaque),
}

/// A mechanism object: data and functions.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct CoordinationObject {
    /// Data of the plugin.
    pub this: *mut Opaque,
    /// Functions; static.
    pub vtable: *const CoordinationVtable,
}

/// Makes mechanisms: the extension [`COORDINATION_FACTORY`] of the root.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct CoordinationFactory {
    /// Size of this struct in bytes, as the plugin knows it.
    pub size: u64,
    /// `[any thread]` Makes an object. `request` is JSON `{"id": …, "config": {…}, "spec": {…}}`.
    pub make: unsafe extern "C" fn(
        request: Text,
        host: *const HostContext,
        options: *const MakeOptions,
        out: *mut CoordinationObject,
        error: *const Sink,
    ) -> Status,
}
