//! Rising bids that end with a challenge.

use super::LiarsDiceConfig;

/// Numbers of things.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) players: usize,
    /// Dice of each player.
    pub(super) dice: usize,
    pub(super) faces: usize,
    /// Whether dice of the highest face count as every face.
    pub(super) wild: bool,
}

impl Rules {
    pub(super) fn of(config: &LiarsDiceConfig) -> Self {
        Self {
            players: config.players,
            dice: config.dice,
            faces: config.faces,
            wild: config.wild,
        }
    }

    /// Number of different bids: every quantity of every face.
    #[inline(always)]
    pub(super) fn bids(&self) -> usize {
        self.players * self.dice * self.faces
    }

    /// The choice that challenges.
    #[inline(always)]
    pub(super) fn challenge(&self) -> usize {
        self.bids()
    }

    /// All bids and the challenge.
    pub(super) fn choices(&self) -> usize {
        self.bids() + 1
    }

    /// Whether a bid counts dice with this face, from 0.
    #[inline(always)]
    pub(super) fn counts(&self, bid: usize, face: usize) -> bool {
        face == bid % self.faces || self.wild && face + 1 == self.faces
    }

    /// `2x5` for a bid, `!` for a challenge.
    pub(super) fn name(&self, choice: usize) -> String {
        if choice == self.challenge() {
            return "!".to_owned();
        }
        format!("{}x{}", choice / self.faces + 1, choice % self.faces + 1)
    }
}

/// The choices so far: which were made tells their order.
#[derive(Clone, Debug)]
pub(super) struct Bidding {
    /// For each choice whether it was made.
    made: Vec<bool>,
    /// The last bid.
    highest: Option<usize>,
    /// Number of choices made.
    moves: usize,
}

impl Bidding {
    pub(super) fn new(rules: &Rules) -> Self {
        Self {
            made: vec![false; rules.choices()],
            highest: None,
            moves: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        self.made.fill(false);
        self.highest = None;
        self.moves = 0;
    }

    #[inline(always)]
    pub(super) fn made(&self) -> &[bool] {
        &self.made
    }

    /// The last bid.
    pub(super) fn highest(&self) -> Option<usize> {
        self.highest
    }

    #[inline(always)]
    pub(super) fn challenged(&self) -> bool {
        self.made[self.made.len() - 1]
    }

    /// Whether a choice is within the rules, as long as nobody has challenged.
    #[inline(always)]
    pub(super) fn is_legal(&self, rules: &Rules, choice: usize) -> bool {
        match self.highest {
            Some(highest) => choice > highest && choice <= rules.challenge(),
            None => choice < rules.challenge(),
        }
    }

    /// Adds a legal choice.
    #[inline(always)]
    pub(super) fn push(&mut self, rules: &Rules, choice: usize) {
        self.made[choice] = true;
        self.moves += 1;
        if choice < rules.challenge() {
            self.highest = Some(choice);
        }
    }

    /// Whose turn it is.
    #[inline(always)]
    pub(super) fn player(&self, rules: &Rules) -> usize {
        self.moves % rules.players
    }

    /// Who made the last bid, after a challenge.
    #[inline(always)]
    pub(super) fn bidder(&self, rules: &Rules) -> usize {
        (self.moves + rules.players - 2) % rules.players
    }

    /// The choices in the order in which they were made.
    pub(super) fn choices(&self) -> Vec<usize> {
        (0..self.made.len()).filter(|&i| self.made[i]).collect()
    }

    /// Winner and loser after a challenge; `showing(face)` dice show a face, counted from 0.
    pub(super) fn ends(
        &self,
        rules: &Rules,
        showing: impl Fn(usize) -> usize,
    ) -> Option<(usize, usize)> {
        let bid = self.highest.filter(|_| self.challenged())?;
        let quantity = bid / rules.faces + 1;
        let counted = (0..rules.faces).filter(|&face| rules.counts(bid, face));
        let bidder = self.bidder(rules);
        let challenger = (bidder + 1) % rules.players;
        Some(if counted.map(showing).sum::<usize>() >= quantity {
            (bidder, challenger)
        } else {
            (challenger, bidder)
        })
    }
}
