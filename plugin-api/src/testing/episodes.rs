//! Checks of how episodes begin and end.

use super::{
    check::{Held, Outcome, Stop, Trial, failed, passed, skipped},
    rows::Garbage,
    run::{Run, SHORT, Setup, short_episodes},
    spaces::in_space,
};
use crate::{
    abi::{NO_GROUP, id},
    client::MakeEnvironment,
    layout::ends_per_agent,
    spec::Element,
};

const INSTANCES: usize = 8;
const STEPS: u32 = 400;
/// Longest limit that is played to its end.
const LONGEST: u32 = 20_000;

pub(super) fn flags_clear(trial: &Trial<'_>) -> Outcome {
    trial.probe()?;
    let mut run = Setup::of(trial, INSTANCES).start(trial)?;
    let everywhere = [1; INSTANCES];
    begins(&run, &everywhere)?;
    for steps in 1..=10 {
        for _ in 0..3 * steps {
            run.step()?;
            let first: Vec<u8> = run.flags(id::FIRST).to_vec();
            continues(&run, &first)?;
            starts(&run, &first)?;
        }
        run.reset()?;
        begins(&run, &everywhere)?;
        run.step()?;
        let some: Vec<u8> = (0..INSTANCES).map(|i| u8::from(i % 3 == 0)).collect();
        run.reset_where(&some)?;
        begins(&run, &some)?;
    }
    passed(format!("{INSTANCES} instances, 21 resets and those of 165 steps"))
}

/// After a reset that was asked for: nothing has ended, and everything starts.
fn begins(run: &Run, which: &[u8]) -> Result<(), Stop> {
    for instance in (0..run.instances()).filter(|&i| which[i] != 0) {
        for (name, slab, expected) in
            [("terminated", id::TERMINATED, 0), ("truncated", id::TRUNCATED, 0), ("first", id::FIRST, 1)]
        {
            let found = run.flags(slab)[instance];
            if found != expected {
                return failed(format!("{name} of instance {instance} after reset: expected {expected}, found {found}"));
            }
        }
        for (g, group) in run.spec().groups.iter().enumerate() {
            let rows = instance * group.agents..(instance + 1) * group.agents;
            for (name, slab) in [("agent_terminated", id::AGENT_TERMINATED), ("agent_truncated", id::AGENT_TRUNCATED)] {
                if run.agent_flags(slab, g, 0)[rows.clone()].iter().any(|&f| f != 0) {
                    return failed(format!("{name} of instance {instance}, group {} after reset: expected 0", group.name));
                }
            }
            if let Some(reward) = run.rows::<f32>(id::REWARD, g as u32)[rows].iter().find(|&&r| r != 0.0) {
                return failed(format!(
                    "reward of instance {instance}, group {} after reset: expected 0, found {reward}",
                    group.name
                ));
            }
        }
    }
    starts(run, which)
}

/// At the start of any episode: step 0, somebody alive, somebody to act.
fn starts(run: &Run, which: &[u8]) -> Result<(), Stop> {
    for instance in (0..run.instances()).filter(|&i| which[i] != 0) {
        let at = |what: &str| format!("{what} of instance {instance} at the start of an episode");
        let step = run.rows::<u32>(id::STEP, NO_GROUP)[instance];
        if step != 0 {
            return failed(format!("{}: expected 0, found {step}", at("step")));
        }
        let (mut somebody_lives, mut somebody_acts) = (false, false);
        for (g, group) in run.spec().groups.iter().enumerate() {
            let rows = instance * group.agents..(instance + 1) * group.agents;
            let alive = &run.agent_flags(id::ALIVE, g, 1)[rows.clone()];
            let acting = &run.agent_flags(id::ACTING, g, 1)[rows.clone()];
            if let Some(flag) = alive.iter().chain(acting).find(|&&f| f > 1) {
                return failed(format!("{}, group {}: expected 0 or 1, found {flag}", at("alive or acting"), group.name));
            }
            if ends_per_agent(run.spec()) && run.agent_flags(id::AGENT_FIRST, g, 1)[rows] != *alive {
                return failed(format!("{}, group {}: expected 1 for all who are alive", at("agent_first"), group.name));
            }
            somebody_lives |= alive.contains(&1);
            somebody_acts |= alive.iter().zip(acting).any(|(a, b)| a & b == 1);
        }
        if !somebody_lives {
            return failed(format!("{}: expected somebody, found nobody", at("alive")));
        }
        if !somebody_acts {
            return failed(format!("{}: expected somebody alive to act, found nobody", at("acting")));
        }
    }
    Ok(())
}

