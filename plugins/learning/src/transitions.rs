//! A fragment as the transitions of one unit's agents: rewards, ends, and who is to learn from them.

use palaestra_plugin_api::{
    Result,
    abi::{NO_GROUP, id},
    table::Table,
};

use crate::sharing::Unit;

/// The transitions of a fragment, `[steps, columns]`, a column being one member of one instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Transitions {
    /// T.
    pub steps: usize,
    /// Instances times members.
    pub columns: usize,
    /// Members of the unit.
    pub members: usize,
    /// The reward to learn from.
    pub rewards: Vec<f32>,
    /// The task ended, for the agent or for all.
    pub terminated: Vec<u8>,
    /// The episode was cut off.
    pub truncated: Vec<u8>,
    /// 1 where there is something to learn: the agent is controlled, alive and its action counts.
    pub active: Vec<u8>,
    /// `[steps + 1, columns]`: 1 where the agent's action counts.
    pub acting: Vec<u8>,
    /// `[steps + 1, columns]`: 1 where an episode of the agent begins.
    pub first: Vec<u8>,
}

impl Transitions {
    /// Those of a unit. With `finite_horizon` the time limit is part of the task: a truncated episode terminated.
    ///
    /// # Errors
    /// The table is no fragment, or lacks slabs.
    pub fn read(table: &Table<'_>, unit: &Unit, finite_horizon: bool) -> Result<Self> {
        let steps = table.steps()?;
        let members = unit.len();
        let columns = table.instances() * members;
        let behind = 1..steps + 1;

        let mut rewards = Vec::with_capacity(steps * columns);
        let reward = match unit.has(table, id::LEARNING_REWARD) {
            true => id::LEARNING_REWARD,
            false => id::REWARD,
        };
        unit.gather(table, reward, behind.clone(), &mut rewards)?;

        let mut terminated = each_member(table, id::TERMINATED, 1, steps, members)?;
        let mut truncated = each_member(table, id::TRUNCATED, 1, steps, members)?;
        let mut first = each_member(table, id::FIRST, 0, steps + 1, members)?;
        set_also(
            &mut terminated,
            unit,
            table,
            id::AGENT_TERMINATED,
            1..steps + 1,
        )?;
        set_also(
            &mut truncated,
            unit,
            table,
            id::AGENT_TRUNCATED,
            1..steps + 1,
        )?;
        set_also(&mut first, unit, table, id::AGENT_FIRST, 0..steps + 1)?;
        if finite_horizon {
            let both = terminated.iter_mut().zip(&mut truncated);
            both.for_each(|(terminated, truncated)| *terminated |= std::mem::take(truncated));
        }

        let mut active = Vec::with_capacity(steps * columns);
        let learns = [id::CONTROLLED, id::ALIVE, id::ACTING];
        unit.gather_flags(table, &learns, 0..steps, &mut active)?;
        let mut acting = Vec::with_capacity((steps + 1) * columns);
        unit.gather_flags(table, &[id::ACTING, id::ALIVE], 0..steps + 1, &mut acting)?;
        Ok(Self {
            steps,
            columns,
            members,
            rewards,
            terminated,
            truncated,
            active,
            acting,
            first,
        })
    }

    /// Leaves out what follows the first `episodes` episodes of each instance.
    ///
    /// # Errors
    /// The table is no fragment.
    pub fn keep_episodes(&mut self, table: &Table<'_>, episodes: usize) -> Result<()> {
        let instances = table.instances();
        let mut left = vec![episodes; instances];
        for t in 0..self.steps {
            let ends =
                [id::TERMINATED, id::TRUNCATED].map(|id| table.rows::<u8>(id, NO_GROUP, t + 1));
            let [terminated, truncated] = ends;
            let (terminated, truncated) = (terminated?, truncated?);
            for (i, left) in left.iter_mut().enumerate() {
                if *left == 0 {
                    let start = t * self.columns + i * self.members;
                    self.active[start..start + self.members].fill(0);
                } else if terminated[i] != 0 || truncated[i] != 0 {
                    *left -= 1;
                }
            }
        }
        Ok(())
    }

    /// Number of active transitions.
    #[must_use]
    pub fn active_count(&self) -> usize {
        self.active.iter().filter(|&&flag| flag != 0).count()
    }
}

/// Where an episode was cut off within a fragment: the entry of the lists, the step and the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Index in the lists of ended episodes.
    pub entry: usize,
    /// t.
    pub step: usize,
    /// Which instance.
    pub instance: usize,
}

/// The episodes that were cut off and not terminated, in order.
///
/// # Errors
/// The table is no fragment.
pub fn cuts(table: &Table<'_>) -> Result<Vec<Cut>> {
    let n = table.instances().max(1);
    let mut all = Vec::new();
    for (entry, &row) in table.ended()?.iter().enumerate() {
        let (step, instance) = (row as usize / n, row as usize % n);
        let flag = |id| {
            Ok::<_, palaestra_plugin_api::Error>(
                table.rows::<u8>(id, NO_GROUP, step + 1)?[instance] != 0,
            )
        };
        if flag(id::TRUNCATED)? && !flag(id::TERMINATED)? {
            all.push(Cut {
                entry,
                step,
                instance,
            });
        }
    }
    Ok(all)
}

/// Flags of instances, once for each member.
fn each_member(
    table: &Table<'_>,
    id: u32,
    start: usize,
    slots: usize,
    members: usize,
) -> Result<Vec<u8>> {
    let mut all = Vec::with_capacity(slots * table.instances() * members);
    for slot in start..start + slots {
        for &flag in table.rows::<u8>(id, NO_GROUP, slot)? {
            all.extend(std::iter::repeat_n(u8::from(flag != 0), members));
        }
    }
    Ok(all)
}

/// Sets flags where the agents' own are set, if there are any.
fn set_also(
    flags: &mut [u8],
    unit: &Unit,
    table: &Table<'_>,
    id: u32,
    slots: std::ops::Range<usize>,
) -> Result<()> {
    if !unit.has(table, id) {
        return Ok(());
    }
    let mut own = Vec::with_capacity(flags.len());
    unit.gather::<u8>(table, id, slots, &mut own)?;
    let both = flags.iter_mut().zip(own);
    both.for_each(|(flag, own)| *flag |= u8::from(own != 0));
    Ok(())
}
