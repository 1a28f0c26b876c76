//! The board, as a picture and as text.

use palaestra_plugin_api::{canvas::Point, prelude::*};

use super::{Outcome, Position, Rules};

/// Half the width of a cross, and the radius of a ring, in cells.
const ARM: f64 = 0.3;
/// Width of their strokes in pixels.
const STROKE: f32 = 7.0;

impl Position {
    /// The board as text, row 0 first: `X` for player 0, `O` for player 1.
    pub(crate) fn lines(&self) -> Vec<String> {
        let sign = |row, column| {
            self.owner(row, column)
                .map_or('.', |player| ['X', 'O'][player])
        };
        let line = |row| {
            (0..self.rules.columns)
                .map(|column| sign(row, column))
                .collect()
        };
        (0..self.rules.rows).map(line).collect()
    }

    /// Draws the board: crosses and rings in cells, or discs in columns. The last stone is marked, at the end the lines.
    pub(crate) fn draw(&self, canvas: &mut Canvas) {
        let Rules {
            rows,
            columns,
            falls,
            ..
        } = self.rules;
        let marked = self.marked();
        canvas.grid(rows, columns);
        for (row, column) in (0..rows * columns).map(|cell| (cell / columns, cell % columns)) {
            let Some(player) = self.owner(row, column) else {
                continue;
            };
            let marked = marked & self.rules.bit(row, column) != 0;
            let center = canvas.cell_center(row, column);
            if falls {
                disc(canvas, center, player, marked);
                continue;
            }
            if marked {
                canvas.cell(row, column, Color::ACCENT.mix(Color::WHITE, 0.8));
            }
            match player {
                0 => cross(canvas, center),
                _ => ring(canvas, center),
            }
        }
        canvas.legend(&[0, 1].map(|player| (format!("player {player}"), Color::group(player))));
        let status = match self.outcome {
            Some(Outcome::Won(player)) => format!("player {player} wins"),
            Some(Outcome::Drawn) => "a draw".to_owned(),
            None => format!("player {} to move", self.player()),
        };
        canvas.text_frame(format!("{}\n{status}", self.lines().join("\n")));
        canvas.caption(status);
    }

    /// The stones to look at: the lines that have won, else the one put last.
    fn marked(&self) -> u64 {
        if let Some(Outcome::Won(player)) = self.outcome {
            return self.rules.lined(self.stones[player]);
        }
        let earlier = self.len.saturating_sub(1);
        let before = Self::after(self.rules, &self.moves()[..earlier]);
        let taken = |position: &Self| position.stones[0] | position.stones[1];
        before.map_or(0, |before| taken(self) & !taken(&before))
    }
}

fn disc(canvas: &mut Canvas, center: Point, player: usize, marked: bool) {
    let edge = if marked {
        Color::ACCENT.pen(4.0)
    } else {
        Color::DARK.pen(1.0)
    };
    canvas.circle(center, 0.4, Color::group(player).outlined(edge));
}

fn cross(canvas: &mut Canvas, center: Point) {
    let [x, y] = [center.x, center.y].map(f64::from);
    let pen = Color::group(0).pen(STROKE);
    canvas.line((x - ARM, y - ARM), (x + ARM, y + ARM), pen);
    canvas.line((x - ARM, y + ARM), (x + ARM, y - ARM), pen);
}

fn ring(canvas: &mut Canvas, center: Point) {
    let edge = Color::group(1).pen(STROKE);
    canvas.circle(center, ARM, Color::WHITE.alpha(0.0).outlined(edge));
}
