//! Which numbers an ended episode has, and where they stand in its row.

use std::ops::Range;

use palaestra_plugin_api::{
    client::{ShardMut, wide},
    spec::EnvironmentSpec,
};

use super::EndedList;

/// The numbers of an episode: returns of its agents, of groups and in total, length, metrics.
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

    /// Reads the entries of a list of ended episodes from `first` on, as many as `numbers` `[columns, entries]` has room
    /// for.
    pub(crate) fn read(
        &self,
        list: &EndedList,
        shard: &ShardMut<'_>,
        first: usize,
        numbers: &mut [f64],
    ) {
        let entries = numbers.len() / self.width();
        let listed = first..first + entries;
        for (g, agents) in self.agents.iter().enumerate() {
            let n = agents.len();
            let returns = &list.returns(shard, g)[listed.start * n..listed.end * n];
            for (agent, column) in agents.clone().enumerate() {
                copy_column(&mut numbers[column * entries..], returns, n, agent);
            }
            if n > 1 {
                sum_columns(numbers, entries, agents.clone(), self.groups[g]);
            }
        }
        if self.groups.len() > 1 {
            sum_columns(numbers, entries, self.groups.iter().copied(), self.total);
        }
        let lengths = &list.lengths(shard)[listed.clone()];
        let column = numbers[self.length * entries..].iter_mut().zip(lengths);
        wide(|| column.for_each(|(to, &length)| *to = f64::from(length)));
        let n = self.metrics.len();
        let metrics = &list.metrics(shard)[listed.start * n..listed.end * n];
        for (metric, column) in self.metrics.clone().enumerate() {
            copy_column(&mut numbers[column * entries..], metrics, n, metric);
        }
    }
}

/// Copies the value at `place` of every row of `width` values to a column.
fn copy_column(column: &mut [f64], rows: &[f64], width: usize, place: usize) {
    match width {
        1 => copy_fixed::<1>(column, rows, place),
        2 => copy_fixed::<2>(column, rows, place),
        3 => copy_fixed::<3>(column, rows, place),
        4 => copy_fixed::<4>(column, rows, place),
        5 => copy_fixed::<5>(column, rows, place),
        _ => {
            let rows = rows.chunks_exact(width);
            for (to, row) in column.iter_mut().zip(rows) {
                *to = row[place];
            }
        }
    }
}

/// Rows of known width, as in [`copy_column`].
fn copy_fixed<const WIDTH: usize>(column: &mut [f64], rows: &[f64], place: usize) {
    // Within every row for sure, so that the loop checks nothing.
    let place = place.min(WIDTH - 1);
    for (to, row) in column.iter_mut().zip(rows.as_chunks::<WIDTH>().0) {
        *to = row[place];
    }
}

/// Writes the sums of two or more columns, added up in their order, to a later one.
fn sum_columns(
    numbers: &mut [f64],
    entries: usize,
    mut addends: impl Iterator<Item = usize>,
    sum: usize,
) {
    let (before, sums) = numbers.split_at_mut(sum * entries);
    let (sums, mut column) = (&mut sums[..entries], || {
        let column = addends.next()?;
        Some(&before[column * entries..][..entries])
    });
    if let (Some(a), Some(b)) = (column(), column()) {
        let sums = sums.iter_mut().zip(a.iter().zip(b));
        wide(|| sums.for_each(|(sum, (a, b))| *sum = a + b));
    }
    while let Some(column) = column() {
        let sums = sums.iter_mut().zip(column);
        wide(|| sums.for_each(|(sum, value)| *sum += value));
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
}
