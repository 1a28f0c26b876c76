//! The board, as a picture and as text.

use palaestra_plugin_api::prelude::*;

use super::{Outcome, Position, Rules};

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

    /// Draws the board with round stones; the one put last is marked.
    pub(crate) fn draw(&self, canvas: &mut Canvas) {
        let Rules { rows, columns, .. } = self.rules;
        let before = match self.len.checked_sub(1) {
            Some(last) => Self::after(self.rules, &self.moves()[..last]).ok(),
            None => None,
        };
        canvas.grid(rows, columns);
        for row in 0..rows {
            for column in 0..columns {
                let Some(player) = self.owner(row, column) else {
                    continue;
                };
                let center = canvas.cell_center(row, column);
                let new = before.is_some_and(|before| before.owner(row, column).is_none());
                let edge = if new { Color::ACCENT } else { Color::DARK };
                let width = if new { 4.0 } else { 1.0 };
                let style = Color::group(player).outlined(edge.pen(width));
                canvas.circle(center, 0.4, style);
            }
        }
        canvas.legend(&[
            ("player 0 (X)", Color::group(0)),
            ("player 1 (O)", Color::group(1)),
        ]);
        let status = match self.outcome {
            Some(Outcome::Won(player)) => format!("player {player} wins"),
            Some(Outcome::Drawn) => "a draw".to_owned(),
            None => format!("player {} to move", self.player()),
        };
        canvas.text_frame(format!("{}\n{status}", self.lines().join("\n")));
        canvas.caption(status);
    }
}
