//! How many steps a second a rollout makes: random actions, slabs, resets, checks and statistics included.

use std::time::{Duration, Instant};

use palaestra_plugin_api::Result;

use super::{Random, Rollout};

/// Fragments that a shard runs before the threads meet: about what a learner would ask for at once.
const FRAGMENTS: usize = 4;

/// Steps that were made, and the time they took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// Steps of one instance, added up over all instances.
    pub env_steps: u64,
    /// Wall time.
    pub elapsed: Duration,
}

impl Timing {
    /// Steps per second.
    pub fn rate(&self) -> f64 {
        self.env_steps as f64 / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

/// A rollout that runs with random actions for as long as it is told to.
pub struct Runner {
    rollout: Rollout,
    policies: Vec<Random>,
}

impl Runner {
    /// Resets the rollout.
    ///
    /// # Errors
    /// What the plugin reports.
    pub fn new(mut rollout: Rollout) -> Result<Self> {
        rollout.reset()?;
        let policies = rollout.random();
        Ok(Self { rollout, policies })
    }

    /// The rollout.
    pub fn rollout(&self) -> &Rollout {
        &self.rollout
    }

    /// Runs whole fragments until `time` has passed; at least one.
    ///
    /// # Errors
    /// What the plugin reports.
    pub fn run(&mut self, time: Duration) -> Result<Timing> {
        let Self { rollout, policies } = self;
        let workers = rollout.workers().clone();
        let steps = rollout.plan().steps;
        let steps_of_a_fragment = (rollout.plan().instances * steps) as u64;
        workers.install(|| {
            let start = Instant::now();
            let mut env_steps = 0;
            // One at first: in a slow world it alone may take longer than the time there is.
            let mut fragments = 1;
            loop {
                rollout.collect_several(policies, steps, fragments)?;
                env_steps += steps_of_a_fragment * fragments as u64;
                let elapsed = start.elapsed();
                if elapsed >= time {
                    return Ok(Timing { env_steps, elapsed });
                }
                fragments = FRAGMENTS;
            }
        })
    }
}

/// The middle value, or the mean of the two middle ones; 0 for none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&[]), 0.0);
    }

    #[test]
    fn a_rate_is_steps_over_time() {
        let timing = Timing {
            env_steps: 300,
            elapsed: Duration::from_millis(1500),
        };
        assert_eq!(timing.rate(), 200.0);
    }
}
