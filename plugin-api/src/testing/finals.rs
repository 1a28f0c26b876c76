//! What ended is listed once, with what was seen last.

use super::{
    check::{Outcome, Stop, Trial, failed, passed, skipped},
    rows::Garbage,
    run::{Run, Setup, short_episodes},
    spaces::in_space,
};
use crate::{
    abi::{NO_GROUP, id},
    spec::Element,
};

const INSTANCES: usize = 8;
const STEPS: u32 = 400;

pub(super) fn observation_kept(trial: &Trial<'_>) -> Outcome {
    trial.probe()?;
    let mut setup = Setup::of(trial, INSTANCES);
    setup.config = short_episodes(trial).unwrap_or(setup.config);
    let mut run = setup.start(trial)?;
    // Bytes have no NaN: other garbage shows what was not written.
    let mut other = Setup {
        garbage: Garbage::Nan(0x5a),
        ..setup.clone()
    }
    .start(trial)?;
    let compare = run.spec().flags.deterministic
        && run
            .spec()
            .groups
            .iter()
            .any(|g| g.observation.element() == Element::U8);
    let mut watched = Watched::new(&run);
    for _ in 0..STEPS {
        run.step()?;
        let ended = run.ended()?;
        lists_agree(&run, &ended)?;
        for &(instance, entry) in &ended {
            watched.ends(&run, instance, entry)?;
        }
        if compare {
            other.step()?;
            same_bytes(&run, &other, &ended)?;
        }
        watched.steps(&run);
    }
    watched.judge()
}

/// Everybody who ended is listed once, in order, and nobody else.
fn lists_agree(run: &Run, ended: &[(usize, usize)]) -> Result<(), Stop> {
    let over: Vec<usize> = (0..run.instances()).filter(|&i| run.is_over(i)).collect();
    let listed: Vec<usize> = ended.iter().map(|e| e.0).collect();
    if over != listed {
        return failed(format!(
            "ended rows at step {}: expected instances {over:?}, found {listed:?}",
            run.time
        ));
    }
    Ok(())
}

/// Final observations of bytes must not depend on what was in the slots before.
fn same_bytes(run: &Run, other: &Run, ended: &[(usize, usize)]) -> Result<(), Stop> {
    for (g, group) in run.spec().groups.iter().enumerate() {
        let width = group.observation.width();
        let row = |run: &Run, row: usize| {
            run.rows::<u8>(id::FINAL_OBSERVATION, g as u32)[row * width..][..width].to_vec()
        };
        if group.observation.element() != Element::U8 {
            continue;
        }
        let alive = run.agent_flags(id::FINAL_ALIVE, g, 1);
        let mut rows = ended
            .iter()
            .flat_map(|&(_, entry)| entry * group.agents..(entry + 1) * group.agents);
        if rows.any(|agent| alive[agent] != 0 && row(run, agent) != row(other, agent)) {
            return failed(format!(
                "final observation at step {}, group {}: expected it to be written",
                run.time, group.name
            ));
        }
    }
    Ok(())
}

/// What is remembered of the episodes being watched.
struct Watched {
    lengths: Vec<u32>,
    ended: u32,
    /// Final observations that differ from the first of the next episode.
    distinct: u32,
    /// Observations that differ from the one before, within an episode.
    changes: u32,
    previous: Vec<Vec<f32>>,
}

impl Watched {
    fn new(run: &Run) -> Self {
        let n = run.instances();
        Self {
            lengths: vec![0; n],
            ended: 0,
            distinct: 0,
            changes: 0,
            previous: (0..n).map(|i| observations(run, i)).collect(),
        }
    }

    fn ends(&mut self, run: &Run, instance: usize, entry: usize) -> Result<(), Stop> {
        let at = format!("at step {}, instance {instance}", run.time);
        let length = run.rows::<u32>(id::EPISODE_LENGTH, NO_GROUP)[entry];
        let expected = self.lengths[instance] + 1;
        if length != expected {
            return failed(format!(
                "episode length {at}: expected {expected}, found {length}"
            ));
        }
        let mut differs = false;
        for (g, group) in run.spec().groups.iter().enumerate() {
            let width = group.observation.width();
            let alive = run.agent_flags(id::FINAL_ALIVE, g, 1);
            let finals = run.rows::<f32>(id::FINAL_OBSERVATION, g as u32);
            let firsts = run.rows::<f32>(id::OBSERVATION, g as u32);
            for agent in (0..group.agents).filter(|agent| alive[entry * group.agents + agent] != 0)
            {
                let row = |rows: &[f32], i: usize| {
                    let start = (i * group.agents + agent) * width;
                    rows.get(start..start + width).unwrap_or_default().to_vec()
                };
                let last = row(finals, entry);
                in_space(&group.observation, &last).or_else(|wrong| {
                    failed(format!(
                        "final observation {at}, group {}, agent {agent}, {wrong}",
                        group.name
                    ))
                })?;
                differs |= last != row(firsts, instance);
            }
        }
        if let Some(space) = &run.spec().state {
            let state = &run.rows::<f32>(id::FINAL_STATE, NO_GROUP)[entry * space.width()..]
                [..space.width()];
            in_space(space, state).or_else(|wrong| failed(format!("final state {at}, {wrong}")))?;
        }
        self.ended += 1;
        // Instances that wait for a reset show no next episode yet.
        self.distinct += u32::from(differs || run.is_waiting(instance));
        Ok(())
    }

    fn steps(&mut self, run: &Run) {
        for instance in 0..run.instances() {
            let now = observations(run, instance);
            if run.is_over(instance) {
                self.lengths[instance] = 0;
            } else {
                self.lengths[instance] += 1;
                self.changes += u32::from(now != self.previous[instance]);
            }
            self.previous[instance] = now;
        }
    }

    fn judge(self) -> Outcome {
        match self.ended {
            0 => skipped(format!("no episode ended within {STEPS} steps")),
            n if n >= 8 && self.distinct == 0 && self.changes > n => failed(format!(
                "final observations of {n} episodes: expected those of the last steps, found the first of the next episodes"
            )),
            n => passed(format!("{n} episodes")),
        }
    }
}

/// Observations of the alive agents of an instance, where they are numbers.
fn observations(run: &Run, instance: usize) -> Vec<f32> {
    let groups = run.spec().groups.iter().enumerate();
    groups
        .flat_map(|(g, group)| {
            let width = group.agents * group.observation.width();
            run.rows::<f32>(id::OBSERVATION, g as u32)
                .get(instance * width..(instance + 1) * width)
                .unwrap_or_default()
                .to_vec()
        })
        .collect()
}
