//! ClipAction and RescaleAction: real actions between a policy and its world.

use palaestra_plugin_api::{
    Error, Result,
    spec::{GroupSpec, Space},
};

/// Settings of ClipAction: none.
#[palaestra_plugin_api::config]
pub struct ClipActionConfig {}

/// Settings of RescaleAction: none.
#[palaestra_plugin_api::config]
pub struct RescaleActionConfig {}

/// From the policy's side to the world's, component by component; bounds are those of the world's side.
pub(super) enum ActionWrapper {
    /// Any number, cut to the bounds.
    Clip(Vec<(f32, f32)>),
    /// low + (high − low)·(a + 1)/2, and never beyond the bounds.
    Rescale(Vec<(f32, f32)>),
}

impl ActionWrapper {
    /// The policy's actions become unbounded.
    pub(super) fn clip(group: &mut GroupSpec) -> Result<Self> {
        let bounds = bounds(&group.action)?;
        if let Space::Box { low, high, .. } = &mut group.action {
            (*low, *high) = (vec![None], vec![None]);
        }
        Ok(Self::Clip(bounds))
    }

    /// The policy's actions become those in [−1, 1].
    pub(super) fn rescale(group: &mut GroupSpec) -> Result<Self> {
        let bounds = bounds(&group.action)?;
        let open = |&(low, high): &(f32, f32)| !(low.is_finite() && high.is_finite());
        if let Some(component) = bounds.iter().position(open) {
            let (low, high) = bounds[component];
            return Err(Error::config(format!(
                "expected finite bounds of every action component, found [{low}, {high}] of component \
                 {component}; ClipAction takes such"
            )));
        }
        if let Space::Box { low, high, .. } = &mut group.action {
            (*low, *high) = (vec![Some(-1.0)], vec![Some(1.0)]);
        }
        for (component, no_op) in group.no_op.iter_mut().flatten().enumerate() {
            let (low, high) = bounds[component];
            let (low, span) = (f64::from(low), f64::from(high) - f64::from(low));
            *no_op = match span > 0.0 {
                true => 2.0 * (*no_op - low) / span - 1.0,
                false => 0.0,
            };
        }
        Ok(Self::Rescale(bounds))
    }

    /// Changes actions `[rows, components]` in place.
    pub(super) fn apply(&self, actions: &mut [f32]) {
        match self {
            Self::Clip(bounds) => {
                each(actions, bounds, |x, low, high| x.clamp(low, high));
            }
            Self::Rescale(bounds) => each(actions, bounds, |x, low, high| {
                let (from, to) = (f64::from(low), f64::from(high));
                let x = from + (to - from) * (f64::from(x) + 1.0) / 2.0;
                (x as f32).clamp(low, high)
            }),
        }
    }
}

fn each(actions: &mut [f32], bounds: &[(f32, f32)], map: impl Fn(f32, f32, f32) -> f32) {
    for row in actions.chunks_exact_mut(bounds.len()) {
        for (x, &(low, high)) in row.iter_mut().zip(bounds) {
            *x = map(*x, low, high);
        }
    }
}

fn bounds(action: &Space) -> Result<Vec<(f32, f32)>> {
    if !action.is_box() {
        return Err(Error::config(
            "expected real actions, found choices; leave it out",
        ));
    }
    let of = |i: usize| {
        let (low, high) = action.bounds_of(i);
        (low as f32, high as f32)
    };
    Ok((0..action.width()).map(of).collect())
}
