//! Where all cards and tokens are, and how a move changes it.

use super::{
    Loss,
    knowledge::Knowledge,
    rules::{MOST_CARDS, MOST_COLORS, MOST_HAND, MOST_KINDS, MOST_PLAYERS, Move, Rules},
};

/// The cards of a player, the oldest first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hand {
    kinds: [u8; MOST_HAND],
    knowledge: [Knowledge; MOST_HAND],
    len: usize,
}

impl Hand {
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub(super) fn kind(&self, slot: usize) -> usize {
        usize::from(self.kinds[slot])
    }

    #[inline(always)]
    pub(super) fn kinds(&self) -> impl Iterator<Item = usize> + '_ {
        self.kinds[..self.len].iter().map(|&kind| usize::from(kind))
    }

    #[inline(always)]
    pub(super) fn knowledge(&self) -> &[Knowledge] {
        &self.knowledge[..self.len]
    }

    #[inline(always)]
    fn draw(&mut self, kind: u8, knowledge: Knowledge) {
        self.kinds[self.len] = kind;
        self.knowledge[self.len] = knowledge;
        self.len += 1;
    }

    /// Takes a card out; younger ones move up.
    #[inline(always)]
    fn take(&mut self, slot: usize) -> usize {
        let kind = self.kind(slot);
        self.kinds.copy_within(slot + 1..self.len, slot);
        self.knowledge.copy_within(slot + 1..self.len, slot);
        self.len -= 1;
        kind
    }
}

/// The last move and what it brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) player: usize,
    pub(super) taken: Move,
    /// Kind of the card that was played or discarded.
    pub(super) kind: usize,
    /// Bit s: the hint named the card in slot s.
    pub(super) named: u8,
    /// The card fitted onto its firework.
    pub(super) scored: bool,
    /// An information token came back.
    pub(super) token: bool,
}

/// How a game ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The last life token is lost.
    LivesLost,
    /// All fireworks are complete.
    Complete,
    /// Everybody had a turn after the last card was drawn.
    DeckEmpty,
}

/// The table.
#[derive(Clone, Debug)]
pub(super) struct Position {
    /// All cards, in the order in which they are dealt.
    deck: [u8; MOST_CARDS],
    /// Number of cards that have been dealt.
    dealt: usize,
    hands: [Hand; MOST_PLAYERS],
    /// Cards on the firework of each colour.
    fireworks: [usize; MOST_COLORS],
    /// Discarded cards of each kind.
    discarded: [usize; MOST_KINDS],
    pub(super) information: usize,
    pub(super) lives: usize,
    /// Whose turn it is.
    pub(super) player: usize,
    /// Turns until the end once the deck is empty.
    turns_left: usize,
    pub(super) last: Option<Last>,
}

impl Position {
    /// A table before cards are dealt.
    pub(super) fn new(rules: &Rules) -> Self {
        let mut position = Self {
            deck: [0; MOST_CARDS],
            dealt: 0,
            hands: [Hand::default(); MOST_PLAYERS],
            fireworks: [0; MOST_COLORS],
            discarded: [0; MOST_KINDS],
            information: 0,
            lives: 0,
            player: 0,
            turns_left: 0,
            last: None,
        };
        let kinds = (0..rules.kinds())
            .flat_map(|kind| std::iter::repeat_n(kind as u8, rules.copies(rules.rank(kind))));
        for (to, kind) in position.deck.iter_mut().zip(kinds) {
            *to = kind;
        }
        position.begin(rules, 0);
        position
    }

    /// The cards in the order in which they are dealt.
    pub(super) fn deck(&self, rules: &Rules) -> &[u8] {
        &self.deck[..rules.cards()]
    }

    pub(super) fn deck_mut(&mut self, rules: &Rules) -> &mut [u8] {
        &mut self.deck[..rules.cards()]
    }

    /// Deals the first hands from the deck, player by player, and puts all tokens back.
    pub(super) fn begin(&mut self, rules: &Rules, first_player: usize) {
        self.dealt = 0;
        self.hands = [Hand::default(); MOST_PLAYERS];
        self.fireworks = [0; MOST_COLORS];
        self.discarded = [0; MOST_KINDS];
        self.information = rules.information;
        self.lives = rules.lives;
        self.player = first_player;
        self.turns_left = rules.players;
        self.last = None;
        for player in 0..rules.players {
            (0..rules.hand_size).for_each(|_| self.draw(rules, player));
        }
    }

    #[inline(always)]
    fn draw(&mut self, rules: &Rules, player: usize) {
        if self.dealt < rules.cards() {
            self.hands[player].draw(self.deck[self.dealt], Knowledge::nothing(rules));
            self.dealt += 1;
        }
    }

