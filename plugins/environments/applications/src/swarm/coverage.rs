//! Which points of the arena are sensed: a bit a point, and whole rows of bits at once.

/// Points in a square, in rows.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    /// Points a side.
    side: usize,
    /// Points per unit of length.
    scale: f64,
    /// How far robots sense, in distances between points.
    range: f64,
    /// Words of a row.
    words: usize,
    covered: Vec<u64>,
}

impl Ground {
    pub(super) fn new(side: usize, size: f64, range: f64) -> Self {
        let (scale, words) = (side as f64 / size, side.div_ceil(64));
        Self {
            side,
            scale,
            range: range * scale,
            words,
            covered: vec![0; side * words],
        }
    }

    /// The part of the points within the range of those that work.
    pub(super) fn cover(&mut self, places: &[[f64; 2]], working: &[bool]) -> f64 {
        self.covered.fill(0);
        for (place, _) in places.iter().zip(working).filter(|(_, works)| **works) {
            // Row i lies at i + 1/2.
            let [x, y] = place.map(|x| x * self.scale - 0.5);
            for row in from(y - self.range)..to(y + self.range, self.side) {
                let away = row as f64 - y;
                let half = (self.range * self.range - away * away).max(0.0).sqrt();
                let first = from(x - half);
                let end = to(x + half, self.side);
                if first < end {
                    let words = row * self.words..(row + 1) * self.words;
                    mark(&mut self.covered[words], first, end);
                }
            }
        }
        let count: u32 = self.covered.iter().map(|word| word.count_ones()).sum();
        f64::from(count) / (self.side * self.side) as f64
    }
}

/// The first point that is not before a place.
#[inline(always)]
fn from(place: f64) -> usize {
    let below = place.max(0.0) as usize;
    below + usize::from((below as f64) < place)
}

/// One more than the last point that is not beyond a place.
#[inline(always)]
fn to(place: f64, side: usize) -> usize {
    // Nothing when the place is before the first point: a cast saturates.
    ((place + 1.0) as usize).min(side)
}

/// Sets the bits from `first` up to `end`.
#[inline(always)]
fn mark(words: &mut [u64], first: usize, end: usize) {
    let (left, right) = (first / 64, (end - 1) / 64);
    let from = u64::MAX << (first % 64);
    let to = u64::MAX >> (63 - (end - 1) % 64);
    if left == right {
        words[left] |= from & to;
        return;
    }
    words[left] |= from;
    words[left + 1..right].fill(u64::MAX);
    words[right] |= to;
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::rng::EnvRng;

    use super::*;

    /// Points counted one by one; sides below, at and above a word.
    #[test]
    fn as_many_points_as_a_look_at_each() {
        let mut rng = EnvRng::new(2, 0, 0, 0);
        for (side, size, range) in [
            (1, 3.0, 1.0),
            (20, 10.0, 2.0),
            (64, 8.0, 0.05),
            (150, 10.0, 4.0),
        ] {
            let mut ground = Ground::new(side, size, range);
            for robots in [1, 3, 10] {
                let places: Vec<_> = (0..robots)
                    .map(|_| [rng.range(0.0, size), rng.range(0.0, size)])
                    .collect();
                let mut working = vec![true; robots];
                working[0] = robots == 1;
                let sensed = |point: [f64; 2]| {
                    let near = |place: &[f64; 2]| {
                        super::super::sensing::square(*place, point) <= range * range
                    };
                    places
                        .iter()
                        .zip(&working)
                        .any(|(place, &works)| works && near(place))
                };
                let at = |i: usize| (i as f64 + 0.5) * size / side as f64;
                let count = (0..side * side)
                    .filter(|i| sensed([at(i % side), at(i / side)]))
                    .count();
                let part = count as f64 / (side * side) as f64;
                assert_eq!(ground.cover(&places, &working), part, "{side} {robots}");
            }
        }
    }
}
