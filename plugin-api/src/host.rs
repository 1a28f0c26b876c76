//! The host's services as a plugin sees them.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::{
    abi::{DType, HostContext, LogLevel, OK, Opaque, ParallelBody, ReduceOp, Status, Text},
    error::{Error, ErrorKind, Result},
};

/// Services of the host on behalf of one run. Cheap to copy; usable from any thread.
#[derive(Clone, Copy, Debug)]
pub struct Host {
    context: HostContext,
}

#[allow(unsafe_code)]
impl Host {
    pub(crate) fn new(context: HostContext) -> Self {
        Self { context }
    }

    fn api(&self) -> &crate::abi::HostApi {
        // SAFETY: the table came with this context, which outlives the object; all arguments live through the call.
        unsafe { &*self.context.api }
    }

    /// Writes a log line.
    pub fn log(&self, level: LogLevel, target: &str, message: &str) {
        // SAFETY: the table came with this context, which outlives the object; all arguments live through the call.
        unsafe {
            (self.api().log)(
                self.context.run,
                level as u32,
                Text::new(target),
                Text::new(message),
            )
        };
    }

    /// Records one value of a named metric.
    pub fn metric(&self, name: &str, value: f64) {
        // SAFETY: the table came with this context, which outlives the object; all arguments live through the call.
        unsafe { (self.api().metric)(self.context.run, Text::new(name), value) };
    }

    /// Whether the run was cancelled.
    pub fn is_cancelled(&self) -> bool {
        // SAFETY: the table came with this context, which outlives the object; all arguments live through the call.
        unsafe {
            let flag = (self.api().cancel_flag)(self.context.run);
            !flag.is_null() && AtomicU8::from_ptr(flag.cast_mut()).load(Ordering::Relaxed) != 0
        }
    }

    /// Threads that the plugin may keep busy, itself included.
    pub fn threads(&self) -> usize {
        // SAFETY: the table came with this context, which outlives the object; all arguments live through the call.
        unsafe { (self.api().threads)(self.context.run).max(1) as usize }
    }

    /// Runs `body(0..count)` on the host's threads. The first error in index order, if any.
    pub fn parallel_for(
        &self,
        count: usize,
        body: &(dyn Fn(usize) -> Result<()> + Sync),
    ) -> Result<()> {
        /// What the C callback finds behind `data`.
        struct Job<'a> {
            body: &'a (dyn Fn(usize) -> Result<()> + Sync),
            failed: std::sync::Mutex<Option<(usize, Error)>>,
        }
        unsafe extern "C" fn run(data: *mut Opaque, index: u64) -> Status {
            // SAFETY: the table came with this context, which outlives the object; all arguments live through the call.
            let job = unsafe { &*data.cast::<Job<'_>>() };
            let index = index as usize;
            match crate::sdk::guard::catch(|| (job.body)(index)).and_then(|r| r) {
                Ok(()) => OK,
                Err(e) => {
                    let status = e.kind as Status;
                    let mut failed = job
                        .failed
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    if failed.as_ref().is_none_or(|(at, _)| index < *at) {
                        *failed = Some((index, e));
                    }
                    status
                }
            }
        }
        let job = Job {
            body,
            failed: std::sync::Mutex::new(None),
        };
        let data = std::ptr::from_ref(&job).cast_mut().cast();
        // SAFETY: the table came with this context, which outlives the object; all arguments live through the call.
        let status = unsafe {
            (self.api().parallel_for)(self.context.run, count as u64, data, ParallelBody { run })
        };
        match job
            .failed
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
        {
            Some((_, e)) => Err(e),
            None => Self::check(status, "parallel_for"),
        }
    }

    /// Rank of this process among the learners, and their number.
    pub fn rank_and_world(&self) -> (usize, usize) {
        // SAFETY: the table came with this context, which outlives the object; all arguments live through the call.
        unsafe {
            (
                (self.api().rank)(self.context.run) as usize,
                (self.api().world)(self.context.run).max(1) as usize,
            )
        }
    }

    /// Combines values over all ranks in place, in rank order.
    pub fn all_reduce_f32(&self, op: ReduceOp, values: &mut [f32]) -> Result<()> {
        self.all_reduce(op, DType::F32, values.as_mut_ptr().cast(), values.len())
    }

    /// Combines values over all ranks in place, in rank order.
    pub fn all_reduce_f64(&self, op: ReduceOp, values: &mut [f64]) -> Result<()> {
        self.all_reduce(op, DType::F64, values.as_mut_ptr().cast(), values.len())
    }

    fn all_reduce(&self, op: ReduceOp, dtype: DType, data: *mut u8, len: usize) -> Result<()> {
        // SAFETY: the table came with this context, which outlives the object; all arguments live through the call.
        let status = unsafe {
            (self.api().all_reduce)(self.context.run, op as u32, dtype as u32, data, len as u64)
        };
        Self::check(status, "all_reduce")
    }

    /// Copies bytes from rank `root` to all.
    pub fn broadcast(&self, root: usize, bytes: &mut [u8]) -> Result<()> {
        let len = bytes.len() as u64;
        // SAFETY: the table came with this context, which outlives the object; all arguments live through the call.
        let status = unsafe {
            (self.api().broadcast)(self.context.run, root as u32, bytes.as_mut_ptr(), len)
        };
        Self::check(status, "broadcast")
    }

    /// Waits for all ranks.
    pub fn barrier(&self) -> Result<()> {
        // SAFETY: the table came with this context, which outlives the object; all arguments live through the call.
        Self::check(unsafe { (self.api().barrier)(self.context.run) }, "barrier")
    }

    fn check(status: Status, operation: &str) -> Result<()> {
        if status == OK {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::from_status(status),
            format!("{operation}: the host reports status {status}"),
        ))
    }
}

/// Writes a log line to the host that loaded this plugin; to stderr when there is none.
pub fn log(level: LogLevel, message: &str) {
    match crate::sdk::root::host() {
        Some(host) => host.log(level, "plugin", message),
        None => eprintln!("{message}"),
    }
}
