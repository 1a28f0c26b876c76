//! Partial sight: an agent sees the nearest of what there is, nearest first, and zeros where there is less.
//!
//! So observations keep their width whatever the number of agents (MPE2's `num_agent_neighbors` and
//! `num_landmark_neighbors`).

use crate::{
    features::Features,
    world::{Pair, relative, squared_distance},
};

/// Places as seen from `own`: all in their order or, with a limit, the nearest.
#[inline(always)]
pub fn push_places<'a, const L: usize>(
    limit: Option<usize>,
    own: Pair<'a, L>,
    places: impl Iterator<Item = Pair<'a, L>> + Clone,
    out: &mut Features<'_, L>,
) {
    match limit {
        // A loop and no `for_each`, whose closure is compiled apart and for the oldest machines.
        None => {
            for place in places {
                out.push_relative(place, own);
            }
        }
        Some(count) => {
            let seen = places.map(|place| (place, relative(place, own)));
            push_nearest(count, own, seen, out);
        }
    }
}

/// Two numbers about each of the `count` things that are nearest to `own`: things are a place and what is written
/// about it. Of equally near ones the first comes first.
#[inline(always)]
pub fn push_nearest<'a, const L: usize>(
    count: usize,
    own: Pair<'_, L>,
    things: impl Iterator<Item = (Pair<'a, L>, [[f64; L]; 2])> + Clone,
    out: &mut Features<'_, L>,
) {
    // The squared distance and the index of what each lane wrote last.
    let (mut written, mut last) = ([-1.0; L], [0; L]);
    for _ in 0..count {
        let (mut least, mut next) = ([f64::INFINITY; L], [0; L]);
        let mut value = [[0.0; L]; 2];
        for (index, (place, shown)) in things.clone().enumerate() {
            let squared = squared_distance(place, own);
            for lane in 0..L {
                let apart = squared[lane];
                let later = apart > written[lane] || apart == written[lane] && index > last[lane];
                if later && apart < least[lane] {
                    (least[lane], next[lane]) = (apart, index);
                    (value[0][lane], value[1][lane]) = (shown[0][lane], shown[1][lane]);
                }
            }
        }
        (written, last) = (least, next);
        out.push(&value[0]);
        out.push(&value[1]);
    }
}

#[cfg(test)]
mod tests {
    use super::push_places;
    use crate::features::Features;

    fn seen(limit: Option<usize>, xs: &[f64]) -> Vec<f32> {
        let (own, zero) = ([0.5], [0.0]);
        let places: Vec<[f64; 1]> = xs.iter().map(|&x| [x]).collect();
        let mut columns = vec![[9.0; 1]; 2 * limit.unwrap_or(xs.len())];
        let mut out = Features::new(&mut columns);
        push_places(
            limit,
            [&own, &zero],
            places.iter().map(|x| [x, &zero]),
            &mut out,
        );
        assert_eq!(out.written(), columns.len());
        columns.iter().step_by(2).map(|x| x[0]).collect()
    }

    #[test]
    fn the_nearest_come_first_and_zeros_fill_up() {
        let places = [3.5, 0.25, 1.5, -1.5];
        assert_eq!(seen(None, &places), [3.0, -0.25, 1.0, -2.0]);
        assert_eq!(seen(Some(3), &places), [-0.25, 1.0, -2.0]);
        assert_eq!(seen(Some(6), &places), [-0.25, 1.0, -2.0, 3.0, 0.0, 0.0]);
    }

    #[test]
    fn equally_near_things_are_all_seen() {
        assert_eq!(seen(Some(3), &[1.0, 0.0, 1.0]), [0.5, -0.5, 0.5]);
    }
}
