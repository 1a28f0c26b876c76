//! FrameStack: the last observations of an agent side by side, the oldest first.
//!
//! At the start of an episode there are none before the first: it is repeated (`padding = "repeat"`, as
//! Gymnasium's `FrameStackObservation` does by default), or they are zeros (`padding = "zeros"`). Vectors are
//! joined to one vector; observations of more axes get one more in front.

use palaestra_plugin_api::{
    Result,
    spec::{GroupSpec, Space},
};
use serde_json::{Value, json};

use super::{
    observation::{ObservationWrapper, real},
    rows::Rows,
};
use crate::exact;

/// Settings of FrameStack.
#[palaestra_plugin_api::config]
pub struct FrameStackConfig {
    /// Observations that are seen at once.
    #[config(default = 4, range = 1..=256)]
    pub frames: u32,
    /// What stands before the first observation of an episode.
    pub padding: Padding,
}

/// What stands before the first observation of an episode.
#[palaestra_plugin_api::config]
pub enum Padding {
    /// The first observation.
    Repeat,
    /// Zeros.
    Zeros,
}

/// See the module.
pub(super) struct FrameStack {
    padding: Padding,
    /// Features of one frame.
    frame: usize,
    /// Features of a stack.
    width: usize,
    /// `[rows, frames, features]`.
    stacks: Vec<f32>,
    /// Whether a row has ever been seen: the view of a policy may begin in the middle of an episode.
    seen: Vec<bool>,
}

impl FrameStack {
    pub(super) fn new(
        config: &FrameStackConfig,
        group: &mut GroupSpec,
        rows: usize,
    ) -> Result<Self> {
        let mut features = real(group)?;
        let (frames, frame) = (config.frames as usize, features.bounds.len());
        features.bounds = features.bounds.repeat(frames);
        if config.padding == Padding::Zeros {
            for (low, high) in &mut features.bounds {
                (*low, *high) = (low.min(0.0), high.max(0.0));
            }
        }
        let ages = (0..frames).rev();
        features.parts = ages
            .flat_map(|age| {
                let aged = |(name, width): &(String, usize)| match age {
                    0 => (name.clone(), *width),
                    _ => (format!("{name}[t-{age}]"), *width),
                };
                features.parts.iter().map(aged).collect::<Vec<_>>()
            })
            .collect();
        let shape = match &group.observation {
            Space::Box { shape, .. } if shape.len() > 1 => {
                [frames].iter().chain(shape).copied().collect()
            }
            _ => vec![frames * frame],
        };
        group.observation = features.space(shape);
        Ok(Self {
            padding: config.padding,
            frame,
            width: frames * frame,
            stacks: vec![0.0; rows * frames * frame],
            seen: vec![false; rows],
        })
    }

    /// A stack that begins with `first`.
    fn begin(&self, first: &[f32], stack: &mut [f32]) {
        match self.padding {
            Padding::Repeat => stack
                .chunks_exact_mut(self.frame)
                .for_each(|frame| frame.copy_from_slice(first)),
            Padding::Zeros => {
                let (before, now) = stack.split_at_mut(self.width - self.frame);
                before.fill(0.0);
                now.copy_from_slice(first);
            }
        }
    }
}

impl ObservationWrapper for FrameStack {
    fn width(&self) -> usize {
        self.width
    }

    fn observe(&mut self, rows: &Rows<'_>, from: &[f32], to: &mut [f32]) {
        self.observe_final(rows, from, to);
        self.stacks[rows.range.start * self.width..rows.range.end * self.width].copy_from_slice(to);
        self.seen[rows.range.clone()].fill(true);
    }

    fn observe_final(&self, rows: &Rows<'_>, from: &[f32], to: &mut [f32]) {
        let pairs = to
            .chunks_exact_mut(self.width)
            .zip(from.chunks_exact(self.frame));
        for (i, (stack, now)) in pairs.enumerate() {
            let row = rows.range.start + i;
            if rows.starts(i) || !self.seen[row] {
                self.begin(now, stack);
            } else {
                let (before, newest) = stack.split_at_mut(self.width - self.frame);
                let start = row * self.width + self.frame;
                before.copy_from_slice(&self.stacks[start..start + before.len()]);
                newest.copy_from_slice(now);
            }
        }
    }

    fn save(&self) -> Value {
        json!({ "stacks": exact::save(&self.stacks), "seen": exact::save(&self.seen) })
    }

    fn load(&mut self, saved: &Value) -> Result<()> {
        exact::load(saved, "stacks", &mut self.stacks)?;
        exact::load(saved, "seen", &mut self.seen)
    }
}
