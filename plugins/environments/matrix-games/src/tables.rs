//! A game as tables: everything that a step says of a joint action is looked up by one number.
//!
//! That number is the *cell*. In a tensor it is the joint action counted with the last player fastest, after the
//! cells of earlier stages: one for all players. In an anonymous game each player has its own: own action times
//! the number of totals, plus the total; small ones are written out as tensors. One more cell at the end stands for "nothing played yet".

use palaestra_plugin_api::prelude::Result;

use crate::{
    anonymous::Share,
    game::{Game, MAX_TENSOR_PLAYERS, Payoffs, Stage, is_possible, joint_actions, refused},
};

/// Numbers in the table of observations, at most.
const MAX_SEEN: usize = 1 << 22;
/// Joint actions up to which anonymous games are written out.
const SMALL: usize = 4096;
/// In [`Tables::next`]: the episode is over.
pub(crate) const END: u32 = u32::MAX;

/// The tables of a game.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    pub(crate) players: usize,
    /// Actions of the player that has most.
    pub(crate) choices: usize,
    /// Actions of each player.
    pub(crate) counts: Vec<usize>,
    /// What one more of each player's action adds to the cell; empty for anonymous games.
    pub(crate) strides: Vec<u32>,
    /// Cells of one stage.
    pub(crate) stage_cells: usize,
    /// Number of stages.
    pub(crate) stages: usize,
    /// Payoffs, `[cell][players of a cell]`.
    pub(crate) payoff: Vec<f64>,
    /// Values of the metrics, `[cell][metric]`; empty for anonymous games.
    pub(crate) measures: Vec<f32>,
    /// What the cells of an anonymous game give; empty for others.
    pub(crate) shares: Vec<Share>,
    /// Names of the metrics.
    pub(crate) metrics: Vec<&'static str>,
    /// What is seen afterwards, `[cell and the empty one][players of a cell][width]`; empty if nothing is.
    pub(crate) seen: Vec<f32>,
    /// Width of one player's view of one round.
    pub(crate) seen_width: usize,
    /// Zeros that a player sees where nothing is remembered.
    pub(crate) blank: usize,
    /// The stage that a cell leads to; empty where the one stage is repeated.
    pub(crate) next: Vec<u32>,
}

impl Tables {
    /// Tables of a game; `remembers` says whether players see past rounds.
    pub(crate) fn new(game: &Game, remembers: bool) -> Result<Self> {
        let counts = game.counts();
        let choices = counts.iter().copied().max().unwrap_or(0);
        let mut tables = Self {
            players: game.players(),
            choices,
            counts,
            strides: Vec::new(),
            stage_cells: 0,
            stages: game.stages().len().max(1),
            payoff: Vec::new(),
            measures: Vec::new(),
            shares: Vec::new(),
            metrics: vec!["welfare"],
            seen: Vec::new(),
            seen_width: 0,
            blank: match game.payoffs {
                Payoffs::Tensor(_) => game.players(),
                Payoffs::Anonymous(_) => 1,
            },
            next: Vec::new(),
        };
        if tables.stages == 1 {
            tables.metrics.push("equilibrium");
        }
        if !game.cooperation.is_empty() {
            tables.metrics.push("cooperation");
        }
        match &game.payoffs {
            Payoffs::Tensor(stages) => {
                tables.fill_tensor(game, stages)?;
                if tables.stages > 1 {
                    tables.see_stages();
                } else if remembers {
                    tables.see_joint_actions()?;
                }
            }
            Payoffs::Anonymous(table) if is_small(&tables.counts) => {
                tables.fill_tensor(game, &[as_tensor(game, table)])?;
                if remembers {
                    tables.see_totals();
                }
            }
            Payoffs::Anonymous(table) => tables.fill_anonymous(game, table, remembers),
        }
        Ok(tables)
    }

    /// Whether each player has its own cell.
    #[inline(always)]
    pub(crate) fn is_anonymous(&self) -> bool {
        self.strides.is_empty()
    }

    /// Whether all players have the same number of actions.
    pub(crate) fn alike(&self) -> bool {
        self.counts.iter().all(|&count| count == self.choices)
    }

    /// Cells of a joint action: one, or one per player.
    #[inline(always)]
    pub(crate) fn cells_per_round(&self) -> usize {
        if self.is_anonymous() { self.players } else { 1 }
    }

