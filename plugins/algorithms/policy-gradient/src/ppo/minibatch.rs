//! A part of a fragment, ready for the networks, and its loss.

use palaestra_learning::{
    action_head::Actions,
    buffers::gather,
    context::Context,
    device::Backend,
    exchange::{Outbox, Places, Recorded},
    losses::{self, ValueError},
    networks::{Input, Recurrence},
    tensor::{self, GradientTape, Matrix, Scalar},
};
use palaestra_plugin_api::Result;

use super::{
    batch::{Batch, UnitBatch},
    frozen::split,
    learner::Rules,
    policy::{Networks, Plan},
};

/// Rows of a fragment: any when there is nothing to remember, else whole sequences, time-major.
pub(crate) struct Minibatch<D: Backend> {
    units: Vec<UnitPart<D>>,
    talk: Option<TalkPart>,
    steps: usize,
}

struct UnitPart<D: Backend> {
    actor: Matrix<D>,
    /// None where it is the actor's.
    critic: Option<Matrix<D>>,
    /// In front of the first step.
    memories: [Vec<f32>; 2],
    first: Vec<u8>,
    mask: Option<Vec<u8>>,
    actions: Actions,
    log_prob: Vec<f32>,
    advantages: Vec<f32>,
    targets: Vec<f32>,
    old: Vec<f32>,
    active: Vec<u8>,
}

/// What the mechanism's rounds go with.
struct TalkPart {
    /// Rows of the fragment.
    rows: Vec<usize>,
    mask: Vec<u8>,
    first: Vec<u8>,
    keys: Vec<u64>,
    extras: Vec<f32>,
    state: Vec<f32>,
}

/// Weights of the losses at the present step of training.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weights {
    pub(crate) clip: f32,
    pub(crate) entropy: f32,
    pub(crate) value: f32,
}

/// What a minibatch showed, means over its units.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) policy_loss: f64,
    pub(crate) value_loss: f64,
    pub(crate) entropy: f64,
    pub(crate) approx_kl: f64,
    pub(crate) clip_fraction: f64,
}

impl<D: Backend> Minibatch<D> {
    /// The rows `rows` of a fragment, `steps` steps of each of which the first are `starts`.
    pub(crate) fn new(
        device: &D,
        batch: &Batch,
        (plans, rules, memories): (&[Plan], &Rules, &[[usize; 2]]),
        (rows, steps): (Vec<usize>, usize),
    ) -> Result<Self> {
        let starts = &rows[..rows.len() / steps];
        let units = plans.iter().zip(&batch.units).zip(memories);
        let unit = |((plan, unit), memory): ((&Plan, &UnitBatch), &[usize; 2])| {
            UnitPart::new(
                device,
                plan,
                (unit, &batch.common),
                rules,
                (&rows, starts),
                *memory,
            )
        };
        let units: Vec<_> = units.map(unit).collect::<Result<_>>()?;
        let talk = TalkPart::new(batch, (plans, rules, memories), (&rows, starts))?;
        Ok(Self { units, talk, steps })
    }

