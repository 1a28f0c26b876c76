//! Rows of tables, looked up for many cells at once.

use palaestra_plugin_api::batch::as_range;

/// Calls a function compiled for rows of exactly this width, if it is a common one, and else does as said: a row of known
/// width is a few loads and stores.
macro_rules! of_width {
    ($width:expr, $fixed:ident($($argument:expr),*), else $other:expr) => {
        match $width {
            0 => {}
            1 => $fixed::<_, 1>($($argument),*),
            2 => $fixed::<_, 2>($($argument),*),
            3 => $fixed::<_, 3>($($argument),*),
            4 => $fixed::<_, 4>($($argument),*),
            5 => $fixed::<_, 5>($($argument),*),
            // Two players that see one of three stages.
            6 => $fixed::<_, 6>($($argument),*),
            // Two players' views of a round of two, three and four actions each.
            8 => $fixed::<_, 8>($($argument),*),
            18 => $fixed::<_, 18>($($argument),*),
            32 => $fixed::<_, 32>($($argument),*),
            _ => $other,
        }
    };
}

/// Copies row `cells[i]` of `table` to row `i` of `out`; rows are `width` wide.
#[inline(always)]
pub(crate) fn look_up<T: Copy>(table: &[T], width: usize, cells: &[u32], out: &mut [T]) {
    of_width!(width, look_up_fixed(table, cells, out), else {
        for (to, &cell) in out.chunks_exact_mut(width).zip(cells) {
            to.copy_from_slice(&table[cell as usize * width..][..width]);
        }
    });
}

/// Not inlined: a row is moved in one or two pieces on any instruction set, and in the middle of a step the loop would
/// have to do without registers.
#[inline(never)]
fn look_up_fixed<T: Copy, const W: usize>(table: &[T], cells: &[u32], out: &mut [T]) {
    let table = table.as_chunks::<W>().0;
    for (to, &cell) in out.as_chunks_mut::<W>().0.iter_mut().zip(cells) {
        *to = table[cell as usize];
    }
}

/// Copies one row to the rows of `out` that `places` names, which strictly increase.
#[inline(always)]
pub(crate) fn spread<T: Copy>(row: &[T], places: &[u32], out: &mut [T]) {
    of_width!(row.len(), spread_fixed(row, places, out), else {
        for &place in places {
            out[place as usize * row.len()..][..row.len()].copy_from_slice(row);
        }
    });
}

#[inline(never)]
fn spread_fixed<T: Copy, const W: usize>(row: &[T], places: &[u32], out: &mut [T]) {
    let Some(row) = row.first_chunk::<W>() else {
        return;
    };
    let out = out.as_chunks_mut::<W>().0;
    match as_range(places) {
        Some(range) => out[range].fill(*row),
        None => {
            for &place in places {
                out[place as usize] = *row;
            }
        }
    }
}

/// The cell of every joint action `[n · players]` of a tensor with these strides.
#[inline(always)]
pub(crate) fn tensor_cells(strides: &[u32], actions: &[i32], cells: &mut [u32]) {
    match *strides {
        [a, b] => fixed_cells([a, b], actions, cells),
        [a, b, c] => fixed_cells([a, b, c], actions, cells),
        [a, b, c, d] => fixed_cells([a, b, c, d], actions, cells),
        [a, b, c, d, e] => fixed_cells([a, b, c, d, e], actions, cells),
        _ => {
            for (cell, joint) in cells.iter_mut().zip(actions.chunks_exact(strides.len())) {
                let steps = joint
                    .iter()
                    .zip(strides)
                    .map(|(&action, &stride)| action as u32 * stride);
                *cell = steps.sum();
            }
        }
    }
}

#[inline(always)]
fn fixed_cells<const N: usize>(strides: [u32; N], actions: &[i32], cells: &mut [u32]) {
    for (cell, joint) in cells.iter_mut().zip(actions.as_chunks::<N>().0) {
        let mut sum = 0;
        for player in 0..N {
            sum += joint[player] as u32 * strides[player];
        }
        *cell = sum;
    }
}