/// Within an episode: flags are 0 or 1, and steps are counted.
fn continues(run: &Run, first: &[u8]) -> Result<(), Stop> {
    for instance in 0..run.instances() {
        for (name, slab) in [("terminated", id::TERMINATED), ("truncated", id::TRUNCATED), ("first", id::FIRST)] {
            let flag = run.flags(slab)[instance];
            if flag > 1 {
                return failed(format!("{name} at step {}, instance {instance}: expected 0 or 1, found {flag}", run.time));
            }
        }
        if first[instance] == 0 && !run.is_waiting(instance) && run.rows::<u32>(id::STEP, NO_GROUP)[instance] == 0 {
            return failed(format!("step at step {}, instance {instance}: expected at least 1, found 0", run.time));
        }
    }
    Ok(())
}

pub(super) fn truncation_at_limit(trial: &Trial<'_>) -> Outcome {
    trial.probe()?;
    let mut setup = Setup::of(trial, 4);
    if let Some(config) = short_episodes(trial) {
        let what = MakeEnvironment { config: config.clone(), ..trial.subject.request(trial.seed) };
        let claimed = trial.subject.make(&what)?.spec().max_episode_steps;
        if claimed != Some(SHORT) {
            return failed(format!(
                "spec /max_episode_steps: expected {SHORT} as configured, found {}",
                claimed.map_or("none".into(), |n| n.to_string())
            ));
        }
        setup.config = config;
    }
    let mut run = setup.start(trial)?;
    let Some(limit) = run.spec().max_episode_steps else {
        return skipped("episodes have no limit");
    };
    if limit > LONGEST {
        return skipped(format!("a limit of {limit} steps is more than this check plays"));
    }
    let mut steps = vec![0_u32; run.instances()];
    let (mut whole, mut early) = (0, None);
    for _ in 0..(3 * limit).min(LONGEST + 1) {
        run.step()?;
        for (instance, steps) in steps.iter_mut().enumerate() {
            *steps += 1;
            let truncated = run.flags(id::TRUNCATED)[instance] == 1;
            if !run.is_over(instance) {
                if *steps >= limit {
                    return failed(format!("instance {instance}: expected an end after {limit} steps, found none"));
                }
                continue;
            }
            whole += u32::from(*steps == limit);
            if truncated && *steps < limit {
                early = Some(*steps);
            }
            *steps = 0;
        }
    }
    match early {
        Some(steps) => Ok(Held::Warning(format!("an episode was cut off after {steps} of {limit} steps, by the environment"))),
        None => passed(format!("limit {limit}, {whole} episodes reached it")),
    }
}

pub(super) fn final_observation_kept(trial: &Trial<'_>) -> Outcome {
    trial.probe()?;
    let mut setup = Setup::of(trial, INSTANCES);
    setup.config = short_episodes(trial).unwrap_or(setup.config);
    let mut run = setup.start(trial)?;
    // Bytes have no NaN: other garbage shows what was not written.
    let mut other = Setup { garbage: Garbage::Nan(0x5a), ..setup.clone() }.start(trial)?;
    let compare = run.spec().flags.deterministic && run.spec().groups.iter().any(|g| g.observation.element() == Element::U8);
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
        return failed(format!("ended rows at step {}: expected instances {over:?}, found {listed:?}", run.time));
    }
    Ok(())
}

