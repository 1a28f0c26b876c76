//! Matrix products of f32, small and row-invariant.
//!
//! Each element of the result is one chain of fused multiply-adds over the inner index, in blocks of [`BLOCK`] that
//! are added up in order. The order depends on nothing else: not on the number of rows, not on AVX2 or AVX-512.
//! So a row's result is the same in a batch of one and of thousands, which general GEMM libraries do not give.
//! Without FMA instructions products are rounded before they are added; results differ in the last bits then.

use std::cell::RefCell;

use super::level::Level;
use crate::threads;

#[cfg(target_arch = "x86_64")]
mod x86;

/// Inner indices per chain of multiply-adds: a packed panel of 32 columns then fits the first-level cache.
const BLOCK: usize = 256;

/// Fewer rows than this do not repay the packing of the right-hand matrix.
const ROWS_THAT_PAY_PACKING: usize = 32;

/// Multiply-adds that repay waking another thread: about 20 µs of them at 100 a nanosecond.
const PRODUCTS_PER_THREAD: usize = 1 << 21;

/// A matrix in a slice: element (i, j) at `i·row_stride + j·column_stride`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> View<'a> {
    /// A row-major matrix `[rows, columns]`; `data` has exactly that many elements.
    pub(crate) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(
            data.len(),
            rows * columns,
            "a matrix has rows·columns elements"
        );
        Self {
            data,
            rows,
            columns,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// The same matrix with rows and columns exchanged.
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// Some of the rows.
    fn rows_from(self, first: usize, rows: usize) -> Self {
        Self {
            data: &self.data[first * self.row_stride..],
            rows,
            ..self
        }
    }

    /// Whether every element lies inside the slice.
    fn is_inside(&self) -> bool {
        self.rows == 0
            || self.columns == 0
            || (self.rows - 1) * self.row_stride + (self.columns - 1) * self.column_stride
                < self.data.len()
    }
}

/// c = a·b, or c += a·b with `accumulate`; c is row-major `[a.rows, b.columns]`. Large products are shared out by rows
/// of c among the threads of [`threads`]; each element is computed as by one thread.
pub(crate) fn matmul(c: &mut [f32], a: View<'_>, b: View<'_>, accumulate: bool) {
    let level = Level::current();
    let products = a.rows * a.columns * b.columns;
    let parts = threads::count().min(products / PRODUCTS_PER_THREAD).max(1);
    if parts == 1 {
        return matmul_on(level, c, a, b, accumulate);
    }
    assert_eq!(
        c.len(),
        a.rows * b.columns,
        "the result has rows·columns elements"
    );
    threads::share_out(c, b.columns, a.rows.div_ceil(parts), |first, c| {
        let rows = c.len() / b.columns;
        matmul_on(level, c, a.rows_from(first, rows), b, accumulate);
    });
}

fn matmul_on(level: Level, c: &mut [f32], a: View<'_>, b: View<'_>, accumulate: bool) {
    assert_eq!(a.columns, b.rows, "inner sizes of a product agree");
    assert_eq!(
        c.len(),
        a.rows * b.columns,
        "the result has rows·columns elements"
    );
    assert!(
        a.is_inside() && b.is_inside(),
        "views lie inside their slices"
    );
    if a.columns == 0 && !accumulate {
        c.fill(0.0);
    }
    thread_local! {
        static PANEL: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    }
    PANEL.with_borrow_mut(|panel| {
        for start in (0..a.columns).step_by(BLOCK) {
            let depth = BLOCK.min(a.columns - start);
            let accumulate = accumulate || start > 0;
            let mut column = 0;
            while column < b.columns {
                let tile = Tile::choose(level, b.columns - column);
                let right = right_panel(panel, b, start, depth, column, tile, a.rows);
                multiply_columns(
                    level,
                    tile,
                    Job {
                        c,
                        a,
                        right,
                        start,
                        depth,
                        column,
                        accumulate,
                        stride: b.columns,
                    },
                );
                column += tile.used;
            }
        }
    });
}

