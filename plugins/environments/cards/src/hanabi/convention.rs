//! A player that never guesses: plays what must fit, names what can be played, discards what is dead or old.
//!
//! The rules, in order, are those of Walton-Rivers et al. ("Evaluating and modelling Hanabi-playing agents", 2017,
//! agent IGGI), with one more hint where nothing may be discarded. It looks at what its player sees and no more.

use super::{
    knowledge::Knowledge,
    position::Position,
    rules::{MOST_KINDS, Move, Rules},
};

/// The choice of whose turn it is.
pub(super) fn choose(rules: &Rules, position: &Position) -> usize {
    let view = View::of(rules, position);
    let moves = [
        view.play(),
        view.helpful_hint(),
        view.discard(),
        view.widest_hint(),
    ];
    // With all tokens there and nothing to name only a play is left: the youngest card.
    let youngest = position.hand(position.player).len().saturating_sub(1);
    let taken = moves
        .into_iter()
        .flatten()
        .find(|&taken| position.is_legal(rules, rules.choice(taken)));
    rules.choice(taken.unwrap_or(Move::Play(youngest)))
}

/// What a player sees.
struct View<'a> {
    rules: &'a Rules,
    position: &'a Position,
    /// Cards of each kind that may be in the player's own hand: those that it does not see.
    unseen: [usize; MOST_KINDS],
}

impl<'a> View<'a> {
    fn of(rules: &'a Rules, position: &'a Position) -> Self {
        let mut unseen = [0; MOST_KINDS];
        for (kind, left) in unseen.iter_mut().enumerate().take(rules.kinds()) {
            let shown = usize::from(rules.rank(kind) < position.firework(rules.color(kind)));
            *left = rules.copies(rules.rank(kind)) - position.discarded(kind) - shown;
        }
        let others = (1..rules.players).map(|o| (position.player + o) % rules.players);
        for kind in others.flat_map(|player| position.hand(player).kinds()) {
            unseen[kind] -= 1;
        }
        Self {
            rules,
            position,
            unseen,
        }
    }

    fn kinds(&self) -> impl Iterator<Item = usize> + use<'_> {
        0..self.rules.kinds()
    }

    /// Whether an own card is certainly of a kind with this property.
    fn certain(&self, known: &Knowledge, is: impl Fn(usize) -> bool) -> bool {
        let mut possible = self
            .kinds()
            .filter(|&kind| known.allows(self.rules, kind) && self.unseen[kind] > 0)
            .peekable();
        possible.peek().is_some() && possible.all(is)
    }

    /// Whether a card can never be played any more: its rank is there, or a lower one is lost.
    fn is_dead(&self, kind: usize) -> bool {
        let (color, rank) = (self.rules.color(kind), self.rules.rank(kind));
        let next = self.position.firework(color);
        let lost = |rank: usize| {
            let kind = self.rules.kind(color, rank);
            self.position.discarded(kind) == self.rules.copies(rank)
        };
        rank < next || (next..rank).any(lost)
    }

    fn own(&self) -> &[Knowledge] {
        self.position.hand(self.position.player).knowledge()
    }

    /// A card that certainly fits.
    fn play(&self) -> Option<Move> {
        let fits = |kind| self.position.fits(self.rules, kind);
        let own = self.own().iter();
        own.into_iter()
            .position(|known| self.certain(known, fits))
            .map(Move::Play)
    }

    /// Names a card that fits and is not known to: best so that its owner knows, else its rank, else its colour.
    fn helpful_hint(&self) -> Option<Move> {
        let mut second_best = None;
        for offset in 1..self.rules.players {
            let hand = self
                .position
                .hand((self.position.player + offset) % self.rules.players);
            for (kind, known) in hand.kinds().zip(hand.knowledge()) {
                if !self.position.fits(self.rules, kind) || self.owner_plays(known) {
                    continue;
                }
                let (color, rank) = (self.rules.color(kind), self.rules.rank(kind));
                let (mut with_color, mut with_rank) = (*known, *known);
                with_color.hear_color(color, true);
                with_rank.hear_rank(rank, true);
                let hints = [
                    (with_rank, known.rank(), Move::Rank { offset, rank }),
                    (with_color, known.color(), Move::Color { offset, color }),
                ];
                for (then, named, hint) in hints {
                    if named.is_none() && self.owner_plays(&then) {
                        return Some(hint);
                    }
                    if named.is_none() && second_best.is_none() {
                        second_best = Some(hint);
                    }
                }
            }
        }
        second_best
    }

    /// Whether somebody else who knows this of a card can be sure that it fits, by what lies on the table.
    fn owner_plays(&self, known: &Knowledge) -> bool {
        let on_table = |kind: usize| {
            let shown = self.rules.rank(kind) < self.position.firework(self.rules.color(kind));
            self.position.discarded(kind) + usize::from(shown)
        };
        self.kinds()
            .filter(|&kind| known.allows(self.rules, kind))
            .filter(|&kind| on_table(kind) < self.rules.copies(self.rules.rank(kind)))
            .all(|kind| self.position.fits(self.rules, kind))
    }

    /// A card that is certainly dead, else the oldest that no hint has named, else the oldest.
    fn discard(&self) -> Option<Move> {
        let dead = |known: &Knowledge| self.certain(known, |kind| self.is_dead(kind));
        let slot = self.own().iter().position(dead);
        let unnamed = || self.own().iter().position(|known| !known.is_named());
        Some(Move::Discard(slot.or_else(unnamed).unwrap_or(0)))
    }

    /// The hint that names most cards.
    fn widest_hint(&self) -> Option<Move> {
        let hints = (2 * self.rules.hand_size..self.rules.choices())
            .filter(|&choice| self.position.is_legal(self.rules, choice))
            .map(|choice| self.rules.meaning(choice));
        hints.max_by_key(|&hint| self.named(hint))
    }

    /// Number of cards that a hint names.
    fn named(&self, hint: Move) -> usize {
        let hand = |offset| {
            let player = (self.position.player + offset) % self.rules.players;
            self.position.hand(player).kinds()
        };
        match hint {
            Move::Color { offset, color } => hand(offset)
                .filter(|&k| self.rules.color(k) == color)
                .count(),
            Move::Rank { offset, rank } => {
                hand(offset).filter(|&k| self.rules.rank(k) == rank).count()
            }
            Move::Play(_) | Move::Discard(_) => 0,
        }
    }
}
