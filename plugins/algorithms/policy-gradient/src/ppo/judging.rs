//! Advantages and value targets of a fragment.

use palaestra_learning::{
    own_turns::{TurnFragment, own_turn_gae},
    returns::{FinalValue, Fragment, gae, next_values, value_targets},
    skips::all_finite,
    transitions::{Cut, cuts},
};
use palaestra_plugin_api::{Result, abi::id, table::Table};

use super::{
    batch::{Batch, UnitBatch},
    frozen::{FrozenPolicy, Rows, Run, Step, split},
    learner::Rules,
    policy::Plan,
};

/// One unit's critic, with the scale of its values.
pub(crate) struct Judge<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) policy: &'a FrozenPolicy,
    pub(crate) scale: (f64, f64),
}

/// Fills in advantages and targets (both in units of reward) by the critic of the rollout; whether all are finite.
///
/// 1. A truncated episode goes on in value: that of its final observation, seen with the memory that the agent would
///    have had then.
/// 2. Behind the last step stands the value of the observation there.
///
/// # Errors
/// The table is no fragment or lacks slabs.
pub(crate) fn judge(
    judge: &Judge<'_>,
    rules: &Rules,
    table: &Table<'_>,
    common: &[f32],
    batch: &mut UnitBatch,
) -> Result<bool> {
    let last = judge.behind(rules, table)?;
    let cut = match rules.config.finite_horizon {
        true => Vec::new(),
        false => cuts(table)?,
    };
    let finals = judge.finals(rules, table, common, batch, &cut)?;
    let t = &batch.transitions;
    let (gamma, lambda) = (rules.config.gamma as f32, rules.config.gae_lambda as f32);
    if rules.own_turns {
        let mut final_values = vec![0.0; t.rewards.len()];
        for last in &finals {
            final_values[last.step * t.columns + last.column] = last.value;
        }
        let found = own_turn_gae(
            &TurnFragment {
                columns: t.columns,
                acting: &t.acting,
                rewards: &t.rewards,
                values: &[batch.values.as_slice(), &last].concat(),
                final_values: &final_values,
                terminated: &t.terminated,
                truncated: &t.truncated,
            },
            gamma,
            lambda,
        )?;
        let both = batch.transitions.active.iter_mut().zip(&found.valid);
        both.for_each(|(active, valid)| *active &= valid);
        (batch.advantages, batch.targets) = (found.advantages, found.targets);
    } else {
        let fragment = Fragment {
            columns: t.columns,
            rewards: &t.rewards,
            values: &batch.values,
            next_values: &next_values(&batch.values, &last, &finals)?,
            terminated: &t.terminated,
            truncated: &t.truncated,
        };
        batch.advantages = gae(&fragment, gamma, lambda)?;
        batch.targets = value_targets(&batch.advantages, &batch.values);
    }
    Ok(all_finite(&batch.targets))
}

impl Judge<'_> {
    /// Values of inputs in units of reward, and the next memory.
    fn values(&self, actor: &[f32], critic: &[f32], memory: &[f32], count: usize) -> Step {
        let mut step = Step::default();
        let rows = Rows {
            actor,
            critic: if self.plan.critic == self.plan.actor {
                actor
            } else {
                critic
            },
            memory,
        };
        self.policy.run(rows, count, Run::Critic, &mut step);
        for value in &mut step.values {
            *value = (f64::from(*value) * self.scale.1 + self.scale.0) as f32;
        }
        step
    }

    /// Inputs of both networks, of some rows.
    fn inputs(&self, seen: &[f32], common: &[f32], rows: &[usize]) -> [Vec<f32>; 2] {
        let (mut actor, mut critic) = (Vec::new(), Vec::new());
        let plan = self.plan;
        plan.actor
            .assemble(seen, &[], rows.iter().copied(), &mut actor);
        if plan.critic != plan.actor {
            plan.critic
                .assemble(&[], common, rows.iter().copied(), &mut critic);
        }
        [actor, critic]
    }

    /// Values behind the last step, `[columns]`.
    fn behind(&self, rules: &Rules, table: &Table<'_>) -> Result<Vec<f32>> {
        let slot = table.steps()?;
        let unit = &self.plan.unit;
        let (mut seen, mut common, mut recurrent) = (Vec::new(), Vec::new(), Vec::new());
        unit.gather_observations(table, slot..slot + 1, &mut seen)?;
        if let Some(central) = &rules.central {
            central.gather(table, slot..slot + 1, &mut common)?;
        }
        if rules.recurrent_width() > 0 {
            unit.gather(table, id::RECURRENT, slot..slot + 1, &mut recurrent)?;
        }
        let rows: Vec<usize> = (0..table.instances()).collect();
        let [actor, critic] = self.inputs(&seen, &common, &rows);
        let count = rows.len() * unit.len();
        let memory = self.memory(rules, &recurrent, count);
        Ok(self.values(&actor, &critic, &memory, count).values)
    }

    /// The networks' part of recurrent rows.
    fn memory(&self, rules: &Rules, recurrent: &[f32], count: usize) -> Vec<f32> {
        let width = self.policy.memory();
        let mut memory = vec![0.0; count * width];
        split(recurrent, rules.recurrent_width(), 0, width, &mut memory);
        memory
    }

    /// Values of the final observations of episodes that were cut off.
    pub(crate) fn finals(
        &self,
        rules: &Rules,
        table: &Table<'_>,
        common: &[f32],
        batch: &UnitBatch,
        cuts: &[Cut],
    ) -> Result<Vec<FinalValue>> {
        if cuts.is_empty() {
            return Ok(Vec::new());
        }
        let unit = &self.plan.unit;
        let (members, count) = (unit.len(), cuts.len() * unit.len());
        let mut memory = Vec::new();
        if self.policy.memory() > 0 {
            // The memory behind the last step, which the host has cleared for the next episode.
            let n = table.instances();
            let rows: Vec<usize> = cuts.iter().map(|cut| cut.step * n + cut.instance).collect();
            let width = rules.recurrent_width() * members;
            let recurrent = palaestra_learning::buffers::gather(&batch.recurrent, width, &rows)?;
            let [actor, critic] = self.inputs(&batch.seen, common, &rows);
            let before = self.memory(rules, &recurrent, count);
            memory = self.values(&actor, &critic, &before, count).memory;
        }
        let (mut seen, mut all) = (Vec::new(), Vec::new());
        unit.gather_final_observations(table, &mut seen)?;
        if let Some(central) = &rules.central {
            central.gather_final(table, &mut all)?;
        }
        let entries: Vec<usize> = cuts.iter().map(|cut| cut.entry).collect();
        let [actor, critic] = self.inputs(&seen, &all, &entries);
        let values = self.values(&actor, &critic, &memory, count).values;
        let value = |(cut, values): (&Cut, &[f32])| {
            let (step, first) = (cut.step, cut.instance * members);
            let each = values
                .iter()
                .enumerate()
                .map(move |(k, &value)| FinalValue {
                    step,
                    column: first + k,
                    value,
                });
            each.collect::<Vec<_>>()
        };
        Ok(cuts
            .iter()
            .zip(values.chunks_exact(members))
            .flat_map(value)
            .collect())
    }
}

impl Batch {
    /// Targets and the rollout's values in the critics' units.
    pub(crate) fn scale(&mut self, index: usize, normalise: impl Fn(&mut [f32])) {
        let unit = &mut self.units[index];
        unit.old = unit.values.clone();
        normalise(&mut unit.old);
        normalise(&mut unit.targets);
    }
}
