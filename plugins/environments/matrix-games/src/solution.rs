//! What sensible players do in a game: the scripted baseline.
//!
//! | game | solution |
//! |---|---|
//! | of several stages | the joint actions that earn all together most, by backward induction |
//! | with pure equilibria | of those the one that pays all together most |
//! | in which even players are indifferent when all choose uniformly | to choose uniformly |
//! | others | the average of regret matching (Hart and Mas-Colell, 2000), which in a two-player zero-sum game tends to an equilibrium |
//!
//! An anonymous game with a cell for each player is searched for equilibria in which all do the same, and, of two
//! actions, in which the last players do the other.

use palaestra_plugin_api::prelude::EnvRng;

use crate::{
    batch::{MatrixGame, Preset},
    tables::{END, Tables},
};

/// How players with a memory use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reciprocity {
    /// They do not: every round is played by itself.
    None,
    /// Action 0 first, then what the other did (Axelrod, "The Evolution of Cooperation", 1984), for two players.
    TitForTat,
}

/// Iterations of regret matching, at most; fewer in games of many joint actions.
const ITERATIONS: usize = 20_000;
/// Payoffs that regret matching looks at, about.
const PAYOFFS: usize = 4_000_000;
/// How far apart payoffs are the same.
const SAME: f64 = 1e-9;

/// A solution of a game.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Solution {
    /// A joint action for each stage.
    Pure(Vec<Vec<usize>>),
    /// Probabilities of each player's actions.
    Mixed(Vec<Vec<f64>>),
}

impl Solution {
    /// The solution of the game in these tables.
    pub(crate) fn of(tables: &Tables) -> Self {
        if tables.stages > 1 {
            return Self::Pure(best_plan(tables));
        }
        let pure = if tables.is_anonymous() {
            anonymous_equilibrium(tables)
        } else {
            tensor_equilibrium(tables)
        };
        if let Some(joint) = pure {
            return Self::Pure(vec![joint]);
        }
        let uniform = uniform(tables);
        if tables.is_anonymous() || is_indifferent(tables, &uniform) {
            return Self::Mixed(uniform);
        }
        Self::Mixed(regret_matching(tables))
    }

    /// A joint action at a stage.
    pub(crate) fn draw(&self, stage: usize, rng: &mut EnvRng) -> Vec<usize> {
        match self {
            Self::Pure(stages) => stages[stage].clone(),
            Self::Mixed(players) => players.iter().map(|weights| rng.choice(weights)).collect(),
        }
    }
}

impl<P: Preset> MatrixGame<P> {
    /// What the scripted baseline does now.
    pub(crate) fn scripted_joint(&self, instance: usize, rng: &mut EnvRng) -> Vec<usize> {
        if P::RECIPROCITY == Reciprocity::TitForTat && self.rules.memory > 0 {
            return self.tit_for_tat(instance);
        }
        let solution = self.solution.get_or_init(|| Solution::of(&self.tables));
        solution.draw(self.stage_of(instance), rng)
    }

    /// Both players repeat what the other did, and begin with action 0.
    fn tit_for_tat(&self, instance: usize) -> Vec<usize> {
        let last = self.tables.joint_action(self.cells(instance, 0));
        let mut joint = last.map_or_else(|| vec![0; self.tables.players], |(_, joint)| joint);
        joint.reverse();
        joint
    }
}

/// What all players together are paid in a cell of a tensor.
fn welfare(tables: &Tables, cell: usize) -> f64 {
    let row = &tables.payoff[cell * tables.players..][..tables.players];
    row.iter().sum()
}

/// The first of the numbers with the greatest value.
fn first_best(
    candidates: impl Iterator<Item = usize>,
    value: impl Fn(usize) -> f64,
) -> Option<usize> {
    let valued = candidates.map(|candidate| (candidate, value(candidate)));
    let better = |best: (usize, f64), other: (usize, f64)| {
        if other.1 > best.1 + SAME { other } else { best }
    };
    valued.reduce(better).map(|best| best.0)
}

/// Of every stage the joint action from which on all together earn most.
fn best_plan(tables: &Tables) -> Vec<Vec<usize>> {
    let cells = tables.stage_cells;
    let mut worth = vec![0.0; tables.stages];
    let mut plan = vec![0; tables.stages];
    // A path without a circle visits every stage at most once.
    for _ in 0..tables.stages {
        let before = worth.clone();
        let value = |cell: usize| {
            let next = tables.next[cell];
            let later = if next == END {
                0.0
            } else {
                before[next as usize]
            };
            welfare(tables, cell) + later
        };
        for stage in 0..tables.stages {
            let all = stage * cells..(stage + 1) * cells;
            if let Some(best) = first_best(all, value) {
                (plan[stage], worth[stage]) = (best % cells, value(best));
            }
        }
    }
    plan.iter().map(|&joint| tables.unravel(joint)).collect()
}

fn tensor_equilibrium(tables: &Tables) -> Option<Vec<usize>> {
    let stable = (0..tables.stage_cells).filter(|&cell| tables.is_stable(cell));
    first_best(stable, |cell| welfare(tables, cell)).map(|cell| tables.unravel(cell))
}

