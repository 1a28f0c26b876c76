//! From a fragment of whole episodes to what a policy gradient of each task reads.

use palaestra_plugin_api::{
    abi::{NO_GROUP, id},
    prelude::*,
    table::Table,
};

/// All agents' steps of the episodes of one task, in any order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Experience {
    /// `[rows, width]`.
    pub(super) observations: Vec<f32>,
    /// `[rows]`.
    pub(super) actions: Vec<i32>,
    /// Discounted returns to go, `[rows]`.
    pub(super) returns: Vec<f32>,
    /// 1 where a choice was allowed, `[rows, choices]`; empty without masks.
    pub(super) masks: Vec<u8>,
    /// Undiscounted return of each episode, the mean over the agents.
    pub(super) totals: Vec<f64>,
}

impl Experience {
    /// Returns to go less their mean, in units of their standard deviation: better and worse than usual.
    pub(super) fn advantages(&self) -> Vec<f32> {
        let n = self.returns.len().max(1) as f64;
        let mean = self.returns.iter().map(|r| f64::from(*r)).sum::<f64>() / n;
        let squares = self.returns.iter().map(|r| (f64::from(*r) - mean).powi(2));
        let deviation = (squares.sum::<f64>() / n).sqrt() + 1e-8;
        let each = self.returns.iter();
        each.map(|r| ((f64::from(*r) - mean) / deviation) as f32)
            .collect()
    }
}

/// Where to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) group: u32,
    pub(super) agents: usize,
    pub(super) has_mask: bool,
    /// Episodes of each instance that count.
    pub(super) episodes: usize,
    pub(super) gamma: f32,
}

impl Source {
    /// The first episodes of every instance, by the position of its task in `tasks`. Behind a truncation nothing
    /// follows: an episode of the task is as long as its limit.
    pub(super) fn read(&self, fragment: &Table<'_>, tasks: &[u32]) -> Result<Vec<Experience>> {
        let n = fragment.instances();
        let mut all = vec![Experience::default(); tasks.len()];
        let mut begins = vec![(0, 0); n];
        let played = fragment.rows::<u32>(id::TASK, NO_GROUP, 0)?;
        for &row in fragment.ended()? {
            let (t, i) = (row as usize / n, row as usize % n);
            let (count, start) = &mut begins[i];
            let task = tasks.iter().position(|&task| task == played[i]);
            if let (Some(task), true) = (task, *count < self.episodes) {
                self.episode(fragment, i, *start..t + 1, &mut all[task])?;
            }
            (*count, *start) = (*count + 1, t + 1);
        }
        Ok(all)
    }

    fn episode(
        &self,
        fragment: &Table<'_>,
        instance: usize,
        steps: std::ops::Range<usize>,
        to: &mut Experience,
    ) -> Result<()> {
        let (g, agents) = (self.group, self.agents);
        let width = fragment.row(id::OBSERVATION, g).unwrap_or(0);
        let choices = fragment.row(id::ACTION_MASK, g).unwrap_or(0);
        let own = |row: usize| instance * row..(instance + 1) * row;
        let (mut following, mut total) = (vec![0.0; agents], 0.0);
        for t in steps.rev() {
            let seen = &fragment.rows::<f32>(id::OBSERVATION, g, t)?[own(width)];
            to.observations.extend_from_slice(seen);
            let done = &fragment.rows::<i32>(id::PROPOSED_ACTION, g, t)?[own(agents)];
            to.actions.extend_from_slice(done);
            if self.has_mask {
                let mask = &fragment.rows::<u8>(id::ACTION_MASK, g, t)?[own(choices)];
                to.masks.extend_from_slice(mask);
            }
            let rewards = &fragment.rows::<f32>(id::LEARNING_REWARD, g, t + 1)?[own(agents)];
            for (following, reward) in following.iter_mut().zip(rewards) {
                *following = reward + self.gamma * *following;
                total += f64::from(*reward) / agents as f64;
            }
            to.returns.extend_from_slice(&following);
        }
        to.totals.push(total);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two instances play two tasks: rewards 1, 2 and 4 in an episode of each, then another episode.
    #[test]
    fn first_episodes_are_told_apart_by_task() {
        let (steps, n) = (4, 2);
        let observations: Vec<f32> = (0..(steps + 1) * n).map(|i| i as f32).collect();
        let actions = vec![1i32; steps * n];
        let rewards = [0.0f32, 0.0, 1.0, 10.0, 2.0, 20.0, 4.0, 5.0, 8.0, 6.0];
        let tasks = [7u32, 3].repeat(steps + 1);
        let terminated = vec![0u8; (steps + 1) * n];
        // Instance 1 ends at steps 1 and 3, instance 0 at step 2.
        let (count, rows) = ([3u32; 3], [3u32, 4, 7]);
        let mut table = Table::new();
        table
            .add(id::OBSERVATION, 0, &[steps + 1, n, 1, 1], &observations)
            .unwrap();
        table
            .add(id::PROPOSED_ACTION, 0, &[steps, n, 1, 1], &actions)
            .unwrap();
        table
            .add(id::LEARNING_REWARD, 0, &[steps + 1, n, 1], &rewards)
            .unwrap();
        table
            .add(id::TASK, NO_GROUP, &[steps + 1, n], &tasks)
            .unwrap();
        table
            .add(id::TERMINATED, NO_GROUP, &[steps + 1, n], &terminated)
            .unwrap();
        table
            .add(id::ENDED_COUNT, NO_GROUP, &[1, 3], &count)
            .unwrap();
        table.add(id::ENDED_ROW, NO_GROUP, &[1, 3], &rows).unwrap();
        let source = Source {
            group: 0,
            agents: 1,
            has_mask: false,
            episodes: 1,
            gamma: 0.5,
        };
        let read = source.read(&table, &[3, 7]).unwrap();
        assert_eq!(read[0].totals, [30.0]);
        assert_eq!(read[0].observations, [3.0, 1.0]);
        assert_eq!(read[0].returns, [20.0, 20.0]);
        assert_eq!(read[1].totals, [7.0]);
        assert_eq!(read[1].returns, [4.0, 4.0, 3.0]);
        let twice = Source {
            episodes: 2,
            ..source
        };
        assert_eq!(twice.read(&table, &[3, 7]).unwrap()[0].totals, [30.0, 11.0]);
        let advantages = read[1].advantages();
        assert!(advantages.iter().sum::<f32>().abs() < 1e-5 && advantages[0] > 0.7);
    }
}
