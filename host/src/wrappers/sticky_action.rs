//! StickyAction: with some probability an agent repeats the action it executed last (Machado et al., 2018).
//!
//! Drawn for each agent and step on its own. The first action of an episode is never replaced, nor is one
//! whose repetition the action mask forbids; agents that do not act in a step are left alone.

use std::ops::Range;

use palaestra_plugin_api::{
    Result,
    abi::{NO_GROUP, id},
    client::{Key, ShardMut, Slabs},
    spec::EnvironmentSpec,
};
use serde_json::{Value, json};

use super::{
    WorldWrapper,
    actions::GroupActions,
    noise::{Noise, uniform, word},
};
use crate::{exact, rollout::Place};

/// Settings of StickyAction.
#[palaestra_plugin_api::config]
pub struct StickyActionConfig {
    /// Probability of repeating the previous action.
    #[config(default = 0.25, range = 0.0..=1.0)]
    pub probability: f64,
}

/// See the module.
pub struct StickyAction {
    probability: f64,
    bound: Option<Bound>,
}

struct Bound {
    noise: Noise,
    first: Key<u8>,
    episode: Key<u64>,
    step: Key<u32>,
    groups: Vec<Group>,
}

struct Group {
    actions: GroupActions,
    alive: Option<Key<u8>>,
    acting: Option<Key<u8>>,
    /// Whether an agent has acted in its episode, `[n · agents]`.
    acted: Vec<bool>,
    /// The action it executed last, `[n · agents · width]`.
    previous: Vec<f64>,
}

impl StickyAction {
    /// Sticky actions for one shard.
    pub fn new(config: StickyActionConfig) -> Self {
        Self {
            probability: config.probability,
            bound: None,
        }
    }
}

impl WorldWrapper for StickyAction {
    fn compose(&mut self, spec: EnvironmentSpec) -> Result<EnvironmentSpec> {
        Ok(spec)
    }

    fn bind(&mut self, spec: &EnvironmentSpec, slabs: &Slabs, place: &Place, position: usize) {
        let n = place.range.len();
        let groups = spec.groups.iter().enumerate().map(|(g, group)| Group {
            actions: GroupActions::new(g, group, slabs),
            alive: slabs.key(id::ALIVE, g as u32),
            acting: slabs.key(id::ACTING, g as u32),
            acted: vec![false; n * group.agents],
            previous: vec![0.0; n * group.agents * group.action.width()],
        });
        let of = |id| slabs.key(id, NO_GROUP);
        self.bound = of(id::FIRST)
            .zip(slabs.key(id::EPISODE, NO_GROUP))
            .zip(slabs.key(id::STEP, NO_GROUP))
            .map(|((first, episode), step)| Bound {
                noise: Noise::new(place, position),
                first,
                episode,
                step,
                groups: groups.collect(),
            });
    }

    fn before_step(&mut self, shard: &mut ShardMut<'_>, read: usize) -> Result<()> {
        let Some(Bound {
            noise,
            first,
            episode,
            step,
            groups,
        }) = &mut self.bound
        else {
            return Ok(());
        };
        for instance in 0..shard.range().len() {
            let first = shard.rows(*first, read)[instance] != 0;
            let key = noise.row(
                instance,
                shard.rows(*episode, read)[instance],
                shard.rows(*step, read)[instance],
            );
            let mut agent = 0;
            for group in groups.iter_mut() {
                for row in instance * group.actions.agents..(instance + 1) * group.actions.agents {
                    if first {
                        group.acted[row] = false;
                    }
                    group.stick(
                        shard,
                        read,
                        row,
                        uniform(word(key, agent)) < self.probability,
                    );
                    agent += 1;
                }
            }
        }
        Ok(())
    }

    fn save(&self, instance: usize) -> Value {
        let groups = self.bound.iter().flat_map(|bound| &bound.groups);
        let group = |group: &Group| {
            let (agents, values) = group.rows(instance);
            json!({
                "acted": exact::save(&group.acted[agents]),
                "previous": exact::save(&group.previous[values]),
            })
        };
        json!({ "groups": groups.map(group).collect::<Value>() })
    }

    fn load(&mut self, instance: usize, saved: &Value) -> Result<()> {
        let Some(bound) = &mut self.bound else {
            return Ok(());
        };
        let groups = exact::elements(saved, "groups", bound.groups.len())?;
        for (group, saved) in bound.groups.iter_mut().zip(groups) {
            let (agents, values) = group.rows(instance);
            exact::load(saved, "acted", &mut group.acted[agents])?;
            exact::load(saved, "previous", &mut group.previous[values])?;
        }
        Ok(())
    }
}

impl Group {
    /// Where the agents of an instance are, and the components of their actions.
    fn rows(&self, instance: usize) -> (Range<usize>, Range<usize>) {
        let (n, width) = (self.actions.agents, self.actions.width);
        let agents = instance * n..(instance + 1) * n;
        (agents.clone(), agents.start * width..agents.end * width)
    }

    fn stick(&mut self, shard: &mut ShardMut<'_>, slot: usize, row: usize, repeat: bool) {
        let present =
            |flags: Option<Key<u8>>| flags.is_none_or(|key| shard.rows(key, slot)[row] != 0);
        if !present(self.alive) || !present(self.acting) {
            return;
        }
        let width = self.actions.width;
        let previous = &mut self.previous[row * width..(row + 1) * width];
        if !(repeat && self.acted[row] && self.actions.write(shard, slot, row, previous)) {
            self.actions.read(shard, slot, row, previous);
        }
        self.acted[row] = true;
    }
}
