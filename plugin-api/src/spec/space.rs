//! Spaces of observations, states and actions.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A space of observations or actions. Structured spaces flatten with a recorded layout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Space {
    /// Real vectors or images, with bounds per component (null: unbounded).
    Box {
        /// Axes; the product is the width of the slab.
        shape: Vec<usize>,
        /// Lower bounds: one for all, or one per component.
        low: Vec<Option<f64>>,
        /// Upper bounds: one for all, or one per component.
        high: Vec<Option<f64>>,
        /// Element type of the slab.
        #[serde(default)]
        element: Element,
        /// Names of consecutive parts of a flattened structure, with their widths.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        parts: Vec<(String, usize)>,
    },
    /// One of `n` choices.
    Discrete {
        /// Number of choices.
        n: usize,
    },
    /// Several independent choices.
    MultiDiscrete {
        /// Number of choices of each component.
        choices: Vec<usize>,
    },
    /// Several bits.
    MultiBinary {
        /// Number of bits.
        n: usize,
    },
}

/// Element type of a box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Element {
    /// Single precision.
    #[default]
    F32,
    /// Bytes (images).
    U8,
}

impl Space {
    /// An unbounded real vector.
    pub fn real(width: usize) -> Self {
        Self::Box {
            shape: vec![width],
            low: vec![None],
            high: vec![None],
            element: Element::F32,
            parts: Vec::new(),
        }
    }

    /// A real vector with the same bounds for every component.
    pub fn bounded(width: usize, low: f64, high: f64) -> Self {
        Self::bounds(&vec![low; width], &vec![high; width])
    }

    /// A real vector with bounds per component; infinite means unbounded.
    pub fn bounds(low: &[f64], high: &[f64]) -> Self {
        let finite = |x: &f64| x.is_finite().then_some(*x);
        Self::Box {
            shape: vec![low.len()],
            low: low.iter().map(finite).collect(),
            high: high.iter().map(finite).collect(),
            element: Element::F32,
            parts: Vec::new(),
        }
    }

    /// An image of bytes, `[height, width, channels]`.
    pub fn image(height: usize, width: usize, channels: usize) -> Self {
        Self::Box {
            shape: vec![height, width, channels],
            low: vec![Some(0.0)],
            high: vec![Some(255.0)],
            element: Element::U8,
            parts: Vec::new(),
        }
    }

    /// One of `n` choices.
    pub const fn discrete(n: usize) -> Self {
        Self::Discrete { n }
    }

    /// Number of components in a slab row.
    pub fn width(&self) -> usize {
        match self {
            Self::Box { shape, .. } => shape.iter().product(),
            Self::Discrete { .. } => 1,
            Self::MultiDiscrete { choices } => choices.len(),
            Self::MultiBinary { n } => *n,
        }
    }

    /// Number of choices of each discrete component; empty for a box.
    pub fn choices(&self) -> Vec<usize> {
        match self {
            Self::Box { .. } => Vec::new(),
            Self::Discrete { n } => vec![*n],
            Self::MultiDiscrete { choices } => choices.clone(),
            Self::MultiBinary { n } => vec![2; *n],
        }
    }

    /// Whether rows are real numbers and not choices.
    pub const fn is_box(&self) -> bool {
        matches!(self, Self::Box { .. })
    }

    /// Element type of a slab that holds this space as an observation.
    pub const fn element(&self) -> Element {
        match self {
            Self::Box { element, .. } => *element,
            _ => Element::F32,
        }
    }

    /// Bounds of component `i` of a box; infinite where there are none.
    pub fn bounds_of(&self, i: usize) -> (f64, f64) {
        match self {
            Self::Box { low, high, .. } => {
                let at = |v: &[Option<f64>]| v.get(i).or(v.first()).copied().flatten();
                (
                    at(low).unwrap_or(f64::NEG_INFINITY),
                    at(high).unwrap_or(f64::INFINITY),
                )
            }
            _ => (0.0, self.choices()[i].saturating_sub(1) as f64),
        }
    }

    /// Refuses spaces that no value can be in.
    pub fn validate(&self) -> Result<()> {
        let wrong = |expected: &str, found: String| {
            Err(Error::plugin(format!("expected {expected}, found {found}")))
        };
        match self {
            Self::Box {
                shape,
                low,
                high,
                parts,
                ..
            } => {
                let width = self.width();
                if shape.is_empty() || width == 0 {
                    return wrong(
                        "a box with at least one component",
                        format!("shape {shape:?}"),
                    );
                }
                for bounds in [low, high] {
                    if bounds.len() != 1 && bounds.len() != width {
                        return wrong(&format!("1 or {width} bounds"), bounds.len().to_string());
                    }
                }
                if let Some(i) = (0..width).find(|&i| self.bounds_of(i).0 > self.bounds_of(i).1) {
                    return wrong(
                        "low ≤ high",
                        format!("{:?} at component {i}", self.bounds_of(i)),
                    );
                }
                let parts_width: usize = parts.iter().map(|p| p.1).sum();
                if !parts.is_empty() && parts_width != width {
                    return wrong(
                        &format!("parts of total width {width}"),
                        parts_width.to_string(),
                    );
                }
            }
            _ => {
                let choices = self.choices();
                if choices.is_empty()
                    || choices.contains(&0)
                    || choices.iter().any(|&n| n > i32::MAX as usize)
                {
                    return wrong("at least one choice per component", format!("{choices:?}"));
                }
            }
        }
        Ok(())
    }
}
