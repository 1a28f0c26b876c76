//! A cell list: who is near a place, without asking everybody.

/// Robots by square cells at least as wide as their range.
#[derive(Clone, Debug)]
pub(super) struct CellList {
    per_side: usize,
    /// Cells per unit of length.
    scale: f64,
    /// Where the members of a cell start; the last entry is their number.
    starts: Vec<usize>,
    members: Vec<usize>,
    /// Cell of each robot.
    homes: Vec<usize>,
}

impl CellList {
    /// For `robots` in a square of side `size` that look no farther than `range`.
    pub(super) fn new(robots: usize, size: f64, range: f64) -> Self {
        // More cells than robots would only be cleared.
        let per_side = ((size / range) as usize).clamp(1, 1 + robots.isqrt());
        Self {
            per_side,
            scale: per_side as f64 / size,
            starts: vec![0; per_side * per_side + 1],
            members: vec![0; robots],
            homes: vec![0; robots],
        }
    }

    /// Row or column of a coordinate.
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
        }
    }

    /// Visits all robots that may be within the range of a place, and some others.
    #[inline(always)]
    pub(super) fn near(&self, [x, y]: [f64; 2], mut visit: impl FnMut(usize)) {
        let (row, column) = (self.line(y), self.line(x));
        let last = self.per_side - 1;
        for r in row.saturating_sub(1)..=(row + 1).min(last) {
            let first = r * self.per_side + column.saturating_sub(1);
            let end = r * self.per_side + (column + 1).min(last) + 1;
            // The cells of a row follow each other, and so do their members.
            for &robot in &self.members[self.starts[first]..self.starts[end]] {
                visit(robot);
            }
        }
    }
}
