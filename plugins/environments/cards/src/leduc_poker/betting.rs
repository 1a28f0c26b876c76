//! Two rounds of folds, calls and raises.

use palaestra_plugin_api::prelude::{Deserialize, Serialize};

use super::PLAYERS;

/// Rounds of betting.
pub(super) const ROUNDS: usize = 2;
/// Longest round: check, raise, raise, call.
pub(super) const LONGEST: usize = 4;
/// Most raises in a round.
const MOST_RAISES: u8 = 2;
/// Actions.
pub(super) const FOLD: u8 = 0;
pub(super) const CALL: u8 = 1;
pub(super) const RAISE: u8 = 2;
/// Number of actions.
pub(super) const CHOICES: usize = 3;

/// The actions so far, and what follows from them. Written as the list of actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    crate = "palaestra_plugin_api::serde",
    try_from = "Vec<u8>",
    into = "Vec<u8>"
)]
pub(super) struct Betting {
    actions: [u8; ROUNDS * LONGEST],
    len: usize,
    /// Number of actions up to the end of each round.
    ends: [usize; ROUNDS],
    /// The present round; `ROUNDS` at the showdown.
    round: usize,
    player: usize,
    /// Raises in each round.
    raises: [u8; ROUNDS],
    /// Raises that each player has made or called, in each round.
    matched: [[u8; PLAYERS]; ROUNDS],
    folded: Option<usize>,
}

/// How a game ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Cards are shown.
    Showdown,
    /// A player gives up.
    Fold {
        /// Who gives up.
        player: usize,
    },
}

impl TryFrom<Vec<u8>> for Betting {
    type Error = String;

    fn try_from(actions: Vec<u8>) -> Result<Self, String> {
        let mut betting = Self::default();
        for &action in &actions {
            if !betting.is_legal(action) {
                return Err(format!(
                    "betting: expected legal actions, found {actions:?}"
                ));
            }
            betting.push(action);
        }
        Ok(betting)
    }
}

impl From<Betting> for Vec<u8> {
    fn from(betting: Betting) -> Self {
        betting.actions().to_vec()
    }
}

impl Betting {
    /// Whether whose turn it is may do this.
    #[inline(always)]
    pub(super) fn is_legal(&self, action: u8) -> bool {
        if self.outcome().is_some() {
            return false;
        }
        let raises = self.raises[self.round];
        match action {
            FOLD => self.matched[self.round][self.player] < raises,
            CALL => true,
            RAISE => raises < MOST_RAISES,
            _ => false,
        }
    }

    /// Adds a legal action.
    #[inline(always)]
    pub(super) fn push(&mut self, action: u8) {
        let (round, player) = (self.round, self.player);
        let first = self.actions_of(round).is_empty();
        self.actions[self.len] = action;
        self.len += 1;
        self.ends[round] = self.len;
        self.player = 1 - player;
        match action {
            FOLD => self.folded = Some(player),
            RAISE => {
                self.raises[round] += 1;
                self.matched[round][player] = self.raises[round];
            }
            _ => {
                self.matched[round][player] = self.raises[round];
                if !first {
                    self.round += 1;
                    self.player = 0;
                }
            }
        }
    }

    #[inline(always)]
    pub(super) fn outcome(&self) -> Option<Outcome> {
        match self.folded {
            Some(player) => Some(Outcome::Fold { player }),
            None => (self.round == ROUNDS).then_some(Outcome::Showdown),
        }
    }

    /// Whose turn it is.
    #[inline(always)]
    pub(super) fn player(&self) -> usize {
        self.player
    }

    /// 0 before the public card, 1 after it, 2 at the showdown.
    #[inline(always)]
    pub(super) fn round(&self) -> usize {
        self.round
    }

    /// Raises of a round that a player has paid for.
    #[inline(always)]
    pub(super) fn matched(&self, round: usize, player: usize) -> u8 {
        self.matched[round][player]
    }

    /// All actions, oldest first.
    #[inline(always)]
    pub(super) fn actions(&self) -> &[u8] {
        &self.actions[..self.len]
    }

    /// The actions of a round, oldest first.
    #[inline(always)]
    pub(super) fn actions_of(&self, round: usize) -> &[u8] {
        let start = if round == 0 { 0 } else { self.ends[0] };
        &self.actions[start..self.ends[round].max(start)]
    }

    /// `f`, `c` and `r` for the actions, `/` between the rounds.
    pub(super) fn letters(&self) -> String {
        let letter = |&action: &u8| ['f', 'c', 'r'][usize::from(action)];
        let mut letters: String = self.actions_of(0).iter().map(letter).collect();
        if self.round > 0 {
            letters.push('/');
            letters.extend(self.actions_of(1).iter().map(letter));
        }
        letters
    }
}
