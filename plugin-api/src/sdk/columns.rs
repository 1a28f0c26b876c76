//! Columns of many instances' rows, copied and filled for a list of rows at once.
//!
//! Most rows have a few elements, for which calling `memcpy` costs several times the work: common widths are compiled
//! apart, so that a row is a load and a store. Rows of a list strictly increase; where none is missing, as when episodes
//! have one length, they are moved in one piece.

use crate::batch::as_range;

/// Copies row `rows[k]` of `from` to row `k` of `to`; rows are `width` wide.
#[inline(always)]
pub(crate) fn gather<T: Copy>(to: &mut [T], from: &[T], width: usize, rows: &[u32]) {
    if let Some(range) = as_range(rows) {
        let from = &from[range.start * width..range.end * width];
        return to[..from.len()].copy_from_slice(from);
    }
    match width {
        0 => {}
        1 => gather_fixed::<T, 1>(to, from, rows),
        2 => gather_fixed::<T, 2>(to, from, rows),
        3 => gather_fixed::<T, 3>(to, from, rows),
        4 => gather_fixed::<T, 4>(to, from, rows),
        5 => gather_fixed::<T, 5>(to, from, rows),
        6 => gather_fixed::<T, 6>(to, from, rows),
        8 => gather_fixed::<T, 8>(to, from, rows),
        16 => gather_fixed::<T, 16>(to, from, rows),
        _ => {
            for (to, &row) in to.chunks_exact_mut(width).zip(rows) {
                to.copy_from_slice(&from[row as usize * width..][..width]);
            }
        }
    }
}

#[inline(always)]
fn gather_fixed<T: Copy, const W: usize>(to: &mut [T], from: &[T], rows: &[u32]) {
    let from = from.as_chunks::<W>().0;
    for (to, &row) in to.as_chunks_mut::<W>().0.iter_mut().zip(rows) {
        *to = from[row as usize];
    }
}

/// Fills the named rows with one value; rows are `width` wide.
#[inline(always)]
pub(crate) fn fill<T: Copy>(to: &mut [T], width: usize, rows: &[u32], value: T) {
    if let Some(range) = as_range(rows) {
        return to[range.start * width..range.end * width].fill(value);
    }
    match width {
        0 => {}
        1 => fill_fixed::<T, 1>(to, rows, value),
        2 => fill_fixed::<T, 2>(to, rows, value),
        3 => fill_fixed::<T, 3>(to, rows, value),
        4 => fill_fixed::<T, 4>(to, rows, value),
        5 => fill_fixed::<T, 5>(to, rows, value),
        _ => {
            for &row in rows {
                to[row as usize * width..][..width].fill(value);
            }
        }
    }
}

#[inline(always)]
fn fill_fixed<T: Copy, const W: usize>(to: &mut [T], rows: &[u32], value: T) {
    let to = to.as_chunks_mut::<W>().0;
    for &row in rows {
        to[row as usize] = [value; W];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_every_width_are_gathered_and_filled() {
        for (width, rows) in (0..20).flat_map(|width| [(width, [1, 4]), (width, [2, 3])]) {
            let from: Vec<usize> = (0..5 * width).collect();
            let mut to = vec![usize::MAX; 3 * width];
            gather(&mut to, &from, width, &rows);
            let row = |row: u32| &from[row as usize * width..][..width];
            let expected = rows.map(row).concat();
            assert_eq!(to[..2 * width], expected);
            assert!(to[2 * width..].iter().all(|&x| x == usize::MAX), "{width}");

            let mut filled = from.clone();
            fill(&mut filled, width, &rows, 99);
            let kept = |at: usize| !rows.contains(&((at / width) as u32));
            let expected = (0..5 * width).map(|at| if kept(at) { at } else { 99 });
            assert_eq!(filled, expected.collect::<Vec<_>>());
        }
    }
}