/// An equilibrium in which all do the same; or, of two actions, some at the end do the other.
fn anonymous_equilibrium(tables: &Tables) -> Option<Vec<usize>> {
    let (players, choices) = (tables.players, tables.choices);
    let same = |action: usize| vec![action; players];
    let split = |others: usize| {
        let mut joint = vec![0; players];
        joint[players - others..].fill(1);
        joint
    };
    let candidates: Vec<Vec<usize>> = if choices == 2 {
        (0..=players).map(split).collect()
    } else {
        (0..choices).map(same).collect()
    };
    let stable = (0..candidates.len()).filter(|&i| {
        let mut cells = tables.cells(&candidates[i], 0).into_iter();
        cells.all(|cell| tables.is_stable(cell as usize))
    });
    let welfare = |i: usize| {
        let cells = tables.cells(&candidates[i], 0);
        tables.payoffs(&cells).iter().sum()
    };
    first_best(stable, welfare).map(|i| candidates[i].clone())
}

fn uniform(tables: &Tables) -> Vec<Vec<f64>> {
    let row = |&n: &usize| vec![1.0 / n as f64; n];
    tables.counts.iter().map(row).collect()
}

/// Expected payoff of each action of a player while the others mix.
fn action_values(tables: &Tables, mixed: &[Vec<f64>], player: usize) -> Vec<f64> {
    let mut values = vec![0.0; tables.counts[player]];
    for cell in 0..tables.stage_cells {
        let digit = |other: usize| cell / tables.strides[other] as usize % tables.counts[other];
        let others = (0..tables.players).filter(|&other| other != player);
        let reach: f64 = others.map(|other| mixed[other][digit(other)]).product();
        values[digit(player)] += reach * tables.payoff[cell * tables.players + player];
    }
    values
}

/// Whether every action of every player is worth the same.
fn is_indifferent(tables: &Tables, mixed: &[Vec<f64>]) -> bool {
    (0..tables.players).all(|player| {
        let values = action_values(tables, mixed, player);
        values.iter().all(|x| (x - values[0]).abs() < SAME)
    })
}

/// The average of players that in turn choose, in proportion, what they regret not to have chosen. As in CFR+
/// (Tammelin, 2014) regrets never are negative, and later iterations weigh more.
fn regret_matching(tables: &Tables) -> Vec<Vec<f64>> {
    let mut mixed = uniform(tables);
    let zeros = || mixed.iter().map(|row| vec![0.0; row.len()]).collect();
    let (mut regrets, mut average): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (zeros(), zeros());
    let iterations = PAYOFFS / (tables.stage_cells * tables.players);
    for iteration in 1..=iterations.clamp(10, ITERATIONS) {
        for player in 0..tables.players {
            let values = action_values(tables, &mixed, player);
            let (own, regrets) = (&mut mixed[player], &mut regrets[player]);
            let earned: f64 = own.iter().zip(&values).map(|(p, value)| p * value).sum();
            for (regret, value) in regrets.iter_mut().zip(&values) {
                *regret = (*regret + value - earned).max(0.0);
            }
            let total: f64 = regrets.iter().sum();
            let even = 1.0 / own.len() as f64;
            for (p, regret) in own.iter_mut().zip(regrets) {
                *p = if total > 0.0 { *regret / total } else { even };
            }
            for (sum, p) in average[player].iter_mut().zip(own) {
                *sum += iteration as f64 * *p;
            }
        }
    }
    for row in &mut average {
        let total: f64 = row.iter().sum();
        row.iter_mut().for_each(|p| *p /= total);
    }
    average
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::Game;

    fn solution(game: &Game) -> Solution {
        Solution::of(&Tables::new(game, false).unwrap())
    }

    /// By hand: with payoffs [[3, -1], [-2, 1]] both are indifferent at 3/7 for the first row and 2/7 for the first
    /// column; the value is 1/7.
    #[test]
    fn golden_mixed_equilibrium_of_a_zero_sum_game() {
        let first = [[3.0, -1.0], [-2.0, 1.0]];
        let game = Game::bimatrix(
            ["a", "b"],
            ["c", "d"],
            first,
            first.map(|row| row.map(|x| -x)),
        );
        let Solution::Mixed(found) = solution(&game) else {
            panic!("no pure equilibrium is there");
        };
        for (row, expected) in found.iter().zip([3.0 / 7.0, 2.0 / 7.0]) {
            assert!((row[0] - expected).abs() < 1e-3, "{row:?}");
        }
    }

    #[test]
    fn the_better_of_two_equilibria_is_chosen() {
        let game = Game::common(["a", "b"], [[1.0, 0.0], [0.0, 2.0]]);
        assert_eq!(solution(&game), Solution::Pure(vec![vec![1, 1]]));
        let dilemma = Game::symmetric(["c", "d"], [[3.0, 0.0], [5.0, 1.0]]);
        assert_eq!(solution(&dilemma), Solution::Pure(vec![vec![1, 1]]));
    }

    #[test]
    fn players_of_a_crowd_split_where_they_must() {
        // Written out, and with a cell for each player.
        for players in [5, 25] {
            let labels = vec!["left".to_owned(), "right".to_owned()];
            let game = Game::anonymous(players, labels, |own, right| {
                let side = if own == 1 { right } else { players - right };
                f64::from(2 * side < players)
            });
            let Solution::Pure(stages) = solution(&game) else {
                panic!("pure equilibria are there");
            };
            let right: usize = stages[0].iter().sum();
            assert!(
                [players / 2, players / 2 + 1].contains(&right),
                "{stages:?}"
            );
        }
    }
}
