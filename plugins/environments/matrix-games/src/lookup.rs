//! Rows of tables, looked up for many cells at once.

/// Copies row `cells[i]` of `table` to row `i` of `out`; rows are `width` wide. Common widths are compiled apart,
/// so that a row is one load and one store.
#[inline(always)]
pub(crate) fn look_up<T: Copy>(table: &[T], width: usize, cells: &[u32], out: &mut [T]) {
    match width {
        0 => {}
        1 => rows::<T, 1>(table, cells, out),
        2 => rows::<T, 2>(table, cells, out),
        3 => rows::<T, 3>(table, cells, out),
        4 => rows::<T, 4>(table, cells, out),
        5 => rows::<T, 5>(table, cells, out),
        // Two players that see one of three stages.
        6 => rows::<T, 6>(table, cells, out),
        // Two players' views of a round: two, three and four actions each.
        8 => rows::<T, 8>(table, cells, out),
        18 => rows::<T, 18>(table, cells, out),
        32 => rows::<T, 32>(table, cells, out),
        _ => {
            for (to, &cell) in out.chunks_exact_mut(width).zip(cells) {
                to.copy_from_slice(&table[cell as usize * width..][..width]);
            }
        }
    }
}

#[inline(always)]
fn rows<T: Copy, const W: usize>(table: &[T], cells: &[u32], out: &mut [T]) {
    let table = table.as_chunks::<W>().0;
    for (to, &cell) in out.as_chunks_mut::<W>().0.iter_mut().zip(cells) {
        *to = table[cell as usize];
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

/// Each player's cell of an anonymous game with `totals` possible sums.
#[inline(always)]
pub(crate) fn anonymous_cells(players: usize, totals: u32, actions: &[i32], cells: &mut [u32]) {
    match players {
        4 => cells_of_players::<4>(totals, actions, cells),
        5 => cells_of_players::<5>(totals, actions, cells),
        _ => {
            let rounds = cells
                .chunks_exact_mut(players)
                .zip(actions.chunks_exact(players));
            rounds.for_each(|(cells, joint)| own_cells(totals, joint, cells));
        }
    }
}

#[inline(always)]
fn cells_of_players<const N: usize>(totals: u32, actions: &[i32], cells: &mut [u32]) {
    let joint = actions.as_chunks::<N>().0;
    for (cells, joint) in cells.as_chunks_mut::<N>().0.iter_mut().zip(joint) {
        own_cells(totals, joint, cells);
    }
}

#[inline(always)]
fn own_cells(totals: u32, joint: &[i32], cells: &mut [u32]) {
    let total: u32 = joint.iter().map(|&action| action as u32).sum();
    for (cell, &own) in cells.iter_mut().zip(joint) {
        *cell = own as u32 * totals + total;
    }
}
