//! One instance's rows of the slabs, as an environment reads and writes them.

use crate::sdk::memory::{self, GroupMemory, Outputs};

/// The joint action of one instance.
pub struct Actions<'a> {
    groups: &'a [memory::GroupActions],
    slot: usize,
    /// Looked up once per batch and not once per instance: most environments have one group.
    first: GroupActions<'a>,
}

/// The actions of one group of one instance.
#[derive(Clone, Copy)]
pub struct GroupActions<'a> {
    agents: usize,
    width: usize,
    choices: &'a [i32],
    continuous: &'a [f64],
    instance: usize,
}

impl<'a> Actions<'a> {
    /// Actions of slot `slot`, of the first instance.
    #[inline(always)]
    pub(crate) fn new(groups: &'a [memory::GroupActions], slot: usize) -> Self {
        let first = GroupActions::new(&groups[0], slot);
        Self {
            groups,
            slot,
            first,
        }
    }

    /// The same for another instance.
    #[inline(always)]
    pub(crate) fn of(&self, instance: usize) -> Self {
        Self {
            first: GroupActions {
                instance,
                ..self.first
            },
            ..*self
        }
    }

    /// Actions of group `group`, in the order of the spec.
    #[inline(always)]
    pub fn group(&self, group: usize) -> GroupActions<'a> {
        let instance = self.first.instance;
        GroupActions {
            instance,
            ..GroupActions::new(&self.groups[group], self.slot)
        }
    }

    /// Choice of an agent of the first group, within the space (the SDK has checked it).
    #[inline(always)]
    pub fn discrete(&self, agent: usize) -> usize {
        self.first.discrete(agent)
    }

    /// Real action of an agent of the first group, finite, not clipped.
    #[inline(always)]
    pub fn continuous(&self, agent: usize) -> &'a [f64] {
        self.first.continuous(agent)
    }
}

impl<'a> GroupActions<'a> {
    #[inline(always)]
    fn new(memory: &'a memory::GroupActions, slot: usize) -> Self {
        let memory::GroupActions {
            agents,
            width,
            continuous,
            ..
        } = memory;
        Self {
            agents: *agents,
            width: *width,
            choices: memory.discrete(slot),
            continuous,
            instance: 0,
        }
    }

    /// First component of an agent.
    #[inline(always)]
    fn at(&self, agent: usize) -> usize {
        (self.instance * self.agents + agent) * self.width
    }

    /// Choice of an agent, within the space (the SDK has checked it).
    #[inline(always)]
    pub fn discrete(&self, agent: usize) -> usize {
        self.choices[self.at(agent)] as usize
    }

    /// Choices of an agent, one per component.
    #[inline(always)]
    pub fn choices(&self, agent: usize) -> &'a [i32] {
        let at = self.at(agent);
        &self.choices[at..at + self.width]
    }

    /// Real action of an agent, finite, not clipped.
    #[inline(always)]
    pub fn continuous(&self, agent: usize) -> &'a [f64] {
        let at = self.at(agent);
        &self.continuous[at..at + self.width]
    }
}

/// Writes what the agents of one instance see.
pub struct Observe<'a> {
    pub(crate) out: &'a mut Outputs,
    pub(crate) slot: usize,
    pub(crate) instance: usize,
}

impl Observe<'_> {
    /// Writer of group `group`, in the order of the spec.
    #[inline(always)]
    pub fn group(&mut self, group: usize) -> GroupWriter<'_> {
        GroupWriter {
            memory: &mut self.out.groups[group],
            slot: self.slot,
            instance: self.instance,
        }
    }

    /// Observation of an agent of the first group, `[width]`.
    #[inline(always)]
    pub fn observation(&mut self, agent: usize) -> &mut [f32] {
        self.group(0).into_observation(agent)
    }

    /// Observations of all agents of the first group, `[agents · width]`.
    #[inline(always)]
    pub fn observations(&mut self) -> &mut [f32] {
        self.out.groups[0]
            .observation
            .instance_mut(self.slot, self.instance)
    }

    /// Action masks of all agents of the first group, `[agents · choices]`.
    #[inline(always)]
    pub fn action_masks(&mut self) -> &mut [u8] {
        self.out.groups[0]
            .mask
            .instance_mut(self.slot, self.instance)
    }

    /// Action mask of an agent of the first group, `[choices]`; all 1 before every reset and step.
    #[inline(always)]
    pub fn action_mask(&mut self, agent: usize) -> &mut [u8] {
        self.group(0).into_action_mask(agent)
    }

    /// Marks an agent of the first group as the one (or one of those) to act next.
    #[inline(always)]
    pub fn set_acting(&mut self, agent: usize) {
        self.group(0).set_acting(agent);
    }

    /// Global state, `[width]`.
    #[inline(always)]
    pub fn state(&mut self) -> &mut [f32] {
        self.out.state.instance_mut(self.slot, self.instance)
    }
}

/// Writes what one group of one instance sees, and what befalls its agents.
pub struct GroupWriter<'a> {
    memory: &'a mut GroupMemory,
    slot: usize,
    instance: usize,
}

