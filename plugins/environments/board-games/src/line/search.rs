//! A player that looks ahead: to the end where that is near, else as far as a few thousand positions go.
//!
//! Negamax with alpha-beta pruning (Knuth and Moore, "An analysis of alpha-beta pruning", 1975). A win is worth more
//! the sooner it comes; what is not decided is worth nothing. Of choices that are worth the same the one nearest to
//! the middle is taken.

use super::{MOST_CELLS, Outcome, Position};

/// Positions at the end of a search, at most, without pruning.
const MOST_POSITIONS: usize = 20_000;
/// Free cells from which on a search goes to the end.
const ENDGAME: usize = 9;
/// More than any value.
const INFINITE: i32 = MOST_CELLS as i32 + 1;

/// The best choice of whose turn it is.
pub(super) fn choose(position: &Position) -> usize {
    let choices = Choices::of(position);
    let depth = depth(position, choices.len);
    let (mut best, mut alpha) = (0, -INFINITE);
    for choice in choices.legal(position) {
        let mut after = *position;
        after.play(choice);
        let value = -value(&after, &choices, depth - 1, -INFINITE, -alpha);
        if value > alpha {
            (best, alpha) = (choice, value);
        }
    }
    best
}

/// Moves to look ahead; at least 1.
fn depth(position: &Position, choices: usize) -> usize {
    let free = position.rules.cells() - position.len;
    if free <= ENDGAME {
        return free.max(1);
    }
    let mut depth = 1;
    while choices.pow(depth as u32 + 1) <= MOST_POSITIONS {
        depth += 1;
    }
    depth
}

/// What a position is worth to whose turn it is, between `alpha` and `beta`.
fn value(position: &Position, choices: &Choices, depth: usize, mut alpha: i32, beta: i32) -> i32 {
    match position.outcome {
        // Who moved last has won.
        Some(Outcome::Won(_)) => return position.len as i32 - INFINITE,
        Some(Outcome::Drawn) => return 0,
        None if depth == 0 => return 0,
        None => {}
    }
    for choice in choices.legal(position) {
        let mut after = *position;
        after.play(choice);
        alpha = alpha.max(-value(&after, choices, depth - 1, -beta, -alpha));
        if alpha >= beta {
            break;
        }
    }
    alpha
}

/// All choices, from the middle outwards.
struct Choices {
    order: [usize; MOST_CELLS],
    len: usize,
}

impl Choices {
    fn of(position: &Position) -> Self {
        let rules = &position.rules;
        let mut order = std::array::from_fn(|choice| choice);
        // Twice the distance from the middle, squared.
        let distance = |&choice: &usize| {
            let from = |place: usize, size: usize| (2 * place + 1).abs_diff(size).pow(2);
            let (row, column) = (choice / rules.columns, choice % rules.columns);
            if rules.falls {
                from(choice, rules.columns)
            } else {
                from(row, rules.rows) + from(column, rules.columns)
            }
        };
        let len = rules.choices();
        order[..len].sort_by_key(distance);
        Self { order, len }
    }

    fn legal(&self, position: &Position) -> impl Iterator<Item = usize> {
        let all = self.order[..self.len].iter().copied();
        all.filter(|&choice| position.is_legal(choice))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{connect_four::ConnectFourConfig, line::LineConfig, tic_tac_toe::TicTacToeConfig};

    /// Numbers of games that end won, lost or drawn for `player`, against every play of the other.
    fn games(position: &Position, player: usize, counts: &mut [u32; 3]) {
        match position.outcome {
            Some(Outcome::Won(winner)) => counts[usize::from(winner != player)] += 1,
            Some(Outcome::Drawn) => counts[2] += 1,
            None if position.player() == player => {
                let mut after = *position;
                after.play(choose(position));
                games(&after, player, counts);
            }
            None => {
                for choice in (0..9).filter(|&choice| position.is_legal(choice)) {
                    let mut after = *position;
                    after.play(choice);
                    games(&after, player, counts);
                }
            }
        }
    }

    #[test]
    fn tic_tac_toe_is_never_lost_whatever_the_other_does() {
        let start = Position::new(TicTacToeConfig::default().rules());
        for player in 0..2 {
            let mut counts = [0; 3];
            games(&start, player, &mut counts);
            println!("player {player}: {counts:?} won, lost, drawn");
            assert!(counts[1] == 0 && counts[0] > counts[2]);
        }
    }

    fn connect_four(moves: &[usize]) -> usize {
        let rules = ConnectFourConfig::default().rules();
        choose(&Position::after(rules, moves).unwrap())
    }

    /// By hand: begin in the middle; complete a column of three before the other does; block one; of three in the
    /// bottom row between free cells either end will do, and two of them must be stopped.
    #[test]
    fn connect_four_wins_blocks_and_begins_in_the_middle() {
        assert_eq!(connect_four(&[]), 3);
        assert_eq!(connect_four(&[0, 6, 0, 6, 0, 6]), 0);
        assert_eq!(connect_four(&[0, 6, 0, 6, 0]), 0);
        assert!([1, 4].contains(&connect_four(&[2, 6, 3])));
    }
}
