//! A palette that grows with the colours of a film, within what GIF can hold.
//!
//! Pictures here are flat: a few exact colours cover almost everything, and anti-aliased edges
//! hold mixtures of them. Frequent colours get an entry of their own; a rare one borrows an entry
//! that looks the same, or gets its own while there is room.

use std::collections::{BTreeMap, HashMap};

/// Entry that means "as in the frame before".
pub(super) const TRANSPARENT: u8 = 0;
/// Entries of a palette, the transparent one included.
const ENTRIES: usize = 256;
/// Pixels in one frame from which a colour deserves an exact entry.
const FREQUENT: u32 = 48;
/// Entries that frequent colours may take before they too must borrow.
const EXACT_ENTRIES: usize = 160;
/// Distance up to which a rare colour borrows an entry although there is room.
const SAME_LOOK: u32 = 7;
/// Distance up to which a colour borrows when the palette is full.
const CLOSE: u32 = 26;
/// Known colours kept before the table starts anew.
const KNOWN_LIMIT: usize = 1 << 16;

pub(super) type Rgb = [u8; 3];

/// Colours with their indices.
#[derive(Debug)]
pub(super) struct Palette {
    entries: Vec<Rgb>,
    known: HashMap<Rgb, u8>,
}

impl Palette {
    /// A palette with nothing but the transparent entry.
    pub(super) fn new() -> Self {
        Self {
            entries: vec![[0; 3]],
            known: HashMap::new(),
        }
    }

    /// A palette for one frame of too many colours: neighbours in colour space share an entry,
    /// their mean, in the finest division that fits.
    pub(super) fn coarse(counts: &HashMap<Rgb, u32>) -> Self {
        // Six bits in all (64 boxes) always fit.
        for bits in (2..8).rev() {
            let mut boxes: BTreeMap<Rgb, [u64; 4]> = BTreeMap::new();
            let cell = |color: &Rgb| color.map(|part| part >> (8 - bits));
            for (color, &count) in counts {
                let sum = boxes.entry(cell(color)).or_default();
                let count = u64::from(count.max(1));
                for (total, &part) in sum.iter_mut().zip(color) {
                    *total += u64::from(part) * count;
                }
                sum[3] += count;
            }
            if boxes.len() < ENTRIES {
                let mut palette = Self::new();
                let mut places = HashMap::new();
                for (place, [r, g, b, count]) in boxes {
                    places.insert(place, palette.entries.len() as u8);
                    palette
                        .entries
                        .push([r, g, b].map(|total| (total / count) as u8));
                }
                let known = |color: &Rgb| Some((*color, *places.get(&cell(color))?));
                palette.known = counts.keys().filter_map(known).collect();
                return palette;
            }
        }
        Self::new()
    }

    /// Makes room for a frame's colours and tells whether all of them are shown closely.
    ///
    /// `counts` are pixels by colour; the result depends on them alone, not on their order.
    pub(super) fn admit(&mut self, counts: &HashMap<Rgb, u32>) -> bool {
        let mut new: Vec<(Rgb, u32)> = counts
            .iter()
            .filter(|(color, _)| !self.known.contains_key(*color))
            .map(|(&color, &count)| (color, count))
            .collect();
        new.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        if self.known.len() + new.len() > KNOWN_LIMIT {
            self.known.clear();
        }
        let mut close = true;
        for (color, count) in new {
            let (nearest, distance) = self.nearest(color);
            let exact = count >= FREQUENT && self.entries.len() < EXACT_ENTRIES;
            let borrow = if exact { 0 } else { SAME_LOOK };
            if distance <= borrow {
                self.known.insert(color, nearest);
            } else if self.entries.len() < ENTRIES {
                // Fewer than 256 entries: the index fits.
                self.known.insert(color, self.entries.len() as u8);
                self.entries.push(color);
            } else if distance <= CLOSE {
                self.known.insert(color, nearest);
            } else {
                // Not remembered: the next frame that has it asks again.
                close = false;
            }
        }
        close
    }

    /// The entry that shows a colour best.
    pub(super) fn index(&mut self, color: Rgb) -> u8 {
        if let Some(&index) = self.known.get(&color) {
            return index;
        }
        let (index, _) = self.nearest(color);
        if self.known.len() < KNOWN_LIMIT {
            self.known.insert(color, index);
        }
        index
    }

    /// Nearest entry and its distance; the transparent entry is none.
    fn nearest(&self, color: Rgb) -> (u8, u32) {
        self.entries
            .iter()
            .enumerate()
            .skip(1)
            .map(|(index, &entry)| (index as u8, distance(entry, color)))
            .min_by_key(|&(_, distance)| distance)
            .unwrap_or((TRANSPARENT, u32::MAX))
    }

    /// All 256 entries as red, green, blue; unused ones are black.
    pub(super) fn bytes(&self) -> [u8; 3 * ENTRIES] {
        let mut bytes = [0; 3 * ENTRIES];
        for (cell, entry) in bytes.chunks_exact_mut(3).zip(&self.entries) {
            cell.copy_from_slice(entry);
        }
        bytes
    }
}

/// Largest difference of a part.
fn distance(a: Rgb, b: Rgb) -> u32 {
    a.iter()
        .zip(b)
        .map(|(&a, b)| u32::from(a.abs_diff(b)))
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_colours_are_exact_and_rare_ones_borrow() {
        let mut palette = Palette::new();
        let counts = HashMap::from([
            ([10, 10, 10], 500),
            ([12, 10, 10], 400),
            ([13, 10, 10], 1),
            ([200, 0, 0], 1),
        ]);
        assert!(palette.admit(&counts));
        let bytes = palette.bytes();
        let shown = |index: u8| &bytes[usize::from(index) * 3..][..3];
        let mut of = |color| palette.index(color);
        assert_eq!(shown(of([10, 10, 10])), [10, 10, 10]);
        assert_eq!(shown(of([12, 10, 10])), [12, 10, 10]);
        assert_eq!(shown(of([13, 10, 10])), [12, 10, 10]);
        assert_eq!(shown(of([200, 0, 0])), [200, 0, 0]);
    }

    #[test]
    fn a_full_palette_says_so_and_never_shows_transparent() {
        let mut palette = Palette::new();
        let counts: HashMap<Rgb, u32> = (0..4096_u32)
            .map(|i| {
                let part = |shift: u32| (((i >> shift) & 15) * 17) as u8;
                ([part(8), part(4), part(0)], 1)
            })
            .collect();
        assert!(!palette.admit(&counts));
        let mut coarse = Palette::coarse(&counts);
        let bytes = coarse.bytes();
        for &color in counts.keys() {
            assert_ne!(palette.index(color), TRANSPARENT);
            let shown = usize::from(coarse.index(color)) * 3;
            let shown = [bytes[shown], bytes[shown + 1], bytes[shown + 2]];
            assert!(distance(shown, color) <= 34, "{color:?} as {shown:?}");
        }
    }
}
