//! The threads that step shards: a pool that lives as long as the run.
//!
//! Shards are forked once per fragment, by `join` inside the pool. Entering the pool from outside takes a
//! lock and allocates, so a loop over fragments should run inside [`Workers::install`].

use std::sync::Arc;

use palaestra_plugin_api::{
    Error, ErrorKind, Result,
    client::{ShardMut, ShardsMut},
};

/// A number of threads, shared by everything that a run steps.
#[derive(Clone)]
pub struct Workers {
    /// None for one thread: the caller's.
    pool: Option<Arc<rayon::ThreadPool>>,
}

impl Workers {
    /// Starts `threads` threads; with one, the caller itself does the work.
    ///
    /// # Errors
    /// Kind `Io` when the system gives no threads.
    pub fn new(threads: usize) -> Result<Self> {
        if threads <= 1 {
            return Ok(Self { pool: None });
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("rollout-{index}"))
            .build()
            .map_err(|e| {
                Error::new(
                    ErrorKind::Io,
                    format!("threads: expected {threads} to start, found {e}"),
                )
            })?;
        Ok(Self {
            pool: Some(Arc::new(pool)),
        })
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.pool
            .as_ref()
            .map_or(1, |pool| pool.current_num_threads())
    }

    /// Runs `body` on a thread of the pool, so that what it forks starts at once.
    pub fn install<R: Send>(&self, body: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            None => body(),
            Some(pool) => pool.install(body),
        }
    }

    /// Runs both, at the same time where there are two threads; `first` stays on the calling thread.
    pub fn join<A: Send, B: Send>(
        &self,
        first: impl FnOnce() -> A + Send,
        second: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        match &self.pool {
            None => (first(), second()),
            Some(pool) => pool.install(|| rayon::join(first, second)),
        }
    }

    /// Runs `body` for every shard with its lane and, unless there are none, its policy.
    ///
    /// # Errors
    /// The first error in the order of the shards.
    pub(crate) fn each_shard<L: Send, P: Send, F>(
        &self,
        shards: ShardsMut<'_>,
        lanes: &mut [L],
        policies: &mut [P],
        body: &F,
    ) -> Result<()>
    where
        F: Fn(&mut ShardMut<'_>, &mut L, Option<&mut P>) -> Result<()> + Sync,
    {
        match &self.pool {
            None => in_order(shards, lanes, policies, body),
            Some(pool) => pool.install(|| fork(shards, lanes, policies, body)),
        }
    }
}

fn in_order<L, P, F>(
    shards: ShardsMut<'_>,
    lanes: &mut [L],
    policies: &mut [P],
    body: &F,
) -> Result<()>
where
    F: Fn(&mut ShardMut<'_>, &mut L, Option<&mut P>) -> Result<()>,
{
    let mut policies = policies.iter_mut();
    shards
        .into_iter()
        .zip(lanes)
        .try_for_each(|(mut shard, lane)| body(&mut shard, lane, policies.next()))
}

/// Halves the shards until each is a task of its own; idle threads take the largest halves first.
fn fork<L: Send, P: Send, F>(
    shards: ShardsMut<'_>,
    lanes: &mut [L],
    policies: &mut [P],
    body: &F,
) -> Result<()>
where
    F: Fn(&mut ShardMut<'_>, &mut L, Option<&mut P>) -> Result<()> + Sync,
{
    if shards.len() <= 1 {
        return in_order(shards, lanes, policies, body);
    }
    let mid = shards.len() / 2;
    let (left, right) = shards.split_at(mid);
    let (left_lanes, right_lanes) = lanes.split_at_mut(mid);
    let (left_policies, right_policies) = policies.split_at_mut(mid.min(policies.len()));
    let (first, second) = rayon::join(
        || fork(left, left_lanes, left_policies, body),
        || fork(right, right_lanes, right_policies, body),
    );
    first.and(second)
}
