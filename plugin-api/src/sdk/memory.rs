//! The memory of one batch: bound slabs, and what the SDK keeps of its own.

use super::{
    aligned::Aligned,
    plane::{Element, Plane},
};
use crate::{
    abi::{DType, NO_GROUP, Slab, id},
    error::{Error, ErrorKind, Result},
    layout::{action_dtype, observation_dtype},
    spec::{EnvironmentSpec, GroupSpec},
};

/// What the agents of one group do.
pub(crate) struct GroupActions {
    pub(crate) agents: usize,
    pub(crate) width: usize,
    /// Choices per component; empty for a box.
    pub(crate) choices: Vec<usize>,
    pub(crate) slab_i32: Plane<i32>,
    pub(crate) slab_f32: Plane<f32>,
    /// Actions of a box in f64: dynamics never see the f32 of the slab. `[n · agents · width]`.
    pub(crate) continuous: Vec<f64>,
    /// Choices given to `step_exact`.
    pub(crate) exact_choices: Vec<i32>,
    /// Whether the choices come from `step_exact` and not from the slab.
    pub(crate) exact: bool,
}

impl GroupActions {
    /// Choices of all instances at a slot, `[n · agents · width]`.
    #[inline(always)]
    pub(crate) fn discrete(&self, slot: usize) -> &[i32] {
        if self.exact {
            &self.exact_choices
        } else {
            self.slab_i32.slot(slot)
        }
    }
}

/// Planes that one agent group writes. Unused ones (pixels beside floats, masks without choices) have no elements.
pub(crate) struct GroupMemory {
    pub(crate) agents: usize,
    pub(crate) observation_width: usize,
    pub(crate) has_mask: bool,
    pub(crate) observation: Plane<f32>,
    pub(crate) pixels: Plane<u8>,
    pub(crate) reward: Plane<f32>,
    pub(crate) mask: Plane<u8>,
    pub(crate) alive: Plane<u8>,
    pub(crate) acting: Plane<u8>,
    pub(crate) agent_terminated: Plane<u8>,
    pub(crate) agent_truncated: Plane<u8>,
    pub(crate) agent_first: Plane<u8>,
    pub(crate) final_observation: Plane<f32>,
    pub(crate) final_pixels: Plane<u8>,
    pub(crate) final_mask: Plane<u8>,
    pub(crate) final_alive: Plane<u8>,
    pub(crate) episode_return: Plane<f64>,
    /// Rewards of this step in f64, `[n · agents]`.
    pub(crate) exact_rewards: Aligned<f64>,
    /// Rewards summed since the episode began, `[n · agents]`.
    pub(crate) returns: Aligned<f64>,
    /// Who takes part now, `[n · agents]`.
    pub(crate) living: Vec<u8>,
}

/// Everything that a step writes.
pub(crate) struct Outputs {
    pub(crate) groups: Vec<GroupMemory>,
    pub(crate) state: Plane<f32>,
    pub(crate) metrics: Plane<f32>,
    pub(crate) terminated: Plane<u8>,
    pub(crate) truncated: Plane<u8>,
    pub(crate) first: Plane<u8>,
    pub(crate) episode: Plane<u64>,
    pub(crate) step: Plane<u32>,
    pub(crate) ended_count: Plane<u32>,
    pub(crate) ended_row: Plane<u32>,
    pub(crate) final_state: Plane<f32>,
    pub(crate) episode_length: Plane<u32>,
    pub(crate) episode_metrics: Plane<f64>,
}

/// All memory of a batch.
pub(crate) struct Memory {
    pub(crate) instances: usize,
    /// Slots that calls may name.
    pub(crate) slots: usize,
    pub(crate) actions: Vec<GroupActions>,
    pub(crate) out: Outputs,
}

/// Finds slabs by id and group and turns them into planes.
struct Binder<'a> {
    table: &'a [Slab],
    instances: usize,
    slots: usize,
}

