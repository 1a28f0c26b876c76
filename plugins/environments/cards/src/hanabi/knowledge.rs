//! What all players know of a card from hints, those included that did not name it.

use super::rules::Rules;

/// What hints say of one card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Knowledge {
    /// Bit c: the card may have colour c.
    colors: u8,
    /// Bit r: the card may have rank r.
    ranks: u8,
    /// A hint has named the colour.
    color_named: bool,
    /// A hint has named the rank.
    rank_named: bool,
}

impl Knowledge {
    /// Nothing is known of a card that was just drawn.
    #[inline(always)]
    pub(super) fn nothing(rules: &Rules) -> Self {
        Self {
            colors: (1 << rules.colors) - 1,
            ranks: (1 << rules.ranks) - 1,
            ..Self::default()
        }
    }

    /// A hint named all cards of a colour, and this card is one of them or is not.
    #[inline(always)]
    pub(super) fn hear_color(&mut self, color: usize, is: bool) {
        if is {
            self.colors = 1 << color;
            self.color_named = true;
        } else {
            self.colors &= !(1 << color);
        }
    }

    /// A hint named all cards of a rank, and this card is one of them or is not.
    #[inline(always)]
    pub(super) fn hear_rank(&mut self, rank: usize, is: bool) {
        if is {
            self.ranks = 1 << rank;
            self.rank_named = true;
        } else {
            self.ranks &= !(1 << rank);
        }
    }

    #[inline(always)]
    pub(super) fn allows_color(&self, color: usize) -> bool {
        self.colors >> color & 1 == 1
    }

    #[inline(always)]
    pub(super) fn allows_rank(&self, rank: usize) -> bool {
        self.ranks >> rank & 1 == 1
    }

    /// Whether the card may be of this kind.
    #[inline(always)]
    pub(super) fn allows(&self, rules: &Rules, kind: usize) -> bool {
        self.allows_color(rules.color(kind)) && self.allows_rank(rules.rank(kind))
    }

    /// The colour, if a hint has named it. What follows by exclusion was not named.
    #[inline(always)]
    pub(super) fn color(&self) -> Option<usize> {
        self.color_named
            .then_some(self.colors.trailing_zeros() as usize)
    }

    /// The rank, if a hint has named it.
    #[inline(always)]
    pub(super) fn rank(&self) -> Option<usize> {
        self.rank_named
            .then_some(self.ranks.trailing_zeros() as usize)
    }

    /// Whether a hint has named the card.
    pub(super) fn is_named(&self) -> bool {
        self.color_named || self.rank_named
    }

    /// `R1`, with `?` for what was not named.
    pub(super) fn text(&self, rules: &Rules) -> String {
        let color = self.color().map_or('?', |color| rules.letter(color));
        let rank = self
            .rank()
            .map_or("?".to_owned(), |rank| (rank + 1).to_string());
        format!("{color}{rank}")
    }
}
