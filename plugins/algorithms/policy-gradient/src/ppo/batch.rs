//! A fragment, read once into plain arrays: what the losses of all minibatches and passes are made of.

use palaestra_learning::{
    action_head::Actions, context::Context, exchange::Channel, keys, skips::all_finite,
    transitions::Transitions,
};
use palaestra_plugin_api::{
    Result,
    abi::{NO_GROUP, id},
    table::Table,
};

use super::{learner::Rules, policy::Plan};

/// A fragment. Row t·n + i is instance i at step t; rows behind the last step are padding.
pub(crate) struct Batch {
    /// Steps, padding included.
    pub(crate) steps: usize,
    /// n.
    pub(crate) instances: usize,
    pub(crate) units: Vec<UnitBatch>,
    /// `[rows, width]`: what centralised critics see.
    pub(crate) common: Vec<f32>,
    /// What was said between the agents; none without a mechanism.
    pub(crate) talk: Option<Talk>,
}

/// What a mechanism's rounds went with, `[rows, …]`, without padding.
pub(crate) struct Talk {
    /// n.
    instances: usize,
    pub(crate) keys: Vec<u64>,
    pub(crate) extras: Vec<f32>,
    pub(crate) context: Context,
}

/// One unit's part of a fragment, `[rows, members, …]`.
pub(crate) struct UnitBatch {
    pub(crate) seen: Vec<f32>,
    pub(crate) mask: Option<Vec<u8>>,
    pub(crate) actions: Actions,
    /// By the policy of the rollout.
    pub(crate) log_prob: Vec<f32>,
    /// By the critic of the rollout, in units of reward.
    pub(crate) values: Vec<f32>,
    /// The agents' memory and their channel's state in front of each step.
    pub(crate) recurrent: Vec<f32>,
    /// 1 where an agent sends and hears.
    pub(crate) takes_part: Vec<u8>,
    pub(crate) transitions: Transitions,
    /// What the policy is taught; 0 where inactive.
    pub(crate) advantages: Vec<f32>,
    /// What the critic is taught, in its own units.
    pub(crate) targets: Vec<f32>,
    /// `values` in the critic's own units.
    pub(crate) old: Vec<f32>,
}

impl Batch {
    /// Reads a fragment of `T` steps.
    ///
    /// # Errors
    /// The table is no fragment or lacks slabs.
    pub(crate) fn read(table: &Table<'_>, rules: &Rules, plans: &[Plan]) -> Result<Self> {
        let steps = table.steps()?;
        let unit = |plan: &Plan| UnitBatch::read(table, steps, rules, plan);
        let mut common = Vec::new();
        if let Some(central) = &rules.central {
            central.gather(table, 0..steps, &mut common)?;
        }
        let talk = rules
            .channel
            .as_ref()
            .map(|c| Talk::read(table, steps, c, rules.groups));
        Ok(Self {
            steps,
            instances: table.instances(),
            units: plans.iter().map(unit).collect::<Result<_>>()?,
            common,
            talk: talk.transpose()?,
        })
    }

    /// Whether every number is.
    pub(crate) fn is_finite(&self) -> bool {
        let unit = |u: &UnitBatch| {
            let real = match &u.actions {
                Actions::Real(all) => all.as_slice(),
                Actions::Choices(_) => &[],
            };
            let all = [
                &u.seen,
                &u.log_prob,
                &u.values,
                &u.recurrent,
                &u.transitions.rewards,
            ];
            all.into_iter().all(|part| all_finite(part)) && all_finite(real)
        };
        self.units.iter().all(unit) && all_finite(&self.common)
    }

    /// Rows of which somebody learns.
    pub(crate) fn rows_to_learn(&self) -> Vec<usize> {
        let rows = self.steps * self.instances;
        let learns = |row: &usize| {
            self.units.iter().any(|unit| {
                let members = unit.transitions.members;
                let active = &unit.transitions.active;
                active[row * members..(row + 1) * members]
                    .iter()
                    .any(|&flag| flag != 0)
            })
        };
        (0..rows).filter(learns).collect()
    }

    /// Agents' rows that are learned from, over all units.
    pub(crate) fn active(&self) -> usize {
        let units = self.units.iter().map(|unit| &unit.transitions.active);
        units.flatten().filter(|&&active| active != 0).count()
    }

    /// Adds inactive rows until `length` divides the steps.
    pub(crate) fn pad(&mut self, length: usize) {
        let more = self.steps.next_multiple_of(length) - self.steps;
        if more == 0 {
            return;
        }
        let before = self.steps * self.instances;
        let after = (self.steps + more) * self.instances;
        for unit in &mut self.units {
            unit.pad(before, after);
        }
        lengthen(&mut self.common, before, after, 0.0);
        self.steps += more;
    }
}

