//! A fixed set of episodes, so that a mean over them is unbiased.
//!
//! The first episodes to *end* are the short ones. Here the episodes are chosen by number before any runs:
//! so many of each instance, counted from its first, however long they take.

use std::ops::Range;

use super::Columns;

/// The first episodes of every instance, as evenly as possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpisodeSet {
    episodes: usize,
    instances: usize,
}

impl EpisodeSet {
    /// `episodes` episodes over `instances` instances: the first instances run one more where it does not
    /// divide.
    pub fn new(episodes: usize, instances: usize) -> Self {
        Self {
            episodes,
            instances: instances.max(1),
        }
    }

    /// Episodes of an instance of the batch.
    pub fn quota(&self, instance: usize) -> usize {
        self.episodes / self.instances + usize::from(instance < self.episodes % self.instances)
    }

    /// Number of episodes.
    pub fn episodes(&self) -> usize {
        self.episodes
    }
}

/// The episodes of the set that one shard runs, in order of instance, then episode.
#[derive(Clone, Debug)]
pub struct EpisodeTable {
    columns: Columns,
    /// First episode of each instance in `rows`, and the end of the last.
    starts: Vec<usize>,
    rows: Vec<f64>,
    ended: Vec<bool>,
    filled: usize,
}

impl EpisodeTable {
    /// An empty table for the instances of a shard.
    pub fn new(columns: Columns, set: &EpisodeSet, instances: Range<usize>) -> Self {
        let mut starts = vec![0];
        let mut end = 0;
        for instance in instances {
            end += set.quota(instance);
            starts.push(end);
        }
        Self {
            rows: vec![0.0; end * columns.width()],
            ended: vec![false; end],
            starts,
            columns,
            filled: 0,
        }
    }

    /// Keeps an episode, if it is in the set and not yet there.
    pub(crate) fn keep<'a>(
        &mut self,
        instance: usize,
        episode: u64,
        row: impl IntoIterator<Item = &'a f64>,
    ) {
        let (start, end) = (self.starts[instance], self.starts[instance + 1]);
        if episode >= (end - start) as u64 || self.ended[start + episode as usize] {
            return;
        }
        let at = start + episode as usize;
        let width = self.columns.width();
        for (to, &number) in self.rows[at * width..(at + 1) * width].iter_mut().zip(row) {
            *to = number;
        }
        self.ended[at] = true;
        self.filled += 1;
    }

    /// Episodes that have ended.
    pub fn filled(&self) -> usize {
        self.filled
    }

    /// The numbers of every episode of the set, in order of instance, then episode; 0 until it has ended.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.rows.chunks_exact(self.columns.width())
    }

    /// Forgets all episodes.
    pub(crate) fn clear(&mut self) {
        self.rows.fill(0.0);
        self.ended.fill(false);
        self.filled = 0;
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::spec::{EnvironmentSpec, Space};

    use super::*;

    #[test]
    fn quotas_add_up_and_differ_by_one_at_most() {
        for (episodes, instances) in [(100, 100), (100, 7), (3, 8), (0, 4), (10, 1)] {
            let set = EpisodeSet::new(episodes, instances);
            let quotas: Vec<_> = (0..instances).map(|i| set.quota(i)).collect();
            assert_eq!(quotas.iter().sum::<usize>(), episodes);
            assert!(quotas.iter().max().unwrap() - quotas.iter().min().unwrap() <= 1);
        }
    }

    #[test]
    fn only_episodes_of_the_set_are_kept_in_their_places() {
        let spec = EnvironmentSpec::new("g", 1, Space::real(1), Space::discrete(2));
        // 5 episodes over 3 instances: 2, 2, 1. The shard holds instances 1 and 2.
        let mut table = EpisodeTable::new(Columns::new(&spec), &EpisodeSet::new(5, 3), 1..3);
        table.keep(1, 0, &[30.0, 3.0]);
        table.keep(0, 1, &[20.0, 2.0]);
        table.keep(1, 1, &[99.0, 9.0]);
        table.keep(0, 2, &[99.0, 9.0]);
        table.keep(0, 0, &[10.0, 1.0]);
        table.keep(0, 0, &[99.0, 9.0]);
        assert_eq!(table.filled(), 3);
        assert_eq!(
            table.rows().map(|row| row[0]).collect::<Vec<_>>(),
            [10.0, 20.0, 30.0]
        );
    }
}