    /// Players that share a cell.
    #[inline(always)]
    pub(crate) fn players_per_cell(&self) -> usize {
        self.players / self.cells_per_round()
    }

    /// The cell of a round that was not played.
    pub(crate) fn empty(&self) -> u32 {
        (self.stages * self.stage_cells) as u32
    }

    /// Cells of a joint action that is legal, `[cells_per_round]`.
    pub(crate) fn cells(&self, joint: &[usize], stage: usize) -> Vec<u32> {
        if self.is_anonymous() {
            let total: usize = joint.iter().sum();
            let totals = self.stage_cells / self.choices;
            return joint
                .iter()
                .map(|own| (own * totals + total) as u32)
                .collect();
        }
        let steps = joint.iter().zip(&self.strides);
        let joint: usize = steps
            .map(|(action, &stride)| action * stride as usize)
            .sum();
        vec![(stage * self.stage_cells + joint) as u32]
    }

    /// Stage and joint action of cells; none where nothing was played.
    pub(crate) fn joint_action(&self, cells: &[u32]) -> Option<(usize, Vec<usize>)> {
        if cells[0] == self.empty() {
            return None;
        }
        if self.is_anonymous() {
            let totals = self.stage_cells / self.choices;
            return Some((
                0,
                cells.iter().map(|&cell| cell as usize / totals).collect(),
            ));
        }
        let (stage, joint) = (
            cells[0] as usize / self.stage_cells,
            cells[0] as usize % self.stage_cells,
        );
        Some((stage, self.unravel(joint)))
    }

    /// Payoff of each player for cells.
    pub(crate) fn payoffs(&self, cells: &[u32]) -> Vec<f64> {
        let width = self.players_per_cell();
        let row = |&cell: &u32| &self.payoff[cell as usize * width..][..width];
        cells.iter().flat_map(row).copied().collect()
    }

    /// Whether nobody (in an anonymous game: its player) gains by another action alone; of games of one stage.
    pub(crate) fn is_stable(&self, cell: usize) -> bool {
        match self.shares.get(cell) {
            Some(share) => share.unstable == 0.0,
            None => self.measures[cell * self.metrics.len() + 1] == 1.0,
        }
    }

    /// Joint action number `joint` of a stage.
    pub(crate) fn unravel(&self, joint: usize) -> Vec<usize> {
        let digit = |(&stride, &n): (&u32, &usize)| joint / stride as usize % n;
        self.strides.iter().zip(&self.counts).map(digit).collect()
    }

    fn fill_tensor(&mut self, game: &Game, stages: &[Stage]) -> Result<()> {
        self.stage_cells = joint_actions(&self.counts)?;
        let mut stride = 1;
        self.strides = vec![0; self.players];
        for (to, n) in self.strides.iter_mut().zip(&self.counts).rev() {
            *to = stride;
            stride *= *n as u32;
        }
        for stage in stages {
            for (cell, payoffs) in stage.payoffs.iter().enumerate() {
                let joint = self.unravel(cell);
                self.payoff.extend(payoffs);
                self.measures.push(payoffs.iter().sum::<f64>() as f32);
                if self.stages == 1 {
                    let stable = self.is_equilibrium(&stage.payoffs, &joint);
                    self.measures.push(f32::from(u8::from(stable)));
                }
                if !game.cooperation.is_empty() {
                    let degrees = joint
                        .iter()
                        .zip(&game.cooperation)
                        .map(|(&a, degrees)| degrees[a]);
                    self.measures
                        .push((degrees.sum::<f64>() / self.players as f64) as f32);
                }
                if let Some(next) = stage.next.get(cell) {
                    self.next.push(next.map_or(END, |stage| stage as u32));
                }
            }
        }
        Ok(())
    }

    /// Whether no player would gain by another action alone.
    fn is_equilibrium(&self, payoffs: &[Vec<f64>], joint: &[usize]) -> bool {
        let cell = self.cells(joint, 0)[0] as usize;
        (0..self.players).all(|player| {
            let stride = self.strides[player] as usize;
            let first = cell - joint[player] * stride;
            let mut others = (0..self.counts[player]).map(|a| payoffs[first + a * stride][player]);
            others.all(|other| other <= payoffs[cell][player])
        })
    }

