//! `core/NoOp-v0`: every agent does nothing.
//!
//! Nothing is the group's no-op; without one, choice 0, or the value of the box closest to 0. Where a mask
//! forbids that choice it is the first allowed one.

use palaestra_plugin_api::{
    algorithm::{Algorithm, AlgorithmCapabilities, Setting},
    prelude::*,
    table::Table,
};

use crate::acting::{self, Component, Group};

/// No settings.
#[config]
pub struct NoOpConfig {}

/// Nothing, as far as the environment lets it.
pub struct NoOp {
    groups: Vec<Group>,
}

impl Algorithm for NoOp {
    const ID: &'static str = "core/NoOp-v0";
    const DESCRIPTION: &'static str = "Every agent does nothing; learns nothing";
    type Config = NoOpConfig;

    fn capabilities(_: &NoOpConfig, _: &Setting) -> Result<AlgorithmCapabilities> {
        Ok(acting::capabilities())
    }

    fn new(_: &NoOpConfig, setting: &Setting) -> Result<Self> {
        let groups = Group::all(setting);
        Ok(Self { groups })
    }

    fn act(&mut self, rows: &mut Table<'_>, slot: usize, _greedy: bool) -> Result<()> {
        let mut groups = self.groups.iter_mut();
        groups.try_for_each(|group| {
            group.act(rows, slot, |_, _| {
                |component: &Component<'_>| component.idle()
            })
        })
    }
}