/// Final observations of bytes must not depend on what was in the slots before.
fn same_bytes(run: &Run, other: &Run, ended: &[(usize, usize)]) -> Result<(), Stop> {
    for (g, group) in run.spec().groups.iter().enumerate() {
        let width = group.observation.width();
        let row = |run: &Run, row: usize| run.rows::<u8>(id::FINAL_OBSERVATION, g as u32)[row * width..][..width].to_vec();
        if group.observation.element() != Element::U8 {
            continue;
        }
        let alive = run.agent_flags(id::FINAL_ALIVE, g, 1);
        let mut rows = ended.iter().flat_map(|&(_, entry)| entry * group.agents..(entry + 1) * group.agents);
        if rows.any(|agent| alive[agent] != 0 && row(run, agent) != row(other, agent)) {
            return failed(format!("final observation at step {}, group {}: expected it to be written", run.time, group.name));
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
        Self { lengths: vec![0; n], ended: 0, distinct: 0, changes: 0, previous: (0..n).map(|i| observations(run, i)).collect() }
    }

    fn ends(&mut self, run: &Run, instance: usize, entry: usize) -> Result<(), Stop> {
        let at = format!("at step {}, instance {instance}", run.time);
        let length = run.rows::<u32>(id::EPISODE_LENGTH, NO_GROUP)[entry];
        let expected = self.lengths[instance] + 1;
        if length != expected {
            return failed(format!("episode length {at}: expected {expected}, found {length}"));
        }
        let mut differs = false;
        for (g, group) in run.spec().groups.iter().enumerate() {
            let width = group.observation.width();
            let alive = run.agent_flags(id::FINAL_ALIVE, g, 1);
            let finals = run.rows::<f32>(id::FINAL_OBSERVATION, g as u32);
            let firsts = run.rows::<f32>(id::OBSERVATION, g as u32);
            for agent in (0..group.agents).filter(|agent| alive[entry * group.agents + agent] != 0) {
                let row = |rows: &[f32], i: usize| {
                    let start = (i * group.agents + agent) * width;
                    rows.get(start..start + width).unwrap_or_default().to_vec()
                };
                let last = row(finals, entry);
                in_space(&group.observation, &last)
                    .or_else(|wrong| failed(format!("final observation {at}, group {}, agent {agent}, {wrong}", group.name)))?;
                differs |= last != row(firsts, instance);
            }
        }
        if let Some(space) = &run.spec().state {
            let state = &run.rows::<f32>(id::FINAL_STATE, NO_GROUP)[entry * space.width()..][..space.width()];
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
            n if n >= 8 && self.distinct == 0 && self.changes > n => {
                failed(format!("final observations of {n} episodes: expected those of the last steps, found the first of the next episodes"))
            }
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
            run.rows::<f32>(id::OBSERVATION, g as u32).get(instance * width..(instance + 1) * width).unwrap_or_default().to_vec()
        })
        .collect()
}

pub(super) fn agents_never_revive(trial: &Trial<'_>) -> Outcome {
    let flags = trial.probe()?.spec().flags.clone();
    if flags.respawn {
        return skipped("agents may come back (flag respawn)");
    }
    if !flags.per_agent_end {
        return skipped("agents live as long as the episode");
    }
    let mut run = Setup::of(trial, INSTANCES).start(trial)?;
    let groups = run.spec().groups.len();
    let alive_in = |run: &Run, g: usize| run.agent_flags(id::ALIVE, g, 1);
    let mut before: Vec<Vec<u8>> = (0..groups).map(|g| alive_in(&run, g)).collect();
    let mut deaths = 0;
    for _ in 0..STEPS {
        run.step()?;
        for (g, before) in before.iter_mut().enumerate() {
            let now = alive_in(&run, g);
            let agents = run.spec().groups[g].agents;
            for (row, (was, is)) in before.iter().zip(&now).enumerate() {
                // A new episode has begun there, or waits to.
                if run.is_over(row / agents) || run.flags(id::FIRST)[row / agents] == 1 {
                    continue;
                }
                let place = || {
                    let name = &run.spec().groups[g].name;
                    format!("at step {}, instance {}, group {name}, agent {}", run.time, row / agents, row % agents)
                };
                if (*was, *is) == (0, 1) {
                    return failed(format!("alive {}: expected 0 for the rest of the episode, found 1", place()));
                }
                if run.agent_flags(id::AGENT_TERMINATED, g, 0)[row] == 1 && (*was, *is) != (1, 0) {
                    return failed(format!("agent_terminated {}: expected an agent that was alive and is not", place()));
                }
                deaths += u32::from(was > is);
            }
            *before = now;
        }
    }
    passed(format!("{INSTANCES} instances, {STEPS} steps, {deaths} agents ended before their episodes"))
}