    /// PPO's loss, on a tape.
    pub(crate) fn loss(
        &self,
        networks: &Networks<D>,
        (plans, rules, batch): (&[Plan], &Rules, &Batch),
        weights: Weights,
    ) -> Result<(Scalar<D, GradientTape<D>>, Shown)> {
        let mut shown = Shown::default();
        let mut losses = Vec::with_capacity(3 * self.units.len());
        let mut features = Vec::with_capacity(self.units.len());
        let mut outboxes = Vec::new();
        for ((part, policy), plan) in self.units.iter().zip(&networks.policies).zip(plans) {
            let [memory, other] = [0, 1].map(|k| part.recurrence(k));
            let actor = Input::Data(part.actor.clone());
            let mut found = policy.actor.network.forward(actor, memory)?;
            let judged = if policy.shared_trunk {
                let (one, two) = tensor::fork(found);
                found = one;
                Input::Traced(two)
            } else {
                Input::Data(part.critic.as_ref().unwrap_or(&part.actor).clone())
            };
            let values = policy.values(judged, other)?;
            losses.push((
                weights.value,
                part.value_loss(values, rules, weights, &mut shown)?,
            ));
            let (found, message) = policy.actor.message(found)?;
            features.push(found);
            let places = plan.places.as_slice();
            outboxes.extend(message.map(|messages| Outbox { messages, places }));
        }
        let mut inboxes = Vec::new();
        if let (Some(channel), Some(talk), Some(learned)) =
            (&rules.channel, &self.talk, &networks.channel)
        {
            let context = batch.talk.as_ref().map(|talk| &talk.context);
            inboxes = channel.exchange(learned, outboxes, &talk.recorded(self.steps, context))?;
        }
        let mut inboxes = inboxes.into_iter();
        let units = self.units.iter().zip(&networks.policies).zip(plans);
        for (((part, policy), plan), features) in units.zip(features) {
            let outputs = policy.actor.outputs(features, inboxes.next())?;
            let log_std = policy.actor.log_std.as_ref();
            let mask = part.mask.as_deref();
            let (log_prob, entropy) = plan.head.on_tape(outputs, log_std, mask, &part.actions)?;
            let loss = losses::on_tape(log_prob, |x| part.policy_loss(x, weights, &mut shown))?;
            losses.push((1.0, loss));
            let entropy = losses::on_tape(entropy, |x| {
                let mean = losses::mean(x, Some(&part.active))?;
                shown.entropy += f64::from(mean.value);
                Ok(mean)
            })?;
            losses.push((-weights.entropy, entropy));
        }
        shown.divide(self.units.len());
        Ok((tensor::combine(losses)?, shown))
    }
}

impl<D: Backend> UnitPart<D> {
    fn new(
        device: &D,
        plan: &Plan,
        (unit, common): (&UnitBatch, &[f32]),
        rules: &Rules,
        (rows, starts): (&[usize], &[usize]),
        memory: [usize; 2],
    ) -> Result<Self> {
        let members = plan.unit.len();
        let count = rows.len() * members;
        let mut x = Vec::new();
        plan.actor
            .assemble(&unit.seen, &[], rows.iter().copied(), &mut x);
        let actor = tensor::matrix(device, x, count, plan.actor.width())?;
        let critic = if plan.critic == plan.actor {
            None
        } else {
            let mut x = Vec::new();
            plan.critic
                .assemble(&[], common, rows.iter().copied(), &mut x);
            Some(tensor::matrix(device, x, count, plan.critic.width())?)
        };
        let width = rules.recurrent_width();
        let recurrent = match memory {
            [0, 0] => Vec::new(),
            _ => gather(&unit.recurrent, width * members, starts)?,
        };
        let part = |start: usize, part: usize| {
            let mut memory = vec![0.0; starts.len() * members * part];
            split(&recurrent, width, start, part, &mut memory);
            memory
        };
        let mask = unit.mask.as_ref().map(|mask| {
            let choices = plan.head.outputs();
            gather(mask, choices * members, rows)
        });
        Ok(Self {
            actor,
            critic,
            memories: [part(0, memory[0]), part(memory[0], memory[1])],
            first: gather(&unit.transitions.first, members, rows)?,
            mask: mask.transpose()?,
            actions: unit.actions.gather(plan.head.width() * members, rows)?,
            log_prob: gather(&unit.log_prob, members, rows)?,
            advantages: gather(&unit.advantages, members, rows)?,
            targets: gather(&unit.targets, members, rows)?,
            old: gather(&unit.old, members, rows)?,
            active: gather(&unit.transitions.active, members, rows)?,
        })
    }

