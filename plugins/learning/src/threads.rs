//! Threads for large matrix products: a pool of this plugin's own, of the size that the host allows.
//!
//! Results do not depend on the number of threads: work is shared out by rows, and every element is computed by one
//! thread in one order.

use std::sync::{
    OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use rayon::{ThreadPool, ThreadPoolBuilder};

static COUNT: AtomicUsize = AtomicUsize::new(1);
static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();

/// Lets large products use up to `threads` threads, the caller's included: what the host says in
/// [`Host::threads`](palaestra_plugin_api::host::Host::threads). The first number above 1 sizes the pool for good;
/// later ones only use less of it or all.
pub fn allow(threads: usize) {
    COUNT.store(threads.max(1), Ordering::Relaxed);
}

/// Threads that may be used now.
pub(crate) fn count() -> usize {
    COUNT.load(Ordering::Relaxed)
}

/// Runs `body(first row, rows)` for blocks of `block` rows of `width` elements, on several threads where there are any.
pub(crate) fn share_out(
    rows: &mut [f32],
    width: usize,
    block: usize,
    body: impl Fn(usize, &mut [f32]) + Sync,
) {
    let pool = POOL.get_or_init(|| {
        // Beside the caller; without threads from the system it does the work alone.
        let builder = ThreadPoolBuilder::new().num_threads((count() - 1).max(1));
        builder
            .thread_name(|i| format!("learning-{i}"))
            .build()
            .ok()
    });
    let blocks = rows.chunks_mut((block * width).max(1)).enumerate();
    match pool {
        Some(pool) => pool.in_place_scope(|scope| {
            let mut own = None;
            for (index, rows) in blocks {
                let body = &body;
                if index == 0 {
                    // The caller's part, while the others are at theirs.
                    own = Some(rows);
                } else {
                    scope.spawn(move |_| body(index * block, rows));
                }
            }
            if let Some(rows) = own {
                body(0, rows);
            }
        }),
        None => blocks.for_each(|(index, rows)| body(index * block, rows)),
    }
}
