//! Buffers that are used again: page faults on fresh large allocations cost a quarter of an update otherwise.

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::Once;

/// Buffers a thread keeps at most, and the most floats among them (64 MiB).
const MOST_BUFFERS: usize = 64;
const MOST_FLOATS: usize = 1 << 24;

#[derive(Default)]
struct Pool {
    buffers: Vec<Vec<f32>>,
    floats: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = RefCell::default();
}

/// Once: makes glibc keep freed memory instead of handing each large block back to the kernel and faulting it in anew.
///
/// The largest block it once mapped and freed sets its thresholds; an untouched block costs nothing, and other
/// allocators do not mind. An update of 4 096 rows took 2.6 times as long without.
fn settle_allocator() {
    const JUST_BELOW_ITS_LIMIT: usize = (32 << 20) - (64 << 10);
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(black_box(Vec::<u8>::with_capacity(JUST_BELOW_ITS_LIMIT))));
}

/// A buffer of `len` floats with **arbitrary** contents: whoever takes it writes every element before reading.
pub(crate) fn take(len: usize) -> Vec<f32> {
    let found = POOL.with_borrow_mut(|pool| {
        // The tightest fit, and none that wastes more than half.
        let fits =
            |buffer: &Vec<f32>| buffer.capacity() >= len && buffer.capacity() <= 2 * len + 64;
        let (index, _) = pool
            .buffers
            .iter()
            .enumerate()
            .filter(|(_, buffer)| fits(buffer))
            .min_by_key(|(_, buffer)| buffer.capacity())?;
        let buffer = pool.buffers.swap_remove(index);
        pool.floats -= buffer.capacity();
        Some(buffer)
    });
    let mut buffer = found.unwrap_or_else(|| {
        settle_allocator();
        Vec::new()
    });
    buffer.resize(len, 0.0);
    buffer
}

/// A buffer of `len` zeros.
pub(crate) fn zeros(len: usize) -> Vec<f32> {
    let mut buffer = take(len);
    buffer.fill(0.0);
    buffer
}

/// Hands a buffer back. Where there is no room, the smallest goes: large ones cost most to make.
pub(crate) fn give(buffer: Vec<f32>) {
    POOL.with_borrow_mut(|pool| {
        pool.floats += buffer.capacity();
        pool.buffers.push(buffer);
        while pool.buffers.len() > MOST_BUFFERS || pool.floats > MOST_FLOATS {
            let sizes = pool.buffers.iter().map(Vec::capacity).enumerate();
            let Some((smallest, size)) = sizes.min_by_key(|&(_, size)| size) else {
                return;
            };
            pool.buffers.swap_remove(smallest);
            pool.floats -= size;
        }
    });
}

/// Hands several buffers back.
pub(crate) fn give_all<const N: usize>(buffers: [Vec<f32>; N]) {
    buffers.into_iter().for_each(give);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_with_the_length_asked_for() {
        let first = take(1000);
        let address = first.as_ptr();
        give(first);
        let second = take(900);
        assert_eq!((second.len(), second.as_ptr()), (900, address));
        let third = take(900);
        assert_ne!(third.as_ptr(), address);
        give_all([second, third]);
        assert!(zeros(950).iter().all(|&x| x == 0.0));
    }

    #[test]
    fn a_large_buffer_finds_room_among_many_small_ones() {
        for _ in 0..2 * MOST_BUFFERS {
            give(vec![0.0; 10]);
        }
        let large = take(5000);
        let address = large.as_ptr();
        give(large);
        let again = take(5000);
        assert_eq!(again.as_ptr(), address);
    }
}
