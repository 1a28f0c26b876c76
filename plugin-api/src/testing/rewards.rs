//! Checks of rewards, returns and metrics.

use super::{
    check::{Outcome, Stop, Trial, failed, passed},
    run::{Run, Setup},
};
use crate::abi::{NO_GROUP, id};

const INSTANCES: usize = 8;
const STEPS: u32 = 500;

pub(super) fn finite(trial: &Trial<'_>) -> Outcome {
    trial.probe()?;
    let mut run = Setup::of(trial, INSTANCES).start(trial)?;
    for _ in 0..STEPS {
        run.step()?;
        for (g, group) in run.spec().groups.iter().enumerate() {
            let rewards = run.rows::<f32>(id::REWARD, g as u32);
            if let Some(row) = rewards.iter().position(|r| !r.is_finite()) {
                return failed(format!(
                    "reward at step {}, instance {}, group {}, agent {}: expected a finite number, found {}",
                    run.time,
                    row / group.agents,
                    group.name,
                    row % group.agents,
                    rewards[row]
                ));
            }
        }
        metrics_finite(&run)?;
    }
    passed(format!("{INSTANCES} instances, {STEPS} steps"))
}

fn metrics_finite(run: &Run) -> Result<(), Stop> {
    let metrics = &run.spec().metrics;
    let values = run.rows::<f32>(id::METRICS, NO_GROUP);
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(at) => failed(format!(
            "metric {} at step {}, instance {}: expected a finite number, found {}",
            metrics[at % metrics.len()].name,
            run.time,
            at / metrics.len(),
            values[at]
        )),
    }
}

pub(super) fn within_bounds(trial: &Trial<'_>) -> Outcome {
    trial.probe()?;
    let mut run = Setup::of(trial, INSTANCES).start(trial)?;
    let mut sums: Vec<Vec<f64>> = run
        .spec()
        .groups
        .iter()
        .map(|g| vec![0.0; g.agents * INSTANCES])
        .collect();
    let mut lengths = [0_u32; INSTANCES];
    let mut ended = 0;
    for _ in 0..STEPS {
        run.step()?;
        lengths.iter_mut().for_each(|n| *n += 1);
        for (g, sums) in sums.iter_mut().enumerate() {
            rewards_in_range(&run, g)?;
            for (sum, reward) in sums.iter_mut().zip(run.rows::<f32>(id::REWARD, g as u32)) {
                *sum += f64::from(*reward);
            }
        }
        for (instance, entry) in run.ended()? {
            ended += 1;
            for (g, sums) in sums.iter_mut().enumerate() {
                let agents = run.spec().groups[g].agents;
                let sums = &mut sums[instance * agents..(instance + 1) * agents];
                returns_are_sums(&run, g, entry, sums, lengths[instance])?;
                sums.fill(0.0);
            }
            lengths[instance] = 0;
        }
    }
    let (low, high) = run.spec().reward_range;
    let range = if low.or(high).is_some() {
        "within reward_range"
    } else {
        "no reward_range given"
    };
    passed(format!(
        "{INSTANCES} instances, {STEPS} steps, {ended} episodes, {range}"
    ))
}

fn rewards_in_range(run: &Run, g: usize) -> Result<(), Stop> {
    let group = &run.spec().groups[g];
    let (low, high) = run.spec().reward_range;
    for (row, &reward) in run.rows::<f32>(id::REWARD, g as u32).iter().enumerate() {
        // Rewards are f64 before they are written: a bound itself may round outwards.
        let below = low.is_some_and(|low| f64::from(reward) < low && reward < low as f32);
        let above = high.is_some_and(|high| f64::from(reward) > high && reward > high as f32);
        if below || above {
            let bound = |b: Option<f64>| b.map_or("unbounded".into(), |b| b.to_string());
            return failed(format!(
                "reward at step {}, instance {}, group {}, agent {}: expected {} to {}, found {reward}",
                run.time,
                row / group.agents,
                group.name,
                row % group.agents,
                bound(low),
                bound(high)
            ));
        }
    }
    Ok(())
}

/// The sums are of f32 rewards, the returns of f64 ones: each step may differ by half a unit in the last place.
fn returns_are_sums(
    run: &Run,
    g: usize,
    entry: usize,
    sums: &[f64],
    length: u32,
) -> Result<(), Stop> {
    let group = &run.spec().groups[g];
    let returns =
        &run.rows::<f64>(id::EPISODE_RETURN, g as u32)[entry * group.agents..][..group.agents];
    for (agent, (&found, &sum)) in returns.iter().zip(sums).enumerate() {
        let largest = run.spec().reward_range;
        let scale = sum
            .abs()
            .max(largest.0.unwrap_or(0.0).abs())
            .max(largest.1.unwrap_or(0.0).abs())
            .max(1.0);
        // What is not finite is for `reward-finite` to report.
        let comparable = found.is_finite() && sum.is_finite();
        if comparable && (found - sum).abs() > 1e-6 * scale * f64::from(length.max(1)) {
            return failed(format!(
                "return at step {}, group {}, agent {agent}: expected the sum of rewards {sum}, found {found}",
                run.time, group.name
            ));
        }
    }
    Ok(())
}
