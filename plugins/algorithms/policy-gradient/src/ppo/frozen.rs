//! Policies for acting: weights on the CPU, no tape, no allocation once warm.

use palaestra_learning::{
    device::Backend,
    networks::{FrozenMlp, FrozenNetwork, Parameter},
};

use super::policy::Policy;

/// A copy of a [`Policy`].
#[derive(Clone, Debug)]
pub(crate) struct FrozenPolicy {
    network: FrozenNetwork,
    pub(crate) message: Option<FrozenMlp>,
    pub(crate) head: Option<FrozenMlp>,
    pub(crate) log_std: Vec<f32>,
    critic: FrozenNetwork,
    shared_trunk: bool,
}

/// Rows to judge or to act in, and the memory that goes with each.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// Rows of the actor's input.
    pub(crate) actor: &'a [f32],
    /// Rows of the critic's.
    pub(crate) critic: &'a [f32],
    /// `[rows, memory]`: the actor's memory, then the critic's.
    pub(crate) memory: &'a [f32],
}

/// Buffers of one step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    /// `[rows, features]`.
    pub(crate) features: Vec<f32>,
    /// `[rows]`: what the critic says, in its own units.
    pub(crate) values: Vec<f32>,
    /// `[rows, memory]`: the next memory.
    pub(crate) memory: Vec<f32>,
    parts: [Vec<f32>; 4],
}

/// Which networks to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// The actor.
    Actor,
    /// The critic, and the actor where the critic needs its features.
    Critic,
    /// Both.
    Both,
}

impl FrozenPolicy {
    pub(crate) fn new<D: Backend>(policy: &Policy<D>) -> Self {
        let actor = &policy.actor;
        Self {
            network: actor.network.freeze(),
            message: actor.message.as_ref().map(|m| m.freeze()),
            head: actor.head.as_ref().map(|h| h.freeze()),
            log_std: actor.log_std.as_ref().map_or(Vec::new(), Parameter::to_vec),
            critic: policy.critic.freeze(),
            shared_trunk: policy.shared_trunk,
        }
    }

    /// Width of the features.
    pub(crate) fn features(&self) -> usize {
        self.network.outputs()
    }

    /// Values of memory of one agent.
    pub(crate) fn memory(&self) -> usize {
        self.network.memory() + self.critic.memory()
    }

    /// One step of `count` rows into `step`; what does not run leaves zeros.
    pub(crate) fn run(&self, rows: Rows<'_>, count: usize, run: Run, step: &mut Step) {
        let (a, c) = (self.network.memory(), self.critic.memory());
        let [actor_in, actor_out, critic_in, critic_out] = &mut step.parts;
        for (part, width) in [
            (&mut *actor_in, a),
            (actor_out, a),
            (critic_in, c),
            (critic_out, c),
        ] {
            part.clear();
            part.resize(count * width, 0.0);
        }
        let [actor_in, actor_out, critic_in, critic_out] = &mut step.parts;
        split(rows.memory, a + c, 0, a, actor_in);
        split(rows.memory, a + c, a, c, critic_in);
        step.features.clear();
        step.features.resize(count * self.features(), 0.0);
        step.values.clear();
        step.values.resize(count, 0.0);
        if run != Run::Critic || self.shared_trunk {
            self.network
                .infer(rows.actor, actor_in, actor_out, &mut step.features);
        }
        if run != Run::Actor {
            let input = if self.shared_trunk {
                &step.features
            } else {
                rows.critic
            };
            self.critic
                .infer(input, critic_in, critic_out, &mut step.values);
        }
        step.memory.clear();
        step.memory.resize(count * (a + c), 0.0);
        join(actor_out, a + c, 0, a, &mut step.memory);
        join(critic_out, a + c, a, c, &mut step.memory);
    }
}

/// `width` columns from `start` of rows of `total`.
pub(crate) fn split(rows: &[f32], total: usize, start: usize, width: usize, into: &mut [f32]) {
    if width == 0 {
        return;
    }
    for (to, from) in into.chunks_exact_mut(width).zip(rows.chunks_exact(total)) {
        to.copy_from_slice(&from[start..start + width]);
    }
}

/// The other way.
pub(crate) fn join(part: &[f32], total: usize, start: usize, width: usize, rows: &mut [f32]) {
    if width == 0 {
        return;
    }
    for (from, to) in part.chunks_exact(width).zip(rows.chunks_exact_mut(total)) {
        to[start..start + width].copy_from_slice(from);
    }
}
