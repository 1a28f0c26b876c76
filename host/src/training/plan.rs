//! From a resolved experiment to the parts and the plan of a run.

use palaestra_plugin_api::rng;
use serde_json::Value;

use super::{
    composition::{Parts, PolicyParts},
    evaluation::EvaluationPlan,
    run::RunPlan,
    self_play::SelfPlayPlan,
    trainer::TrainingPlan,
};
use crate::experiment::{Experiment, Resolved};

/// Instances that are worth a thread of their own.
const INSTANCES_PER_THREAD: usize = 64;

impl Parts {
    /// The parts that an experiment names.
    pub fn of(resolved: &Resolved) -> Self {
        let sections = resolved.experiment.algorithm.iter();
        let policies = sections.zip(&resolved.algorithms);
        Self {
            environment: resolved.environment.clone(),
            wrappers: resolved.experiment.wrappers.clone(),
            mechanisms: resolved.mechanisms.clone(),
            policies: policies
                .map(|(section, algorithm)| PolicyParts {
                    algorithm: algorithm.clone(),
                    groups: section.groups.clone(),
                    wrappers: section.wrappers.clone(),
                })
                .collect(),
        }
    }
}

impl RunPlan {
    /// The plan of an experiment; what it leaves open is filled in as [`Experiment::filled`] does.
    pub fn of(experiment: &Experiment) -> Self {
        let Experiment {
            seed,
            training,
            evaluation,
            ..
        } = experiment.filled();
        let never_if_zero = |every: Option<u64>| every.filter(|&every| every > 0);
        let self_play = training.self_play.map(|play| SelfPlayPlan {
            share: play.share,
            refresh: play.refresh,
            keep: play.keep,
        });
        Self {
            training: TrainingPlan {
                run_seed: seed,
                num_envs: training.num_envs,
                shards: None,
                tasks: training.tasks.into_iter().map(Value::Object).collect(),
                self_play,
            },
            steps: training.steps,
            log_every: training.log_every.unwrap_or(1),
            checkpoint_every: never_if_zero(training.checkpoint_every).unwrap_or(u64::MAX),
            keep: training.keep,
            evaluate_every: never_if_zero(evaluation.every),
            evaluation: EvaluationPlan {
                // Apart from the episodes of training with any other seed, too.
                run_seed: rng::mix64(seed ^ rng::purpose::EVALUATION),
                episodes: usize::try_from(evaluation.episodes).unwrap_or(usize::MAX),
                num_envs: evaluation.num_envs.unwrap_or(1),
                greedy: evaluation.greedy,
            },
        }
    }
}

/// Threads that step so many instances: as many as asked for; else one for every 64, up to all cores.
pub fn threads(asked: Option<usize>, num_envs: usize) -> usize {
    asked.unwrap_or_else(|| (num_envs / INSTANCES_PER_THREAD).clamp(1, cores()))
}

/// Threads that learning may keep busy: as many as asked for; else all cores. Small updates use one.
pub fn learning_threads(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(cores)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
