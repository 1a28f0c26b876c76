//! Which slabs an environment has, by its spec: one definition for host, SDK and checks.

use crate::{
    abi::{DType, NO_GROUP, id},
    spec::{Element, EnvironmentSpec, GroupSpec},
};

/// One slab of an environment: `[slots, instances, shape…]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlabLayout {
    /// One of [`crate::abi::id`].
    pub id: u32,
    /// Agent group, or [`NO_GROUP`].
    pub group: u32,
    /// Element type.
    pub dtype: DType,
    /// Axes after slot and instance.
    pub shape: Vec<usize>,
    /// Written for ended episodes only: a list with one entry per [`id::ENDED_ROW`], kept for the last step.
    pub ended: bool,
}

impl SlabLayout {
    /// Elements of one instance.
    pub fn row(&self) -> usize {
        self.shape.iter().product()
    }
}

/// All slabs of an environment with this spec, in the order of the table.
pub fn environment_slabs(spec: &EnvironmentSpec) -> Vec<SlabLayout> {
    let mut slabs = Vec::new();
    for (index, group) in spec.groups.iter().enumerate() {
        group_slabs(&mut slabs, index as u32, group, spec);
    }
    let mut add = |id, dtype, shape: &[usize], ended| {
        slabs.push(SlabLayout {
            id,
            group: NO_GROUP,
            dtype,
            shape: shape.to_vec(),
            ended,
        });
    };
    if let Some(state) = &spec.state {
        add(id::STATE, DType::F32, &[state.width()], false);
        add(id::FINAL_STATE, DType::F32, &[state.width()], true);
    }
    if !spec.metrics.is_empty() {
        add(id::METRICS, DType::F32, &[spec.metrics.len()], false);
        add(id::EPISODE_METRICS, DType::F64, &[spec.metrics.len()], true);
    }
    add(id::TERMINATED, DType::U8, &[], false);
    add(id::TRUNCATED, DType::U8, &[], false);
    add(id::FIRST, DType::U8, &[], false);
    add(id::EPISODE, DType::U64, &[], false);
    add(id::STEP, DType::U32, &[], false);
    add(id::ENDED_COUNT, DType::U32, &[], true);
    add(id::ENDED_ROW, DType::U32, &[], true);
    add(id::EPISODE_LENGTH, DType::U32, &[], true);
    slabs
}

fn group_slabs(slabs: &mut Vec<SlabLayout>, index: u32, group: &GroupSpec, spec: &EnvironmentSpec) {
    let agents = group.agents;
    let mut add = |id, dtype, width: Option<usize>, ended| {
        let mut shape = vec![agents];
        shape.extend(width);
        slabs.push(SlabLayout {
            id,
            group: index,
            dtype,
            shape,
            ended,
        });
    };
    let observed = observation_dtype(group);
    add(
        id::OBSERVATION,
        observed,
        Some(group.observation.width()),
        false,
    );
    add(
        id::FINAL_OBSERVATION,
        observed,
        Some(group.observation.width()),
        true,
    );
    add(
        id::ACTION,
        action_dtype(group),
        Some(group.action.width()),
        false,
    );
    add(id::REWARD, DType::F32, None, false);
    add(id::EPISODE_RETURN, DType::F64, None, true);
    if group.has_action_mask {
        let choices = group.action.choices().iter().sum();
        add(id::ACTION_MASK, DType::U8, Some(choices), false);
        add(id::FINAL_ACTION_MASK, DType::U8, Some(choices), true);
    }
    if spec.flags.turn_based {
        add(id::ACTING, DType::U8, None, false);
    }
    if ends_per_agent(spec) {
        add(id::ALIVE, DType::U8, None, false);
        add(id::FINAL_ALIVE, DType::U8, None, true);
        add(id::AGENT_TERMINATED, DType::U8, None, false);
        add(id::AGENT_TRUNCATED, DType::U8, None, false);
        add(id::AGENT_FIRST, DType::U8, None, false);
    }
}

/// Whether the per-agent slabs exist; otherwise every agent lives as long as the episode.
pub fn ends_per_agent(spec: &EnvironmentSpec) -> bool {
    spec.flags.per_agent_end || spec.flags.respawn
}

/// Element type of the action slab of a group.
pub fn action_dtype(group: &GroupSpec) -> DType {
    if group.action.is_box() {
        DType::F32
    } else {
        DType::I32
    }
}

/// Element type of the observation slab of a group.
pub fn observation_dtype(group: &GroupSpec) -> DType {
    match group.observation.element() {
        Element::F32 => DType::F32,
        Element::U8 => DType::U8,
    }
}
