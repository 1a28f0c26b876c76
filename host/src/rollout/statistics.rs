//! Episode statistics: returns per agent, group and in total, lengths and named metrics.
//!
//! Every instance keeps sums of its own, updated in the order of its episodes and merged in the order of the
//! instances: threads and shards change no bit.

use std::ops::Range;

use palaestra_plugin_api::{
    Result,
    batch::{self, Aligned},
    client::wide,
};
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
    counts: Aligned<u64>,
    /// The first episode of each instance, `[columns, instances]`, and so on.
    first: Aligned<f64>,
    /// Σ (x - first).
    sums: Aligned<f64>,
    /// Σ (x - first)².
    squares: Aligned<f64>,
}

impl Statistics {
    /// No episodes yet.
    pub fn new(columns: Columns, instances: usize) -> Self {
        let zeros = Aligned::new(0.0, instances * columns.width());
        Self {
            columns,
            counts: Aligned::new(0, instances),
            first: zeros.clone(),
            sums: zeros.clone(),
            squares: zeros,
        }
    }

    /// The columns.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Adds an episode of each of some instances, with numbers `[columns, episodes]`.
    pub(crate) fn add(&mut self, instances: &[u32], numbers: &[f64]) {
        let all = self.counts.len();
        let columns = numbers.chunks_exact(instances.len().max(1)).enumerate();
        // Episodes of one length end together: then the instances are a range, and whole vectors are added.
        let range = as_range(instances);
        match range.clone() {
            Some(range) if all_begun(&self.counts[range.clone()]) => {
                self.counts[range].iter_mut().for_each(|count| *count += 1);
            }
            _ => {
                for (k, &instance) in instances.iter().enumerate() {
                    let instance = instance as usize;
                    if self.counts[instance] == 0 {
                        for (column, values) in columns.clone() {
                            self.first[column * all + instance] = values[k];
                        }
                    }
                    self.counts[instance] += 1;
                }
            }
        }
        for (column, values) in columns {
            let own = column * all..(column + 1) * all;
            let first = &self.first[own.clone()];
            let (sums, squares) = (&mut self.sums[own.clone()], &mut self.squares[own]);
            match range.clone() {
                Some(range) => add_together(
                    values,
                    &first[range.clone()],
                    &mut sums[range.clone()],
                    &mut squares[range],
                ),
                None => {
                    for (value, &instance) in values.iter().zip(instances) {
                        let instance = instance as usize;
                        let deviation = value - first[instance];
                        sums[instance] += deviation;
                        squares[instance] += deviation * deviation;
                    }
                }
            }
        }
    }

