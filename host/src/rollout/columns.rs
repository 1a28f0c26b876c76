//! Which numbers an ended episode has, and where they stand in its row.

use std::ops::Range;

use palaestra_plugin_api::{client::ShardMut, spec::EnvironmentSpec};

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

    /// Numbers from one row to the next: an even number, so that rows go through vectors whole. What is beyond the
    /// width is 0.
    pub fn stride(&self) -> usize {
        self.width().next_multiple_of(2)
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

    /// Reads the entries of a list of ended episodes from `first` on, as many as `rows` has room for at this
    /// [`stride`](Self::stride). Column by column: the rows of a few players are too short for loops of their own.
    #[inline]
    pub(crate) fn read(
        &self,
        list: &EndedList,
        shard: &ShardMut<'_>,
        first: usize,
        rows: &mut [f64],
    ) {
        let stride = self.stride();
        let entries = first..first + rows.len() / stride;
        for (g, agents) in self.agents.iter().enumerate() {
            let n = agents.len();
            let returns = &list.returns(shard, g)[entries.start * n..entries.end * n];
            for (agent, column) in agents.clone().enumerate() {
                copy_column(rows, stride, column, &returns[agent..], n);
            }
            if n > 1 {
                sum_columns(rows, stride, agents.clone(), self.groups[g]);
            }
        }
        if self.groups.len() > 1 {
            sum_columns(rows, stride, self.groups.iter().copied(), self.total);
        }
        let lengths = &list.lengths(shard)[entries.clone()];
        for (row, &length) in rows.chunks_exact_mut(stride).zip(lengths) {
            row[self.length] = f64::from(length);
        }
        let n = self.metrics.len();
        let metrics = &list.metrics(shard)[entries.start * n..entries.end * n];
        for (metric, column) in self.metrics.clone().enumerate() {
            copy_column(rows, stride, column, &metrics[metric..], n);
        }
    }
}

/// Copies every `every`-th value to a column.
#[inline]
fn copy_column(rows: &mut [f64], stride: usize, column: usize, values: &[f64], every: usize) {
    let to = rows[column..].iter_mut().step_by(stride);
    for (to, &value) in to.zip(values.iter().step_by(every)) {
        *to = value;
    }
}

/// Writes the sums of some columns, added up in their order, to another.
#[inline]
fn sum_columns(
    rows: &mut [f64],
    stride: usize,
    addends: impl Iterator<Item = usize> + Clone,
    sum: usize,
) {
    for row in rows.chunks_exact_mut(stride) {
        row[sum] = addends.clone().map(|column| row[column]).sum();
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
