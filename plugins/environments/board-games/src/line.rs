//! Games of two players who put stones on a board in turn until one has a line: rules, turns and what is seen.

mod environment;
mod picture;
mod search;

use palaestra_plugin_api::{
    game_tree::GameNode,
    prelude::*,
    serde_json::{Value, json},
};

pub use environment::{LineConfig, LineGame};

/// Players; player 0 begins.
pub(crate) const PLAYERS: usize = 2;
/// Cells that fit a position, guard cells not counted.
const MOST_CELLS: usize = 56;
/// The choice of who waits.
const WAIT: usize = 0;
/// Metrics, in order.
const FIRST_PLAYER_WINS: usize = 0;
const DRAW: usize = 1;
const MOVES: usize = 2;

/// Board and goal.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// At most 7.
    pub rows: usize,
    /// At most 8.
    pub columns: usize,
    /// Stones in a row, column or diagonal that win.
    pub line: usize,
    /// Whether a stone falls to the lowest free cell of a column; then a choice is a column, else a cell.
    pub falls: bool,
}

impl Rules {
    pub(crate) fn choices(&self) -> usize {
        if self.falls {
            self.columns
        } else {
            self.rows * self.columns
        }
    }

    fn cells(&self) -> usize {
        self.rows * self.columns
    }

    /// The bit of a cell, row 0 at the top. Columns follow each other from the bottom upwards, and over each is a
    /// guard cell that stays empty: so a line is bits at a fixed distance.
    #[inline(always)]
    fn bit(&self, row: usize, column: usize) -> u64 {
        1 << (column * (self.rows + 1) + self.rows - 1 - row)
    }

    /// Distances between the bits of a line: upright, falling, across, rising.
    #[inline(always)]
    fn distances(&self) -> [usize; 4] {
        [1, self.rows, self.rows + 1, self.rows + 2]
    }

    /// The first stone of every line whose stones have this distance.
    #[inline(always)]
    fn starts(&self, stones: u64, distance: usize) -> u64 {
        let shifted = (1..self.line).map(|i| stones >> (i * distance));
        shifted.fold(stones, |line, other| line & other)
    }

    /// Whether there is a line among the stones of a player.
    #[inline(always)]
    fn has_line(&self, stones: u64) -> bool {
        let mut distances = self.distances().into_iter();
        distances.any(|distance| self.starts(stones, distance) != 0)
    }

    /// The stones of a player that are part of a line.
    fn lined(&self, stones: u64) -> u64 {
        let mut lined = 0;
        for distance in self.distances() {
            let starts = self.starts(stones, distance);
            (0..self.line).for_each(|i| lined |= starts << (i * distance));
        }
        lined
    }

    /// What both environments of this kind tell about themselves.
    pub(crate) fn spec(&self) -> Result<EnvironmentSpec> {
        if self.line > self.rows.max(self.columns) {
            return Err(Error::config(format!(
                "config /line: expected at most {}, the longer side of the board, found {}",
                self.rows.max(self.columns),
                self.line
            )));
        }
        let observation = Space::Box {
            shape: vec![PLAYERS, self.rows, self.columns],
            low: vec![Some(0.0)],
            high: vec![Some(1.0)],
            element: Default::default(),
            parts: Vec::new(),
        };
        let action = Space::discrete(self.choices());
        let mut spec = EnvironmentSpec::new("players", PLAYERS, observation, action);
        spec.groups[0].has_action_mask = true;
        spec.reward_range = (Some(-1.0), Some(1.0));
        spec.metrics = vec![
            Metric::last("first_player_wins"),
            Metric::last("draw"),
            Metric::sum("moves"),
        ];
        spec.flags.turn_based = true;
        spec.flags.game_tree = true;
        spec.flags.scripted = true;
        spec.tags = vec![Tag::Competitive, Tag::TurnBased];
        Ok(spec)
    }
}

/// How a game ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A player has a line.
    Won(usize),
    /// The board is full.
    Drawn,
}

impl Outcome {
    /// Return of both players.
    #[inline(always)]
    fn returns(self) -> [f64; PLAYERS] {
        match self {
            Self::Won(0) => [1.0, -1.0],
            Self::Won(_) => [-1.0, 1.0],
            Self::Drawn => [0.0, 0.0],
        }
    }
}

/// The stones on the board, and the choices that put them there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    rules: Rules,
    stones: [u64; PLAYERS],
    choices: [u8; MOST_CELLS],
    len: usize,
    outcome: Option<Outcome>,
}

/// `init` of the reset options: choices that have been made already.
#[derive(Deserialize)]
#[serde(crate = "palaestra_plugin_api::serde", deny_unknown_fields)]
struct Init {
    moves: Vec<usize>,
}

