//! A step of all units: what they see, what they say to each other, what they do.

use palaestra_learning::{
    action_head::{Actions, idle},
    central::Central,
    exchange::{Channel, Places, Round},
    keys,
};
use palaestra_plugin_api::{
    Error, Result,
    abi::{NO_GROUP, id},
    table::Table,
};

use super::{
    frozen::{FrozenPolicy, Rows, Run, Step, join, split},
    policy::Plan,
};

/// What is written to `EXTRAS` of each agent: the log-probability of its action, and its value in units of reward.
pub(crate) const EXTRAS: [&str; 2] = ["log_prob", "value"];

/// Acts with copies of the policies.
pub(crate) struct Acting {
    pub(crate) policies: Vec<FrozenPolicy>,
    /// Mean and deviation of the values of each unit.
    pub(crate) scales: Vec<(f64, f64)>,
    /// The mechanism's parameters, flat.
    pub(crate) parameters: Vec<f32>,
    /// Whether values are wanted.
    judges: bool,
    desks: Vec<Desk>,
    keys: Vec<u64>,
    common: Vec<f32>,
    joint: Joint,
}

/// Buffers of one unit; all `[instances, members, …]`.
struct Desk {
    seen: Vec<f32>,
    actor: Vec<f32>,
    critic: Vec<f32>,
    mask: Vec<u8>,
    controlled: Vec<u8>,
    active: Vec<u8>,
    takes_part: Vec<u8>,
    recurrent: Vec<f32>,
    memory: Vec<f32>,
    step: Step,
    messages: Vec<f32>,
    state: Vec<f32>,
    inbox: Vec<f32>,
    input: Vec<f32>,
    outputs: Vec<f32>,
    keys: Vec<u64>,
    actions: Actions,
    log_prob: Vec<f32>,
    extras: Vec<f32>,
}

/// Buffers of a row of messages; all `[instances, agents, …]`.
#[derive(Default)]
struct Joint {
    messages: Vec<f32>,
    inbox: Vec<f32>,
    mask: Vec<u8>,
    state_in: Vec<f32>,
    state_out: Vec<f32>,
    keys: Vec<u64>,
    extras: Vec<f32>,
}

impl Acting {
    /// For these policies; values are left out unless it `judges`.
    pub(crate) fn new(plans: &[Plan], policies: Vec<FrozenPolicy>, judges: bool) -> Self {
        let desk = |plan: &Plan| Desk {
            seen: Vec::new(),
            actor: Vec::new(),
            critic: Vec::new(),
            mask: Vec::new(),
            controlled: Vec::new(),
            active: Vec::new(),
            takes_part: Vec::new(),
            recurrent: Vec::new(),
            memory: Vec::new(),
            step: Step::default(),
            messages: Vec::new(),
            state: Vec::new(),
            inbox: Vec::new(),
            input: Vec::new(),
            outputs: Vec::new(),
            keys: Vec::new(),
            actions: plan.head.no_actions(),
            log_prob: Vec::new(),
            extras: Vec::new(),
        };
        Self {
            scales: vec![(0.0, 1.0); plans.len()],
            desks: plans.iter().map(desk).collect(),
            policies,
            parameters: Vec::new(),
            judges,
            keys: Vec::new(),
            common: Vec::new(),
            joint: Joint::default(),
        }
    }

    /// Acts at a slot.
    pub(crate) fn act(
        &mut self,
        rows: &mut Table<'_>,
        slot: usize,
        greedy: bool,
        plans: &[Plan],
        (central, channel): (Option<&Central>, Option<&Channel>),
    ) -> Result<()> {
        self.keys.clear();
        self.keys
            .extend_from_slice(rows.rows::<u64>(id::KEY, NO_GROUP, slot)?);
        self.common.clear();
        if let Some(central) = central.filter(|_| self.judges) {
            central.gather(rows, slot..slot + 1, &mut self.common)?;
        }
        let state = channel.map_or(0, |c| c.description().state_width);
        let n = self.keys.len();
        for ((plan, policy), desk) in plans.iter().zip(&self.policies).zip(&mut self.desks) {
            desk.look(rows, slot, plan)?;
            desk.think(plan, policy, n, &self.common, state, self.judges);
        }
        if let Some(channel) = channel {
            self.converse(rows, slot, plans, channel)?;
        }
        let units = plans.iter().zip(&self.policies).zip(&self.scales);
        for (((plan, policy), scale), desk) in units.zip(&mut self.desks) {
            desk.decide(plan, policy, (!greedy).then_some(&self.keys))?;
            desk.write(rows, slot, plan, *scale)?;
        }
        Ok(())
    }

