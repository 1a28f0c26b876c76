//! A world with everything that a policy may have to do with, and nothing to learn: what is computed shows.

use palaestra_plugin_api::prelude::*;

use super::common::{Outcome, World};

/// Two groups that see noise and are paid for what they do. Instance i's episodes have 5 + i steps: that of instance 0
/// terminates, the others' are cut off.
pub(crate) struct Noise {
    rng: EnvRng,
    seen: Vec<f32>,
    step: u32,
    instance: usize,
}

impl World for Noise {
    fn spec() -> EnvironmentSpec {
        let mut spec = EnvironmentSpec::new("good", 2, Space::real(3), Space::discrete(3));
        spec.groups
            .push(GroupSpec::new("bad", 1, Space::real(2), Space::real(2)));
        spec.groups[0].has_action_mask = true;
        spec
    }
    fn new(instance: usize) -> Self {
        let rng = EnvRng::new(3, instance as u64, 0, 0);
        Self {
            rng,
            seen: vec![0.0; 9],
            step: 0,
            instance,
        }
    }
    fn reset(&mut self) {
        self.step = 0;
        self.seen.fill_with(|| self.rng.range(-1.0, 1.0) as f32);
    }
    fn observe(&self, agent: usize, into: &mut [f32]) {
        into.copy_from_slice(&self.seen[3 * agent..][..into.len()]);
    }
    fn mask(&self, agent: usize, into: &mut [u8]) {
        into[agent] = u8::from(self.step.is_multiple_of(2));
    }
    fn step(&mut self, actions: &[Vec<f32>]) -> Outcome {
        let rewards = actions
            .iter()
            .zip(self.seen.chunks(3))
            .map(|(a, seen)| a[0] * seen[0]);
        let rewards = rewards.collect();
        self.step += 1;
        self.seen.fill_with(|| self.rng.range(-1.0, 1.0) as f32);
        let ends = self.step == 5 + self.instance as u32;
        Outcome {
            rewards,
            terminated: ends && self.instance == 0,
            truncated: ends && self.instance > 0,
        }
    }
}