    /// All players see the stage they are in, one-hot; nothing after the end.
    fn see_stages(&mut self) {
        self.seen_width = self.stages;
        let start = std::iter::once(&0);
        for &stage in self.next.iter().chain(start) {
            for _ in 0..self.players {
                let at = self.seen.len();
                self.seen.resize(at + self.stages, 0.0);
                if stage != END {
                    self.seen[at + stage as usize] = 1.0;
                }
            }
        }
    }

    /// Every player sees all actions of a round, one-hot: its own, then those of the players after it, in a circle.
    fn see_joint_actions(&mut self) -> Result<()> {
        self.seen_width = self.players * self.choices;
        let size = (self.stage_cells + 1) * self.players * self.seen_width;
        if size > MAX_SEEN {
            let expected = format!("observations that fit into {MAX_SEEN} numbers in all");
            return Err(refused("/memory", &expected, size));
        }
        self.seen = vec![0.0; size];
        let mut rows = self.seen.clone();
        for (cell, row) in rows
            .chunks_exact_mut(self.players * self.seen_width)
            .enumerate()
        {
            if cell == self.stage_cells {
                break;
            }
            let joint = self.unravel(cell);
            for (player, view) in row.chunks_exact_mut(self.seen_width).enumerate() {
                for (place, one_hot) in view.chunks_exact_mut(self.choices).enumerate() {
                    one_hot[joint[(player + place) % self.players]] = 1.0;
                }
            }
        }
        self.seen = rows;
        Ok(())
    }

    /// Every player sees its own action one-hot, and the sum of all as a share of the largest.
    fn see_totals(&mut self) {
        self.seen_width = self.choices + 1;
        let highest = (self.players * (self.choices - 1)).max(1) as f32;
        for cell in 0..self.stage_cells {
            let joint = self.unravel(cell);
            let total: usize = joint.iter().sum();
            for &own in &joint {
                self.see_total(own, total as f32 / highest);
            }
        }
        let empty = self.players * self.seen_width;
        self.seen.resize(self.seen.len() + empty, 0.0);
    }

    fn see_total(&mut self, own: usize, share: f32) {
        let one_hot = (0..self.choices).map(|a| f32::from(u8::from(a == own)));
        self.seen.extend(one_hot);
        self.seen.push(share);
    }

    fn fill_anonymous(&mut self, game: &Game, table: &[Vec<f64>], remembers: bool) {
        let totals = table[0].len();
        self.stage_cells = table.len() * totals;
        self.seen_width = if remembers { self.choices + 1 } else { 0 };
        let share = 1.0 / self.players as f64;
        for own in 0..table.len() {
            for total in 0..totals {
                let payoff = table[own][total];
                let gains = |other: usize| {
                    let instead = total + other;
                    instead
                        .checked_sub(own)
                        .filter(|&new| {
                            is_possible(table, own, total) && is_possible(table, other, new)
                        })
                        .is_some_and(|new| table[other][new] > payoff)
                };
                let unstable = (0..table.len()).any(gains);
                self.payoff.push(payoff);
                let degree = game.cooperation.first().map_or(0.0, |degrees| degrees[own]);
                self.shares.push(Share {
                    payoff,
                    cooperation: (degree * share) as f32,
                    unstable: f32::from(u8::from(unstable)),
                });
                if remembers {
                    self.see_total(own, total as f32 / (totals - 1).max(1) as f32);
                }
            }
        }
        self.seen.extend(vec![0.0; self.seen_width]);
    }
}

/// Whether an anonymous game is better written out: one look-up for all players instead of one for each.
fn is_small(counts: &[usize]) -> bool {
    let joint = counts
        .iter()
        .try_fold(1_usize, |all, &n| all.checked_mul(n));
    counts.len() <= MAX_TENSOR_PLAYERS && joint.is_some_and(|joint| joint <= SMALL)
}

/// An anonymous game, written out.
fn as_tensor(game: &Game, table: &[Vec<f64>]) -> Stage {
    let (players, choices) = (game.players() as u32, table.len());
    let payoffs = |cell: usize| -> Vec<f64> {
        let action = |player| cell / choices.pow(players - 1 - player) % choices;
        let total: usize = (0..players).map(action).sum();
        (0..players)
            .map(|player| table[action(player)][total])
            .collect()
    };
    Stage {
        name: String::new(),
        payoffs: (0..choices.pow(players)).map(payoffs).collect(),
        next: Vec::new(),
    }
}