    /// Messages become inboxes.
    fn converse(
        &mut self,
        rows: &mut Table<'_>,
        slot: usize,
        plans: &[Plan],
        channel: &Channel,
    ) -> Result<()> {
        let widths = channel.description();
        let (n, agents) = (self.keys.len(), channel.agents());
        let joint = &mut self.joint;
        let (sent, heard, state) = (widths.message_width, widths.inbox_width, widths.state_width);
        joint.messages.resize(n * agents * sent, 0.0);
        joint.inbox.resize(n * agents * heard, 0.0);
        joint.mask.resize(n * agents, 0);
        joint.state_in.resize(n * agents * state, 0.0);
        joint.state_out.resize(n * agents * state, 0.0);
        joint.extras.resize(n * widths.extras_width, 0.0);
        joint.keys.clear();
        joint
            .keys
            .extend(self.keys.iter().map(|&key| keys::of_channel(key)));
        for ((plan, policy), desk) in plans.iter().zip(&self.policies).zip(&mut self.desks) {
            let places = Places::new(&plan.places, agents);
            let message = policy.message.as_ref().ok_or_else(silent)?;
            desk.messages.resize(n * plan.unit.len() * sent, 0.0);
            message.infer(&desk.step.features, &mut desk.messages);
            places.into_joint(&desk.messages, &mut joint.messages, sent);
            // Agents that are controlled and alive send and hear.
            desk.takes_part.clear();
            let ids = [id::CONTROLLED, id::ALIVE];
            let unit = &plan.unit;
            unit.gather_flags(rows, &ids, slot..slot + 1, &mut desk.takes_part)?;
            places.into_joint(&desk.takes_part, &mut joint.mask, 1);
            let part = &mut desk.state;
            part.resize(n * unit.len() * state, 0.0);
            if state > 0 {
                let memory = policy.memory();
                split(&desk.recurrent, memory + state, memory, state, part);
                places.into_joint(part, &mut joint.state_in, state);
            }
        }
        channel.infer(Round {
            parameters: &self.parameters,
            messages: &joint.messages,
            mask: &joint.mask,
            context: Some(&rows.at_slot(slot)),
            state_in: &joint.state_in,
            keys: &joint.keys,
            extras: &mut joint.extras,
            inbox: &mut joint.inbox,
            state_out: &mut joint.state_out,
        })?;
        for ((plan, policy), desk) in plans.iter().zip(&self.policies).zip(&mut self.desks) {
            let places = Places::new(&plan.places, agents);
            desk.inbox.resize(n * plan.unit.len() * heard, 0.0);
            places.out_of_joint(&joint.inbox, &mut desk.inbox, heard);
            if state > 0 {
                let memory = policy.memory();
                places.out_of_joint(&joint.state_out, &mut desk.state, state);
                join(
                    &desk.state,
                    memory + state,
                    memory,
                    state,
                    &mut desk.recurrent,
                );
            }
        }
        if widths.extras_width > 0 {
            rows.rows_mut(id::MECHANISM_EXTRAS, NO_GROUP, slot)?
                .copy_from_slice(&joint.extras);
        }
        Ok(())
    }
}

fn silent() -> Error {
    Error::plugin("exchange: expected policies that send messages, found one without")
}

impl Desk {
    /// Copies what the members see and may do.
    fn look(&mut self, rows: &Table<'_>, slot: usize, plan: &Plan) -> Result<()> {
        let (unit, now) = (&plan.unit, slot..slot + 1);
        self.seen.clear();
        unit.gather_observations(rows, now.clone(), &mut self.seen)?;
        self.mask.clear();
        if unit.spec.has_action_mask {
            unit.gather(rows, id::ACTION_MASK, now.clone(), &mut self.mask)?;
        }
        self.controlled.clear();
        unit.gather_flags(rows, &[id::CONTROLLED], now.clone(), &mut self.controlled)?;
        self.active.clear();
        unit.gather_flags(
            rows,
            &[id::ALIVE, id::ACTING],
            now.clone(),
            &mut self.active,
        )?;
        self.recurrent.clear();
        if unit.has(rows, id::RECURRENT) {
            unit.gather(rows, id::RECURRENT, now, &mut self.recurrent)?;
        }
        Ok(())
    }

