//! The slabs beyond those of an environment: identities, seats, proposals, extras, recurrent state, lists.

use palaestra_plugin_api::{
    abi::{DType, NO_GROUP, id},
    algorithm::AlgorithmCapabilities,
    layout::{SlabLayout, action_dtype, environment_slabs},
    spec::EnvironmentSpec,
};

/// One slab `[slots, instances, shape…]` of a group or, with [`NO_GROUP`], of whole instances.
fn slab(id: u32, group: u32, dtype: DType, shape: &[usize]) -> SlabLayout {
    SlabLayout {
        id,
        group,
        dtype,
        shape: shape.to_vec(),
        ended: false,
    }
}

/// What the host tells of every row: who it is, which task it plays, its key; and who sits where.
pub(super) fn identity(spec: &EnvironmentSpec) -> Vec<SlabLayout> {
    let mut slabs = vec![
        slab(id::INSTANCE, NO_GROUP, DType::U64, &[]),
        slab(id::TASK, NO_GROUP, DType::U32, &[]),
        slab(id::KEY, NO_GROUP, DType::U64, &[]),
    ];
    for (g, group) in (0..).zip(&spec.groups) {
        slabs.push(slab(id::SEAT, g, DType::U32, &[group.agents]));
    }
    slabs
}

/// What one policy writes and is told for each controlled group; `spec` is what it sees.
pub(super) fn policy(
    spec: &EnvironmentSpec,
    controlled: &[usize],
    capabilities: &AlgorithmCapabilities,
    mechanism_extras: usize,
    own_observation: impl Fn(usize) -> bool,
) -> Vec<SlabLayout> {
    let mut slabs = Vec::new();
    for (position, &g) in controlled.iter().enumerate() {
        let group = &spec.groups[g];
        let mut add = |id, dtype, width: Option<usize>| {
            let shape: Vec<_> = std::iter::once(group.agents).chain(width).collect();
            slabs.push(slab(id, g as u32, dtype, &shape));
        };
        let extras = capabilities.extras_width();
        let recurrent = capabilities.recurrent.get(position).copied().unwrap_or(0);
        add(
            id::PROPOSED_ACTION,
            action_dtype(group),
            Some(group.action.width()),
        );
        add(id::CONTROLLED, DType::U8, None);
        add(id::LEARNING_REWARD, DType::F32, None);
        if extras > 0 {
            add(id::EXTRAS, DType::F32, Some(extras));
        }
        if recurrent > 0 {
            add(id::RECURRENT, DType::F32, Some(recurrent));
        }
        if own_observation(g) {
            add(id::OBSERVATION, DType::F32, Some(group.observation.width()));
        }
    }
    let of_instances = [
        (id::INSTANCE_RECURRENT, capabilities.instance_recurrent),
        (id::MECHANISM_EXTRAS, mechanism_extras),
    ];
    for (id, width) in of_instances.into_iter().filter(|&(_, width)| width > 0) {
        slabs.push(slab(id, NO_GROUP, DType::F32, &[width]));
    }
    slabs
}

/// The lists of ended episodes of a whole fragment.
pub(super) fn ended_lists(spec: &EnvironmentSpec) -> Vec<SlabLayout> {
    let mut slabs = environment_slabs(spec);
    slabs.retain(|s| s.ended);
    slabs
}

/// A policy's own view of final observations, for the groups whose observations it changes.
pub(super) fn final_observations(
    spec: &EnvironmentSpec,
    controlled: &[usize],
    own_observation: impl Fn(usize) -> bool,
) -> Vec<SlabLayout> {
    let changed = controlled.iter().filter(|&&g| own_observation(g));
    changed
        .map(|&g| {
            let group = &spec.groups[g];
            let shape = [group.agents, group.observation.width()];
            SlabLayout {
                ended: true,
                ..slab(id::FINAL_OBSERVATION, g as u32, DType::F32, &shape)
            }
        })
        .collect()
}
