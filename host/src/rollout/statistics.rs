//! Episode statistics: returns per agent, group and in total, lengths and named metrics.
//!
//! Every instance keeps moments of its own, updated in the order of its episodes and merged in the order
//! of the instances: threads and shards change no bit.

use std::ops::Range;

use palaestra_plugin_api::{Result, client::ShardMut, spec::EnvironmentSpec};
use serde_json::{Value, json};

use super::EndedList;
use crate::exact;

/// Which numbers an ended episode has, and where they stand in its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Returns of the agents of each group.
    agents: Vec<Range<usize>>,
    /// Sum over the agents of each group.
    groups: Vec<usize>,
    /// Sum over all agents.
    total: usize,
    length: usize,
    metrics: Range<usize>,
}

impl Columns {
    /// The columns of an environment. A sum over one addend is that addend's column.
    pub fn new(spec: &EnvironmentSpec) -> Self {
        let mut width = 0;
        let mut take = |n: usize| {
            width += n;
            width - n..width
        };
        let agents: Vec<_> = spec.groups.iter().map(|group| take(group.agents)).collect();
        let groups: Vec<_> = agents
            .iter()
            .map(|agents| {
                if agents.len() == 1 {
                    agents.start
                } else {
                    take(1).start
                }
            })
            .collect();
        let total = if groups.len() == 1 {
            groups[0]
        } else {
            take(1).start
        };
        let length = take(1).start;
        let metrics = take(spec.metrics.len());
        Self {
            agents,
            groups,
            total,
            length,
            metrics,
        }
    }

    /// Numbers of one episode.
    pub fn width(&self) -> usize {
        self.metrics.end
    }

    /// Column of the return of an agent.
    pub fn agent(&self, group: usize, agent: usize) -> usize {
        self.agents[group].start + agent
    }

    /// Column of the return of a group: the sum over its agents.
    pub fn group(&self, group: usize) -> usize {
        self.groups[group]
    }

    /// Column of the return in total: the sum over all agents.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Column of the number of steps.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Column of a metric, in the order of the spec.
    pub fn metric(&self, metric: usize) -> usize {
        self.metrics.start + metric
    }

    /// Reads one entry of a list of ended episodes.
    #[inline]
    pub(crate) fn read(
        &self,
        list: &EndedList,
        shard: &ShardMut<'_>,
        entry: usize,
        row: &mut [f64],
    ) {
        for (g, agents) in self.agents.iter().enumerate() {
            let n = agents.len();
            row[agents.clone()]
                .copy_from_slice(&list.returns(shard, g)[entry * n..(entry + 1) * n]);
            if n > 1 {
                row[self.groups[g]] = row[agents.clone()].iter().sum();
            }
        }
        if self.groups.len() > 1 {
            row[self.total] = self.groups.iter().map(|&group| row[group]).sum();
        }
        row[self.length] = f64::from(list.lengths(shard)[entry]);
        let n = self.metrics.len();
        if n > 0 {
            row[self.metrics.clone()]
                .copy_from_slice(&list.metrics(shard)[entry * n..(entry + 1) * n]);
        }
    }
}

/// Number, mean and sum of squared deviations of some values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// Number of values.
    pub count: u64,
    /// Their mean; 0 without values.
    pub mean: f64,
    /// Sum of the squares of their deviations from the mean.
    pub deviations: f64,
}

impl Moments {
    /// The moments of values, in their order.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut moments = Self::default();
        values.into_iter().for_each(|value| moments.push(value));
        moments
    }

    /// Adds a value (Welford, 1962).
    pub fn push(&mut self, value: f64) {
        self.count += 1;
        let delta = value - self.mean;
        self.mean += delta / self.count as f64;
        self.deviations += delta * (value - self.mean);
    }

    /// Adds the values behind other moments (Chan, Golub and LeVeque, 1979).
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (mine, theirs) = (self.count as f64, other.count as f64);
        let delta = other.mean - self.mean;
        self.count += other.count;
        self.mean += delta * (theirs / (mine + theirs));
        self.deviations += other.deviations + delta * delta * (mine * theirs / (mine + theirs));
    }

    /// Standard deviation of the sample (n - 1 in the denominator); 0 for fewer than two values.
    pub fn std(&self) -> f64 {
        self.variance().sqrt()
    }

    /// Standard error of the mean; 0 for fewer than two values.
    pub fn standard_error(&self) -> f64 {
        (self.variance() / self.count.max(1) as f64).sqrt()
    }

    fn variance(&self) -> f64 {
        match self.count {
            0 | 1 => 0.0,
            count => (self.deviations / (count - 1) as f64).max(0.0),
        }
    }
}

/// Moments of every column of every instance of a shard.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    columns: Columns,
    /// `[instances, width]`.
    moments: Vec<Moments>,
}

impl Statistics {
    /// No episodes yet.
    pub fn new(columns: Columns, instances: usize) -> Self {
        let moments = vec![Moments::default(); instances * columns.width()];
        Self { columns, moments }
    }

