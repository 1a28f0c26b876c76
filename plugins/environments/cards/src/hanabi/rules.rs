//! Numbers of cards, tokens and choices, and what a choice means.

use palaestra_plugin_api::prelude::*;

use super::{HanabiConfig, Loss, Variant};

/// Most of everything that has a fixed place.
pub(super) const MOST_PLAYERS: usize = 5;
pub(super) const MOST_COLORS: usize = 5;
pub(super) const MOST_KINDS: usize = 25;
pub(super) const MOST_CARDS: usize = 50;
pub(super) const MOST_HAND: usize = 8;
/// Letters of the colours: red, yellow, green, white, blue.
const COLORS: [char; MOST_COLORS] = ['R', 'Y', 'G', 'W', 'B'];

/// Numbers of things. A *kind* of card is colour · ranks + rank; ranks count from 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) players: usize,
    pub(super) colors: usize,
    pub(super) ranks: usize,
    pub(super) hand_size: usize,
    /// Information tokens, at most and at first.
    pub(super) information: usize,
    /// Life tokens at first.
    pub(super) lives: usize,
    pub(super) loss: Loss,
    /// Whether observations include what is known of every card.
    pub(super) knowledge: bool,
}

/// What a player does in its turn; players are counted from the one who moves, cards of a hand from the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Discards a card.
    Discard(usize),
    /// Plays a card.
    Play(usize),
    /// Names all cards of a colour in the hand of the player `offset` seats on.
    Color { offset: usize, color: usize },
    /// Names all cards of a rank in the hand of the player `offset` seats on.
    Rank { offset: usize, rank: usize },
}

impl Rules {
    /// Rules of settings that fit together.
    pub(super) fn of(config: &HanabiConfig) -> Result<Self> {
        let (colors, hand_size, information, lives) = match config.variant {
            Variant::Full => (5, if config.players < 4 { 5 } else { 4 }, 8, 3),
            Variant::Small => (2, 2, 3, 1),
            Variant::VerySmall => (1, 2, 3, 1),
        };
        let rules = Self {
            players: config.players,
            colors: config.colors.unwrap_or(colors),
            ranks: config.ranks.unwrap_or(5),
            hand_size: config.hand_size.unwrap_or(hand_size),
            information: config.max_information_tokens.unwrap_or(information),
            lives: config.max_life_tokens.unwrap_or(lives),
            loss: config.loss,
            knowledge: config.card_knowledge,
        };
        for (name, value, low, high) in [
            ("colors", rules.colors, 1, MOST_COLORS),
            ("ranks", rules.ranks, 1, MOST_KINDS / MOST_COLORS),
            ("hand_size", rules.hand_size, 1, MOST_HAND),
            ("max_information_tokens", rules.information, 0, MOST_CARDS),
            ("max_life_tokens", rules.lives, 1, MOST_CARDS),
        ] {
            if !(low..=high).contains(&value) {
                return Err(Error::config(format!(
                    "config /{name}: expected {low} to {high}, found {value}"
                )));
            }
        }
        if rules.dealt() > rules.cards() {
            return Err(Error::config(format!(
                "config /hand_size: expected hands out of {} cards, found {} players with {}",
                rules.cards(),
                rules.players,
                rules.hand_size
            )));
        }
        Ok(rules)
    }

    /// Number of different cards, and the best score.
    #[inline(always)]
    pub(super) fn kinds(&self) -> usize {
        self.colors * self.ranks
    }

    #[inline(always)]
    pub(super) fn kind(&self, color: usize, rank: usize) -> usize {
        color * self.ranks + rank
    }

    #[inline(always)]
    pub(super) fn color(&self, kind: usize) -> usize {
        kind / self.ranks
    }

    #[inline(always)]
    pub(super) fn rank(&self, kind: usize) -> usize {
        kind % self.ranks
    }

    /// Cards of each colour that have this rank: three of the first, one of the last, two of the others.
    #[inline(always)]
    pub(super) fn copies(&self, rank: usize) -> usize {
        match rank {
            0 => 3,
            rank if rank + 1 == self.ranks => 1,
            _ => 2,
        }
    }

    /// Cards of the deck.
    pub(super) fn cards(&self) -> usize {
        self.colors * (0..self.ranks).map(|rank| self.copies(rank)).sum::<usize>()
    }

    /// Cards in all hands at first.
    pub(super) fn dealt(&self) -> usize {
        self.players * self.hand_size
    }

    /// Longest game: every card but those of the first hands is drawn after a play or discard, everybody has a last
    /// turn, and every hint takes a token that was there or that a discard or a complete colour gave back.
    pub(super) fn longest(&self) -> usize {
        let moved = self.cards() - self.dealt() + self.players;
        2 * moved + self.information + self.colors
    }

    /// Number of choices.
    pub(super) fn choices(&self) -> usize {
        2 * self.hand_size + (self.players - 1) * (self.colors + self.ranks)
    }

    /// What a choice means: discards, plays, colours player by player, ranks player by player.
    #[inline(always)]
    pub(super) fn meaning(&self, choice: usize) -> Move {
        let Self {
            players,
            colors,
            ranks,
            hand_size,
            ..
        } = *self;
        if choice < hand_size {
            return Move::Discard(choice);
        }
        if choice < 2 * hand_size {
            return Move::Play(choice - hand_size);
        }
        let hint = choice - 2 * hand_size;
        if hint < (players - 1) * colors {
            return Move::Color {
                offset: 1 + hint / colors,
                color: hint % colors,
            };
        }
        let hint = hint - (players - 1) * colors;
        Move::Rank {
            offset: 1 + hint / ranks,
            rank: hint % ranks,
        }
    }

    /// The choice that means this: the inverse of [`meaning`](Self::meaning).
    pub(super) fn choice(&self, taken: Move) -> usize {
        let hints = 2 * self.hand_size;
        match taken {
            Move::Discard(slot) => slot,
            Move::Play(slot) => self.hand_size + slot,
            Move::Color { offset, color } => hints + (offset - 1) * self.colors + color,
            Move::Rank { offset, rank } => {
                hints + (self.players - 1) * self.colors + (offset - 1) * self.ranks + rank
            }
        }
    }

    /// `R1` to `B5`.
    pub(super) fn name(&self, kind: usize) -> String {
        format!("{}{}", self.letter(self.color(kind)), self.rank(kind) + 1)
    }

    pub(super) fn letter(&self, color: usize) -> char {
        COLORS[color]
    }

    /// The kind with this name.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        (0..self.kinds()).find(|&kind| self.name(kind) == name)
    }
}
