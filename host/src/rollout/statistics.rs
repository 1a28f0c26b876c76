//! Episode statistics: returns per agent, group and in total, lengths and named metrics.
//!
//! Every instance keeps sums of its own, updated in the order of its episodes and merged in the order of the
//! instances: threads and shards change no bit.

use std::ops::Range;

use palaestra_plugin_api::Result;
use serde_json::{Value, json};

use super::{Columns, Moments};
use crate::exact;

/// Sums over the episodes of every instance of a shard.
///
/// They are of deviations from each column's first value (Chan, Golub and LeVeque, 1983): no number of an episode costs a
/// division, and whole numbers stay exact. That value is one of the summed, so the squares are at most n times what is
/// left of them: the mean and spread of a million episodes keep eight digits at the worst.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    columns: Columns,
    /// Episodes of each instance.
    counts: Vec<u64>,
    /// The first episode of each instance, `[instances, stride]`, and so on.
    first: Vec<f64>,
    /// Σ (x - first).
    sums: Vec<f64>,
    /// Σ (x - first)².
    squares: Vec<f64>,
}

impl Statistics {
    /// No episodes yet.
    pub fn new(columns: Columns, instances: usize) -> Self {
        let zeros = vec![0.0; instances * columns.stride()];
        Self {
            columns,
            counts: vec![0; instances],
            first: zeros.clone(),
            sums: zeros.clone(),
            squares: zeros,
        }
    }

    /// The columns.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Adds an episode of an instance: a row of [`Columns::stride`] numbers.
    #[inline]
    pub fn push(&mut self, instance: usize, row: &[f64]) {
        let at = self.row(instance);
        let first = &mut self.first[at.clone()];
        if self.counts[instance] == 0 {
            first.copy_from_slice(row);
        }
        self.counts[instance] += 1;
        // Pairs, for the two lanes that every x86-64 has.
        let values = row.as_chunks::<2>().0.iter().zip(first.as_chunks::<2>().0);
        let sums = self.sums[at.clone()].as_chunks_mut::<2>().0;
        let squares = self.squares[at].as_chunks_mut::<2>().0;
        for ((value, first), (sum, square)) in values.zip(sums.iter_mut().zip(squares)) {
            // All is read before anything is written, or the compiler takes the lanes one by one.
            let deviation = [value[0] - first[0], value[1] - first[1]];
            let added = [sum[0] + deviation[0], sum[1] + deviation[1]];
            let squared = [
                square[0] + deviation[0] * deviation[0],
                square[1] + deviation[1] * deviation[1],
            ];
            (*sum, *square) = (added, squared);
        }
    }

    /// Adds all instances, in their order, to the first instance of `target`.
    pub fn merge_into(&self, target: &mut Self) {
        let stride = self.columns.stride();
        for (instance, &count) in self.counts.iter().enumerate() {
            if count == 0 {
                continue;
            }
            let from = self.row(instance);
            if target.counts[0] == 0 {
                target.first[..stride].copy_from_slice(&self.first[from.clone()]);
            }
            target.counts[0] += count;
            let n = count as f64;
            for (to, from) in from.enumerate() {
                // Σ (x - a + d) and Σ (x - a + d)², with d from one first value to the other.
                let (sum, shift) = (self.sums[from], self.first[from] - target.first[to]);
                target.sums[to] += sum + n * shift;
                target.squares[to] += self.squares[from] + shift * (2.0 * sum + n * shift);
            }
        }
    }

    /// Moments of a column of the first instance: of all, in merged statistics.
    pub fn column(&self, column: usize) -> Moments {
        let (count, n) = (self.counts[0], self.counts[0].max(1) as f64);
        let (sum, squares) = (self.sums[column], self.squares[column]);
        Moments {
            count,
            mean: self.first[column] + sum / n,
            deviations: (squares - sum * sum / n).max(0.0),
        }
    }

    /// Episodes of the first instance: of all, in merged statistics.
    pub fn episodes(&self) -> u64 {
        self.counts[0]
    }

