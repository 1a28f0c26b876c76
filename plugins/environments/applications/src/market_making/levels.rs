//! Which prices hold orders: one bit a price, so that the next one is found without a look at every price.

/// A set of prices.
#[derive(Clone, Debug)]
pub(super) struct Occupied {
    words: Vec<u64>,
}

impl Occupied {
    /// For prices up to `largest`.
    pub(super) fn new(largest: u32) -> Self {
        Self {
            words: vec![0; largest as usize / 64 + 1],
        }
    }

    pub(super) fn clear(&mut self) {
        self.words.fill(0);
    }

    #[inline(always)]
    pub(super) fn insert(&mut self, price: u32) {
        self.words[price as usize / 64] |= 1 << (price % 64);
    }

    #[inline(always)]
    pub(super) fn remove(&mut self, price: u32) {
        self.words[price as usize / 64] &= !(1 << (price % 64));
    }

    /// The highest price below another.
    #[inline(always)]
    pub(super) fn below(&self, price: u32) -> Option<u32> {
        let last = price as usize / 64;
        let mut word = self.words[last] & ((1 << (price % 64)) - 1);
        let mut at = last;
        while word == 0 {
            at = at.checked_sub(1)?;
            word = self.words[at];
        }
        Some(at as u32 * 64 + 63 - word.leading_zeros())
    }

    /// The lowest price above another.
    #[inline(always)]
    pub(super) fn above(&self, price: u32) -> Option<u32> {
        let mut at = price as usize / 64;
        let mut word = self.words[at] & (!1_u64).unbounded_shl(price % 64);
        while word == 0 {
            at += 1;
            word = *self.words.get(at)?;
        }
        Some(at as u32 * 64 + word.trailing_zeros())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_found_within_and_across_words() {
        let mut set = Occupied::new(300);
        let members = [1, 2, 62, 63, 64, 65, 127, 128, 300];
        members.iter().for_each(|&price| set.insert(price));
        for price in 0..=300 {
            let below = members.iter().copied().rfind(|&x| x < price);
            let above = members.iter().copied().find(|&x| x > price);
            assert_eq!((set.below(price), set.above(price)), (below, above));
        }
        set.remove(63);
        assert_eq!((set.below(64), set.above(62)), (Some(62), Some(64)));
        set.clear();
        assert_eq!((set.below(300), set.above(0)), (None, None));
    }
}