/// The width of a column of tiles.
#[derive(Clone, Copy)]
struct Tile {
    /// Columns computed: 32, 16 or 8.
    width: usize,
    /// Columns wanted, at most `width`.
    used: usize,
}

impl Tile {
    fn choose(level: Level, left: usize) -> Self {
        let widest = if level == Level::Avx512 { 32 } else { 16 };
        let used = left.min(widest);
        let width = if used > 16 {
            32
        } else {
            used.next_power_of_two().max(8)
        };
        Self { width, used }
    }
}

/// Rows of the right-hand matrix for one column of tiles.
#[derive(Clone, Copy)]
struct Panel<'a> {
    data: &'a [f32],
    /// From one inner index to the next.
    stride: usize,
}

/// `b[start.., column..]` for one column of tiles: the matrix itself if it can be read directly, else a zero-padded copy.
fn right_panel<'a>(
    panel: &'a mut Vec<f32>,
    b: View<'a>,
    start: usize,
    depth: usize,
    column: usize,
    tile: Tile,
    rows: usize,
) -> Panel<'a> {
    let origin = start * b.row_stride + column * b.column_stride;
    if b.column_stride == 1 && tile.used == tile.width && rows < ROWS_THAT_PAY_PACKING {
        return Panel {
            data: &b.data[origin..],
            stride: b.row_stride,
        };
    }
    panel.resize(depth * tile.width, 0.0);
    // The panel may hold numbers of an earlier product.
    if tile.used < tile.width {
        panel.fill(0.0);
    }
    if b.column_stride == 1 {
        for (p, row) in panel.chunks_exact_mut(tile.width).enumerate() {
            row[..tile.used].copy_from_slice(&b.data[origin + p * b.row_stride..][..tile.used]);
        }
    } else {
        for q in 0..tile.used {
            let source = &b.data[origin + q * b.column_stride..];
            for (p, row) in panel.chunks_exact_mut(tile.width).enumerate() {
                row[q] = source[p * b.row_stride];
            }
        }
    }
    Panel {
        data: panel,
        stride: tile.width,
    }
}

/// One column of tiles: `c[.., column..] (+)= a[.., start..]·right`.
struct Job<'a> {
    c: &'a mut [f32],
    a: View<'a>,
    right: Panel<'a>,
    start: usize,
    depth: usize,
    column: usize,
    accumulate: bool,
    /// Row stride of `c`.
    stride: usize,
}

fn multiply_columns(level: Level, tile: Tile, job: Job<'_>) {
    #[cfg(target_arch = "x86_64")]
    match level {
        // SAFETY: the level was found on this machine; `matmul_on` checked that the views lie inside their slices.
        Level::Avx512 => return unsafe { x86::columns_avx512(tile, job) },
        // SAFETY: as above.
        Level::Avx2 => return unsafe { x86::columns_avx2(tile, job) },
        Level::Baseline => {}
    }
    let _ = level;
    match tile.width {
        16 => columns_portable::<16>(tile, job),
        _ => columns_portable::<8>(tile, job),
    }
}

fn columns_portable<const WIDTH: usize>(tile: Tile, job: Job<'_>) {
    // On targets with FMA in their baseline (AArch64) as with AVX2; a call into libm would be far too slow.
    let multiply_add = |x: f32, y: f32, sum: f32| {
        if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
            x.mul_add(y, sum)
        } else {
            x * y + sum
        }
    };
    for i in 0..job.a.rows {
        let left = &job.a.data[i * job.a.row_stride + job.start * job.a.column_stride..];
        let mut sums = [0.0f32; WIDTH];
        for p in 0..job.depth {
            let x = left[p * job.a.column_stride];
            let right = &job.right.data[p * job.right.stride..][..WIDTH];
            for (sum, &y) in sums.iter_mut().zip(right) {
                *sum = multiply_add(x, y, *sum);
            }
        }
        let target = &mut job.c[i * job.stride + job.column..][..tile.used];
        for (c, sum) in target.iter_mut().zip(sums) {
            *c = if job.accumulate { *c + sum } else { sum };
        }
    }
}

#[cfg(test)]
mod tests;
