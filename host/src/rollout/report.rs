//! What a fixed set of episodes was like: returns, lengths and metrics, in total and per group.

use std::collections::BTreeMap;

use palaestra_plugin_api::{Error, Result, spec::EnvironmentSpec};
use serde::Serialize;

use super::{Columns, EpisodeSet, Moments, Policy, Rollout};

/// Steps after which an episode without an end is given up.
const PATIENCE: u64 = 10_000_000;

/// Gives up episodes that do not end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    kept: usize,
    waited: u64,
}

impl Patience {
    /// Told after every fragment of `steps` steps how many episodes have ended so far.
    ///
    /// # Errors
    /// When none has for very long.
    pub fn wait(&mut self, kept: usize, steps: usize) -> Result<()> {
        let before = std::mem::replace(&mut self.kept, kept);
        let waited = if kept == before { self.waited } else { 0 };
        self.waited = waited + steps as u64;
        if self.waited <= PATIENCE {
            return Ok(());
        }
        Err(Error::config(format!(
            "rollout: expected every episode to end, found none that did in {PATIENCE} steps; \
             add --wrapper TimeLimit.max_episode_steps=1000"
        )))
    }
}

/// Runs the episodes of a set from a fresh reset. `progress` is told how many have ended.
///
/// # Errors
/// What a policy or the plugin reports, or an episode that does not end.
pub fn run_episodes<P: Policy>(
    rollout: &mut Rollout,
    policies: &mut [P],
    set: &EpisodeSet,
    mut progress: impl FnMut(usize) + Send,
) -> Result<EpisodeReport> {
    rollout.keep_episodes(set);
    rollout.reset()?;
    let workers = rollout.workers().clone();
    workers.install(|| {
        let (mut kept, mut patience) = (0, Patience::default());
        while kept < set.episodes() {
            let steps = rollout.plan().steps;
            rollout.collect(policies, steps)?;
            kept = rollout.episodes_kept();
            patience.wait(kept, steps)?;
            progress(kept);
        }
        Ok::<_, Error>(())
    })?;
    Ok(EpisodeReport::new(
        rollout.spec(),
        rollout.tables().flat_map(|table| table.rows()),
    ))
}

/// Mean and spread of a number over the episodes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Mean over the episodes.
    pub mean: f64,
    /// Standard deviation of the sample.
    pub std: f64,
    /// Standard error of the mean.
    pub standard_error: f64,
}

impl Spread {
    /// Two passes: the mean of whole numbers is not off by roundings that only running moments need.
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let count = values.clone().count();
        let mean = values.clone().sum::<f64>() / count.max(1) as f64;
        let deviations = values.map(|value| (value - mean) * (value - mean)).sum();
        let moments = Moments {
            count: count as u64,
            mean,
            deviations,
        };
        Self {
            mean,
            std: moments.std(),
            standard_error: moments.standard_error(),
        }
    }
}

/// Returns, lengths and metrics of some episodes, for everybody or for one group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// Number of episodes.
    pub episodes: usize,
    /// Mean return: of the sums over the agents.
    pub mean_return: f64,
    /// Standard deviation of the returns (of the sample).
    pub std_return: f64,
    /// Standard error of the mean return.
    pub standard_error: f64,
    /// Return of every episode, in order of instance, then episode.
    pub returns: Vec<f64>,
    /// Mean number of steps.
    pub mean_length: f64,
    /// Standard error of the mean number of steps.
    pub length_standard_error: f64,
    /// Named metrics; those of a group are named `group/…` and stand there too.
    pub metrics: BTreeMap<String, Spread>,
}

/// An outcome in total and per group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EpisodeReport {
    /// Over all agents.
    #[serde(flatten)]
    pub total: Outcome,
    /// Per agent group.
    pub groups: BTreeMap<String, GroupOutcome>,
}

/// An outcome of one group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupOutcome {
    /// Over the agents of the group.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Return of each agent.
    pub agents: Vec<Spread>,
}

impl EpisodeReport {
    /// The report on episodes that are rows of [`Columns`].
    pub fn new<'a>(spec: &EnvironmentSpec, rows: impl Iterator<Item = &'a [f64]>) -> Self {
        let (columns, rows) = (Columns::new(spec), rows.collect::<Vec<_>>());
        let of = |column: usize| rows.iter().map(move |row| row[column]);
        let outcome = |column: usize, prefix: &str| {
            let (returns, length) = (Spread::of(of(column)), Spread::of(of(columns.length())));
            let metrics = spec
                .metrics
                .iter()
                .enumerate()
                .filter(|(_, metric)| metric.name.starts_with(prefix));
            Outcome {
                episodes: rows.len(),
                mean_return: returns.mean,
                std_return: returns.std,
                standard_error: returns.standard_error,
                returns: of(column).collect(),
                mean_length: length.mean,
                length_standard_error: length.standard_error,
                metrics: metrics
                    .map(|(m, metric)| (metric.name.clone(), Spread::of(of(columns.metric(m)))))
                    .collect(),
            }
        };
        let group = |(g, group): (usize, &palaestra_plugin_api::spec::GroupSpec)| {
            let agents = (0..group.agents)
                .map(|agent| Spread::of(of(columns.agent(g, agent))))
                .collect();
            let outcome = outcome(columns.group(g), &format!("{}/", group.name));
            (group.name.clone(), GroupOutcome { outcome, agents })
        };
        Self {
            total: outcome(columns.total(), ""),
            groups: spec.groups.iter().enumerate().map(group).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use palaestra_plugin_api::spec::{GroupSpec, Metric, Space};

    use super::*;

    #[test]
    fn totals_groups_agents_and_metrics_are_told_apart() {
        let mut spec = EnvironmentSpec::new("east", 2, Space::real(1), Space::discrete(2));
        spec.groups.push(GroupSpec::new(
            "west",
            1,
            Space::real(1),
            Space::discrete(2),
        ));
        spec.metrics = vec![Metric::sum("east/goals"), Metric::sum("fouls")];
        // Agents, sum of east, total, length, metrics.
        let rows: [&[f64]; 2] = [
            &[1.0, 2.0, 5.0, 3.0, 8.0, 10.0, 4.0, 0.0],
            &[3.0, 4.0, 7.0, 7.0, 14.0, 20.0, 6.0, 1.0],
        ];
        let report = EpisodeReport::new(&spec, rows.into_iter());
        assert_eq!(
            (
                report.total.episodes,
                report.total.mean_return,
                report.total.mean_length
            ),
            (2, 11.0, 15.0)
        );
        assert_eq!(report.total.returns, [8.0, 14.0]);
        assert_eq!(
            (report.total.std_return, report.total.standard_error),
            (18.0_f64.sqrt(), 3.0)
        );
        let east = &report.groups["east"];
        assert_eq!((east.outcome.mean_return, east.agents[1].mean), (5.0, 3.0));
        assert_eq!(
            east.outcome.metrics.keys().collect::<Vec<_>>(),
            ["east/goals"]
        );
        assert_eq!(report.groups["west"].outcome.mean_return, 6.0);
        assert_eq!(report.total.metrics["fouls"].mean, 0.5);
        let json = serde_json::to_value(&report).unwrap();
        for field in [
            "episodes",
            "mean_return",
            "std_return",
            "returns",
            "mean_length",
            "metrics",
        ] {
            assert!(
                json.get(field).is_some() && json["groups"]["west"].get(field).is_some(),
                "{field}"
            );
        }
    }
}