    /// Features, values and the next memory.
    fn think(
        &mut self,
        plan: &Plan,
        policy: &FrozenPolicy,
        n: usize,
        common: &[f32],
        state: usize,
        judges: bool,
    ) {
        self.actor.clear();
        plan.actor.assemble(&self.seen, &[], 0..n, &mut self.actor);
        self.critic.clear();
        let other = plan.critic != plan.actor;
        if judges && other {
            plan.critic.assemble(&[], common, 0..n, &mut self.critic);
        }
        let memory = policy.memory();
        let count = n * plan.unit.len();
        self.memory.resize(count * memory, 0.0);
        split(&self.recurrent, memory + state, 0, memory, &mut self.memory);
        let rows = Rows {
            actor: &self.actor,
            critic: if other { &self.critic } else { &self.actor },
            memory: &self.memory,
        };
        let run = if judges { Run::Both } else { Run::Actor };
        policy.run(rows, count, run, &mut self.step);
        join(
            &self.step.memory,
            memory + state,
            0,
            memory,
            &mut self.recurrent,
        );
    }

    /// Chooses actions, by the keys of the rows or the best.
    fn decide(
        &mut self,
        plan: &Plan,
        policy: &FrozenPolicy,
        keys: Option<&Vec<u64>>,
    ) -> Result<()> {
        let count = self.active.len();
        let outputs = match &policy.head {
            None => &self.step.features,
            Some(head) => {
                let (features, heard) = (policy.features(), self.inbox.len() / count.max(1));
                let input = if heard == 0 {
                    &self.step.features
                } else {
                    let total = features + heard;
                    self.input.resize(count * total, 0.0);
                    join(&self.step.features, total, 0, features, &mut self.input);
                    join(&self.inbox, total, features, heard, &mut self.input);
                    &self.input
                };
                self.outputs.resize(count * head.outputs(), 0.0);
                head.infer(input, &mut self.outputs);
                &self.outputs
            }
        };
        self.keys.clear();
        if let Some(keys) = keys {
            let members = &plan.unit.members;
            let each = |&key| {
                members
                    .iter()
                    .map(move |m| keys::of_agent(key, m.group, m.agent))
            };
            self.keys.extend(keys.iter().flat_map(each));
        }
        let mask = (!self.mask.is_empty()).then_some(&*self.mask);
        self.log_prob.resize(count, 0.0);
        plan.head.act(
            outputs,
            &policy.log_std,
            mask,
            keys.map(|_| &*self.keys),
            &mut self.actions,
            &mut self.log_prob,
        )?;
        idle(&mut self.actions, &plan.unit.spec, &self.active, mask);
        Ok(())
    }

    /// Writes proposals, extras and the next memory.
    fn write(
        &mut self,
        rows: &mut Table<'_>,
        slot: usize,
        plan: &Plan,
        scale: (f64, f64),
    ) -> Result<()> {
        let unit = &plan.unit;
        let only = Some(&*self.controlled);
        match &self.actions {
            Actions::Choices(all) => unit.scatter(rows, id::PROPOSED_ACTION, slot, all, only)?,
            Actions::Real(all) => unit.scatter(rows, id::PROPOSED_ACTION, slot, all, only)?,
        }
        if !self.recurrent.is_empty() {
            unit.scatter(rows, id::RECURRENT, slot + 1, &self.recurrent, only)?;
        }
        if unit.has(rows, id::EXTRAS) {
            self.extras.clear();
            for (log_prob, value) in self.log_prob.iter().zip(&self.step.values) {
                let value = f64::from(*value) * scale.1 + scale.0;
                self.extras.extend([*log_prob, value as f32]);
            }
            unit.scatter(rows, id::EXTRAS, slot, &self.extras, only)?;
        }
        Ok(())
    }
}
