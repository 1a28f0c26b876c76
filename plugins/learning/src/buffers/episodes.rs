//! Whole episodes for replay, as recurrent off-policy methods need them.

use std::collections::VecDeque;

use palaestra_plugin_api::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::keys;

/// One recorded quantity: its name and how many numbers a step has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Such as `observation`.
    pub name: String,
    /// Numbers a step; all agents of the instance together.
    pub width: usize,
}

/// The newest episodes, up to a capacity. Serialised whole, so that a run resumes as if it had not stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpisodeBuffer {
    fields: Vec<Field>,
    capacity: usize,
    episodes: VecDeque<Episode>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Episode {
    steps: usize,
    /// For each field `[steps, width]`.
    data: Vec<Vec<f32>>,
}

/// Sampled episodes side by side, padded with zeros to the longest.
#[derive(Clone, Debug, PartialEq)]
pub struct EpisodeBatch {
    /// The longest episode's steps.
    pub steps: usize,
    /// Episodes.
    pub columns: usize,
    /// For each field `[steps, columns, width]`.
    pub fields: Vec<Vec<f32>>,
    /// 1 for a step that happened, 0 for padding, `[steps, columns]`: losses count the former only.
    pub filled: Vec<u8>,
}

impl EpisodeBuffer {
    /// A buffer for at most `capacity` episodes of the given fields.
    ///
    /// # Errors
    /// When the capacity is 0 or a field has no width.
    pub fn new(fields: Vec<Field>, capacity: usize) -> Result<Self> {
        if capacity == 0 || fields.is_empty() || fields.iter().any(|field| field.width == 0) {
            return Err(Error::config(format!(
                "episode buffer: expected room for ≥ 1 episodes of fields with width ≥ 1, found {capacity} and {fields:?}"
            )));
        }
        Ok(Self {
            fields,
            capacity,
            episodes: VecDeque::new(),
        })
    }

    /// How many episodes it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.episodes.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.episodes.is_empty()
    }

    /// Adds an episode, `data` in the order of the fields, each `[steps, width]`; drops the oldest if there is no room.
    ///
    /// # Errors
    /// When a field is missing, sizes do not fit or the episode has no step.
    pub fn push(&mut self, steps: usize, data: Vec<Vec<f32>>) -> Result<()> {
        let fits = data.len() == self.fields.len()
            && data
                .iter()
                .zip(&self.fields)
                .all(|(values, field)| values.len() == steps * field.width);
        if !fits || steps == 0 {
            let found: Vec<usize> = data.iter().map(Vec::len).collect();
            return Err(Error::plugin(format!(
                "episode of {steps} steps: expected ≥ 1 steps of {:?}, found {found:?} numbers",
                self.fields
            )));
        }
        if self.episodes.len() == self.capacity {
            self.episodes.pop_front();
        }
        self.episodes.push_back(Episode { steps, data });
        Ok(())
    }

    /// `count` different episodes, uniformly, by key.
    ///
    /// # Errors
    /// When it holds fewer, or none is asked for.
    pub fn sample(&self, count: usize, key: u64) -> Result<EpisodeBatch> {
        if count == 0 || count > self.len() {
            return Err(Error::plugin(format!(
                "episode buffer: expected 1 ≤ count ≤ {} episodes, found {count}",
                self.len()
            )));
        }
        // The head of a shuffle from the front: `count` steps of Fisher and Yates.
        let mut order: Vec<usize> = (0..self.len()).collect();
        let mut rng = keys::stream(key);
        for i in 0..count {
            let left = (order.len() - i) as u64;
            order.swap(i, i + rng.below(left) as usize);
        }
        Ok(self.batch(&order[..count]))
    }

    fn batch(&self, chosen: &[usize]) -> EpisodeBatch {
        let columns = chosen.len();
        let steps = chosen
            .iter()
            .map(|&i| self.episodes[i].steps)
            .max()
            .unwrap_or(0);
        let mut batch = EpisodeBatch {
            steps,
            columns,
            fields: self
                .fields
                .iter()
                .map(|field| vec![0.0; steps * columns * field.width])
                .collect(),
            filled: vec![0; steps * columns],
        };
        for (column, &index) in chosen.iter().enumerate() {
            let episode = &self.episodes[index];
            for t in 0..episode.steps {
                let row = t * columns + column;
                batch.filled[row] = 1;
                for ((target, source), field) in
                    batch.fields.iter_mut().zip(&episode.data).zip(&self.fields)
                {
                    let width = field.width;
                    target[row * width..(row + 1) * width]
                        .copy_from_slice(&source[t * width..(t + 1) * width]);
                }
            }
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Episode k has k + 1 steps whose rewards are k, with observations (k, t).
    fn buffer(capacity: usize, episodes: usize) -> EpisodeBuffer {
        let field = |name: &str, width| Field {
            name: name.to_owned(),
            width,
        };
        let mut buffer =
            EpisodeBuffer::new(vec![field("observation", 2), field("reward", 1)], capacity)
                .unwrap();
        for k in 0..episodes {
            let observations = (0..=k).flat_map(|t| [k as f32, t as f32]).collect();
            buffer
                .push(k + 1, vec![observations, vec![k as f32; k + 1]])
                .unwrap();
        }
        buffer
    }

    #[test]
    fn samples_are_different_whole_padded_episodes() {
        let buffer = buffer(4, 6);
        assert_eq!(buffer.len(), 4);
        let batch = buffer.sample(3, 5).unwrap();
        assert_eq!(batch, buffer.sample(3, 5).unwrap());
        let mut seen: Vec<usize> = Vec::new();
        for column in 0..3 {
            let k = batch.fields[1][column] as usize;
            assert!(
                (2..6).contains(&k) && !seen.contains(&k),
                "the oldest two are gone"
            );
            seen.push(k);
            for t in 0..batch.steps {
                let row = t * 3 + column;
                let real = t <= k;
                assert_eq!(batch.filled[row], u8::from(real));
                let expected = if real {
                    [k as f32, t as f32]
                } else {
                    [0.0, 0.0]
                };
                assert_eq!(batch.fields[0][row * 2..row * 2 + 2], expected);
            }
        }
        assert_eq!(batch.steps, seen.iter().max().unwrap() + 1);
    }

    #[test]
    fn every_episode_is_as_likely() {
        let buffer = buffer(5, 5);
        let mut counts = [0u32; 5];
        for key in 0..5000 {
            counts[buffer.sample(2, key).unwrap().fields[1][0] as usize] += 1;
        }
        assert!(
            counts.iter().all(|&count| (880..1120).contains(&count)),
            "{counts:?}"
        );
    }

    #[test]
    fn a_restored_buffer_samples_the_same_and_faults_are_refused() {
        let mut buffer = buffer(4, 6);
        let text = serde_json::to_string(&buffer).unwrap();
        assert_eq!(
            serde_json::from_str::<EpisodeBuffer>(&text).unwrap(),
            buffer
        );
        assert!(buffer.sample(5, 0).is_err() && buffer.sample(0, 0).is_err());
        assert!(buffer.push(2, vec![vec![0.0; 4]]).is_err());
        assert!(buffer.push(2, vec![vec![0.0; 3], vec![0.0; 2]]).is_err());
        assert!(buffer.push(0, vec![vec![], vec![]]).is_err());
    }
}