impl Position {
    /// The empty board.
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            stones: [0; PLAYERS],
            choices: [0; MOST_CELLS],
            len: 0,
            outcome: None,
        }
    }

    /// The board after some choices.
    pub(crate) fn after(rules: Rules, moves: &[usize]) -> Result<Self> {
        let mut position = Self::new(rules);
        for (at, &choice) in moves.iter().enumerate() {
            if !position.is_legal(choice) {
                return Err(Error::config(format!(
                    "moves: expected a legal move at index {at}, found {choice} of {moves:?}"
                )));
            }
            position.play(choice);
        }
        Ok(position)
    }

    /// The board after some choices that leave something to play.
    pub(crate) fn unfinished(rules: Rules, moves: &[usize]) -> Result<Self> {
        let position = Self::after(rules, moves)?;
        match position.outcome {
            None => Ok(position),
            Some(_) => Err(Error::config(format!(
                "moves: expected a game that is not over, found {moves:?}"
            ))),
        }
    }

    /// The choices so far.
    pub(crate) fn moves(&self) -> Vec<usize> {
        let made = &self.choices[..self.len];
        made.iter().map(|&choice| usize::from(choice)).collect()
    }

    /// Whose turn it is.
    #[inline(always)]
    pub(crate) fn player(&self) -> usize {
        self.len % PLAYERS
    }

    #[cfg(test)]
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    /// Whose stone is on a cell, row 0 at the top.
    #[inline(always)]
    pub(crate) fn owner(&self, row: usize, column: usize) -> Option<usize> {
        let bit = self.rules.bit(row, column);
        (0..PLAYERS).find(|&player| self.stones[player] & bit != 0)
    }

    /// The bit that a choice would set, unless there is no room.
    #[inline(always)]
    fn target(&self, choice: usize) -> Option<u64> {
        let taken = self.stones[0] | self.stones[1];
        let (rows, columns) = (self.rules.rows, self.rules.columns);
        if self.rules.falls {
            let free = |row: &usize| taken & self.rules.bit(*row, choice) == 0;
            return (0..rows)
                .rev()
                .find(free)
                .map(|row| self.rules.bit(row, choice));
        }
        let bit = self.rules.bit(choice / columns, choice % columns);
        (taken & bit == 0).then_some(bit)
    }

    #[inline(always)]
    pub(crate) fn is_legal(&self, choice: usize) -> bool {
        self.outcome.is_none() && choice < self.rules.choices() && self.target(choice).is_some()
    }

    /// The choices within the rules, in order.
    fn legal(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.rules.choices()).filter(|&choice| self.is_legal(choice))
    }

    /// Puts a stone; without room for it nothing happens.
    #[inline(always)]
    pub(crate) fn play(&mut self, choice: usize) {
        let player = self.player();
        let Some(bit) = self.target(choice) else {
            return;
        };
        self.stones[player] |= bit;
        self.choices[self.len] = choice as u8;
        self.len += 1;
        self.outcome = if self.rules.has_line(self.stones[player]) {
            Some(Outcome::Won(player))
        } else {
            (self.len == self.rules.cells()).then_some(Outcome::Drawn)
        };
    }

    /// The joint action of the player that looks ahead: `[group][agent][component]`.
    pub(crate) fn scripted(&self) -> Vec<Vec<Vec<f64>>> {
        let mut choices = [WAIT; PLAYERS];
        choices[self.player()] = search::choose(self);
        vec![choices.map(|choice| vec![choice as f64]).into()]
    }

    /// Starts a game and writes what is seen.
    pub(crate) fn reset(
        &mut self,
        options: &ResetOptions<'_>,
        out: &mut Observe<'_>,
    ) -> Result<()> {
        *self = match options.init::<Init>()? {
            Some(init) => Self::unfinished(self.rules, &init.moves)?,
            None => Self::new(self.rules),
        };
        self.observe(out);
        Ok(())
    }

    /// Plays the choice of whose turn it is; the SDK has checked it against the mask.
    #[inline(always)]
    pub(crate) fn step(&mut self, actions: &Actions<'_>, out: &mut StepWriter<'_>) {
        self.play(actions.discrete(self.player()));
        out.metric(MOVES, 1.0);
        if let Some(outcome) = self.outcome {
            let returns = outcome.returns();
            (0..PLAYERS).for_each(|player| out.reward(player, returns[player]));
            let flag = |is: bool| f64::from(u8::from(is));
            out.metric(FIRST_PLAYER_WINS, flag(outcome == Outcome::Won(0)));
            out.metric(DRAW, flag(outcome == Outcome::Drawn));
            out.terminate();
        }
        self.observe(out);
    }

    /// Writes both observations, the masks, and whose turn it is.
    #[inline(always)]
    fn observe(&self, out: &mut Observe<'_>) {
        let Rules { rows, columns, .. } = self.rules;
        for player in 0..PLAYERS {
            let planes = out.observation(player).chunks_exact_mut(rows * columns);
            for (plane, stones) in planes.zip([self.stones[player], self.stones[1 - player]]) {
                for (cell, seen) in plane.iter_mut().enumerate() {
                    let there = stones & self.rules.bit(cell / columns, cell % columns) != 0;
                    *seen = f32::from(u8::from(there));
                }
            }
        }
        if self.outcome.is_none() {
            let player = self.player();
            out.set_acting(player);
            for (choice, allowed) in out.action_mask(player).iter_mut().enumerate() {
                *allowed = u8::from(self.target(choice).is_some());
            }
            let waiting = out.action_mask(1 - player);
            waiting.fill(0);
            waiting[WAIT] = 1;
        }
    }

    pub(crate) fn inspect(&self) -> Value {
        json!({
            "moves": self.moves(),
            "player": self.outcome.is_none().then(|| self.player()),
            "legal": self.legal().collect::<Vec<_>>(),
            "board": self.lines(),
        })
    }

    /// The node of the game tree after `history`. Nothing is hidden: the information state is the history.
    pub(crate) fn node(rules: Rules, history: &[usize]) -> Result<GameNode> {
        let position = Self::after(rules, history)?;
        if let Some(outcome) = position.outcome {
            return Ok(GameNode::Terminal {
                returns: outcome.returns().to_vec(),
            });
        }
        let played: Vec<String> = history.iter().map(ToString::to_string).collect();
        Ok(GameNode::Decision {
            player: position.player(),
            moves: position.legal().collect(),
            information_state: played.join(","),
        })
    }
}
