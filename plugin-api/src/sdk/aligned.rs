//! Arrays that begin at a cache line, for loops that go through all instances of a shard.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use crate::abi::SlabElement;

/// Bytes of a cache line, and of the widest vector.
const LINE: usize = 64;

/// An array of fixed length that begins at a cache line: no vector of it lies on two. Measured: 1.1 times the steps of
/// matrix games.
pub struct Aligned<T> {
    /// The first element, in `_memory`: kept, so that an access costs what it costs in a vector.
    data: *mut T,
    length: usize,
    /// With room to begin at any of its places up to a line. Only ever freed.
    _memory: Vec<T>,
}

// SAFETY: an array owns its elements, as the vector does that holds them.
unsafe impl<T: Send> Send for Aligned<T> {}
// SAFETY: as above; shared arrays only give shared elements.
unsafe impl<T: Sync> Sync for Aligned<T> {}

impl<T: SlabElement> Aligned<T> {
    /// `length` times `value`.
    pub fn new(value: T, length: usize) -> Self {
        let spare = LINE / size_of::<T>();
        let mut memory = vec![value; length + spare];
        // An interpreter may not know the offset.
        let start = memory.as_ptr().align_offset(LINE).min(spare);
        Self {
            data: memory[start..].as_mut_ptr(),
            length,
            _memory: memory,
        }
    }
}

impl<T> Deref for Aligned<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: `data` has `length` elements of `_memory` behind it, which nothing else uses, and which stay where they
        // are when the vector moves.
        unsafe { std::slice::from_raw_parts(self.data, self.length) }
    }
}

impl<T: SlabElement> Clone for Aligned<T> {
    fn clone(&self) -> Self {
        let mut copy = Self::new(T::default(), self.length);
        copy.copy_from_slice(self);
        copy
    }
}

impl<T: PartialEq> PartialEq for Aligned<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: fmt::Debug> fmt::Debug for Aligned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T> DerefMut for Aligned<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and this array is borrowed for it.
        unsafe { std::slice::from_raw_parts_mut(self.data, self.length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_of_every_length_begin_at_a_line_and_hold_what_they_were_given() {
        for length in 0..40 {
            let mut array = Aligned::new(1.5, length);
            assert_eq!(*array, vec![1.5; length]);
            assert!(cfg!(miri) || array.as_ptr().cast::<u8>().align_offset(LINE) == 0);
            array.fill(2.0);
            assert_eq!(array.iter().sum::<f64>(), 2.0 * length as f64);
            assert_eq!(array.clone(), array);
        }
    }
}
