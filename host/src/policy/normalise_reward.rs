//! NormaliseReward: rewards divided by the standard deviation of the discounted return.
//!
//! r̂ = clip(r / √(σ² + ε), ±c), with σ² the variance of G ← γ·G + r, kept for every agent of every instance and
//! set to 0 after the step that ends its episode. The mean is not subtracted: that would change which
//! policies are best. Only agents that take part count.
//!
//! Start, merging and ε are those of Gymnasium's `NormalizeReward`. Two things differ. Gymnasium sets G to 0
//! before it adds the last reward, and on termination only, so that the last reward of an episode leaks into
//! the next; here, as in Stable-Baselines3's `VecNormalize`, G ends with its episode, terminated or truncated. And
//! there every step updates σ² before it is used, here σ² stays as it is for a whole fragment.

use palaestra_plugin_api::Result;
use serde_json::{Value, json};

use super::moments::{Batch, Running};
use crate::exact;

/// Settings of NormaliseReward.
#[palaestra_plugin_api::config]
pub struct NormaliseRewardConfig {
    /// Discount of the return; usually that of the algorithm.
    #[config(default = 0.99, range = 0.0..=1.0)]
    pub gamma: f64,
    /// Largest absolute value of a normalised reward.
    #[config(default = 10.0, above = 0.0)]
    pub clip: f64,
    /// Added to the variance.
    #[config(default = 1e-8, above = 0.0)]
    pub epsilon: f64,
}

/// See the module.
pub(super) struct NormaliseReward {
    config: NormaliseRewardConfig,
    running: Running,
    batch: Batch,
    /// Discounted return of each agent, `[n · agents]`.
    returns: Vec<f64>,
}

impl NormaliseReward {
    pub(super) fn new(config: &NormaliseRewardConfig, rows: usize) -> Self {
        Self {
            config: config.clone(),
            running: Running::new(1),
            batch: Batch::new(1),
            returns: vec![0.0; rows],
        }
    }

    /// The range of normalised rewards: signs stay.
    pub(super) fn range(&self, (low, high): (Option<f64>, Option<f64>)) -> (f64, f64) {
        let clip = self.config.clip;
        (
            low.map_or(-clip, |low| if low >= 0.0 { 0.0 } else { -clip }),
            high.map_or(clip, |high| if high <= 0.0 { 0.0 } else { clip }),
        )
    }

    /// Normalises the rewards of one step and, if `learn`, remembers the returns for the statistics.
    pub(super) fn reward(
        &mut self,
        reward: &[f32],
        ended: &[u8],
        counted: Option<&[u8]>,
        learn: bool,
        out: &mut [f32],
    ) {
        let clip = self.config.clip;
        let scale = 1.0 / (self.running.variance()[0] + self.config.epsilon).sqrt();
        for (i, (to, &reward)) in out.iter_mut().zip(reward).enumerate() {
            let reward = f64::from(reward);
            *to = (reward * scale).clamp(-clip, clip) as f32;
            if learn && reward.is_finite() && counted.is_none_or(|counted| counted[i] != 0) {
                let value = &mut self.returns[i];
                *value = *value * self.config.gamma + reward;
                self.batch.push(&[*value]);
            }
            if ended[i] != 0 {
                self.returns[i] = 0.0;
            }
        }
    }

    /// Takes the returns of the fragment into the statistics.
    pub(super) fn merge(&mut self) {
        self.running.merge(&self.batch);
        self.batch.clear();
    }

    pub(super) fn statistics(&self) -> &Running {
        &self.running
    }

    pub(super) fn statistics_mut(&mut self) -> &mut Running {
        &mut self.running
    }

    /// What is under way: returns, and those not yet in the statistics.
    pub(super) fn save(&self) -> Value {
        json!({ "returns": exact::save(&self.returns), "batch": self.batch.save() })
    }

    pub(super) fn load(&mut self, saved: &Value) -> Result<()> {
        exact::load(saved, "returns", &mut self.returns)?;
        self.batch.load(&saved["batch"])
    }
}
