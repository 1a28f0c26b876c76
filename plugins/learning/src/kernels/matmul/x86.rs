//! Tiles of AVX2 and AVX-512 registers. Intrinsics rather than plain loops: the compiler keeps an array of sums as
//! large as these in memory, at a third of the speed.

use std::arch::x86_64::*;

use super::{Job, Tile};

/// A kernel for R rows by N registers: `c (+)= a·b` for one tile, each element one chain of multiply-adds.
macro_rules! tile_kernel {
    ($name:ident, $features:literal, $lanes:literal, $zero:ident, $splat:ident, $load:ident, $store:ident, $multiply_add:ident, $add:ident) => {
        /// # Safety
        ///
        /// For r < R and p < `depth`: `a + r·row_stride + p·column_stride` can be read,
        /// `b + p·b_stride` has N·lanes readable floats, `c + r·c_stride` has `used` ≤ N·lanes writable ones.
        #[inline]
        #[target_feature(enable = $features)]
        #[allow(clippy::too_many_arguments)]
        unsafe fn $name<const R: usize, const N: usize>(
            depth: usize,
            (a, row_stride, column_stride): (*const f32, usize, usize),
            (b, b_stride): (*const f32, usize),
            (c, c_stride): (*mut f32, usize),
            used: usize,
            accumulate: bool,
        ) {
            let mut sums = [[$zero(); N]; R];
            for p in 0..depth {
                let mut right = [$zero(); N];
                for (j, right) in right.iter_mut().enumerate() {
                    // SAFETY: inside row p of b, by the caller's promise.
                    *right = unsafe { $load(b.add(p * b_stride + j * $lanes)) };
                }
                for (r, sums) in sums.iter_mut().enumerate() {
                    // SAFETY: element (r, p) of a, by the caller's promise.
                    let left = $splat(unsafe { *a.add(r * row_stride + p * column_stride) });
                    for (sum, right) in sums.iter_mut().zip(right) {
                        *sum = $multiply_add(left, right, *sum);
                    }
                }
            }
            // Each loop short enough to be unrolled whole: sums that are indexed at run time would live in memory.
            if used == N * $lanes {
                for (r, sums) in sums.iter().enumerate() {
                    for (j, &sum) in sums.iter().enumerate() {
                        // SAFETY: row r of c has N·lanes elements, by the caller's promise.
                        unsafe {
                            let target = c.add(r * c_stride + j * $lanes);
                            let total = if accumulate {
                                $add($load(target), sum)
                            } else {
                                sum
                            };
                            $store(target, total);
                        }
                    }
                }
                return;
            }
            let mut rows = [[0.0f32; 32]; R];
            for (row, sums) in rows.iter_mut().zip(sums) {
                for (j, &sum) in sums.iter().enumerate() {
                    // SAFETY: N·lanes ≤ 32.
                    unsafe { $store(row.as_mut_ptr().add(j * $lanes), sum) };
                }
            }
            for (r, row) in rows.iter().enumerate() {
                // SAFETY: row r of c has `used` elements, by the caller's promise.
                let target = unsafe { std::slice::from_raw_parts_mut(c.add(r * c_stride), used) };
                for (target, &sum) in target.iter_mut().zip(row) {
                    *target = if accumulate { *target + sum } else { sum };
                }
            }
        }
    };
}

tile_kernel!(
    tile_avx512,
    "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl",
    16,
    _mm512_setzero_ps,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps
);
tile_kernel!(
    tile_avx2,
    "avx2,fma",
    8,
    _mm256_setzero_ps,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps
);

/// All rows of a job with tiles of `$rows` rows, what is left with smaller ones.
macro_rules! all_rows {
    ($kernel:ident, $rows:literal, $registers:literal, $tile:ident, $job:ident) => {{
        let a = &$job.a;
        let mut i = 0;
        while i < a.rows {
            // SAFETY: row i and those of its tile are below `a.rows`; the caller checked the views; the panel has
            // `depth` rows of `tile.width` floats each; c is `[a.rows, stride]` and holds `used` columns from `column`.
            unsafe {
                let left = (
                    a.data.as_ptr().add(i * a.row_stride + $job.start * a.column_stride),
                    a.row_stride,
                    a.column_stride,
                );
                let right = ($job.right.data.as_ptr(), $job.right.stride);
                let target = ($job.c.as_mut_ptr().add(i * $job.stride + $job.column), $job.stride);
                // The largest tile that fits: a tile of few rows waits for its own sums.
                macro_rules! tile {
                    ($size:literal) => {{
                        $kernel::<$size, $registers>($job.depth, left, right, target, $tile.used, $job.accumulate);
                        $size
                    }};
                }
                i += match a.rows - i {
                    rest if rest >= $rows => tile!($rows),
                    6.. => tile!(6),
                    4.. => tile!(4),
                    2.. => tile!(2),
                    _ => tile!(1),
                };
            }
        }
    }};
}

/// # Safety
///
/// The machine has the instructions; the job's view of a and its panel lie inside their slices.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) unsafe fn columns_avx512(tile: Tile, job: Job<'_>) {
    match tile.width {
        32 => all_rows!(tile_avx512, 12, 2, tile, job),
        16 => all_rows!(tile_avx512, 12, 1, tile, job),
        _ => all_rows!(tile_avx2, 12, 1, tile, job),
    }
}

/// # Safety
///
/// As [`columns_avx512`].
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn columns_avx2(tile: Tile, job: Job<'_>) {
    match tile.width {
        16 => all_rows!(tile_avx2, 6, 2, tile, job),
        _ => all_rows!(tile_avx2, 8, 1, tile, job),
    }
}
