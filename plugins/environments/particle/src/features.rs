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
    pub fn written(&self) -> usize {
        self.next
    }

    /// A feature from its value at every lane.
    #[inline(always)]
    pub fn push_with(&mut self, value: impl Fn(usize) -> f64) {
        // Complete before it is stored: the compiler need not fear that the store changes what is read.
        let column = std::array::from_fn(|lane| value(lane) as f32);
        self.columns[self.next] = column;
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

    /// A row of `width` features: `own` at the index of each world, `other` elsewhere.
    #[inline(always)]
    pub fn push_colour(&mut self, index: &[f64; L], width: usize, own: f64, other: f64) {
        for at in 0..width {
            self.push_with(|lane| if index[lane] == at as f64 { own } else { other });
        }
    }

    /// Where something is as seen from somewhere.
    #[inline(always)]
    pub fn push_relative(&mut self, of: Pair<'_, L>, from: Pair<'_, L>) {
        for axis in 0..2 {
            self.push_with(|lane| of[axis][lane] - from[axis][lane]);
        }
    }
}

/// Columns that are turned into rows together: 16 bytes of a row.
const TURNED: usize = 4;

/// Room to turn columns into rows.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Rows of [`TURNED`] columns. It must be memory: through it the compiler sees that sixteen lanes of
    /// four columns become sixteen short rows, which is a handful of vector shuffles.
    part: Box<[[f32; TURNED]; LANES]>,
    /// Whole rows, so that the slab is written from front to back.
    rows: Vec<f32>,
}

impl Turn {
    /// Room for rows of up to `width` features.
    pub fn new(width: usize) -> Self {
        Self {
            part: Box::default(),
            rows: vec![0.0; LANES * width],
        }
    }

    /// Writes the features of a block as rows, `[lanes, columns]`; the length of `rows` says how many lanes.
    #[inline(always)]
    pub fn write(&mut self, columns: &[[f32; LANES]], rows: &mut [f32]) {
        let width = columns.len();
        let turned = &mut self.rows[..LANES * width];
        if width < TURNED {
            for (lane, row) in turned.chunks_exact_mut(width).enumerate() {
                for (to, column) in row.iter_mut().zip(columns) {
                    *to = column[lane];
                }
            }
        } else {
            // The last part overlaps the one before where the width is no multiple.
            for at in (0..width).step_by(TURNED).map(|at| at.min(width - TURNED)) {
                let [a, b, c, d] = &columns[at..at + TURNED] else {
                    unreachable!("TURNED columns")
                };
                for lane in 0..LANES {
                    self.part[lane] = [a[lane], b[lane], c[lane], d[lane]];
                }
                for (lane, part) in self.part.iter().enumerate() {
                    turned[lane * width + at..][..TURNED].copy_from_slice(part);
                }
            }
        }
        rows.copy_from_slice(&turned[..rows.len()]);
    }
}