    /// Forgets all episodes.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        self.sums.fill(0.0);
        self.squares.fill(0.0);
    }

    /// The sums of an instance, exactly.
    pub(crate) fn save(&self, instance: usize) -> Value {
        let at = self.row(instance);
        json!({
            "count": exact::save(&self.counts[instance..=instance]),
            "first": exact::save(&self.first[at.clone()]),
            "sums": exact::save(&self.sums[at.clone()]),
            "squares": exact::save(&self.squares[at]),
        })
    }

    /// Takes what [`save`](Self::save) gave as the sums of an instance.
    pub(crate) fn load(&mut self, instance: usize, saved: &Value) -> Result<()> {
        let at = self.row(instance);
        exact::load(saved, "count", &mut self.counts[instance..=instance])?;
        exact::load(saved, "first", &mut self.first[at.clone()])?;
        exact::load(saved, "sums", &mut self.sums[at.clone()])?;
        exact::load(saved, "squares", &mut self.squares[at])
    }

    fn row(&self, instance: usize) -> Range<usize> {
        let stride = self.columns.stride();
        instance * stride..(instance + 1) * stride
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::spec::{EnvironmentSpec, Space};

    use super::*;

    fn columns(agents: usize) -> Columns {
        Columns::new(&EnvironmentSpec::new(
            "g",
            agents,
            Space::real(1),
            Space::discrete(2),
        ))
    }

    #[test]
    fn shards_change_no_bit_of_merged_statistics() {
        let columns = columns(2);
        let row = |i: usize, e: usize| {
            [
                0.1 * i as f64,
                0.3 * e as f64,
                0.7 * (i * e) as f64,
                e as f64,
            ]
        };
        let merged = |ends: &[usize]| {
            let mut all = Statistics::new(columns.clone(), 1);
            let starts = [0].iter().chain(ends);
            for cut in starts.zip(ends).map(|(&start, &end)| start..end) {
                let mut shard = Statistics::new(columns.clone(), cut.len());
                // Episodes of different instances end in any order; those of one in theirs.
                for e in 0..5 {
                    cut.clone()
                        .for_each(|i| shard.push(i - cut.start, &row(i, e)));
                }
                shard.merge_into(&mut all);
            }
            all
        };
        assert_eq!(merged(&[10]), merged(&[3, 4, 10]));
        assert_eq!(merged(&[10]).episodes(), 50);
    }

    #[test]
    fn statistics_are_the_moments_of_all_episodes_golden() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        let mut shard = Statistics::new(columns(1), 2);
        for (i, &value) in values.iter().enumerate() {
            shard.push(i % 2, &[value, 1e9 - value]);
        }
        let mut all = Statistics::new(columns(1), 1);
        shard.merge_into(&mut all);
        let exact = Moments {
            count: 8,
            mean: 5.0,
            deviations: 32.0,
        };
        assert_eq!(all.column(0), exact);
        let mirrored = Moments {
            mean: 1e9 - 5.0,
            ..exact
        };
        assert_eq!(all.column(1), mirrored);
    }

    #[test]
    fn a_first_episode_unlike_all_others_spoils_nothing() {
        let values: Vec<f64> = (0..1000)
            .map(|i| {
                if i == 0 {
                    1e8
                } else {
                    3.0 + 0.001 * f64::from(i % 10)
                }
            })
            .collect();
        let mut one = Statistics::new(columns(1), 1);
        values.iter().for_each(|&value| one.push(0, &[value, 1.0]));
        let (found, expected) = (one.column(0), Moments::of(values));
        assert!((found.mean / expected.mean - 1.0).abs() < 1e-10);
        assert!((found.std() / expected.std() - 1.0).abs() < 1e-10);
    }

    #[test]
    fn what_is_saved_is_loaded_to_the_bit_and_forgotten_on_demand() {
        let mut kept = Statistics::new(columns(1), 2);
        kept.push(1, &[0.1, 3.0]);
        kept.push(1, &[0.7, 4.0]);
        let mut back = Statistics::new(columns(1), 2);
        back.load(1, &kept.save(1)).unwrap();
        assert_eq!(back, kept);
        back.clear();
        assert_eq!((back.episodes(), back.counts), (0, vec![0, 0]));
    }
}
