//! Rectangular boards: places, moves, and a value per cell with a border around.

use std::ops::{Index, IndexMut};

use palaestra_plugin_api::{Result, rng::EnvRng};

use crate::state::invalid;

/// Row (0 at the top) and column.
pub type Place = [i32; 2];

/// No move.
pub const STAY: Place = [0, 0];
/// One row up.
pub const NORTH: Place = [-1, 0];
/// One row down.
pub const SOUTH: Place = [1, 0];
/// One column to the left.
pub const WEST: Place = [0, -1];
/// One column to the right.
pub const EAST: Place = [0, 1];

/// Where the actions of our own worlds lead: stay, north, south, west, east.
pub const WALK: [Place; 5] = [STAY, NORTH, SOUTH, WEST, EAST];

/// Longest side of a board.
const MAX_SIDE: i32 = 1000;

/// The place that a move leads to; it may be off the board.
#[inline(always)]
pub fn moved([row, column]: Place, [down, right]: Place) -> Place {
    [row + down, column + right]
}

/// The size of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// Number of rows.
    pub rows: i32,
    /// Number of columns.
    pub columns: i32,
}

impl Board {
    /// A board of the size in setting `at`, `[rows, columns]`.
    ///
    /// # Errors
    /// When a side is shorter than `least` or longer than 1000 cells.
    pub fn of_size(at: &str, [rows, columns]: [u32; 2], least: u32) -> Result<Self> {
        let size = |side: u32| {
            i32::try_from(side)
                .ok()
                .filter(|&n| n >= least as i32 && n <= MAX_SIDE)
        };
        match (size(rows), size(columns)) {
            (Some(rows), Some(columns)) => Ok(Self { rows, columns }),
            _ => Err(invalid(
                at,
                format_args!("sides of {least} to {MAX_SIDE} cells"),
                format_args!("{rows} and {columns}"),
            )),
        }
    }

    /// Number of cells.
    pub fn cells(self) -> usize {
        (self.rows * self.columns) as usize
    }

    /// Whether a place is on the board.
    #[inline(always)]
    pub fn contains(self, [row, column]: Place) -> bool {
        (row as u32) < self.rows as u32 && (column as u32) < self.columns as u32
    }

    /// The place of cell `cell` in row-major order.
    pub fn place(self, cell: usize) -> Place {
        [cell as i32 / self.columns, cell as i32 % self.columns]
    }

    /// All places in row-major order.
    pub fn places(self) -> impl Iterator<Item = Place> {
        (0..self.cells()).map(move |cell| self.place(cell))
    }

    /// A uniform place.
    #[inline]
    pub fn draw(self, rng: &mut EnvRng) -> Place {
        let row = rng.below(self.rows as u64) as i32;
        [row, rng.below(self.columns as u64) as i32]
    }

    /// The nearest place on the board.
    #[inline(always)]
    pub fn clamp(self, [row, column]: Place) -> Place {
        [
            row.clamp(0, self.rows - 1),
            column.clamp(0, self.columns - 1),
        ]
    }
}

/// A value per cell, and per cell of a border around the board: windows and moves need no bounds of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid<T> {
    values: Vec<T>,
    border: i32,
    stride: i32,
}

impl<T: Copy> Grid<T> {
    /// A grid with `inside` on the board and `outside` on a border of `border` cells on every side.
    pub fn new(board: Board, border: i32, inside: T, outside: T) -> Self {
        let (stride, rows) = (board.columns + 2 * border, board.rows + 2 * border);
        let mut grid = Self {
            values: vec![outside; (stride * rows) as usize],
            border,
            stride,
        };
        grid.fill(board, inside);
        grid
    }

    /// Puts one value on every cell of the board.
    pub fn fill(&mut self, board: Board, value: T) {
        for row in 0..board.rows {
            let first = self.at([row, 0]);
            self.values[first..first + board.columns as usize].fill(value);
        }
    }

    /// `width` values of a row from a place on, which may begin and end in the border.
    #[inline(always)]
    pub fn run(&self, from: Place, width: usize) -> &[T] {
        let first = self.at(from);
        &self.values[first..first + width]
    }

    #[inline(always)]
    fn at(&self, [row, column]: Place) -> usize {
        ((row + self.border) * self.stride + column + self.border) as usize
    }
}

impl<T: Copy> Index<Place> for Grid<T> {
    type Output = T;
    #[inline(always)]
    fn index(&self, place: Place) -> &T {
        &self.values[self.at(place)]
    }
}

impl<T: Copy> IndexMut<Place> for Grid<T> {
    #[inline(always)]
    fn index_mut(&mut self, place: Place) -> &mut T {
        let at = self.at(place);
        &mut self.values[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOARD: Board = Board {
        rows: 2,
        columns: 3,
    };

    #[test]
    fn cells_count_row_by_row() {
        assert_eq!(BOARD.places().nth(4), Some([1, 1]));
        assert!(BOARD.contains([1, 2]) && !BOARD.contains([2, 0]) && !BOARD.contains([0, -1]));
        assert_eq!(BOARD.clamp(moved([0, 2], EAST)), [0, 2]);
    }

    #[test]
    fn the_border_is_apart_from_the_board() {
        let mut grid = Grid::new(BOARD, 2, 0, 9);
        grid[[1, 2]] = 5;
        assert_eq!(grid.run([1, -2], 7), [9, 9, 0, 0, 5, 9, 9]);
        assert_eq!((grid[[-1, 0]], grid[[2, 1]], grid[[0, 3]]), (9, 9, 9));
        grid.fill(BOARD, 7);
        assert_eq!(grid.run([0, -1], 5), [9, 7, 7, 7, 9]);
    }

    #[test]
    fn a_board_that_is_too_small_is_refused() {
        let error = Board::of_size("/field_size", [2, 8], 3).unwrap_err();
        assert_eq!(
            error.to_string(),
            "config /field_size: expected sides of 3 to 1000 cells, found 2 and 8"
        );
    }
}
