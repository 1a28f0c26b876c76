//! NormaliseObservation: each feature minus its mean, divided by its standard deviation, clipped.
//!
//! ŷ = clip((x − μ) / √(σ² + ε), ±c). Mean μ and variance σ² are kept per feature of a group, over all its agents,
//! instances and time; only agents that take part count. Start, merging and ε are those of Gymnasium's
//! `NormalizeObservation` (which does not clip); there every step updates the statistics before it is
//! normalised, here they stay as they are for a whole fragment.

use palaestra_plugin_api::{
    Error, Result,
    spec::{Element, GroupSpec, Space},
};

use super::{
    moments::{Batch, Running},
    observation::ObservationWrapper,
    rows::Rows,
};

/// Settings of NormaliseObservation.
#[palaestra_plugin_api::config]
pub struct NormaliseObservationConfig {
    /// Largest absolute value of a normalised feature.
    #[config(default = 10.0, above = 0.0)]
    pub clip: f64,
    /// Added to the variance.
    #[config(default = 1e-8, above = 0.0)]
    pub epsilon: f64,
}

/// See the module.
pub(super) struct NormaliseObservation {
    config: NormaliseObservationConfig,
    running: Running,
    batch: Batch,
    /// 1/√(σ² + ε).
    scale: Vec<f64>,
}

impl NormaliseObservation {
    /// Composes with a group whose observations nothing has changed yet.
    pub(super) fn new(config: &NormaliseObservationConfig, group: &mut GroupSpec) -> Result<Self> {
        let width = group.observation.width();
        let Space::Box {
            low, high, element, ..
        } = &mut group.observation
        else {
            return Err(Error::config(
                "expected real observations to normalise, found choices",
            ));
        };
        if *element == Element::U8 {
            return Err(Error::config(
                "expected real observations to normalise, found bytes",
            ));
        }
        (*low, *high) = (vec![Some(-config.clip)], vec![Some(config.clip)]);
        let mut normalise = Self {
            config: config.clone(),
            running: Running::new(width),
            batch: Batch::new(width),
            scale: vec![0.0; width],
        };
        normalise.rescale();
        Ok(normalise)
    }

    /// Adds the rows of one slot to those of the fragment; one that is not finite is left out, or it would spoil
    /// the statistics for ever.
    pub(super) fn push(&mut self, rows: &[f32], counted: Option<&[u8]>) {
        for (i, row) in rows.chunks_exact(self.scale.len()).enumerate() {
            let counts = counted.is_none_or(|counted| counted[i] != 0);
            if counts && row.iter().all(|x| x.is_finite()) {
                self.batch.push(row);
            }
        }
    }

    /// Takes the rows of the fragment into the statistics.
    pub(super) fn merge(&mut self) {
        self.running.merge(&self.batch);
        self.batch.clear();
        self.rescale();
    }

    pub(super) fn statistics(&self) -> &Running {
        &self.running
    }

    /// Changes the statistics.
    pub(super) fn set(&mut self, change: impl FnOnce(&mut Running) -> Result<()>) -> Result<()> {
        change(&mut self.running)?;
        self.rescale();
        Ok(())
    }

    fn rescale(&mut self) {
        for (scale, variance) in self.scale.iter_mut().zip(self.running.variance()) {
            *scale = 1.0 / (variance + self.config.epsilon).sqrt();
        }
    }

    fn normalise(&self, from: &[f32], to: &mut [f32]) {
        let clip = self.config.clip;
        let width = self.scale.len();
        for (to, from) in to.chunks_exact_mut(width).zip(from.chunks_exact(width)) {
            let features = self.running.mean().iter().zip(&self.scale);
            for ((to, from), (mean, scale)) in to.iter_mut().zip(from).zip(features) {
                *to = ((f64::from(*from) - mean) * scale).clamp(-clip, clip) as f32;
            }
        }
    }
}

impl ObservationWrapper for NormaliseObservation {
    fn width(&self) -> usize {
        self.scale.len()
    }

    fn observe(&mut self, _: &Rows<'_>, from: &[f32], to: &mut [f32]) {
        self.normalise(from, to);
    }

    fn observe_final(&self, _: &Rows<'_>, from: &[f32], to: &mut [f32]) {
        self.normalise(from, to);
    }
}