impl Binder<'_> {
    fn plane<T: Element>(&mut self, id: u32, group: u32, row: usize) -> Result<Plane<T>> {
        match self
            .table
            .iter()
            .find(|s| s.id == id && s.group == group && row > 0)
        {
            None => Ok(Plane::own(self.instances, row)),
            Some(slab) => {
                let plane = Plane::bind(slab, self.instances, row)?;
                self.slots = self.slots.min(plane.slots());
                Ok(plane)
            }
        }
    }

    fn actions(&mut self, g: u32, spec: &GroupSpec) -> Result<GroupActions> {
        let row = spec.agents * spec.action.width();
        let (boxed, chosen) = if action_dtype(spec) == DType::F32 {
            (row, 0)
        } else {
            (0, row)
        };
        Ok(GroupActions {
            agents: spec.agents,
            width: spec.action.width(),
            choices: spec.action.choices(),
            slab_i32: self.plane(id::ACTION, g, chosen)?,
            slab_f32: self.plane(id::ACTION, g, boxed)?,
            continuous: vec![0.0; self.instances * boxed],
            exact_choices: vec![0; self.instances * chosen],
            exact: false,
        })
    }

    fn outputs(&mut self, g: u32, spec: &GroupSpec) -> Result<GroupMemory> {
        let (n, agents) = (self.instances, spec.agents);
        let observed = spec.observation.width();
        let masked = if spec.has_action_mask {
            spec.action.choices().iter().sum()
        } else {
            0
        };
        let when = |condition: bool, width: usize| if condition { agents * width } else { 0 };
        let float = observation_dtype(spec) == DType::F32;
        Ok(GroupMemory {
            agents,
            observation_width: observed,
            has_mask: spec.has_action_mask,
            observation: self.plane(id::OBSERVATION, g, when(float, observed))?,
            pixels: self.plane(id::OBSERVATION, g, when(!float, observed))?,
            reward: self.plane(id::REWARD, g, agents)?,
            mask: self.plane(id::ACTION_MASK, g, agents * masked)?,
            alive: self.plane(id::ALIVE, g, agents)?,
            acting: self.plane(id::ACTING, g, agents)?,
            agent_terminated: self.plane(id::AGENT_TERMINATED, g, agents)?,
            agent_truncated: self.plane(id::AGENT_TRUNCATED, g, agents)?,
            agent_first: self.plane(id::AGENT_FIRST, g, agents)?,
            final_observation: self.plane(id::FINAL_OBSERVATION, g, when(float, observed))?,
            final_pixels: self.plane(id::FINAL_OBSERVATION, g, when(!float, observed))?,
            final_mask: self.plane(id::FINAL_ACTION_MASK, g, agents * masked)?,
            final_alive: self.plane(id::FINAL_ALIVE, g, agents)?,
            episode_return: self.plane(id::EPISODE_RETURN, g, agents)?,
            exact_rewards: Aligned::new(0.0, n * agents),
            returns: Aligned::new(0.0, n * agents),
            living: vec![1; n * agents],
        })
    }
}

impl Memory {
    /// Memory of our own for every plane.
    pub(crate) fn own(spec: &EnvironmentSpec, instances: usize) -> Result<Self> {
        Self::bind(spec, instances, &[])
    }

    /// Planes over a table of slabs; ids that we do not know are ignored.
    pub(crate) fn bind(spec: &EnvironmentSpec, instances: usize, table: &[Slab]) -> Result<Self> {
        let mut binder = Binder {
            table,
            instances,
            slots: usize::MAX,
        };
        let b = &mut binder;
        let numbered = || {
            spec.groups
                .iter()
                .enumerate()
                .map(|(g, group)| (g as u32, group))
        };
        let actions = numbered()
            .map(|(g, group)| b.actions(g, group))
            .collect::<Result<_>>()?;
        let groups = numbered()
            .map(|(g, group)| b.outputs(g, group))
            .collect::<Result<_>>()?;
        let (state, metrics) = (
            spec.state.as_ref().map_or(0, |s| s.width()),
            spec.metrics.len(),
        );
        let out = Outputs {
            groups,
            state: b.plane(id::STATE, NO_GROUP, state)?,
            metrics: b.plane(id::METRICS, NO_GROUP, metrics)?,
            terminated: b.plane(id::TERMINATED, NO_GROUP, 1)?,
            truncated: b.plane(id::TRUNCATED, NO_GROUP, 1)?,
            first: b.plane(id::FIRST, NO_GROUP, 1)?,
            episode: b.plane(id::EPISODE, NO_GROUP, 1)?,
            step: b.plane(id::STEP, NO_GROUP, 1)?,
            ended_count: b.plane(id::ENDED_COUNT, NO_GROUP, 1)?,
            ended_row: b.plane(id::ENDED_ROW, NO_GROUP, 1)?,
            final_state: b.plane(id::FINAL_STATE, NO_GROUP, state)?,
            episode_length: b.plane(id::EPISODE_LENGTH, NO_GROUP, 1)?,
            episode_metrics: b.plane(id::EPISODE_METRICS, NO_GROUP, metrics)?,
        };
        Ok(Self {
            instances,
            slots: b.slots,
            actions,
            out,
        })
    }

    /// Carries over what outlives a change of slabs.
    pub(crate) fn inherit(&mut self, old: &mut Self) {
        for (new, old) in self.out.groups.iter_mut().zip(&mut old.out.groups) {
            std::mem::swap(&mut new.returns, &mut old.returns);
            std::mem::swap(&mut new.living, &mut old.living);
        }
    }

    /// Refuses a slot beyond the bound ones, before any memory is touched.
    #[inline(always)]
    pub(crate) fn check_slot(&self, slot: u32) -> Result<usize> {
        if (slot as usize) < self.slots {
            Ok(slot as usize)
        } else {
            Err(self.bad_slot(slot))
        }
    }

    #[cold]
    fn bad_slot(&self, slot: u32) -> Error {
        Error::new(
            ErrorKind::Host,
            format!("slot: expected less than {}, found {slot}", self.slots),
        )
    }
}
