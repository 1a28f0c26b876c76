//! Minibatches of a rollout: permutations by key, rows and sequences.
//!
//! A rollout stays where it is (time-major slabs, `[steps·columns, width]`); a minibatch is a list of row numbers that
//! [`gather`] copies. Rows are (t, instance): all agents of an instance stay together.

use palaestra_plugin_api::{Error, Result};

use crate::keys;

/// A permutation of 0..rows, cut into `count` parts of nearly equal size (they differ by at most one).
///
/// A function of the key alone; give each epoch of each update its own.
///
/// # Errors
/// When there are fewer rows than parts, or no part.
pub fn minibatches(rows: usize, count: usize, key: u64) -> Result<Vec<Vec<usize>>> {
    if count == 0 || rows < count {
        return Err(Error::config(format!(
            "minibatches: expected 1 ≤ minibatches ≤ {rows} rows, found {count}"
        )));
    }
    let mut order: Vec<usize> = (0..rows).collect();
    keys::stream(key).shuffle(&mut order);
    Ok((0..count)
        .map(|i| order[rows * i / count..rows * (i + 1) / count].to_vec())
        .collect())
}

/// Rows `rows` of a slab `[n, width]`, one after the other.
///
/// # Errors
/// When a row is outside.
pub fn gather<T: Copy>(slab: &[T], width: usize, rows: &[usize]) -> Result<Vec<T>> {
    let mut out = Vec::with_capacity(rows.len() * width);
    for &row in rows {
        let values = slab.get(row * width..(row + 1) * width).ok_or_else(|| {
            Error::plugin(format!(
                "gather: expected row < {}, found {row}",
                slab.len().checked_div(width).unwrap_or(0)
            ))
        })?;
        out.extend_from_slice(values);
    }
    Ok(out)
}

/// A rollout `[steps, columns]` as pieces of `length` steps for truncated backpropagation through time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequences {
    columns: usize,
    length: usize,
    count: usize,
}

/// Cuts a rollout into sequences of `length` steps. Sequence number k covers the steps from (k / columns)·length of
/// column k mod columns.
///
/// # Errors
/// When the length does not divide the steps.
pub fn sequences(steps: usize, columns: usize, length: usize) -> Result<Sequences> {
    if length == 0 || columns == 0 || steps == 0 || !steps.is_multiple_of(length) {
        return Err(Error::config(format!(
            "sequences: expected a length that divides {steps} steps of ≥ 1 columns, found {length} and {columns} columns"
        )));
    }
    Ok(Sequences {
        columns,
        length,
        count: steps / length * columns,
    })
}

impl Sequences {
    /// How many there are: what [`minibatches`] permutes.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Row numbers of the given sequences, time-major: all first steps, then all second steps, … as a recurrent
    /// network is unrolled.
    #[must_use]
    pub fn rows(&self, chosen: &[usize]) -> Vec<usize> {
        (0..self.length)
            .flat_map(|t| {
                chosen
                    .iter()
                    .map(move |&k| self.first_row(k) + t * self.columns)
            })
            .collect()
    }

    /// Row numbers of the first steps of the given sequences: where their recurrent states were recorded.
    #[must_use]
    pub fn starts(&self, chosen: &[usize]) -> Vec<usize> {
        chosen.iter().map(|&k| self.first_row(k)).collect()
    }

    fn first_row(&self, k: usize) -> usize {
        k / self.columns * self.length * self.columns + k % self.columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minibatches_cover_every_row_once_by_key() {
        let parts = minibatches(103, 4, 42).unwrap();
        assert_eq!(
            parts.iter().map(Vec::len).collect::<Vec<_>>(),
            [25, 26, 26, 26]
        );
        let mut all = parts.concat();
        all.sort_unstable();
        assert_eq!(all, (0..103).collect::<Vec<_>>());
        assert_eq!(parts, minibatches(103, 4, 42).unwrap());
        assert_ne!(parts, minibatches(103, 4, 43).unwrap());
        assert!(minibatches(3, 4, 0).is_err() && minibatches(3, 0, 0).is_err());
    }

    #[test]
    fn gathered_rows_are_the_rows() {
        assert_eq!(
            gather(&[1, 2, 3, 4, 5, 6], 2, &[2, 0]).unwrap(),
            [5, 6, 1, 2]
        );
        assert!(gather(&[1, 2, 3, 4], 2, &[2]).is_err());
    }

    #[test]
    fn sequences_are_time_major_and_cover_the_rollout() {
        // 6 steps, 2 columns, length 3: rows t·2 + column.
        let all = sequences(6, 2, 3).unwrap();
        assert_eq!(all.count(), 4);
        assert_eq!(all.rows(&[0, 3]), [0, 7, 2, 9, 4, 11]);
        assert_eq!(all.starts(&[0, 1, 2, 3]), [0, 1, 6, 7]);
        let mut rows = all.rows(&[0, 1, 2, 3]);
        rows.sort_unstable();
        assert_eq!(rows, (0..12).collect::<Vec<_>>());
        assert!(sequences(6, 2, 4).is_err());
    }
}
