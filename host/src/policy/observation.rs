//! What wrappers that change observations have in common.

use palaestra_plugin_api::{
    Error, Result,
    spec::{Element, GroupSpec, Space},
};
use serde_json::Value;

use super::rows::Rows;

/// Changes the observations of one group.
pub(super) trait ObservationWrapper: Send {
    /// Features of an agent that it gives.
    fn width(&self) -> usize;

    /// The present observations `[rows, width before]` as the policy sees them, `[rows, width]`.
    fn observe(&mut self, rows: &Rows<'_>, from: &[f32], to: &mut [f32]);

    /// The same of last observations of episodes: nothing is remembered.
    fn observe_final(&self, rows: &Rows<'_>, from: &[f32], to: &mut [f32]);

    /// What it remembers of episodes under way.
    fn save(&self) -> Value {
        Value::Null
    }

    /// Remembers what [`save`](Self::save) gave.
    ///
    /// # Errors
    /// Kind `Config` for something else.
    fn load(&mut self, saved: &Value) -> Result<()> {
        let _ = saved;
        Ok(())
    }
}

/// The bounds of every feature, and the named parts, of observations that are real vectors.
///
/// # Errors
/// Kind `Config` for choices and bytes.
pub(super) fn real(group: &GroupSpec) -> Result<Features> {
    let found = match &group.observation {
        Space::Box {
            element: Element::F32,
            parts,
            ..
        } => {
            let space = &group.observation;
            let parts = match parts.is_empty() {
                true => vec![("observation".to_owned(), space.width())],
                false => parts.clone(),
            };
            let bounds = (0..space.width()).map(|i| space.bounds_of(i)).collect();
            return Ok(Features { bounds, parts });
        }
        Space::Box { .. } => "bytes",
        _ => "choices",
    };
    Err(Error::config(format!(
        "expected real observations, found {found}"
    )))
}

/// Features of an observation.
pub(super) struct Features {
    pub(super) bounds: Vec<(f64, f64)>,
    /// Names and widths.
    pub(super) parts: Vec<(String, usize)>,
}

impl Features {
    /// Appends a part.
    pub(super) fn with(mut self, name: &str, bounds: impl Iterator<Item = (f64, f64)>) -> Self {
        let before = self.bounds.len();
        self.bounds.extend(bounds);
        self.parts
            .push((name.to_owned(), self.bounds.len() - before));
        self
    }

    /// As a space of this shape.
    pub(super) fn space(self, shape: Vec<usize>) -> Space {
        let of = |bound: f64| bound.is_finite().then_some(bound);
        Space::Box {
            shape,
            low: self.bounds.iter().map(|b| of(b.0)).collect(),
            high: self.bounds.iter().map(|b| of(b.1)).collect(),
            element: Element::F32,
            parts: self.parts,
        }
    }
}