    #[inline(always)]
    pub(super) fn hand(&self, player: usize) -> &Hand {
        &self.hands[player]
    }

    #[inline(always)]
    pub(super) fn firework(&self, color: usize) -> usize {
        self.fireworks[color]
    }

    #[inline(always)]
    pub(super) fn discarded(&self, kind: usize) -> usize {
        self.discarded[kind]
    }

    /// Cards that nobody has drawn.
    #[inline(always)]
    pub(super) fn undealt(&self, rules: &Rules) -> usize {
        rules.cards() - self.dealt
    }

    /// Whether a card fits onto its firework.
    #[inline(always)]
    pub(super) fn fits(&self, rules: &Rules, kind: usize) -> bool {
        self.fireworks[rules.color(kind)] == rules.rank(kind)
    }

    /// Whether a choice is within the rules.
    #[inline(always)]
    pub(super) fn is_legal(&self, rules: &Rules, choice: usize) -> bool {
        let others = |offset: usize| &self.hands[(self.player + offset) % rules.players];
        match rules.meaning(choice) {
            Move::Discard(slot) => {
                self.information < rules.information && slot < self.hands[self.player].len
            }
            Move::Play(slot) => slot < self.hands[self.player].len,
            Move::Color { offset, color } => {
                self.information > 0 && others(offset).kinds().any(|k| rules.color(k) == color)
            }
            Move::Rank { offset, rank } => {
                self.information > 0 && others(offset).kinds().any(|k| rules.rank(k) == rank)
            }
        }
    }

    /// Makes a legal move of whose turn it is, and passes the turn on.
    #[inline(always)]
    pub(super) fn play(&mut self, rules: &Rules, choice: usize) -> Last {
        let (player, taken) = (self.player, rules.meaning(choice));
        if self.undealt(rules) == 0 {
            self.turns_left = self.turns_left.saturating_sub(1);
        }
        let mut last = Last {
            player,
            taken,
            kind: 0,
            named: 0,
            scored: false,
            token: false,
        };
        match taken {
            Move::Discard(slot) => {
                last.kind = self.hands[player].take(slot);
                self.discarded[last.kind] += 1;
                last.token = self.give_token(rules);
                self.draw(rules, player);
            }
            Move::Play(slot) => {
                last.kind = self.hands[player].take(slot);
                last.scored = self.fits(rules, last.kind);
                if last.scored {
                    let firework = &mut self.fireworks[rules.color(last.kind)];
                    *firework += 1;
                    last.token = *firework == rules.ranks && self.give_token(rules);
                } else {
                    self.discarded[last.kind] += 1;
                    self.lives -= 1;
                }
                self.draw(rules, player);
            }
            Move::Color { offset, color } => {
                last.named = self.hint(rules, offset, |card, knowledge| {
                    let is = rules.color(card) == color;
                    knowledge.hear_color(color, is);
                    is
                });
            }
            Move::Rank { offset, rank } => {
                last.named = self.hint(rules, offset, |card, knowledge| {
                    let is = rules.rank(card) == rank;
                    knowledge.hear_rank(rank, is);
                    is
                });
            }
        }
        self.player = (player + 1) % rules.players;
        self.last = Some(last);
        last
    }

    /// Spends a token and tells of every card of a hand whether it is named; which are.
    #[inline(always)]
    fn hint(
        &mut self,
        rules: &Rules,
        offset: usize,
        hear: impl Fn(usize, &mut Knowledge) -> bool,
    ) -> u8 {
        self.information -= 1;
        let hand = &mut self.hands[(self.player + offset) % rules.players];
        let cards = hand.kinds.iter().zip(&mut hand.knowledge).take(hand.len);
        let named = cards.map(|(&kind, knowledge)| hear(usize::from(kind), knowledge));
        named
            .enumerate()
            .fold(0, |bits, (slot, is)| bits | u8::from(is) << slot)
    }

    #[inline(always)]
    fn give_token(&mut self, rules: &Rules) -> bool {
        let missing = self.information < rules.information;
        self.information += usize::from(missing);
        missing
    }

    /// Cards on all fireworks.
    #[inline(always)]
    pub(super) fn stacked(&self) -> usize {
        self.fireworks.iter().sum()
    }

    /// What the game is worth if it ends here.
    #[inline(always)]
    pub(super) fn score(&self, rules: &Rules) -> usize {
        if self.lives == 0 && rules.loss == Loss::Zero {
            return 0;
        }
        self.stacked()
    }

    #[inline(always)]
    pub(super) fn end(&self, rules: &Rules) -> Option<End> {
        if self.lives == 0 {
            Some(End::LivesLost)
        } else if self.stacked() == rules.kinds() {
            Some(End::Complete)
        } else {
            (self.turns_left == 0).then_some(End::DeckEmpty)
        }
    }
}
