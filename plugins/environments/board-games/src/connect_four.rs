//! Connect four: discs fall into columns; four in a line win.
//!
//! Allen and Allis solved it in 1988: with the standard board of six rows and seven columns player 0 wins by beginning
//! in the middle. Games of OpenSpiel 2.0.2 (`connect_four`) are replayed (`traces_of_board_games`).
//!
//! | observation, `[2, rows, columns]` | meaning |
//! |---|---|
//! | plane 0 | 1 where the observing player has a disc |
//! | plane 1 | 1 where the opponent has one |
//!
//! Both players always observe, each from its own side; row 0 is at the top.
//!
//! | action | meaning | legal |
//! |---|---|---|
//! | column | drop a disc | unless the column is full |
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
//! Metrics: `first_player_wins`, `draw`, `moves`. `init` of the reset options plays first: `{"moves": [3, 3]}`. The
//! scripted baseline looks five moves ahead, and prefers the middle.

use crate::line::{LineConfig, LineGame, Rules};

/// Settings of connect four.
#[palaestra_plugin_api::config]
pub struct ConnectFourConfig {
    /// Rows of the board.
    #[config(default = 6, range = 3..=7)]
    pub rows: usize,
    /// Columns of the board.
    #[config(default = 7, range = 3..=8)]
    pub columns: usize,
    /// Discs in a row, column or diagonal that win; at most the longer side of the board.
    #[config(default = 4, range = 3..=6)]
    pub line: usize,
}

impl LineConfig for ConnectFourConfig {
    const ID: &'static str = "board/ConnectFour-v0";
    const DESCRIPTION: &'static str = "Discs fall into columns; four in a line win";
    const TRACES: &'static [&'static str] = &["connect four"];

    fn rules(&self) -> Rules {
        Rules {
            rows: self.rows,
            columns: self.columns,
            line: self.line,
            falls: true,
        }
    }
}

/// One board of connect four.
pub type ConnectFour = LineGame<ConnectFourConfig>;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::line::{Outcome, Position};

    fn after(moves: &[usize]) -> Position {
        Position::after(ConnectFourConfig::default().rules(), moves).unwrap()
    }

    #[test]
    fn four_in_each_direction_win_by_hand() {
        assert_eq!(after(&[0, 1, 0, 1, 0, 1]).outcome(), None);
        assert_eq!(
            after(&[0, 1, 0, 1, 0, 1, 0]).outcome(),
            Some(Outcome::Won(0))
        );
        let across = [3, 3, 4, 4, 5, 5, 6];
        assert_eq!(after(&across).outcome(), Some(Outcome::Won(0)));
        let rising = [0, 1, 1, 2, 2, 3, 2, 3, 3, 6, 3];
        assert_eq!(after(&rising).outcome(), Some(Outcome::Won(0)));
        let falling = rising.map(|column| 6 - column);
        assert_eq!(after(&falling).outcome(), Some(Outcome::Won(0)));
        let second = [6, 0, 6, 0, 5, 0, 5, 0];
        assert_eq!(after(&second).outcome(), Some(Outcome::Won(1)));
        assert_eq!(after(&across).lines()[5], "...XXXX");
        assert_eq!(after(&across).lines()[4], "...OOO.");
    }

    #[test]
    fn a_full_column_takes_no_disc() {
        let position = after(&[2, 2, 2, 2, 2, 2]);
        assert_eq!(position.outcome(), None);
        assert!(!position.is_legal(2) && position.is_legal(1) && !position.is_legal(7));
    }

    /// Numbers of different positions after n moves, OEIS A212693.
    #[test]
    fn golden_numbers_of_positions() {
        let rules = ConnectFourConfig::default().rules();
        let mut positions = vec![Position::new(rules)];
        let mut counts = Vec::new();
        for _ in 0..8 {
            let mut seen = HashSet::new();
            let mut next = Vec::new();
            for position in positions.iter().filter(|p| p.outcome().is_none()) {
                for choice in (0..7).filter(|&choice| position.is_legal(choice)) {
                    let mut after = *position;
                    after.play(choice);
                    if seen.insert(after.lines()) {
                        next.push(after);
                    }
                }
            }
            counts.push(next.len());
            positions = next;
        }
        assert_eq!(counts, [7, 49, 238, 1120, 4263, 16_422, 54_859, 184_275]);
    }
}
