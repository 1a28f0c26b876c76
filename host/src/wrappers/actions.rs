//! The action slab of one group, whatever its element type.

use palaestra_plugin_api::{
    abi::id,
    client::{Key, ShardMut, Slabs},
    spec::GroupSpec,
};

/// Actions of one group, agent by agent.
pub(super) struct GroupActions {
    key: Element,
    mask: Option<Key<u8>>,
    /// Choices of each component; empty for a box.
    choices: Vec<usize>,
    pub(super) agents: usize,
    pub(super) width: usize,
}

enum Element {
    Choices(Key<i32>),
    Real(Key<f32>),
    /// Slabs of another spec; never bound by a rollout.
    None,
}

impl GroupActions {
    pub(super) fn new(group: usize, spec: &GroupSpec, slabs: &Slabs) -> Self {
        let group = group as u32;
        let key = match (slabs.key(id::ACTION, group), slabs.key(id::ACTION, group)) {
            (Some(key), _) => Element::Choices(key),
            (_, Some(key)) => Element::Real(key),
            _ => Element::None,
        };
        Self {
            key,
            mask: slabs.key(id::ACTION_MASK, group),
            choices: spec.action.choices(),
            agents: spec.agents,
            width: spec.action.width(),
        }
    }

    /// Copies the action of an agent (row `[instance · agents + agent]`) to `to`.
    pub(super) fn read(&self, shard: &ShardMut<'_>, slot: usize, row: usize, to: &mut [f64]) {
        let range = row * self.width..(row + 1) * self.width;
        match self.key {
            Element::Choices(key) => copy(&shard.rows(key, slot)[range], to, |&x| f64::from(x)),
            Element::Real(key) => copy(&shard.rows(key, slot)[range], to, |&x| f64::from(x)),
            Element::None => {}
        }
    }

    /// Sets the action of an agent, unless its mask forbids it. Says whether it was set.
    pub(super) fn write(
        &self,
        shard: &mut ShardMut<'_>,
        slot: usize,
        row: usize,
        from: &[f64],
    ) -> bool {
        if !self.allows(shard, slot, row, from) {
            return false;
        }
        let range = row * self.width..(row + 1) * self.width;
        match self.key {
            Element::Choices(key) => {
                copy(from, &mut shard.rows_mut(key, slot)[range], |&x| x as i32)
            }
            Element::Real(key) => copy(from, &mut shard.rows_mut(key, slot)[range], |&x| x as f32),
            Element::None => {}
        }
        true
    }

    fn allows(&self, shard: &ShardMut<'_>, slot: usize, row: usize, action: &[f64]) -> bool {
        let Some(mask) = self.mask else { return true };
        let per_agent: usize = self.choices.iter().sum();
        let mask = &shard.rows(mask, slot)[row * per_agent..(row + 1) * per_agent];
        let mut offset = 0;
        self.choices.iter().zip(action).all(|(&n, &choice)| {
            let allowed = mask[offset + choice as usize] != 0;
            offset += n;
            allowed
        })
    }
}

fn copy<A, B>(from: &[A], to: &mut [B], convert: impl Fn(&A) -> B) {
    to.iter_mut()
        .zip(from)
        .for_each(|(to, from)| *to = convert(from));
}