impl<'a> GroupWriter<'a> {
    #[inline(always)]
    fn agent(&self, agent: usize) -> usize {
        debug_assert!(
            agent < self.memory.agents,
            "agent {agent} of a group of {}",
            self.memory.agents
        );
        self.instance * self.memory.agents + agent
    }

    /// Observation of an agent, `[width]`.
    #[inline(always)]
    pub fn observation(&mut self, agent: usize) -> &mut [f32] {
        let (at, width) = (self.agent(agent), self.memory.observation_width);
        &mut self.memory.observation.slot_mut(self.slot)[at * width..(at + 1) * width]
    }

    #[inline(always)]
    fn into_observation(self, agent: usize) -> &'a mut [f32] {
        let (at, width) = (self.agent(agent), self.memory.observation_width);
        &mut self.memory.observation.slot_mut(self.slot)[at * width..(at + 1) * width]
    }

    /// Observation of an agent whose space is made of bytes, `[width]`.
    #[inline(always)]
    pub fn pixels(&mut self, agent: usize) -> &mut [u8] {
        let (at, width) = (self.agent(agent), self.memory.observation_width);
        &mut self.memory.pixels.slot_mut(self.slot)[at * width..(at + 1) * width]
    }

    /// Action mask of an agent, `[choices]`; all 1 before every reset and step.
    #[inline(always)]
    pub fn action_mask(&mut self, agent: usize) -> &mut [u8] {
        let (at, width) = (
            self.agent(agent),
            self.memory.mask.row() / self.memory.agents,
        );
        &mut self.memory.mask.slot_mut(self.slot)[at * width..(at + 1) * width]
    }

    #[inline(always)]
    fn into_action_mask(self, agent: usize) -> &'a mut [u8] {
        let (at, width) = (
            self.agent(agent),
            self.memory.mask.row() / self.memory.agents,
        );
        &mut self.memory.mask.slot_mut(self.slot)[at * width..(at + 1) * width]
    }

    /// Marks an agent as the one (or one of those) to act next.
    #[inline(always)]
    pub fn set_acting(&mut self, agent: usize) {
        let at = self.agent(agent);
        self.memory.acting.slot_mut(self.slot)[at] = 1;
    }

    /// Says whether an agent takes part: at reset (curricula), or as it respawns or leaves.
    #[inline(always)]
    pub fn set_alive(&mut self, agent: usize, alive: bool) {
        let at = self.agent(agent);
        self.memory.living[at] = u8::from(alive);
    }

    /// Whether an agent takes part.
    #[inline(always)]
    pub fn is_alive(&self, agent: usize) -> bool {
        self.memory.living[self.agent(agent)] != 0
    }

    /// Adds to the reward of an agent for this step.
    #[inline(always)]
    pub fn reward(&mut self, agent: usize, reward: f64) {
        let at = self.agent(agent);
        self.memory.exact_rewards[at] += reward;
    }

    /// Ends one agent's own episode in a terminal state (flag `per_agent_end`).
    #[inline(always)]
    pub fn terminate(&mut self, agent: usize) {
        let at = self.agent(agent);
        self.memory.agent_terminated.slot_mut(self.slot)[at] = 1;
        self.memory.living[at] = 0;
    }

    /// Cuts one agent's own episode off (flag `per_agent_end`).
    #[inline(always)]
    pub fn truncate(&mut self, agent: usize) {
        let at = self.agent(agent);
        self.memory.agent_truncated.slot_mut(self.slot)[at] = 1;
        self.memory.living[at] = 0;
    }
}

/// Writes the outcome of a step; everything of [`Observe`] too.
pub struct StepWriter<'a> {
    pub(crate) observe: Observe<'a>,
}

impl StepWriter<'_> {
    /// Adds to the reward of an agent of the first group.
    #[inline(always)]
    pub fn reward(&mut self, agent: usize, reward: f64) {
        self.observe.group(0).reward(agent, reward);
    }

    /// Ends the episode in a terminal state.
    #[inline(always)]
    pub fn terminate(&mut self) {
        self.terminate_if(true);
    }

    /// Ends the episode in a terminal state if `terminal`; without a branch, for ends are hard to predict.
    #[inline(always)]
    pub fn terminate_if(&mut self, terminal: bool) {
        let Observe {
            out,
            slot,
            instance,
        } = &mut self.observe;
        out.terminated.slot_mut(*slot)[*instance] |= u8::from(terminal);
    }

    /// Cuts the episode off for a reason other than the time limit, which is the SDK's.
    #[inline(always)]
    pub fn truncate(&mut self) {
        let Observe {
            out,
            slot,
            instance,
        } = &mut self.observe;
        out.truncated.slot_mut(*slot)[*instance] = 1;
    }

    /// Sets the value of metric `index` (order of the spec) for this step; 0 unless set.
    #[inline(always)]
    pub fn metric(&mut self, index: usize, value: f64) {
        let Observe {
            out,
            slot,
            instance,
        } = &mut self.observe;
        out.metrics.instance_mut(*slot, *instance)[index] = value as f32;
    }
}

impl<'a> std::ops::Deref for StepWriter<'a> {
    type Target = Observe<'a>;
    #[inline(always)]
    fn deref(&self) -> &Observe<'a> {
        &self.observe
    }
}

impl std::ops::DerefMut for StepWriter<'_> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.observe
    }
}
