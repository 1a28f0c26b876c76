//! What the host offers to plugins. Frozen: grown by [`HostApi::extension`].

use abi_stable::StableAbi;

use super::{Opaque, Status, Text};

/// Severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum LogLevel {
    /// Something failed.
    Error = 1,
    /// Something is off but goes on.
    Warn = 2,
    /// Progress worth a line.
    Info = 3,
    /// For the author.
    Debug = 4,
}

/// How `all_reduce` combines the values of the ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ReduceOp {
    /// Sum, in rank order.
    Sum = 1,
    /// Largest value.
    Max = 2,
    /// Smallest value.
    Min = 3,
}

/// One piece of work of `parallel_for`.
#[repr(transparent)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct ParallelBody {
    /// Called with the data of the caller and `0..count`.
    pub run: unsafe extern "C" fn(data: *mut Opaque, index: u64) -> Status,
}

/// Services of the host. Every one takes the `run` of the [`HostContext`] that came with `make`,
/// so that several runs can live in one process. All may be called from any thread.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct HostApi {
    /// Size of this struct in bytes, as the host knows it.
    pub size: u64,
    /// Writes a log line of a [`LogLevel`].
    pub log: unsafe extern "C" fn(run: *mut Opaque, level: u32, target: Text, message: Text),
    /// Records one value of a named metric.
    pub metric: unsafe extern "C" fn(run: *mut Opaque, name: Text, value: f64),
    /// Address of a byte that turns from 0 to 1 when the run is cancelled: poll it, no call needed.
    pub cancel_flag: unsafe extern "C" fn(run: *mut Opaque) -> *const u8,
    /// Threads that the plugin may keep busy, itself included.
    pub threads: unsafe extern "C" fn(run: *mut Opaque) -> u32,
    /// Runs `body(data, 0..count)` on the host's threads; the first status other than `OK`, in index order.
    pub parallel_for: unsafe extern "C" fn(
        run: *mut Opaque,
        count: u64,
        data: *mut Opaque,
        body: ParallelBody,
    ) -> Status,
    /// Rank of this process among the learners.
    pub rank: unsafe extern "C" fn(run: *mut Opaque) -> u32,
    /// Number of learner processes; 1 without distribution.
    pub world: unsafe extern "C" fn(run: *mut Opaque) -> u32,
    /// Combines `len` elements of a `DType` over all ranks in place.
    pub all_reduce: unsafe extern "C" fn(
        run: *mut Opaque,
        op: u32,
        dtype: u32,
        data: *mut u8,
        len: u64,
    ) -> Status,
    /// Copies `len` bytes from rank `root` to all.
    pub broadcast:
        unsafe extern "C" fn(run: *mut Opaque, root: u32, data: *mut u8, len: u64) -> Status,
    /// Waits for all ranks.
    pub barrier: unsafe extern "C" fn(run: *mut Opaque) -> Status,
    /// A further service by id, or null.
    pub extension: unsafe extern "C" fn(run: *mut Opaque, id: Text) -> *const Opaque,
}

/// The host's services and the run on whose behalf an object was made. Valid as long as the object.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct HostContext {
    /// Identifies the run to the host.
    pub run: *mut Opaque,
    /// The services.
    pub api: *const HostApi,
}

// SAFETY: the services may be called from any thread, and `run` is only ever passed back to them.
unsafe impl Send for HostContext {}
// SAFETY: as above.
unsafe impl Sync for HostContext {}

/// What an object is made for; seeds follow global instance indices.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct MakeOptions {
    /// Size of this struct in bytes.
    pub size: u64,
    /// Seed of the run.
    pub run_seed: u64,
    /// Global index of the first instance of this object.
    pub first_instance: u64,
    /// Number of instances (environments) or rows per inference batch (algorithms).
    pub instances: u64,
    /// Separates the random streams of training, evaluation and checks.
    pub purpose: u64,
    /// Algorithms: the mechanism with an `exchange` port, or null. Outlives the object.
    pub exchange: *const super::CoordinationObject,
}
