//! Checks of how episodes begin and end.

use super::{
    check::{Held, Outcome, Stop, Trial, failed, passed, skipped},
    run::{Run, SHORT, Setup, short_episodes},
};
use crate::{
    abi::{NO_GROUP, id},
    client::MakeEnvironment,
    layout::ends_per_agent,
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
    passed(format!(
        "{INSTANCES} instances, 21 resets and those of 165 steps"
    ))
}

/// After a reset that was asked for: nothing has ended, and everything starts.
fn begins(run: &Run, which: &[u8]) -> Result<(), Stop> {
    for instance in (0..run.instances()).filter(|&i| which[i] != 0) {
        for (name, slab, expected) in [
            ("terminated", id::TERMINATED, 0),
            ("truncated", id::TRUNCATED, 0),
            ("first", id::FIRST, 1),
        ] {
            let found = run.flags(slab)[instance];
            if found != expected {
                return failed(format!(
                    "{name} of instance {instance} after reset: expected {expected}, found {found}"
                ));
            }
        }
        for (g, group) in run.spec().groups.iter().enumerate() {
            let rows = instance * group.agents..(instance + 1) * group.agents;
            for (name, slab) in [
                ("agent_terminated", id::AGENT_TERMINATED),
                ("agent_truncated", id::AGENT_TRUNCATED),
            ] {
                if run.agent_flags(slab, g, 0)[rows.clone()]
                    .iter()
                    .any(|&f| f != 0)
                {
                    return failed(format!(
                        "{name} of instance {instance}, group {} after reset: expected 0",
                        group.name
                    ));
                }
            }
            if let Some(reward) = run.rows::<f32>(id::REWARD, g as u32)[rows]
                .iter()
                .find(|&&r| r != 0.0)
            {
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
                return failed(format!(
                    "{}, group {}: expected 0 or 1, found {flag}",
                    at("alive or acting"),
                    group.name
                ));
            }
            if ends_per_agent(run.spec()) && run.agent_flags(id::AGENT_FIRST, g, 1)[rows] != *alive
            {
                return failed(format!(
                    "{}, group {}: expected 1 for all who are alive",
                    at("agent_first"),
                    group.name
                ));
            }
            somebody_lives |= alive.contains(&1);
            somebody_acts |= alive.iter().zip(acting).any(|(a, b)| a & b == 1);
        }
        // Where agents come and go, the first may be yet to come.
        if !somebody_lives && run.spec().flags.respawn {
            continue;
        }
        if !somebody_lives {
            return failed(format!("{}: expected somebody, found nobody", at("alive")));
        }
        if !somebody_acts {
            return failed(format!(
                "{}: expected somebody alive to act, found nobody",
                at("acting")
            ));
        }
    }
    Ok(())
}

/// Within an episode: flags are 0 or 1, and steps are counted.
fn continues(run: &Run, first: &[u8]) -> Result<(), Stop> {
    for (instance, &first) in first.iter().enumerate() {
        for (name, slab) in [
            ("terminated", id::TERMINATED),
            ("truncated", id::TRUNCATED),
            ("first", id::FIRST),
        ] {
            let flag = run.flags(slab)[instance];
            if flag > 1 {
                return failed(format!(
                    "{name} at step {}, instance {instance}: expected 0 or 1, found {flag}",
                    run.time
                ));
            }
        }
        if first == 0
            && !run.is_waiting(instance)
            && run.rows::<u32>(id::STEP, NO_GROUP)[instance] == 0
        {
            return failed(format!(
                "step at step {}, instance {instance}: expected at least 1, found 0",
                run.time
            ));
        }
    }
    Ok(())
}

pub(super) fn truncation_at_limit(trial: &Trial<'_>) -> Outcome {
    trial.probe()?;
    let mut setup = Setup::of(trial, 4);
    if let Some(config) = short_episodes(trial) {
        let what = MakeEnvironment {
            config: config.clone(),
            ..trial.subject.request(trial.seed)
        };
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
        return skipped(format!(
            "a limit of {limit} steps is more than this check plays"
        ));
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
                    return failed(format!(
                        "instance {instance}: expected an end after {limit} steps, found none"
                    ));
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
        Some(steps) => Ok(Held::Warning(format!(
            "an episode was cut off after {steps} of {limit} steps, by the environment"
        ))),
        None => passed(format!("limit {limit}, {whole} episodes reached it")),
    }
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
                    format!(
                        "at step {}, instance {}, group {name}, agent {}",
                        run.time,
                        row / agents,
                        row % agents
                    )
                };
                if (*was, *is) == (0, 1) {
                    return failed(format!(
                        "alive {}: expected 0 for the rest of the episode, found 1",
                        place()
                    ));
                }
                if run.agent_flags(id::AGENT_TERMINATED, g, 0)[row] == 1 && (*was, *is) != (1, 0) {
                    return failed(format!(
                        "agent_terminated {}: expected an agent that was alive and is not",
                        place()
                    ));
                }
                deaths += u32::from(was > is);
            }
            *before = now;
        }
    }
    passed(format!(
        "{INSTANCES} instances, {STEPS} steps, {deaths} agents ended before their episodes"
    ))
}
