//! Checks of what a world says that another joint action would pay.

use super::{
    check::{Outcome, Stop, Trial, failed, passed, skipped},
    run::{Run, Setup, must_repeat},
};
use crate::{abi::id, client::SlabElement};

const INSTANCES: usize = 8;
const STEPS: u32 = 200;

pub(super) fn is_paid(trial: &Trial<'_>) -> Outcome {
    if !trial.probe()?.spec().flags.counterfactual {
        return skipped("not offered");
    }
    let setup = Setup::of(trial, INSTANCES);
    must_repeat(trial, &setup, STEPS)?;
    let (mut asked, mut unasked) = (setup.start(trial)?, setup.start(trial)?);
    let mut paid = 0;
    for _ in 0..STEPS {
        asked.act()?;
        unasked.act()?;
        let mut foreseen = Vec::with_capacity(INSTANCES);
        for instance in 0..INSTANCES {
            // What the neighbour does may be illegal here; that it is asked for must not matter.
            let other = joint(&asked, (instance + 1) % INSTANCES);
            let _ = ask(&mut asked, instance, &other);
            let own = joint(&asked, instance);
            foreseen.push(ask(&mut asked, instance, &own)?);
        }
        asked.advance()?;
        unasked.advance()?;
        for (instance, foreseen) in foreseen.iter().enumerate() {
            paid += compare(&asked, instance, foreseen)?;
            if let Some(found) = asked.full_difference(instance, &unasked, instance)? {
                return failed(format!(
                    "step {}, instance {instance}: expected that asking changes nothing, found {found}",
                    asked.time
                ));
            }
        }
    }
    passed(format!(
        "{INSTANCES} instances, {STEPS} steps, {paid} rewards other than 0"
    ))
}

/// Rewards of a joint action, `[group][agent]`.
fn ask(run: &mut Run, instance: usize, joint: &[Vec<Vec<f64>>]) -> Result<Vec<Vec<f64>>, Stop> {
    let (mut shard, index) = run.batch.locate(instance);
    Ok(shard.counterfactual(index, joint)?)
}

/// What the agents of an instance do, `[group][agent][component]`.
fn joint(run: &Run, instance: usize) -> Vec<Vec<Vec<f64>>> {
    let groups = run.spec().groups.iter().enumerate();
    let actions = groups.map(|(g, group)| match group.action.is_box() {
        true => agents::<f32>(run, g, group.agents, instance),
        false => agents::<i32>(run, g, group.agents, instance),
    });
    actions.collect()
}

fn agents<T: SlabElement + Into<f64>>(
    run: &Run,
    g: usize,
    agents: usize,
    instance: usize,
) -> Vec<Vec<f64>> {
    let rows = run.rows::<T>(id::ACTION, g as u32);
    let width = rows.len() / run.instances();
    let row = &rows[instance * width..][..width];
    let components = row.chunks_exact(width / agents);
    components
        .map(|own| own.iter().map(|&x| x.into()).collect())
        .collect()
}

/// How many of the rewards of the last step were not 0; all must be as foreseen.
fn compare(run: &Run, instance: usize, foreseen: &[Vec<f64>]) -> Result<usize, Stop> {
    let agents: Vec<usize> = run.spec().groups.iter().map(|g| g.agents).collect();
    let shape: Vec<usize> = foreseen.iter().map(Vec::len).collect();
    if shape != agents {
        return failed(format!(
            "counterfactual at step {}, instance {instance}: expected rewards of {agents:?} agents, found {shape:?}",
            run.time
        ));
    }
    let mut paid = 0;
    for (g, foreseen) in foreseen.iter().enumerate() {
        let rewards = &run.rows::<f32>(id::REWARD, g as u32)[instance * agents[g]..][..agents[g]];
        for (agent, (&foreseen, &reward)) in foreseen.iter().zip(rewards).enumerate() {
            // What is not finite is for `reward-finite` to report.
            if reward.is_finite() && foreseen as f32 != reward {
                return failed(format!(
                    "counterfactual at step {}, instance {instance}, group {}, agent {agent}: expected {reward}, which is paid, found {foreseen}",
                    run.time,
                    run.spec().groups[g].name
                ));
            }
            paid += usize::from(reward != 0.0);
        }
    }
    Ok(paid)
}
