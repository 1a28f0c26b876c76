//! The services that a host gives to plugins.

use std::sync::{Arc, atomic::AtomicU8};

use crate::abi::{
    DType, HostApi, HostContext, LogLevel, OK, Opaque, ParallelBody, ReduceOp, Status, Text,
};

/// What a host does for a run. All methods may be called from any thread, by any object of the run.
pub trait Services: Send + Sync + 'static {
    /// Writes a log line.
    fn log(&self, level: LogLevel, target: &str, message: &str);
    /// Records one value of a named metric.
    fn metric(&self, name: &str, value: f64);
    /// Turns to 1 when the run is cancelled.
    fn cancel_flag(&self) -> &AtomicU8;
    /// Threads that an object may keep busy.
    fn threads(&self) -> usize {
        1
    }
    /// Runs `body(0..count)`; sequentially unless the host has threads to give.
    fn parallel_for(&self, count: u64, body: &(dyn Fn(u64) -> Status + Sync)) -> Status {
        (0..count)
            .map(body)
            .find(|&status| status != OK)
            .unwrap_or(OK)
    }
    /// Rank of this process and number of learners.
    fn rank_and_world(&self) -> (u32, u32) {
        (0, 1)
    }
    /// Combines values over all ranks in place; with one rank there is nothing to do.
    fn all_reduce(&self, op: ReduceOp, dtype: DType, data: &mut [u8]) -> Status {
        let _ = (op, dtype, data);
        OK
    }
    /// Copies bytes from rank `root` to all.
    fn broadcast(&self, root: u32, data: &mut [u8]) -> Status {
        let _ = (root, data);
        OK
    }
    /// Waits for all ranks.
    fn barrier(&self) -> Status {
        OK
    }
}

/// Services for tests and tools: warnings and errors go to stderr, metrics nowhere.
#[derive(Debug, Default)]
pub struct QuietServices {
    cancelled: AtomicU8,
}

impl Services for QuietServices {
    fn log(&self, level: LogLevel, target: &str, message: &str) {
        if level <= LogLevel::Warn {
            eprintln!("{target}: {message}");
        }
    }
    fn metric(&self, _: &str, _: f64) {}
    fn cancel_flag(&self) -> &AtomicU8 {
        &self.cancelled
    }
}

struct Served {
    services: Box<dyn Services>,
}

/// Services with a stable address, shared by all objects of a run.
#[derive(Clone)]
pub struct Context {
    served: Arc<Served>,
}

impl Context {
    /// Offers services.
    pub fn new(services: impl Services) -> Self {
        Self {
            served: Arc::new(Served {
                services: Box::new(services),
            }),
        }
    }

    /// What crosses the boundary; valid while this context lives.
    pub fn raw(&self) -> HostContext {
        HostContext {
            run: Arc::as_ptr(&self.served).cast_mut().cast(),
            api: &API,
        }
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::new(QuietServices::default())
    }
}

/// The services behind `run`.
///
/// # Safety
/// `run` must be that of a living [`Context`].
unsafe fn services<'a>(run: *mut Opaque) -> &'a dyn Services {
    // SAFETY: forwarded from the caller.
    unsafe { &*(*run.cast::<Served>()).services }
}

static API: HostApi = HostApi {
    size: size_of::<HostApi>() as u64,
    log,
    metric,
    cancel_flag,
    threads,
    parallel_for,
    rank,
    world,
    all_reduce,
    broadcast,
    barrier,
    extension,
};

// The functions of the table: plugins pass the `run` that came with it, and readable arguments.

unsafe extern "C" fn log(run: *mut Opaque, level: u32, target: Text, message: Text) {
    let level = match level {
        1 => LogLevel::Error,
        2 => LogLevel::Warn,
        3 => LogLevel::Info,
        _ => LogLevel::Debug,
    };
    // SAFETY: the rules of the table.
    unsafe {
        services(run).log(
            level,
            target.as_str().unwrap_or("?"),
            message.as_str().unwrap_or("not UTF-8"),
        )
    }
}

unsafe extern "C" fn metric(run: *mut Opaque, name: Text, value: f64) {
    // SAFETY: the rules of the table.
    unsafe { services(run).metric(name.as_str().unwrap_or("?"), value) }
}

unsafe extern "C" fn cancel_flag(run: *mut Opaque) -> *const u8 {
    // SAFETY: the rules of the table.
    unsafe { services(run).cancel_flag().as_ptr() }
}

unsafe extern "C" fn threads(run: *mut Opaque) -> u32 {
    // SAFETY: the rules of the table.
    unsafe { services(run).threads() as u32 }
}

unsafe extern "C" fn parallel_for(
    run: *mut Opaque,
    count: u64,
    data: *mut Opaque,
    body: ParallelBody,
) -> Status {
    struct Shared(*mut Opaque);
    // SAFETY: the plugin asks for `body` to be run on several threads.
    unsafe impl Sync for Shared {}
    let data = Shared(data);
    let data = &data;
    // SAFETY: the rules of the table.
    unsafe { services(run).parallel_for(count, &move |index| (body.run)(data.0, index)) }
}

unsafe extern "C" fn rank(run: *mut Opaque) -> u32 {
    // SAFETY: the rules of the table.
    unsafe { services(run).rank_and_world().0 }
}

unsafe extern "C" fn world(run: *mut Opaque) -> u32 {
    // SAFETY: the rules of the table.
    unsafe { services(run).rank_and_world().1 }
}

unsafe extern "C" fn all_reduce(
    run: *mut Opaque,
    op: u32,
    dtype: u32,
    data: *mut u8,
    len: u64,
) -> Status {
    let op = match op {
        1 => ReduceOp::Sum,
        2 => ReduceOp::Max,
        3 => ReduceOp::Min,
        _ => return crate::ErrorKind::Plugin as Status,
    };
    let dtype = match dtype {
        5 => DType::F32,
        6 => DType::F64,
        _ => return crate::ErrorKind::Plugin as Status,
    };
    // SAFETY: the rules of the table: `len` elements at `data`.
    unsafe {
        let bytes = std::slice::from_raw_parts_mut(data, len as usize * dtype.size());
        services(run).all_reduce(op, dtype, bytes)
    }
}

unsafe extern "C" fn broadcast(run: *mut Opaque, root: u32, data: *mut u8, len: u64) -> Status {
    // SAFETY: the rules of the table: `len` bytes at `data`.
    unsafe { services(run).broadcast(root, std::slice::from_raw_parts_mut(data, len as usize)) }
}

unsafe extern "C" fn barrier(run: *mut Opaque) -> Status {
    // SAFETY: the rules of the table.
    unsafe { services(run).barrier() }
}

unsafe extern "C" fn extension(_: *mut Opaque, _: Text) -> *const Opaque {
    std::ptr::null()
}