    /// The columns.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Adds an episode of an instance.
    #[inline]
    pub fn push(&mut self, instance: usize, row: &[f64]) {
        let moments = self.row(instance);
        self.moments[moments]
            .iter_mut()
            .zip(row)
            .for_each(|(moments, &value)| moments.push(value));
    }

    /// Adds all instances, in their order, to the first instance of `target`.
    pub fn merge_into(&self, target: &mut Self) {
        for instance in self.moments.chunks_exact(self.columns.width()) {
            target
                .moments
                .iter_mut()
                .zip(instance)
                .for_each(|(to, from)| to.merge(from));
        }
    }

    /// Moments of a column of the first instance: of all, in merged statistics.
    pub fn column(&self, column: usize) -> Moments {
        self.moments[column]
    }

    /// Episodes of the first instance: of all, in merged statistics.
    pub fn episodes(&self) -> u64 {
        self.moments[self.columns.length].count
    }

    /// Forgets all episodes.
    pub fn clear(&mut self) {
        self.moments.fill(Moments::default());
    }

    /// The moments of an instance, exactly.
    pub(crate) fn save(&self, instance: usize) -> Value {
        let moments = &self.moments[self.row(instance)];
        let of = |number: fn(&Moments) -> f64| moments.iter().map(number).collect::<Vec<_>>();
        let counts: Vec<_> = moments.iter().map(|m| m.count).collect();
        json!({
            "count": exact::save(&counts),
            "mean": exact::save(&of(|m| m.mean)),
            "deviations": exact::save(&of(|m| m.deviations)),
        })
    }

    /// Takes what [`save`](Self::save) gave as the moments of an instance.
    pub(crate) fn load(&mut self, instance: usize, saved: &Value) -> Result<()> {
        let width = self.columns.width();
        let (mut count, mut mean) = (vec![0_u64; width], vec![0.0_f64; width]);
        let mut deviations = mean.clone();
        exact::load(saved, "count", &mut count)?;
        exact::load(saved, "mean", &mut mean)?;
        exact::load(saved, "deviations", &mut deviations)?;
        let row = self.row(instance);
        for (column, moments) in self.moments[row].iter_mut().enumerate() {
            *moments = Moments {
                count: count[column],
                mean: mean[column],
                deviations: deviations[column],
            };
        }
        Ok(())
    }

    fn row(&self, instance: usize) -> Range<usize> {
        let width = self.columns.width();
        instance * width..(instance + 1) * width
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::spec::{GroupSpec, Metric, Space};

    use super::*;

    fn spec(groups: &[usize], metrics: usize) -> EnvironmentSpec {
        let mut spec = EnvironmentSpec::new("g0", groups[0], Space::real(1), Space::discrete(2));
        for (g, &agents) in groups.iter().enumerate().skip(1) {
            spec.groups.push(GroupSpec::new(
                &format!("g{g}"),
                agents,
                Space::real(1),
                Space::discrete(2),
            ));
        }
        spec.metrics = (0..metrics)
            .map(|m| Metric::sum(&format!("m{m}")))
            .collect();
        spec
    }

    #[test]
    fn a_sum_over_one_addend_takes_no_column() {
        let one = Columns::new(&spec(&[1], 0));
        assert_eq!(
            (
                one.width(),
                one.agent(0, 0),
                one.group(0),
                one.total(),
                one.length()
            ),
            (2, 0, 0, 0, 1)
        );
        let many = Columns::new(&spec(&[3, 1], 2));
        assert_eq!(
            (many.agent(1, 0), many.group(0), many.group(1), many.total()),
            (3, 4, 3, 5)
        );
        assert_eq!((many.length(), many.metric(1), many.width()), (6, 8, 9));
    }

    #[test]
    fn moments_are_those_of_the_definition_golden() {
        let moments = Moments::of([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!((moments.count, moments.mean), (8, 5.0));
        assert!((moments.std() - (32.0_f64 / 7.0).sqrt()).abs() < 1e-15);
        assert!((moments.standard_error() - (32.0_f64 / 7.0 / 8.0).sqrt()).abs() < 1e-15);
        assert_eq!(
            (
                Moments::of([3.0]).std(),
                Moments::default().standard_error()
            ),
            (0.0, 0.0)
        );
    }

    #[test]
    fn merged_moments_are_those_of_all_values_even_far_from_zero() {
        let values: Vec<f64> = (0..100).map(|i| 1e6 + f64::from(i * i % 17)).collect();
        let mut merged = Moments::default();
        values
            .chunks(7)
            .for_each(|part| merged.merge(&Moments::of(part.iter().copied())));
        let whole = Moments::of(values.iter().copied());
        assert_eq!(merged.count, 100);
        assert!(
            (merged.mean / whole.mean - 1.0).abs() < 1e-15
                && (merged.std() / whole.std() - 1.0).abs() < 1e-9
        );
    }

    #[test]
    fn shards_change_no_bit_of_merged_statistics() {
        let columns = Columns::new(&spec(&[2], 0));
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
}
