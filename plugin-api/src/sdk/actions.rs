//! Actions are checked before anything moves: a bad one is refused, and the world stays as it was.

use serde_json::Value;

use super::memory::{GroupActions, Memory};
use crate::{
    error::{Error, ErrorKind, Result},
    spec::EnvironmentSpec,
};

impl Memory {
    /// Checks the actions of slot `read` and brings boxes to f64. Actions of agents that are dead or
    /// not acting must be in their space too; the mask binds only those that act.
    #[inline(always)]
    pub(crate) fn take_actions(&mut self, read: usize) -> Result<()> {
        for (g, actions) in self.actions.iter_mut().enumerate() {
            if actions.choices.is_empty() {
                if !actions.exact {
                    for (to, from) in actions
                        .continuous
                        .iter_mut()
                        .zip(actions.slab_f32.slot(read))
                    {
                        *to = f64::from(*from);
                    }
                }
                // Any NaN or infinity survives the sum.
                let sum = actions.continuous.iter().fold(0.0, |sum, x| sum + x * 0.0);
                if sum != 0.0 {
                    return Err(not_finite(g, actions));
                }
            } else if !in_space(actions, read) {
                return Err(out_of_space(g, actions, read));
            }
            let group = &self.out.groups[g];
            if group.has_mask {
                let acting = group.acting.is_bound().then(|| group.acting.slot(read));
                check_mask(
                    g,
                    actions,
                    read,
                    group.mask.slot(read),
                    &group.living,
                    acting,
                )?;
            }
        }
        Ok(())
    }

    /// Takes the actions of a one-instance batch from JSON `[group][agent][component]`.
    pub(crate) fn set_exact_actions(
        &mut self,
        spec: &EnvironmentSpec,
        actions: &Value,
    ) -> Result<()> {
        let joint: Vec<Vec<Vec<f64>>> = serde_json::from_value(actions.clone()).map_err(|e| {
            Error::config(format!(
                "actions: expected [group][agent][component] numbers, {e}"
            ))
        })?;
        let shape_error = || Error::config("actions: expected one row per agent of every group");
        if joint.len() != spec.groups.len() {
            return Err(shape_error());
        }
        for (memory, agents) in self.actions.iter_mut().zip(&joint) {
            if agents.len() != memory.agents || agents.iter().any(|a| a.len() != memory.width) {
                return Err(shape_error());
            }
            let components = agents.iter().flatten();
            if memory.choices.is_empty() {
                for (to, from) in memory.continuous.iter_mut().zip(components) {
                    *to = *from;
                }
            } else {
                for (to, from) in memory.exact_choices.iter_mut().zip(components) {
                    *to = *from as i32;
                }
            }
        }
        Ok(())
    }
}

#[inline(always)]
fn in_space(actions: &GroupActions, read: usize) -> bool {
    let row = actions.discrete(read);
    match actions.choices.as_slice() {
        // One unsigned comparison catches negative choices too.
        [n] => row
            .iter()
            .fold(true, |ok, &a| ok & ((a as u32) < *n as u32)),
        choices => row.chunks_exact(choices.len()).fold(true, |ok, agent| {
            ok & agent
                .iter()
                .zip(choices)
                .all(|(&a, &n)| (a as u32) < n as u32)
        }),
    }
}

#[cold]
fn out_of_space(group: usize, actions: &GroupActions, read: usize) -> Error {
    let width = actions.choices.len();
    let row = actions.discrete(read);
    let at = (0..row.len())
        .find(|&i| row[i] as u32 >= actions.choices[i % width] as u32)
        .unwrap_or(0);
    bad_action(
        group,
        actions,
        at,
        format!("0..{}", actions.choices[at % width]),
        row[at].to_string(),
    )
}

#[cold]
fn not_finite(group: usize, actions: &GroupActions) -> Error {
    let at = actions
        .continuous
        .iter()
        .position(|x| !x.is_finite())
        .unwrap_or(0);
    bad_action(
        group,
        actions,
        at,
        "a finite number".into(),
        actions.continuous[at].to_string(),
    )
}

#[inline(never)]
fn check_mask(
    group: usize,
    actions: &GroupActions,
    read: usize,
    mask: &[u8],
    living: &[u8],
    acting: Option<&[u8]>,
) -> Result<()> {
    let per_agent: usize = actions.choices.iter().sum();
    let rows = actions
        .discrete(read)
        .chunks_exact(actions.width)
        .zip(mask.chunks_exact(per_agent));
    for (agent, (row, mask)) in rows.enumerate() {
        if living[agent] == 0 || acting.is_some_and(|a| a[agent] == 0) {
            continue;
        }
        let mut offset = 0;
        for (component, (&choice, &n)) in row.iter().zip(&actions.choices).enumerate() {
            if mask[offset + choice as usize] == 0 {
                let allowed: Vec<_> = (0..n).filter(|c| mask[offset + c] != 0).collect();
                let at = agent * actions.width + component;
                return Err(bad_action(
                    group,
                    actions,
                    at,
                    format!("one of {allowed:?}"),
                    choice.to_string(),
                ));
            }
            offset += n;
        }
    }
    Ok(())
}

fn bad_action(
    group: usize,
    actions: &GroupActions,
    at: usize,
    expected: String,
    found: String,
) -> Error {
    let agent = at / actions.width;
    Error::new(
        ErrorKind::BadAction,
        format!(
            "action of env {}, group {group}, agent {}: expected {expected}, found {found}",
            agent / actions.agents,
            agent % actions.agents
        ),
    )
}