impl Talk {
    fn read(table: &Table<'_>, steps: usize, channel: &Channel, groups: usize) -> Result<Self> {
        let described = channel.description();
        let (mut all, mut extras) = (Vec::new(), Vec::new());
        for slot in 0..steps {
            let keys = table.rows::<u64>(id::KEY, NO_GROUP, slot)?;
            all.extend(keys.iter().map(|&key| keys::of_channel(key)));
            if described.extras_width > 0 {
                extras.extend_from_slice(table.rows::<f32>(
                    id::MECHANISM_EXTRAS,
                    NO_GROUP,
                    slot,
                )?);
            }
        }
        let ids = [described.needs.as_slice(), &described.likes].concat();
        Ok(Self {
            instances: table.instances(),
            keys: all,
            extras,
            context: Context::read(table, &ids, groups as u32, steps)?,
        })
    }

    /// Where rows are found: in padding nobody takes part, but mechanisms see a round that there was.
    pub(crate) fn rows(&self, rows: &[usize]) -> Vec<usize> {
        let count = self.keys.len();
        let last = |row: usize| count - self.instances + row % self.instances;
        let found = rows
            .iter()
            .map(|&row| if row < count { row } else { last(row) });
        found.collect()
    }
}

impl UnitBatch {
    fn read(table: &Table<'_>, steps: usize, rules: &Rules, plan: &Plan) -> Result<Self> {
        let (unit, all) = (&plan.unit, 0..steps);
        let mut transitions = Transitions::read(table, unit, rules.config.finite_horizon)?;
        if rules.config.whole_episodes {
            transitions.keep_episodes(table, 1)?;
        }
        let mut seen = Vec::new();
        unit.gather_observations(table, all.clone(), &mut seen)?;
        let mut mask = None;
        if unit.spec.has_action_mask {
            let mut flags = Vec::new();
            unit.gather(table, id::ACTION_MASK, all.clone(), &mut flags)?;
            mask = Some(flags);
        }
        let mut actions = plan.head.no_actions();
        match &mut actions {
            Actions::Choices(a) => unit.gather(table, id::PROPOSED_ACTION, all.clone(), a)?,
            Actions::Real(a) => unit.gather(table, id::PROPOSED_ACTION, all.clone(), a)?,
        }
        let mut extras: Vec<f32> = Vec::new();
        unit.gather(table, id::EXTRAS, all.clone(), &mut extras)?;
        let (pairs, _) = extras.as_chunks::<2>();
        let mut recurrent = Vec::new();
        if rules.recurrent_width() > 0 {
            unit.gather(table, id::RECURRENT, all.clone(), &mut recurrent)?;
        }
        let mut takes_part = Vec::new();
        unit.gather_flags(table, &[id::CONTROLLED, id::ALIVE], all, &mut takes_part)?;
        Ok(Self {
            seen,
            mask,
            actions,
            log_prob: pairs.iter().map(|pair| pair[0]).collect(),
            values: pairs.iter().map(|pair| pair[1]).collect(),
            recurrent,
            takes_part,
            transitions,
            advantages: Vec::new(),
            targets: Vec::new(),
            old: Vec::new(),
        })
    }

    fn pad(&mut self, before: usize, after: usize) {
        for part in [
            &mut self.seen,
            &mut self.log_prob,
            &mut self.values,
            &mut self.recurrent,
            &mut self.advantages,
            &mut self.targets,
            &mut self.old,
        ] {
            lengthen(part, before, after, 0.0);
        }
        if let Some(mask) = &mut self.mask {
            lengthen(mask, before, after, 1);
        }
        match &mut self.actions {
            Actions::Choices(all) => lengthen(all, before, after, 0),
            Actions::Real(all) => lengthen(all, before, after, 0.0),
        }
        lengthen(&mut self.takes_part, before, after, 0);
        lengthen(&mut self.transitions.active, before, after, 0);
        // One slot longer than the rest: the padding starts an episode.
        self.transitions
            .first
            .truncate(before * self.transitions.members);
        lengthen(&mut self.transitions.first, before, after, 1);
    }
}

/// From `before` rows to `after`.
fn lengthen<T: Copy>(values: &mut Vec<T>, before: usize, after: usize, filler: T) {
    let width = values.len() / before.max(1);
    values.resize(after * width, filler);
}
