//! A cell list: who is near a place, without asking everybody.

use super::sensing::square;

/// Cells that a range spans: with fewer, too many are looked at that are too far; with more, too many cells are empty.
const FINENESS: f64 = 2.0;

/// Robots by square cells.
#[derive(Clone, Debug)]
pub(super) struct CellList {
    per_side: usize,
    /// Cells per unit of length.
    scale: f64,
    /// Side of a cell.
    height: f64,
    /// Where the members of a cell start; the last entry is their number.
    starts: Vec<usize>,
    members: Vec<usize>,
    /// Where the members are.
    places: Vec<[f64; 2]>,
    /// Cell of each robot.
    homes: Vec<usize>,
}

impl CellList {
    /// For `robots` in a square of side `size` that look no farther than `range`.
    pub(super) fn new(robots: usize, size: f64, range: f64) -> Self {
        // More cells than robots would only be cleared.
        let per_side = ((FINENESS * size / range) as usize).clamp(1, 1 + robots.isqrt());
        Self {
            per_side,
            scale: per_side as f64 / size,
            height: size / per_side as f64,
            starts: vec![0; per_side * per_side + 1],
            members: vec![0; robots],
            places: vec![[0.0; 2]; robots],
            homes: vec![0; robots],
        }
    }

    /// Row or column of a coordinate; what lies outside belongs to the cells at the walls.
    #[inline(always)]
    fn line(&self, x: f64) -> usize {
        ((x * self.scale) as usize).min(self.per_side - 1)
    }

    /// Sorts the robots into their cells, by index within a cell.
    pub(super) fn rebuild(&mut self, positions: &[[f64; 2]]) {
        self.starts.fill(0);
        for (robot, &[x, y]) in positions.iter().enumerate() {
            let cell = self.line(y) * self.per_side + self.line(x);
            self.homes[robot] = cell;
            self.starts[cell] += 1;
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
        // From the last robot down, each start moves from the end of its cell to its beginning.
        for (robot, &cell) in self.homes.iter().enumerate().rev() {
            self.starts[cell] -= 1;
            self.members[self.starts[cell]] = robot;
            self.places[self.starts[cell]] = positions[robot];
        }
    }

    /// Visits all robots within a range of a place, and some others, with the square of their distance. `visit` says
    /// beyond which square nothing matters any more: `range`² or less.
    #[inline(always)]
    pub(super) fn near(
        &self,
        [x, y]: [f64; 2],
        range: f64,
        mut visit: impl FnMut(usize, f64) -> f64,
    ) {
        let (first, end) = (self.line(x - range), self.line(x + range) + 1);
        let mut reach = range * range;
        let mut visit_row = |row: usize, reach: &mut f64| {
            // The cells of a row follow each other, and so do their members.
            let cells = row * self.per_side;
            let run = self.starts[cells + first]..self.starts[cells + end];
            for (&robot, &place) in self.members[run.clone()].iter().zip(&self.places[run]) {
                *reach = visit(robot, square(place, [x, y]));
            }
        };
        // The nearest rows first: most often they leave nothing to look for in the others.
        let own = self.line(y);
        visit_row(own, &mut reach);
        let (mut below, mut above) = (own, own + 1);
        loop {
            let under = y - below as f64 * self.height;
            let over = above as f64 * self.height - y;
            let down = below > 0 && under * under <= reach;
            let up = above < self.per_side && over * over <= reach;
            if down {
                below -= 1;
                visit_row(below, &mut reach);
            }
            if up {
                visit_row(above, &mut reach);
                above += 1;
            }
            if !down && !up {
                break;
            }
        }
    }
}
