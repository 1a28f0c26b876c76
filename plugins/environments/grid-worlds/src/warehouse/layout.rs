//! Where shelves, highways and goals are.

use palaestra_plugin_api::{
    Result,
    serde_json::{Value, json},
};

use super::{Difficulty, Size, WarehouseConfig};
use crate::{
    board::{Board, Grid, Place},
    state::invalid,
};

/// The part of a warehouse that never changes.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) board: Board,
    highway: Grid<bool>,
    /// Two cells in the middle of the bottom row, the left one first.
    pub(super) goals: [Place; 2],
    /// Where the shelves stand at first: every cell that is no highway, in row-major order.
    pub(super) shelves: Vec<Place>,
}

impl Layout {
    pub(super) fn new(config: &WarehouseConfig) -> Result<Self> {
        let (rows, columns) = match config.size {
            Size::Tiny => (1, 3),
            Size::Small => (2, 3),
            Size::Medium => (2, 5),
            Size::Large => (3, 5),
        };
        let rows = config.shelf_rows.unwrap_or(rows);
        let columns = config.shelf_columns.unwrap_or(columns);
        if !(1..=100).contains(&rows) {
            return Err(invalid("/shelf_rows", "1 ≤ x ≤ 100", rows));
        }
        if !(1..=99).contains(&columns) || columns.is_multiple_of(2) {
            return Err(invalid(
                "/shelf_columns",
                "an odd number of 1 to 99",
                columns,
            ));
        }
        let height = config.column_height as i32;
        let (rows, columns) = ((height + 1) * rows as i32 + 2, 3 * columns as i32 + 1);
        let board = Board { rows, columns };
        let goals = [[rows - 1, columns / 2 - 1], [rows - 1, columns / 2]];
        let mut highway = Grid::new(board, 0, false, false);
        let mut shelves = Vec::new();
        for place @ [y, x] in board.places() {
            // Room to queue above the goals.
            let queue = y > rows - (height + 3) && goals.iter().any(|goal| goal[1] == x);
            highway[place] = x % 3 == 0 || y % (height + 1) == 0 || y == rows - 1 || queue;
            if !highway[place] {
                shelves.push(place);
            }
        }
        if shelves.len() > usize::from(u16::MAX) {
            return Err(invalid(
                "/shelf_rows",
                "at most 65535 shelves",
                shelves.len(),
            ));
        }
        Ok(Self {
            board,
            highway,
            goals,
            shelves,
        })
    }

    #[inline(always)]
    pub(super) fn is_highway(&self, place: Place) -> bool {
        self.highway[place]
    }

    /// The layout by the names of the traces.
    pub(super) fn describe(&self) -> Value {
        let Board { rows, columns } = self.board;
        let line = |row: i32| {
            (0..columns)
                .map(|x| if self.highway[[row, x]] { '1' } else { '0' })
                .collect::<String>()
        };
        json!({
            "grid_height": rows,
            "grid_width": columns,
            "goals": self.goals.map(|[y, x]| [x, y]),
            "highways": (0..rows).map(line).collect::<Vec<_>>(),
            "n_shelves": self.shelves.len(),
        })
    }
}

/// How many shelves are requested at a time.
pub(super) fn request_queue_size(config: &WarehouseConfig) -> usize {
    let robots = config.num_agents;
    config
        .request_queue_size
        .unwrap_or(match config.difficulty {
            Difficulty::Easy => 2 * robots,
            Difficulty::Normal => robots,
            Difficulty::Hard => (robots / 2).max(1),
        })
}
