//! From columns to observations: features are computed lane by lane, then turned into rows.

use crate::world::{LANES, Pair};

/// Collects the features of `L` worlds, agent after agent, in the order of the observation.
pub struct Features<'a, const L: usize> {
    columns: &'a mut [[f32; L]],
    next: usize,
}

impl<'a, const L: usize> Features<'a, L> {
    /// Room for the features of all agents.
    #[inline(always)]
    pub fn new(columns: &'a mut [[f32; L]]) -> Self {
        Self { columns, next: 0 }
    }

    /// Number of features written.
    #[inline(always)]
    pub fn len(&self) -> usize {
        self.next
    }

    /// A feature from its value at every lane.
    #[inline(always)]
    pub fn push_with(&mut self, value: impl Fn(usize) -> f64) {
        let column = &mut self.columns[self.next];
        for (lane, to) in column.iter_mut().enumerate() {
            *to = value(lane) as f32;
        }
        self.next += 1;
    }

    /// A feature that is the same in all worlds.
    #[inline(always)]
    pub fn push_constant(&mut self, value: f32) {
        self.columns[self.next] = [value; L];
        self.next += 1;
    }

    /// A feature.
    #[inline(always)]
    pub fn push(&mut self, value: &[f64; L]) {
        self.push_with(|lane| value[lane]);
    }

    /// Two coordinates.
    #[inline(always)]
    pub fn push_pair(&mut self, pair: Pair<'_, L>) {
        self.push(pair[0]);
        self.push(pair[1]);
    }

    /// Where something is as seen from somewhere.
    #[inline(always)]
    pub fn push_relative(&mut self, of: Pair<'_, L>, from: Pair<'_, L>) {
        for axis in 0..2 {
            self.push_with(|lane| of[axis][lane] - from[axis][lane]);
        }
    }
}

/// Writes the features of a block as rows, `[lanes, columns]`; `rows` says how many lanes are in use.
#[inline(always)]
pub fn write_rows(columns: &[[f32; LANES]], rows: &mut [f32]) {
    for (lane, row) in rows.chunks_exact_mut(columns.len()).enumerate() {
        for (to, column) in row.iter_mut().zip(columns) {
            *to = column[lane];
        }
    }
}