    /// Adds all instances, in their order, to the first instance of `target`.
    pub fn merge_into(&self, target: &mut Self) {
        for (instance, &count) in self.counts.iter().enumerate() {
            if count == 0 {
                continue;
            }
            let begins = target.counts[0] == 0;
            target.counts[0] += count;
            let n = count as f64;
            for (column, from) in self.places(instance).enumerate() {
                let to = column * target.counts.len();
                if begins {
                    target.first[to] = self.first[from];
                }
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
        let at = column * self.counts.len();
        let (sum, squares) = (self.sums[at], self.squares[at]);
        Moments {
            count,
            mean: self.first[at] + sum / n,
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
        let row = |of: &[f64]| exact::save(&self.row(of, instance));
        json!({
            "count": exact::save(&self.counts[instance..=instance]),
            "first": row(&self.first),
            "sums": row(&self.sums),
            "squares": row(&self.squares),
        })
    }

    /// Takes what [`save`](Self::save) gave as the sums of an instance.
    pub(crate) fn load(&mut self, instance: usize, saved: &Value) -> Result<()> {
        exact::load(saved, "count", &mut self.counts[instance..=instance])?;
        let mut row = vec![0.0; self.columns.width()];
        let places = self.places(instance);
        let all = [
            ("first", &mut self.first),
            ("sums", &mut self.sums),
            ("squares", &mut self.squares),
        ];
        for (name, of) in all {
            exact::load(saved, name, &mut row)?;
            for (place, &value) in places.clone().zip(&row) {
                of[place] = value;
            }
        }
        Ok(())
    }

    /// Where the columns of an instance are.
    fn places(&self, instance: usize) -> impl Iterator<Item = usize> + Clone + use<> {
        let instances = self.counts.len();
        (0..self.columns.width()).map(move |column| column * instances + instance)
    }

    fn row(&self, of: &[f64], instance: usize) -> Vec<f64> {
        self.places(instance).map(|place| of[place]).collect()
    }
}

/// Whether each instance has had an episode. No early end: whole vectors at a time.
fn all_begun(counts: &[u64]) -> bool {
    let new = |any, &count: &u64| any | u64::from(count == 0);
    wide(|| counts.iter().fold(0, new)) == 0
}

/// Adds a value of each of some instances in a row.
fn add_together(values: &[f64], first: &[f64], sums: &mut [f64], squares: &mut [f64]) {
    let sums = sums.iter_mut().zip(squares);
    let values = values.iter().zip(first).zip(sums);
    wide(|| {
        for ((value, first), (sum, square)) in values {
            let deviation = value - first;
            (*sum, *square) = (*sum + deviation, *square + deviation * deviation);
        }
    });
}

/// Instances as a range, if they are one: the list is a plugin's, and need not increase.
fn as_range(instances: &[u32]) -> Option<Range<usize>> {
    let otherwise = |any, (&a, b): (&u32, u32)| any | (a ^ b);
    batch::as_range(instances).filter(|range| {
        let numbers = instances.iter().zip(range.start as u32..);
        wide(|| numbers.fold(0, otherwise)) == 0
    })
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
                    for i in cut.clone() {
                        shard.add(&[(i - cut.start) as u32], &row(i, e));
                    }
                }
                shard.merge_into(&mut all);
            }
            all
        };
        assert_eq!(merged(&[10]), merged(&[3, 4, 10]));
        assert_eq!(merged(&[10]).episodes(), 50);
    }

    #[test]
    fn episodes_that_end_together_count_as_those_that_end_one_by_one() {
        let numbers = |k: usize| [0.1 * k as f64, 0.3 * (k % 5) as f64];
        for instances in [&[2, 3, 4, 5][..], &[0, 2, 5], &[4, 3], &[1, 2, 2, 4], &[]] {
            let mut one_by_one = Statistics::new(columns(1), 6);
            let mut together = one_by_one.clone();
            for round in 0..3 {
                let each = |k: usize| numbers(7 * round + k);
                for (k, &instance) in instances.iter().enumerate() {
                    one_by_one.add(&[instance], &each(k));
                }
                let column = |c: usize| (0..instances.len()).map(move |k| each(k)[c]);
                together.add(instances, &column(0).chain(column(1)).collect::<Vec<_>>());
            }
            assert_eq!(together, one_by_one, "{instances:?}");
        }
    }

    #[test]
    fn statistics_are_the_moments_of_all_episodes_golden() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        let mut shard = Statistics::new(columns(1), 2);
        for (i, &value) in values.iter().enumerate() {
            shard.add(&[i as u32 % 2], &[value, 1e9 - value]);
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
        values
            .iter()
            .for_each(|&value| one.add(&[0], &[value, 1.0]));
        let (found, expected) = (one.column(0), Moments::of(values));
        assert!((found.mean / expected.mean - 1.0).abs() < 1e-10);
        assert!((found.std() / expected.std() - 1.0).abs() < 1e-10);
    }

    #[test]
    fn what_is_saved_is_loaded_to_the_bit_and_forgotten_on_demand() {
        let mut kept = Statistics::new(columns(1), 2);
        kept.add(&[1], &[0.1, 3.0]);
        kept.add(&[1], &[0.7, 4.0]);
        let mut back = Statistics::new(columns(1), 2);
        back.load(1, &kept.save(1)).unwrap();
        assert_eq!(back, kept);
        back.clear();
        assert_eq!((back.episodes(), &*back.counts), (0, &[0, 0][..]));
    }
}
