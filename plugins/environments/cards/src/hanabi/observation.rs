//! The canonical encoding of the Hanabi Learning Environment: what a player sees, in bits.

use super::{
    position::{Last, Position},
    rules::{Move, Rules},
};

/// Sections of an observation in order, with their widths.
pub(super) fn sections(rules: &Rules) -> Vec<(&'static str, usize)> {
    let Rules {
        players,
        colors,
        ranks,
        hand_size,
        ..
    } = *rules;
    let kinds = rules.kinds();
    let mut sections = vec![
        ("hands", (players - 1) * hand_size * kinds),
        ("missing cards", players),
        ("deck", rules.cards() - rules.dealt()),
        ("fireworks", kinds),
        ("information tokens", rules.information),
        ("life tokens", rules.lives),
        ("discards", rules.cards()),
        (
            "last action",
            2 * players + 4 + colors + ranks + 2 * hand_size + kinds + 2,
        ),
    ];
    if rules.knowledge {
        let knowledge = players * hand_size * (kinds + colors + ranks);
        sections.push(("card knowledge", knowledge));
    }
    // Without a deck or information tokens their sections are empty.
    sections.retain(|&(_, width)| width > 0);
    sections
}

/// Width of an observation.
pub(super) fn width(rules: &Rules) -> usize {
    sections(rules).iter().map(|section| section.1).sum()
}

/// Width of the global state: player 0's hand, its observation, and whose turn it is.
pub(super) fn state_width(rules: &Rules) -> usize {
    rules.hand_size * rules.kinds() + width(rules) + rules.players
}

/// Writes the global state.
#[inline(always)]
pub(super) fn write_state(rules: &Rules, position: &Position, row: &mut [f32]) {
    let mut bits = Bits::new(row);
    write_hand(rules, position, 0, &mut bits);
    write_all(rules, position, 0, &mut bits);
    bits.one_hot(Some(position.player), rules.players);
}

/// Writes what a player sees.
#[inline(always)]
pub(super) fn write(rules: &Rules, position: &Position, observer: usize, row: &mut [f32]) {
    write_all(rules, position, observer, &mut Bits::new(row));
}

/// A row of zeros that is filled from the left.
struct Bits<'a> {
    row: &'a mut [f32],
    at: usize,
}

impl<'a> Bits<'a> {
    #[inline(always)]
    fn new(row: &'a mut [f32]) -> Self {
        row.fill(0.0);
        Self { row, at: 0 }
    }

    #[inline(always)]
    fn skip(&mut self, width: usize) {
        self.at += width;
    }

    /// One of `width` bits, or none.
    #[inline(always)]
    fn one_hot(&mut self, bit: Option<usize>, width: usize) {
        if let Some(bit) = bit {
            self.row[self.at + bit] = 1.0;
        }
        self.at += width;
    }

    /// The first `count` of `width` bits.
    #[inline(always)]
    fn thermometer(&mut self, count: usize, width: usize) {
        self.row[self.at..self.at + count].fill(1.0);
        self.at += width;
    }

    /// The next bit.
    #[inline(always)]
    fn flag(&mut self, is: bool) {
        self.row[self.at] = f32::from(u8::from(is));
        self.at += 1;
    }
}

#[inline(always)]
fn write_all(rules: &Rules, position: &Position, observer: usize, bits: &mut Bits<'_>) {
    let seats = |offset: usize| (observer + offset) % rules.players;
    for offset in 1..rules.players {
        write_hand(rules, position, seats(offset), bits);
    }
    for offset in 0..rules.players {
        bits.flag(position.hand(seats(offset)).len() < rules.hand_size);
    }
    write_board(rules, position, bits);
    for kind in 0..rules.kinds() {
        bits.thermometer(position.discarded(kind), rules.copies(rules.rank(kind)));
    }
    write_last(rules, position.last.as_ref(), observer, bits);
    if rules.knowledge {
        for offset in 0..rules.players {
            write_knowledge(rules, position, seats(offset), bits);
        }
    }
}

/// One card of a hand after the other, one-hot.
#[inline(always)]
fn write_hand(rules: &Rules, position: &Position, player: usize, bits: &mut Bits<'_>) {
    let hand = position.hand(player);
    hand.kinds()
        .for_each(|kind| bits.one_hot(Some(kind), rules.kinds()));
    bits.skip((rules.hand_size - hand.len()) * rules.kinds());
}

#[inline(always)]
fn write_board(rules: &Rules, position: &Position, bits: &mut Bits<'_>) {
    bits.thermometer(position.undealt(rules), rules.cards() - rules.dealt());
    for color in 0..rules.colors {
        bits.one_hot(position.firework(color).checked_sub(1), rules.ranks);
    }
    bits.thermometer(position.information, rules.information);
    bits.thermometer(position.lives, rules.lives);
}

/// Who did what, counted from the observer; zeros before the first move.
#[inline(always)]
fn write_last(rules: &Rules, last: Option<&Last>, observer: usize, bits: &mut Bits<'_>) {
    let players = rules.players;
    let (kinds, hand_size) = (rules.kinds(), rules.hand_size);
    let Some(last) = last else {
        return bits.skip(2 * players + 4 + rules.colors + rules.ranks + 2 * hand_size + kinds + 2);
    };
    let mover = (last.player + players - observer) % players;
    let seat = |offset: usize| Some((mover + offset) % players);
    let (kind_of_move, target, color, rank, slot) = match last.taken {
        Move::Play(slot) => (0, None, None, None, Some(slot)),
        Move::Discard(slot) => (1, None, None, None, Some(slot)),
        Move::Color { offset, color } => (2, seat(offset), Some(color), None, None),
        Move::Rank { offset, rank } => (3, seat(offset), None, Some(rank), None),
    };
    bits.one_hot(Some(mover), players);
    bits.one_hot(Some(kind_of_move), 4);
    bits.one_hot(target, players);
    bits.one_hot(color, rules.colors);
    bits.one_hot(rank, rules.ranks);
    (0..hand_size).for_each(|slot| bits.flag(last.named >> slot & 1 == 1));
    bits.one_hot(slot, hand_size);
    bits.one_hot(slot.map(|_| last.kind), kinds);
    bits.flag(last.scored);
    // Of a discard everybody knows that it brings a token.
    bits.flag(last.scored && last.token);
}

/// For each card the kinds that hints leave, and the colour and rank that were named.
#[inline(always)]
fn write_knowledge(rules: &Rules, position: &Position, player: usize, bits: &mut Bits<'_>) {
    let hand = position.hand(player);
    for known in hand.knowledge() {
        for color in 0..rules.colors {
            for rank in 0..rules.ranks {
                bits.flag(known.allows_color(color) && known.allows_rank(rank));
            }
        }
        bits.one_hot(known.color(), rules.colors);
        bits.one_hot(known.rank(), rules.ranks);
    }
    let missing = rules.hand_size - hand.len();
    bits.skip(missing * (rules.kinds() + rules.colors + rules.ranks));
}
