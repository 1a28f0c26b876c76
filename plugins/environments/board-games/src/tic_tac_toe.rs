//! Tic-tac-toe: two players mark cells in turn; three in a line win.
//!
//! With the defaults it is the game as everybody knows it; `size` and `line` make it a larger k-in-a-row. Games of
//! OpenSpiel 2.0.2 (`tic_tac_toe`) are replayed (`traces_of_board_games`).
//!
//! | observation, `[2, size, size]` | meaning |
//! |---|---|
//! | plane 0 | 1 where the observing player has a mark |
//! | plane 1 | 1 where the opponent has one |
//!
//! Both players always observe, each from its own side; row 0 is at the top.
//!
//! | action | meaning | legal |
//! |---|---|---|
//! | row · size + column | mark a cell | if the cell is free |
//!
//! The acting mask names whose turn it is, beginning with player 0; the mask of who waits has only choice 0, which is
//! ignored.
//!
//! | | when |
//! |---|---|
//! | reward | at the end +1 for the winner and -1 for the loser; 0 in a draw |
//! | terminated | a line, or a full board |
//! | truncated | never |
//!
//! Perfect play draws. Metrics: `first_player_wins`, `draw`, `moves`. `init` of the reset options plays first:
//! `{"moves": [4, 0]}`. Game tree: 255,168 terminal histories, of which player 0 wins 131,184 and player 1 77,904. The
//! scripted baseline never loses on the usual board; on larger ones it looks a few moves ahead.

use crate::line::{LineConfig, LineGame, Rules};

/// Settings of tic-tac-toe.
#[palaestra_plugin_api::config]
pub struct TicTacToeConfig {
    /// Rows and columns of the board.
    #[config(default = 3, range = 3..=7)]
    pub size: usize,
    /// Marks in a row, column or diagonal that win; at most `size`.
    #[config(default = 3, range = 3..=7)]
    pub line: usize,
}

impl LineConfig for TicTacToeConfig {
    const ID: &'static str = "board/TicTacToe-v0";
    const DESCRIPTION: &'static str = "Two players mark cells in turn; three in a line win";
    const TRACES: &'static [&'static str] = &["tic-tac-toe"];

    fn rules(&self) -> Rules {
        Rules {
            rows: self.size,
            columns: self.size,
            line: self.line,
            falls: false,
        }
    }
}

/// One board of tic-tac-toe.
pub type TicTacToe = LineGame<TicTacToeConfig>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Outcome, Position};

    fn outcome(moves: &[usize]) -> Option<Outcome> {
        let rules = TicTacToeConfig::default().rules();
        Position::after(rules, moves).unwrap().outcome()
    }

    /// Every row, column and diagonal, by either player; the marks in between are scattered.
    #[test]
    fn each_of_the_eight_lines_wins() {
        let lines = [
            [0, 1, 2],
            [3, 4, 5],
            [6, 7, 8],
            [0, 3, 6],
            [1, 4, 7],
            [2, 5, 8],
            [0, 4, 8],
            [2, 4, 6],
        ];
        for [a, b, c] in lines {
            let mut others = (0..9).filter(|cell| ![a, b, c].contains(cell));
            let (x, y) = (others.next().unwrap(), others.next().unwrap());
            assert_eq!(outcome(&[a, x, b, y]), None);
            assert_eq!(outcome(&[a, x, b, y, c]), Some(Outcome::Won(0)));
        }
        assert_eq!(outcome(&[0, 2, 1, 4, 8, 6]), Some(Outcome::Won(1)));
        // Cells that follow each other over an edge are no line.
        assert_eq!(outcome(&[2, 0, 3, 8, 4]), None);
        assert_eq!(outcome(&[0, 1, 2, 4, 3, 5, 7, 6, 8]), Some(Outcome::Drawn));
    }

    #[test]
    fn a_taken_cell_and_a_finished_game_are_refused() {
        let rules = TicTacToeConfig::default().rules();
        let refused = |moves: &[usize]| Position::after(rules, moves).unwrap_err().message;
        assert_eq!(
            refused(&[4, 4]),
            "moves: expected a legal move at index 1, found 4 of [4, 4]"
        );
        assert!(refused(&[9]).contains("found 9"));
        assert!(refused(&[0, 3, 1, 4, 2, 5]).contains("index 5"));
        assert!(Position::unfinished(rules, &[0, 3, 1, 4, 2]).is_err());
    }
}