    fn recurrence(&self, network: usize) -> Option<Recurrence<'_>> {
        let state = self.memories[network].as_slice();
        (!state.is_empty()).then_some(Recurrence {
            state,
            first: &self.first,
        })
    }

    fn value_loss(
        &self,
        values: tensor::Vector<D, GradientTape<D>>,
        rules: &Rules,
        weights: Weights,
        shown: &mut Shown,
    ) -> Result<Scalar<D, GradientTape<D>>> {
        let error = match rules.config.huber_delta {
            Some(delta) => ValueError::Huber {
                delta: delta as f32,
            },
            None => ValueError::Square,
        };
        let clip = rules
            .config
            .clip_vloss
            .then_some((weights.clip, self.old.as_slice()));
        losses::on_tape(values, |x| {
            let loss = losses::value(x, &self.targets, Some(&self.active), error, clip)?;
            shown.value_loss += f64::from(loss.value);
            Ok(loss)
        })
    }

    fn policy_loss(
        &self,
        log_prob: &[f32],
        weights: Weights,
        shown: &mut Shown,
    ) -> Result<losses::Loss> {
        let (old, advantages) = (&self.log_prob, &self.advantages);
        let active = Some(self.active.as_slice());
        let (loss, statistics) =
            losses::clipped_policy(log_prob, old, advantages, active, weights.clip)?;
        shown.policy_loss += f64::from(loss.value);
        shown.approx_kl += f64::from(statistics.approximate_kl);
        shown.clip_fraction += f64::from(statistics.clip_fraction);
        Ok(loss)
    }
}

impl TalkPart {
    fn new(
        batch: &Batch,
        (plans, rules, memories): (&[Plan], &Rules, &[[usize; 2]]),
        (rows, starts): (&[usize], &[usize]),
    ) -> Result<Option<Self>> {
        let (Some(channel), Some(talk)) = (&rules.channel, &batch.talk) else {
            return Ok(None);
        };
        let (described, agents) = (channel.description(), channel.agents());
        let width = described.state_width;
        let found = talk.rows(rows);
        let mut part = Self {
            mask: vec![0; rows.len() * agents],
            first: vec![0; rows.len() * agents],
            keys: gather(&talk.keys, 1, &found)?,
            extras: gather(&talk.extras, described.extras_width, &found)?,
            rows: found,
            state: vec![0.0; starts.len() * agents * width],
        };
        for ((plan, unit), memory) in plans.iter().zip(&batch.units).zip(memories) {
            let (members, places) = (plan.unit.len(), Places::new(&plan.places, agents));
            places.into_joint(&gather(&unit.takes_part, members, rows)?, &mut part.mask, 1);
            places.into_joint(
                &gather(&unit.transitions.first, members, rows)?,
                &mut part.first,
                1,
            );
            if width > 0 {
                let total = rules.recurrent_width();
                let recurrent = gather(&unit.recurrent, total * members, starts)?;
                let mut state = vec![0.0; starts.len() * members * width];
                split(&recurrent, total, memory[0] + memory[1], width, &mut state);
                places.into_joint(&state, &mut part.state, width);
            }
        }
        Ok(Some(part))
    }

    fn recorded<'a>(&'a self, steps: usize, context: Option<&'a Context>) -> Recorded<'a> {
        Recorded {
            steps,
            mask: &self.mask,
            keys: &self.keys,
            extras: &self.extras,
            context: context.map(|context| (context, self.rows.as_slice())),
            state: &self.state,
            first: &self.first,
        }
    }
}

impl Shown {
    fn divide(&mut self, count: usize) {
        let scale = 1.0 / count.max(1) as f64;
        for x in self.numbers() {
            *x *= scale;
        }
    }

    /// Adds another's numbers.
    pub(crate) fn add(&mut self, mut other: Self) {
        for (x, y) in self.numbers().into_iter().zip(other.numbers()) {
            *x += *y;
        }
    }

    /// In the mean of `count`.
    pub(crate) fn mean(mut self, count: usize) -> Self {
        self.divide(count);
        self
    }

    fn numbers(&mut self) -> [&mut f64; 5] {
        [
            &mut self.policy_loss,
            &mut self.value_loss,
            &mut self.entropy,
            &mut self.approx_kl,
            &mut self.clip_fraction,
        ]
    }
}
