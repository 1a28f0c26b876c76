//! What robots see.

use palaestra_plugin_api::prelude::{Observe, Space};

use super::{Robot, Warehouse};

/// Numbers a robot knows of itself.
const OWN: usize = 8;
/// Numbers of a cell: agent, four directions, shelf, requested.
const CELL: usize = 7;

/// The numbers of a cell by 3 · (direction + 1 of the robot there) + (0 nothing, 1 shelf, 2 requested shelf).
const CELLS: [[f32; CELL]; 15] = {
    let mut cells = [[0.0; CELL]; 15];
    let mut code = 0;
    while code < cells.len() {
        let (robot, shelf) = (code / 3, code % 3);
        cells[code][0] = if robot > 0 { 1.0 } else { 0.0 };
        // Where there is no robot the original says "up".
        cells[code][if robot > 0 { robot } else { 1 }] = 1.0;
        cells[code][5] = if shelf > 0 { 1.0 } else { 0.0 };
        cells[code][6] = if shelf > 1 { 1.0 } else { 0.0 };
        code += 1;
    }
    cells
};

impl Warehouse {
    pub(super) fn space(&self) -> Space {
        let side = 2 * self.config.sensor_range as usize + 1;
        let width = OWN + CELL * side * side;
        let board = self.layout.board;
        let mut high = vec![1.0; width];
        if !self.config.normalised_coordinates {
            (high[0], high[1]) = (f64::from(board.columns - 1), f64::from(board.rows - 1));
        }
        Space::bounds(&vec![0.0; width], &high)
    }

    #[inline(always)]
    pub(super) fn observe(&self, out: &mut Observe<'_>) {
        let range = self.config.sensor_range as i32;
        let side = 2 * range as usize + 1;
        let board = self.layout.board;
        for (i, robot) in self.state.robots.iter().enumerate() {
            let &Robot {
                place: [y, x],
                direction,
                carried,
                ..
            } = robot;
            let observation = out.observation(i);
            let (own, cells) = observation.split_at_mut(OWN);
            own.fill(0.0);
            (own[0], own[1]) = (x as f32, y as f32);
            if self.config.normalised_coordinates {
                own[0] = (f64::from(x) / f64::from(board.columns - 1)) as f32;
                own[1] = (f64::from(y) / f64::from(board.rows - 1)) as f32;
            }
            own[2] = if carried > 0 { 1.0 } else { 0.0 };
            own[3 + usize::from(direction)] = 1.0;
            own[7] = if self.layout.is_highway([y, x]) {
                1.0
            } else {
                0.0
            };
            for (line, row) in cells.chunks_exact_mut(CELL * side).zip(y - range..) {
                let robots = self.seen_robots.run([row, x - range], side);
                let shelves = self.seen_shelves.run([row, x - range], side);
                for ((cell, &robot), &shelf) in line.chunks_exact_mut(CELL).zip(robots).zip(shelves)
                {
                    cell.copy_from_slice(&CELLS[usize::from(3 * robot + shelf)]);
                }
            }
        }
    }
}
